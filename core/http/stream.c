#include "http/stream.h"

#include "http/private.h"

#include <event2/buffer.h>
#include <stdlib.h>

void http_stream_begin(struct http_request *request, int status, const char *content_type)
{
	struct guard *guard = request->guard;
	request->status = status;
	if (guard == NULL)
		return;
	http_reply_common(request, content_type);
	/* Without chunks only the end of the connection tells where the reply ends. */
	guard->closes |= guard->old;
	guard_prepare_reply(guard, request->evhttp);
	evhttp_send_reply_start(request->evhttp, status, http_status_title(status));
	guard_streamed(guard);
}

bool http_stream_begun(const struct http_request *request)
{
	return request->status != 0;
}

static void on_taken(struct evhttp_connection *connection, void *context)
{
	struct http_request *request = context;
	(void)connection;
	if (request->sent != NULL)
		request->sent(request->sent_data);
}

static void send_part(struct http_request *request, struct ss_text part,
	void (*taken)(struct evhttp_connection *, void *))
{
	struct guard *guard = request->guard;
	if (guard == NULL || guard->overrun || part.length == 0)
		return;
	struct evbuffer *buffer = evbuffer_new();
	if (buffer == NULL || evbuffer_add(buffer, part.data, part.length) < 0)
		abort(); /* only for want of memory */
	evhttp_send_reply_chunk_with_cb(request->evhttp, buffer, taken, request);
	evbuffer_free(buffer);
	request->length += part.length;
	guard_streamed(guard);
}

void http_stream_send(struct http_request *request, struct ss_text part)
{
	send_part(request, part, NULL);
}

void http_stream_send_paced(
	struct http_request *request, struct ss_text part, void (*taken)(void *data), void *data)
{
	request->sent = taken;
	request->sent_data = data;
	send_part(request, part, on_taken);
}

void http_stream_cut(struct http_request *request)
{
	struct guard *guard = request->guard;
	if (guard != NULL) {
		guard->overrun = true;
		guard_streamed(guard);
	}
	http_stream_end(request);
}

void http_stream_end(struct http_request *request)
{
	struct evhttp_request *evhttp = request->evhttp;
	struct guard *guard = request->guard;
	http_reply_note(request, request->status, request->length);
	request->cancelled = NULL;
	/* What is cut off must not look as if it were complete. */
	if (guard != NULL && guard->overrun) {
		request->ended = true;
		return;
	}
	http_request_free(request);
	if (guard == NULL) {
		evhttp_request_free(evhttp);
		return;
	}
	/* It may be out at once. */
	guard_replied(guard, evhttp);
	evhttp_send_reply_end(evhttp);
}
