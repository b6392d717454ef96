/*
 * A request that is being answered. It is valid until one of the reply functions is called with it,
 * also when the client has gone away meanwhile. Loop thread.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/log.h"

#include <smartsupport/value.h>

struct http_request;

/* What the server was given for its handlers. */
void *http_request_context(const struct http_request *request);

/* The id that the client sent as X-Request-ID, if it is 1 to 64 characters of [A-Za-z0-9._-], or a new one. */
const char *http_request_id(const struct http_request *request);

/* A log whose lines carry the id. */
const struct log *http_request_log(const struct http_request *request);

/* The body as it was sent, borrowed until the reply. */
struct ss_text http_request_body(struct http_request *request);

/* The header NAME, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Adds a header to the reply. */
void http_reply_header(struct http_request *request, const char *name, const char *value);

/* Replies with BODY as JSON. */
void http_reply_json(struct http_request *request, int status, const struct ss_value *body);

/* Replies with STATUS and no body. */
void http_reply_empty(struct http_request *request, int status);

/* Replies with application/problem+json (RFC 9457): the status' title, DETAIL, the request's id as the
 * instance, and ERRORS, a list of {pointer, detail} which is taken and may be NULL. */
void http_reply_problem(
	struct http_request *request, int status, const char *detail, struct ss_value *errors);

/* The same with one error at the JSON Pointer POINTER. */
void http_reply_field_problem(
	struct http_request *request, int status, const char *pointer, const char *detail);

#endif
