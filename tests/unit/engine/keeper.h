/* A store in memory for the journals of turns, which can be told to fail. One in a process. */
#ifndef ENGINE_KEEPER_H
#define ENGINE_KEEPER_H

#include "engine/record.h"
#include "stage.h"

struct keeper {
	struct store *store;
	size_t writes;      /* that went well */
	size_t writes_left; /* until all fail, as if the process were gone */
	char *read;         /* the entries of a journal as text, for keeper_entries() */
};

extern struct keeper keeper;

/* Makes the store and gives it to the stage's engines. */
void keeper_open(void);
/* Frees the store; the journals stay for the next one. */
void keeper_shut(void);
/* Frees everything. */
void keeper_close(void);

/* Reads a journal, to go on with it or to look at it. Fails the test if there is none. */
struct record *keeper_fetch(const char *id, bool claimed);
/* Why it could not be read. */
struct ss_error keeper_refusal(const char *id, bool claimed);

/* Whether a journal has STATUS, also while it may change. */
bool keeper_has_status(const char *id, const char *status);

/* A journal's status, and its entries as JSON texts, one a line; borrowed until the next call. */
const char *keeper_status(const char *id);
const char *keeper_entries(const char *id);
/* Whether somebody holds its lease. */
bool keeper_is_held(const char *id);
/* Takes the lease away, as if it had run out. */
void keeper_release(const char *id);
/* Whether two entries say what the same copy of the same task came to. */
bool keeper_has_twice(const char *id);

/* Starts a turn that is kept under ID, or goes on with RECORD. */
struct turn *keeper_start(const char *id, const char *input, struct ending *ending);
struct turn *keeper_go_on(struct record *record, bool look, struct ending *ending);

/* Goes on with the turn ID in an engine of its own, as another process would, and answers with ANSWERS (JSON, or
 * NULL) when it waits. Free it. */
struct turn *keeper_resume(const char *id, const char *answers);

#endif
