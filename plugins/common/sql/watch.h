/*
 * What watch() needs of an instance: each plugin has its own way to notice that something was stored. Used by the thread
 * that calls watch(); interrupt_watch() is for any thread.
 */
#ifndef COMMON_SQL_WATCH_H
#define COMMON_SQL_WATCH_H

#include "common/sql/operations.h"

enum { WATCH_MARKS = 4 };

/* Is part of an instance. */
struct watching {
	int wake; /* an eventfd; -1: none */
	/* Of the newest events that were told of. */
	int64_t marks[WATCH_MARKS];
};

int watching_begin(struct watching *watching, struct ss_error *err);
void watching_end(struct watching *watching);

/* The clock of deadlines. */
int64_t watching_now_ns(void);

/* Waits until UNTIL_NS, until there is something to be read from SOCKET (-1: none), or until interrupt_watch() is or was
 * called, which it returns. */
bool watching_wait(const struct watching *watching, int socket, int64_t until_ns);

/* What the plugin gives. */

struct watching *database_watching(struct database *db);

/* Sees to it that database_wait() notices all that is stored from now on. */
int database_listen(struct database *db, struct ss_error *err);

/* Waits until something may have been stored, DEADLINE_NS at most: 0; or 1 when interrupt_watch() was called; or -1. */
int database_wait(struct database *db, int64_t deadline_ns, struct ss_error *err);

#endif
