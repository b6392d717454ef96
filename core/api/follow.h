/*
 * An event stream that goes on with what is stored: it reads from the store when there is news, and with each
 * heartbeat, since nobody has news of what is deleted elsewhere; and ends when the client goes
 * away, when what is read is gone, or when the server stops. Loop thread, but for the calls.
 */
#ifndef API_FOLLOW_H
#define API_FOLLOW_H

#include "api/events.h"
#include "service/store.h"

struct follow;

/* What one stream is about. */
struct follow_kind {
	/* Reads what there is behind what was told last: *FOUND for tell(). On a thread of the store. */
	int (*read)(const struct ss_storage_operations *storage, void *instance, void *state,
		struct ss_value **found, struct ss_error *err);
	/* Tells what was FOUND. Whether there is more to be read at once. */
	bool (*tell)(void *state, struct events *events, const struct ss_value *found);
	void (*free_state)(void *state);
	/* Tells that what is read is gone, before the stream ends; NULL: that cannot be. */
	void (*tell_gone)(void *state, struct events *events);
};

/* Answers REQUEST with a stream of KIND and STATE (taken), whose strings are its own as the request may end before a call
 * does. CONVERSATION_ID: the news are of this one; NULL: of all. */
void follow(struct http_request *request, const struct follow_kind *kind, void *state,
	const char *conversation_id);

#endif
