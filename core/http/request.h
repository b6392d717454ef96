/*
 * A request that is being answered. It is valid until one of the reply functions is called with it,
 * also when the client has gone away meanwhile; each request gets exactly one reply. What it gives out is
 * borrowed until then. Loop thread.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/log.h"
#include "http/problem.h"
#include "http/route.h"

struct http_request;

/* What the server was given for its handlers. */
void *http_request_context(const struct http_request *request);

/* The id that the client sent as X-Request-ID, if it is 1 to 64 characters of [A-Za-z0-9._-], or a new
 * one. */
const char *http_request_id(const struct http_request *request);

/* A log whose lines carry the id. */
const struct log *http_request_log(const struct http_request *request);

/* Has the lines of the log carry NAME=VALUE as well, that of the reply too. */
void http_request_log_field(struct http_request *request, const char *name, const char *value);

/* The method, as in "GET". */
const char *http_request_method(const struct http_request *request);

/* The path with its query, as it was sent. */
const char *http_request_target(const struct http_request *request);

/* The client's address in numbers: behind proxies that are trusted, as these say; behind others, the proxy's. */
const char *http_request_peer(const struct http_request *request);

/* The value of {NAME} in the route's path, percent-decoded: UTF-8 that is not empty and may hold anything,
 * a slash as well. NULL when the route has no such parameter. */
const char *http_request_parameter(const struct http_request *request, const char *name);

/* The value of NAME in the query, percent-decoded UTF-8; NULL when it is not given. */
const char *http_request_query(const struct http_request *request, const char *name);

/* How many parameters the query has, and the name of one. */
size_t http_request_query_count(const struct http_request *request);
const char *http_request_query_name(const struct http_request *request, size_t index);

/* The route that it goes to. */
const struct http_route *http_request_route(const struct http_request *request);

/* Keeps DATA (taken) for as long as the request is valid; once. */
void http_request_keep(struct http_request *request, void *data, void (*free_data)(void *data));
/* What was kept. */
void *http_request_kept(const struct http_request *request);

/* The body as it was sent. */
struct ss_text http_request_body(struct http_request *request);

/* The header NAME, or NULL; of several the first. Its bytes need not be UTF-8. */
const char *http_request_header(const struct http_request *request, const char *name);

/* All headers NAME as one list, as RFC 9110 (5.3) has it; NULL when there is none. The caller frees it. */
char *http_request_header_list(const struct http_request *request, const char *name);

/* The reply to REQUEST, if it is a 200, gets an ETag (the handler's, or one that is made of its bytes), and is a 304 when
 * the client says that it has it. */
void http_request_may_be_known(struct http_request *request);

/* Calls CANCELLED with DATA when the client goes away before the reply, or ends its side of the
 * connection: what would only serve the reply can stop. The request still needs its reply, which goes
 * nowhere; CANCELLED may give it. It is called at once if the client has gone already. A second call
 * replaces the first; NULL takes it back. */
void http_on_cancel(struct http_request *request, void (*cancelled)(void *data), void *data);

/* Whether the client has gone away. */
bool http_request_cancelled(const struct http_request *request);

/* Whether the server stops once its requests have their replies, so that none should wait for what takes long. */
bool http_request_draining(const struct http_request *request);

/* What becomes of a reply that somebody takes: STATUS, TYPE (NULL: there is no body) and BODY are borrowed for the call. Whoever
 * takes it replies to REQUEST later, with this or something else; its headers are kept. */
typedef void http_reply_taken(void *data, struct http_request *request, int status,
	const char *type, struct ss_text body);

/* Gives the next reply to TAKEN with DATA instead of sending it; once. A stream cannot be taken. */
void http_take_reply(struct http_request *request, http_reply_taken *taken, void *data);

/* The header NAME of the reply so far, or NULL. */
const char *http_reply_header_of(const struct http_request *request, const char *name);

/* Adds a header to the reply, in place of one of that name. Every reply has X-Request-ID, Content-Length
 * and X-Content-Type-Options, and Cache-Control: no-store unless it was set here. */
void http_reply_header(struct http_request *request, const char *name, const char *value);

/* Says that the reply follows from the header NAME of the request, beside those that were said before. */
void http_reply_vary(struct http_request *request, const char *name);

/* Replies with BODY as JSON. */
void http_reply_json(struct http_request *request, int status, const struct ss_value *body);

/* Replies with TEXT of the given Content-Type. */
void http_reply_text(
	struct http_request *request, int status, const char *content_type, struct ss_text text);

/* Replies with STATUS and no body. */
void http_reply_empty(struct http_request *request, int status);

/* Replies with application/problem+json (RFC 9457): the status' title, DETAIL, the request's id as the
 * instance, and ERRORS, a list of {pointer, detail} which is taken and may be NULL. */
void http_reply_problem(
	struct http_request *request, int status, const char *detail, struct ss_value *errors);

/* The same with a type, or whatever else PROBLEM says; its errors are taken. */
void http_reply_typed_problem(struct http_request *request, const struct http_problem *problem);

/* The same with one error at the JSON Pointer POINTER. */
void http_reply_field_problem(
	struct http_request *request, int status, const char *pointer, const char *detail);

#endif
