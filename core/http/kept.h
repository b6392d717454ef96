/*
 * Replies that stay the same for as long as the server runs, as pages and documents. Clients keep them and ask whether
 * they still hold (RFC 9110, conditional requests). Loop thread.
 */
#ifndef HTTP_KEPT_H
#define HTTP_KEPT_H

#include <smartsupport/value.h>

struct http_request;

enum { HTTP_ETAG_SIZE = 36 };

/* What is sent, in one coding. */
struct http_form {
	struct ss_text text; /* borrowed, until the server is freed */
	char etag[HTTP_ETAG_SIZE];
};

struct http_kept {
	const char *type;   /* Content-Type */
	const char *policy; /* Content-Security-Policy; NULL: none */
	struct http_form plain;
	struct http_form gzip; /* for clients that take it; without text: there is none */
};

/* TEXT with its tag, which is made of its bytes. */
struct http_form http_form_of(struct ss_text text);

/* The same of TEXT compressed, in memory that the caller frees. */
struct http_form http_form_packed(struct ss_text text);

/* Replies 200 with KEPT, or 304 when the client has it. It is not copied. */
void http_reply_kept(struct http_request *request, const struct http_kept *kept);

#endif
