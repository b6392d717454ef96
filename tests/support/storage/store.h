/*
 * What the tests of storage plugins share: a place of its own for each test, instances on it, turns to
 * store, a second look with SQL, and child processes that report back. The tests in this folder are run for
 * each plugin; what the plugin's own folder gives for them is marked.
 */
#ifndef TESTS_SUPPORT_STORAGE_STORE_H
#define TESTS_SUPPORT_STORAGE_STORE_H

#include <smartsupport/smartsupport.h>
#include <sys/types.h>

/* A new place, and its removal; for .init and .fini. The plugin's. */
void store_begin(void);
void store_end(void);

/* The options of an instance; NULL and 0 stand for their defaults. */
struct store_options {
	const char *path;
	const char *synchronous;
	double busy_timeout_s;
	double active_window_s;
};

/* An instance, made by the plugin's descriptor. The plugin's. */
void *store_try(const struct store_options *options, struct ss_error *err);
/* The same on the test's place and with the defaults; ends the test when that fails. */
void *store_open(void);
void store_close(void *store);

/* What the instances have logged. */
const char *store_log(void);

/* A turn of the user "ann" that goes on with CONVERSATION. */
struct ss_turn store_turn(const char *turn_id, const char *conversation);
/* The same as the first one of a new conversation. */
struct ss_turn store_first_turn(const char *turn_id, const char *conversation);

/* Stores one turn: 0, or -1 and its error or the transaction's. */
int store_commit(void *store, const struct ss_turn *turn, struct ss_error *err);
/* The same; ends the test when that fails. */
void store_add(void *store, struct ss_turn turn);

/* The context of a turn of USER in CONVERSATION as JSON, or the text of the error. The caller frees it. */
char *store_context(void *store, const char *user, const char *conversation, size_t limit);
/* What USER wrote last, at most LIMIT messages, but not in CONVERSATION, joined by "|". The caller frees it. */
char *store_recent(void *store, const char *user, const char *conversation, size_t limit);
/* Those messages in what ann's turn in CONVERSATION gets, LIMIT of the conversation and LIMIT of others, that have a
 * vector of EMBEDDER, as "MESSAGE=VECTOR", in the order of their letters, joined by "|". The caller frees it. */
char *store_vectors(void *store, const char *conversation, size_t limit, const char *embedder);
/* The contents of the last LIMIT messages of ann's CONVERSATION, joined by "|". The caller frees it. */
char *store_history(void *store, const char *conversation, size_t limit);
/* The statistics as JSON. The caller frees it. */
char *store_stats(void *store);

/* The number, or the text, that SQL selects, read through a connection of its own. The text is the plugin's. */
int64_t store_number(const char *sql);
char *store_text(const char *sql);
/* All rows of all tables with WORD in them, or all without, as lines "TABLE: ROW" in the order of their letters. The
 * caller frees it. The plugin's. */
char *store_rows(const char *word, bool with);
/* Runs SQL through a connection of its own; foreign keys hold. The plugin's. */
void store_execute(const char *sql);

/* The place is sound, also its figures. The plugin's. */
void store_check(void);
/* The figures agree with the messages. */
void store_check_figures(void);

/* Ends the test when HOLDS is false; a child, which has no part in Criterion's protocol, ends itself. */
__attribute__((format(printf, 2, 3))) void store_must(bool holds, const char *format, ...);

/* What instances get as their host, and the end of what it has logged. */
extern const struct ss_host store_host;
void store_end_log(void);

/* fork(); the functions above that open, store and read may be used in the child, Criterion's may not. The
 * child ends with _exit(), and at the latest with the test. */
pid_t store_fork(void);

/* Runs WORK in a child process and waits: its exit status (minus the signal that killed it), and what it
 * wrote to REPORT. */
typedef int store_work(int report_fd, const void *argument);
int store_child(store_work *work, const void *argument, char *report, size_t size);

#endif
