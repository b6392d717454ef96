/*
 * One connection to a database file: opening it, transactions, and what its errors mean. An instance
 * of the plugin has one; it is used by one thread at a time. Several processes open the same file and
 * need nothing but SQLite's own locks. A connection is never carried through a fork.
 */
#ifndef SQLITE_DATABASE_H
#define SQLITE_DATABASE_H

#include "common/sql/watch.h"
#include "storage/sqlite/bound.h"
#include "storage/sqlite/checkpoint.h"
#include "storage/sqlite/scrub.h"

#include <sqlite3.h>

struct database {
	const struct ss_host *host;
	const struct ss_value_functions *values;
	struct scrub scrub; /* what it reads and writes files by */
	struct checkpoint checkpoint;
	sqlite3 *handle;
	char *path; /* absolute */
	int64_t busy_timeout_ns;
	int64_t busy_since_ns; /* when SQLite began to wait for a lock */
	bool impatient;        /* it does not wait at all */
	bool wipe_is_due;      /* the log may have what was deleted */
	int64_t wipe_tried_ns;
	struct ss_error commit_error; /* why the last commit failed; SS_OK when it worked */
	int64_t commit_tried_ns;      /* when it failed */
	int64_t active_window_us;
	sqlite3_stmt *statements[STATEMENTS];
	struct bound bound; /* the rows that one of them adds */
	struct watching watching;
	int64_t data_version; /* SQLite's, when watch() looked last */
};

/* How much of a file is opened. */
enum database_extent {
	DATABASE_WHOLE,
	DATABASE_BARE, /* without bringing its schema up to date, and without statements */
	DATABASE_LOOK, /* the same, and nothing is created or changed: no file is an empty one */
};

struct database_settings {
	enum database_extent extent;
	const char *path;
	bool synchronous_full; /* else NORMAL: the last commits may be lost when the power fails */
	double busy_timeout_s;
	double active_window_s;
};

/* Opens the file, creates it where it does not exist (readable by its owner only), and brings its schema
 * up to date. NULL and ERR, which names the file, when that fails. */
struct database *database_open(
	const struct ss_host *host, const struct database_settings *settings, struct ss_error *err);

/* Closes what was opened, also half; NULL is allowed. */
void database_close(struct database *db);

/* Fills ERR with what SQLite's result CODE means for DB's file. Called before anything else is done with
 * the connection, which knows the details of its last error only. Returns -1. */
int database_fail(struct database *db, int code, struct ss_error *err);

/* The text of each statement. */
extern const char *const statement_texts[STATEMENTS];

/* Prepares all statements of DB. */
int statements_prepare(struct database *db, struct ss_error *err);
void statements_finalize(struct database *db);

/* Whether turns can be stored. */
int database_check(void *instance, struct ss_error *err);

/* PATH with its folder as the system knows it; the caller frees it. NULL and ERR when there is no such folder. */
char *database_absolute_path(const char *given, struct ss_error *err);

/* Those that SETUP has in its options (sqlite.c). */
struct database_settings database_settings_of(const struct ss_setup *setup);

/* Tools (backup.c and tools.c). */
int database_backup(void *instance, const char *path, struct ss_error *err);
int database_migrate(const struct ss_setup *setup, const struct ss_migrate *migrate,
	struct ss_value **report, struct ss_error *err);
int database_verify(void *instance, struct ss_value **found, struct ss_error *err);

#endif
