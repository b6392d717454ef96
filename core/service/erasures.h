/*
 * Erasures of users: all that the store knows of one is deleted, as many rows at a time as take some milliseconds, with
 * pauses that leave the store to turns. One that is cut off, as by the end of the process, is gone on with by whoever erases
 * the user next, or by retention. Loop thread.
 */
#ifndef SERVICE_ERASURES_H
#define SERVICE_ERASURES_H

#include "service/store.h"

struct erasures;

struct erasures *erasures_new(struct event_base *base, struct store *store);

/* Erases the user, and then calls DONE with how much was erased, {conversations, messages, …}, or with what has cut it
 * off. Never before this has returned. */
void erasures_begin(
	struct erasures *erasures, const char *user_id, store_read *done, void *context);

/* Cuts off what is under way, as soon as the store has done its step. */
void erasures_stop(struct erasures *erasures);

/* When the store has finished what was asked of it. NULL is allowed, as it is above. */
void erasures_free(struct erasures *erasures);

#endif
