/* The certificate that the configuration names. Workers, the master, and `check`. */
#ifndef APP_CERTIFICATE_H
#define APP_CERTIFICATE_H

#include "base/log.h"
#include "config/config.h"

struct http_tls;

/* Reads it into *TLS, NULL when the configuration has none. -1 and a mistake in DIAGNOSTICS when it is not good. */
int certificate_read(
	const struct config *config, struct http_tls **tls, struct diagnostics *diagnostics);

/* Warns when it has expired, is about to, or is not good yet. Says nothing of mistakes. */
void certificate_warn(const struct config *config, const struct log *log);

#endif
