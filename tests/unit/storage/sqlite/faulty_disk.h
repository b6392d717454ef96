/*
 * A disk with faults: a VFS of SQLite that hands everything on to the one of the system and lets chosen calls fail. It
 * also knows what of each file has reached the disk for sure (what was there at the last sync) and what was only
 * written, so it can tell what a power cut may leave. One for the process, used by one thread.
 */
#ifndef TESTS_STORAGE_SQLITE_FAULTY_DISK_H
#define TESTS_STORAGE_SQLITE_FAULTY_DISK_H

#include <stdbool.h>

/* How calls fail. */
enum disk_fault {
	DISK_ERROR, /* any call, with an I/O error */
	DISK_FULL,  /* what makes files longer or new */
	DISK_SHORT, /* the same, when half of it is written */
	DISK_FAULTS,
};

/* Makes the disk the default for all connections that are opened from now on. */
void disk_begin(void);

/* Lets the Nth call from now that can have FAULT fail, and all behind it when it STAYS. */
void disk_fail(long n, enum disk_fault fault, bool stays);

/* Ends that: whether a call has failed. */
bool disk_mend(void);

/* Calls ON_CHANGE before each call that changes a file or syncs it; not for calls that it makes itself. NULL: no
 * more. */
void disk_watch(void (*on_change)(void));

/* Calls ON_SHARE when a process is to see what others have put into the memory that they share, or others what it has put
 * there. NULL: no more. */
void disk_watch_shared(void (*on_share)(void));

/* Writes what the power cut at this moment leaves of the database FROM as the database TO: all that was synced, and of what
 * was written since parts that SEED chooses. */
void disk_cut(const char *from, const char *to, unsigned seed);

void disk_end(void);

#endif
