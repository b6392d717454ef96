/*
 * On whose behalf a thread works at the moment: a log that is entered before a plugin is called and left behind, so that
 * what the plugin logs, and whom it asks, belongs to the request or turn that it works for. Each thread has its own. Any thread.
 */
#ifndef BASE_LOG_SCOPE_H
#define BASE_LOG_SCOPE_H

#include "base/log.h"

struct log_scope;

/* A scope to be the scope of a log, and so of all its copies. */
struct log_scope *log_scope_new(void);
/* No log that has it is used any more. NULL is allowed. */
void log_scope_free(struct log_scope *scope);

/* Enters LOG, borrowed until it is left, in its own scope. Returns what was entered before, for log_leave(). */
const struct log *log_enter(const struct log *log);

/* Leaves LOG for what was entered BEFORE. */
void log_leave(const struct log *log, const struct log *before);

/* The log that this thread has entered in the scope of LOG; NULL: none. */
const struct log *log_entered(const struct log *log);

#endif
