#include "http/tls.h"

#include "base/memory.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60 };

struct http_tls {
	SSL_CTX *context;
};

/* A reason in OpenSSL's words, and an empty queue of errors. */
static const char *take_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);
	if (ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	ERR_clear_error();
	return reason != NULL ? reason : "unknown reason";
}

/* Whether the file can be read, said in the system's words: OpenSSL's are about its own functions. */
static int check_readable(const char *what, const char *file, struct ss_error *err)
{
	FILE *stream = fopen(file, "re");
	if (stream == NULL)
		return ss_fail_as(err, SS_INVALID, "%s: the %s of TLS cannot be read: %s", file,
			what, strerror(errno));
	return fclose(stream);
}

/* A key with a password would have OpenSSL ask for it at the terminal. */
static int give_no_password(char *password, int size, int writing, void *data)
{
	(void)password;
	(void)size;
	(void)writing;
	(void)data;
	return -1;
}

static int load(SSL_CTX *context, const char *certificate, const char *key, struct ss_error *err)
{
	if (check_readable("certificate", certificate, err) < 0 ||
		check_readable("key", key, err) < 0)
		return -1;
	SSL_CTX_set_default_passwd_cb(context, give_no_password);
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return ss_fail_as(err, SS_INVALID,
			"%s: is no certificate for TLS, PEM with the server's own first: %s",
			certificate, take_reason());
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
		bool differs = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;
		return ss_fail_as(err, SS_INVALID,
			differs ? "%s: the key does not belong to the certificate in %s: %s"
				: "%s: is no private key for TLS, PEM without a password, to go "
				  "with %s: %s",
			key, certificate, take_reason());
	}
	return 0;
}

/* Of what the client speaks, HTTP/1.1; a client that names others only is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *length,
	const unsigned char *offered, unsigned offered_length, void *data)
{
	static const unsigned char known[] = "\x08http/1.1";
	unsigned char *found = NULL;
	(void)ssl;
	(void)data;
	if (SSL_select_next_proto(&found, length, known, sizeof known - 1, offered,
		    offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	/* Those of TLS 1.3 are all of this kind. */
	if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
		abort(); /* only for want of memory */
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* A connection that is idle has no buffers. */
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	/* Clients resume with tickets, and the server remembers nobody. */
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return context;
}

struct http_tls *http_tls_new(const char *certificate, const char *key, struct ss_error *err)
{
	SSL_CTX *context = new_context();
	ERR_clear_error();
	if (load(context, certificate, key, err) < 0) {
		SSL_CTX_free(context);
		return NULL;
	}
	struct http_tls *tls = memory_make(struct http_tls);
	tls->context = context;
	return tls;
}

void http_tls_free(struct http_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

/* From now until TIME. */
static int64_t seconds_until(const ASN1_TIME *time)
{
	int days = 0;
	int seconds = 0;
	if (ASN1_TIME_diff(&days, &seconds, NULL, time) != 1)
		return -1;
	return (int64_t)days * DAY_S + seconds;
}

int64_t http_tls_left_s(const struct http_tls *tls)
{
	return seconds_until(X509_get0_notAfter(SSL_CTX_get0_certificate(tls->context)));
}

bool http_tls_is_early(const struct http_tls *tls)
{
	return seconds_until(X509_get0_notBefore(SSL_CTX_get0_certificate(tls->context))) > 0;
}

struct bufferevent *http_tls_accept(const struct http_tls *tls, struct event_base *base)
{
	SSL *ssl = SSL_new(tls->context);
	if (ssl == NULL)
		abort(); /* only for want of memory */
	struct bufferevent *events = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (events == NULL)
		abort(); /* only for want of memory */
	return events;
}

bool http_tls_met_plain(struct bufferevent *events)
{
	unsigned long code = 0;
	while ((code = bufferevent_get_openssl_error(events)) != 0) {
		if (ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)
			return true;
	}
	return false;
}

bool http_tls_send(struct bufferevent *events, const char *text, size_t length)
{
	SSL *ssl = bufferevent_openssl_get_ssl(events);
	struct pollfd socket = {.fd = SSL_get_fd(ssl), .events = POLLOUT};
	/* A record that the socket takes half of would have to be gone on with, before anything else. */
	if (SSL_is_init_finished(ssl) != 1 || length > INT_MAX || poll(&socket, 1, 0) != 1 ||
		(socket.revents & POLLOUT) == 0)
		return false;
	ERR_clear_error();
	bool sent = SSL_write(ssl, text, (int)length) > 0;
	ERR_clear_error();
	return sent;
}

void http_tls_end(struct bufferevent *events)
{
	SSL *ssl = bufferevent_openssl_get_ssl(events);
	ERR_clear_error();
	if (SSL_is_init_finished(ssl) == 1)
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
}
