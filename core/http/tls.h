/*
 * TLS for connections that come in: the certificate and what both sides may speak, which is TLS 1.2 with forward
 * secrecy and authenticated ciphers, or TLS 1.3, and HTTP/1.1 over it. Made once in a worker; loop thread.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <smartsupport/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event_base;
struct http_tls;

/* Reads the file CERTIFICATE, PEM, the server's own first and then those that lead to a root, and the private key in the
 * file KEY, PEM without a password. The error names the file. */
struct http_tls *http_tls_new(const char *certificate, const char *key, struct ss_error *err);

/* NULL is allowed. Connections keep what they need. */
void http_tls_free(struct http_tls *tls);

/* For how many seconds from now on the certificate is good; less than 0 when it has expired. */
int64_t http_tls_left_s(const struct http_tls *tls);

/* Whether the certificate is good later only. */
bool http_tls_is_early(const struct http_tls *tls);

/* A bufferevent for a connection that was accepted, which speaks TLS on the socket it is given. It closes that socket. */
struct bufferevent *http_tls_accept(const struct http_tls *tls, struct event_base *base);

/* Of a bufferevent of http_tls_accept(): whether the client began with HTTP and not with TLS. */
bool http_tls_met_plain(struct bufferevent *events);

/* Sends a short text past its buffer, which must be empty, if the socket takes it at once. Whether it did. */
bool http_tls_send(struct bufferevent *events, const char *text, size_t length);

/* Tells the client that nothing follows, so that it knows that it has got everything. */
void http_tls_end(struct bufferevent *events);

#endif
