/*
 * Writes the write-ahead log back into the database file beside the transactions. SQLite by itself does that in the commit
 * that makes the log too long, and whoever waits for this commit waits for the disk to take all pages of the log. Here a
 * thread with a connection of its own does it, begun when there is something to do for the first time: what is there
 * already without being in anybody's way, which may leave what is written meanwhile; then that little, for which writers
 * wait, or the log would never begin anew while they go on. https://www.sqlite.org/wal.html, "Avoiding Excessively Large
 * WAL Files", tells of both.
 */
#ifndef SQLITE_CHECKPOINT_H
#define SQLITE_CHECKPOINT_H

#include <smartsupport/smartsupport.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

struct checkpoint {
	const struct ss_host *host;
	const char *path, *vfs; /* of the file, as its database has it; borrowed */
	sqlite3 *handle;        /* the thread's */
	pthread_t thread;
	pthread_mutex_t lock; /* over the next ones */
	pthread_cond_t changed;
	bool begun, due, stops;
	pthread_mutex_t work; /* held by who writes back */
	int tried_pages; /* how long the log was when that was asked for last; of the database's thread */
};

/* Prepares CHECKPOINT for the file PATH, opened by VFS. -1 and ERR when that cannot be done. */
int checkpoint_begin(struct checkpoint *checkpoint, const struct ss_host *host, const char *path,
	const char *vfs, struct ss_error *err);
/* Waits for what is under way. Also of one that was never begun, but is all zeros. */
void checkpoint_end(struct checkpoint *checkpoint);

/* Told of each commit, after which the log has so many pages; asks the thread when they are many. -1 when there is no
 * thread to be had. */
int checkpoint_notice(struct checkpoint *checkpoint, int pages);

/* The same, however long the log is. */
int checkpoint_ask(struct checkpoint *checkpoint);

/* Nothing is written back by the thread between these two, which SQLite refuses to others meanwhile. False when it is at
 * it and CHECKPOINT is not to be waited for. */
bool checkpoint_hold(struct checkpoint *checkpoint, bool waits);
void checkpoint_release(struct checkpoint *checkpoint);

#endif
