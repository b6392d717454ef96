/*
 * Who sends a request: somebody with an API key, or, as long as there is no key, anybody on this machine (or anywhere, when
 * the configuration says so), who may do everything then.
 *
 * A chat key has users of its own: its space, a word, and a colon are put before the ids of users that come with it, so that in
 * the store alice of the space shop is "shop:alice". What belongs to other users is not there for it: conversations and turns are
 * asked for together with their user. Other keys see all users, by the ids that the store has. Keys of one space share
 * its users, so that a new key can take the place of an old one. Loop thread.
 */
#ifndef API_CALLER_H
#define API_CALLER_H

#include "api/document.h"
#include "service/key_ring.h"
#include "service/store.h"

struct api_caller {
	enum api_role role;
	char key[KEY_ID_SIZE];      /* "": there is none */
	char space[KEY_SPACE_SIZE]; /* "": all users are there */
};

/* Finds out who sends REQUEST, which is for those of the role NEEDED. False when it is refused; then a problem was
 * replied. */
bool api_caller_find(struct http_request *request, enum api_role needed, struct api_caller *caller);

/* Who sends REQUEST. Borrowed as the request is. */
const struct api_caller *api_caller(const struct http_request *request);

/* The id in the store of the user whom the sender of REQUEST calls USER_ID. New. */
char *api_stored_user(const struct http_request *request, const char *user_id);

/* What the sender of REQUEST calls the user who is STORED in the store, borrowed from that; NULL: this user is not there for
 * the sender, nor is what belongs to the user. */
const char *api_known_user(const struct http_request *request, const char *stored);

/* Finds out whether the turn TURN_ID (copied) is there for the sender of REQUEST: DONE gets SS_NOT_FOUND when it is not. */
int api_find_turn(struct http_request *request, const char *turn_id, store_committed *done,
	void *context, struct ss_error *err);

#endif
