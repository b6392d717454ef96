/*
 * A reply that is sent in parts as they come to be: chunked, or for HTTP/1.0 until the connection ends. It takes the
 * place of the one reply of a request, which stays valid until http_stream_end(); http_on_cancel() tells all the
 * while when the client goes away. Until a stream begins the request can get any other reply.
 *
 * A client that leaves more than the server's unsent_limit, or takes nothing for the write_timeout, is cut off: to
 * whoever streams that is a client that has gone away. Parts for such a client are dropped. Loop thread.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/request.h"

/* Begins the reply with its headers, which are as those of every reply but for a Content-Length. */
void http_stream_begin(struct http_request *request, int status, const char *content_type);

/* Whether the reply has begun. */
bool http_stream_begun(const struct http_request *request);

/* Sends PART, which is copied. */
void http_stream_send(struct http_request *request, struct ss_text part);

/* The same, and calls TAKEN with DATA when nothing of the reply waits for the client any more: whoever has a lot to send goes
 * on then. It is not called when the client has gone, or when the request has ended. */
void http_stream_send_paced(
	struct http_request *request, struct ss_text part, void (*taken)(void *data), void *data);

/* Ends the reply, and with it REQUEST, so that the client sees that it is not whole: the connection is cut. */
void http_stream_cut(struct http_request *request);

/* Ends the reply, and with it REQUEST. */
void http_stream_end(struct http_request *request);

#endif
