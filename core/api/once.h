/*
 * Requests that are done once: with an Idempotency-Key, a word of the client's, a request that creates something can be sent
 * again when its reply did not arrive. Whoever sends it again within a day, by the same key and to whichever server on
 * the store, gets the reply of the first attempt; 409 while that is being answered; 422 when it is another request.
 *
 * Only success is kept: what was refused has changed nothing, and is done anew. When a server dies over a request, the next
 * attempt does it after the lease, with the same subject: an id for what it makes, so that the store knows it
 * again. An answer that comes as a stream is kept in one piece. Loop thread.
 */
#ifndef API_ONCE_H
#define API_ONCE_H

#include "api/caller.h"
#include "base/id.h"

struct once;

/* Whether REQUEST brings an Idempotency-Key. */
bool api_once_is_asked(const struct http_request *request);

/* What a request is about, with which its reply is to be erased. */
struct once_about {
	const char *user_id;         /* NULL: nobody, or whose the conversation is */
	const char *conversation_id; /* NULL: none that there is */
	bool makes_conversation; /* without a conversation_id: the one that is called conv_ and its subject */
};

/* Claims REQUEST of CALLER, and calls GO_ON when it is to be done. Else it is replied to. NULL when it was replied to at
 * once. The result is freed with the request. */
struct once *api_once_begin(struct http_request *request, const struct api_caller *caller,
	const struct once_about *about, http_handler *go_on);

void api_once_free(struct once *once);

/* Keeps a reply that is no single one, such as a stream, for when the request is sent again: it then gets BODY of the given
 * TYPE with 200 (both copied). TYPE NULL: it came to nothing, and is done anew. Calls KEPT with CONTEXT when that is stored or
 * cannot be. */
void api_once_keep(struct once *once, const char *type, struct ss_text body,
	void (*kept)(void *context), void *context);

/* Replies to REQUEST that it is being answered by somebody else. */
void api_once_reply_in_flight(struct http_request *request);

/* A UUID for what the request makes, the same in each attempt. */
const char *api_once_subject(const struct once *once);

/* Whether an attempt before may have made it already. */
bool api_once_is_again(const struct once *once);

#endif
