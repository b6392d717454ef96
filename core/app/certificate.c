#include "app/certificate.h"

#include "http/tls.h"

/* Certificates of 90 days are renewed 30 days before their end, so this one was forgotten. */
enum { DAY_S = 24 * 60 * 60, WARN_S = 21 * DAY_S };

int certificate_read(
	const struct config *config, struct http_tls **tls, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	*tls = NULL;
	if (config->tls_certificate == NULL)
		return 0;
	*tls = http_tls_new(config->tls_certificate, config->tls_key, &err);
	if (*tls == NULL)
		yaml_mistake(config->document,
			yaml_get(yaml_get(config->document->root, "server"), "tls"), diagnostics,
			"%s", err.text);
	return *tls != NULL ? 0 : -1;
}

void certificate_warn(const struct config *config, const struct log *log)
{
	if (config->tls_certificate == NULL)
		return;
	struct http_tls *tls = http_tls_new(config->tls_certificate, config->tls_key, NULL);
	int64_t left_s = tls != NULL ? http_tls_left_s(tls) : WARN_S;
	if (left_s < 0)
		log_warning(log, "%s: the certificate has expired, and clients refuse it; renew it",
			config->tls_certificate);
	else if (left_s < WARN_S)
		log_warning(log, "%s: the certificate expires in %lld days; renew it",
			config->tls_certificate, (long long)(left_s / DAY_S));
	if (tls != NULL && http_tls_is_early(tls))
		log_warning(log, "%s: the certificate is not good yet, and clients refuse it",
			config->tls_certificate);
	http_tls_free(tls);
}
