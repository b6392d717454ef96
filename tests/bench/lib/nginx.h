/* nginx, which serves files of one folder: a yardstick for what HTTP takes. */
#ifndef BENCH_NGINX_H
#define BENCH_NGINX_H

#include <netinet/in.h>
#include <smartsupport/error.h>
#include <smartsupport/value.h>
#include <sys/types.h>

struct nginx {
	pid_t pid;
	struct sockaddr_in address;
	char folder[64];
};

/* Starts PROGRAM with WORKERS and an access log, as it has by itself, and waits until it listens. */
int nginx_start(struct nginx *nginx, const char *program, int workers, struct ss_error *err);

/* Puts the file NAME with CONTENT into its folder. */
int nginx_put(
	const struct nginx *nginx, const char *name, struct ss_text content, struct ss_error *err);

/* Stops it and removes its folder. */
void nginx_stop(struct nginx *nginx);

#endif
