/* What the files of this room share about a server and its requests. */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include "http/guard.h"
#include "http/request.h"
#include "http/router.h"
#include "http/server.h"

#include <event2/http.h>

struct http_request {
	struct http_server *server;
	struct http_request *next, **link;
	struct evhttp_request *evhttp; /* evhttp's; the request's own once there is no guard */
	struct guard *guard;           /* of its connection; NULL: the client is gone */
	const struct http_route *route;
	struct uri uri;
	struct log log;
	char id[GUARD_ID_SIZE];
	char label[GUARD_LABEL_SIZE];
	char peer[64];
	bool may_be_known; /* the client may have the reply already */
	bool is_secure;    /* a proxy says that the client has spoken TLS with it */
	/* Takes the reply in place of the client; NULL: nobody. */
	http_reply_taken *taken;
	void *taken_data;
	int64_t started_ns;
	int status;    /* of a reply in parts that has begun; else 0 */
	size_t length; /* of its parts so far */
	bool ended;    /* it has, but its connection is about to be cut */
	void (*cancelled)(void *data);
	void *cancelled_data;
	void (*sent)(void *data); /* when the client has taken the last part */
	void *sent_data;
	void *kept; /* the handler's */
	void (*free_kept)(void *data);
};

struct http_server {
	struct http_options options;
	struct router *router;
	const struct http_route *routes;
	size_t route_count;
	size_t *rows; /* of each route, and of what is none, in the metrics */
	double owed;  /* the part of a line of the log that is due for replies that went well */
	void *context;
	const struct log *log;
	struct evhttp *evhttp;
	struct acceptor *acceptor;
	struct guard_host host;
	struct lingers lingers;
	struct guard *fresh;   /* whose connection evhttp is setting up */
	struct guard **guards; /* by descriptor */
	size_t guard_rows;
	size_t guard_count;
	struct http_request *requests; /* that are being answered */
	size_t request_count;
	uint64_t request_total;
	struct event *drained; /* active: the drain is over */
	void (*on_drained)(void *context);
	void *on_drained_context;
	bool closing; /* http_server_free() is at work */
};

/* Takes REQUEST off its server and frees it; evhttp's part is passed on or freed before. */
void http_request_free(struct http_request *request);

/* Sets the headers that every reply has. */
void http_reply_common(struct http_request *request, const char *type);

/* Replies with TEXT, which is not copied and stays until the server is freed. */
void http_reply_shared(
	struct http_request *request, int status, const char *type, struct ss_text text);

/* Logs and counts the reply that REQUEST got. */
void http_reply_note(const struct http_request *request, int status, size_t length);

/* Replies that the body, path or query is not what it should be. */
void http_reply_refusal(struct http_request *request, const struct http_refusal *refusal);

#endif
