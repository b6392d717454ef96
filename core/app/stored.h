/* Stored turns for commands: what the store does later, waited for. Loop thread. */
#ifndef APP_STORED_H
#define APP_STORED_H

#include "app/play.h"
#include "app/runtime.h"
#include "base/log.h"
#include "config/diagnostics.h"
#include "engine/record.h"
#include "service/store.h"

#include <smartsupport/plugin.h>

/* The store of a configuration, open. */
struct stored {
	struct event_base *base;
	struct log log;
	struct runtime *runtime;
	struct diagnostics diagnostics;
	struct config *config;
};

/* Opens the store that the configuration FILE (NULL: the default) names. False when something is wrong, which
 * was printed. Close it in any case. */
bool stored_open(struct stored *stored, const char *file);
void stored_close(struct stored *stored);

/* As record_fetch(). NULL when it fails, which was printed. */
struct record *stored_fetch(struct stored *stored, const char *id, bool claimed);

/* Loads the workflow that RECORD's turn began with into the runtime of STORED. -1 when it is not right any more,
 * which was printed. */
int stored_load(struct stored *stored, const struct record *record, bool look);

/* The turn of RECORD as far as it is known; nothing runs. Told to EVENT, if it is not NULL. Free it. */
struct turn *stored_look(struct stored *stored, struct record *record, turn_event *event,
	unsigned events, void *context);

/* As store_list_journals(), store_list_unanswered(), store_delete_journal(): NULL or false when it fails, which was printed. */
struct ss_value *stored_list(struct stored *stored, const char *status, size_t limit);
struct ss_value *stored_unanswered(
	struct stored *stored, const struct ss_unanswered_filter *filter);
bool stored_delete(struct stored *stored, const char *id);

/* As erasures_begin(), waited for. NULL when it fails, which was printed. */
struct ss_value *stored_erase(struct stored *stored, const char *user_id);

/* As store_run(), waited for. False when it fails, which was printed, unless ERR is given, which then tells. */
bool stored_run(struct stored *stored, store_call *call, void *context, struct ss_error *err);

/* Prints an error. Returns 1. */
int stored_fail(const struct ss_error *err);

/* What is waited for: a call of the store. */
struct stored_wait {
	bool over;
	struct ss_error err;
	struct ss_value *value;
	struct record *record;
};

/* Runs the loop until WAIT is over; stored_done() ends it. */
void stored_wait(struct stored *stored, const struct stored_wait *wait);
void stored_done(void *context, const struct ss_error *err);

#endif
