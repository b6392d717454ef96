/*
 * What a process leaves behind that crashes, or in which something calls exit(): the signal, the thread and where it was,
 * in its part of the calls' memory, for the master to tell. It then dies by the same signal.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

struct calls_part;

enum {
	CRASH_FRAMES = 32,
	CRASH_FILES = 16,
	CRASH_PATH = 256,
};

/* Where a function was to go on. */
struct crash_frame {
	uint64_t offset; /* from where its file begins in memory */
	int file;        /* in the list; -1: of none */
};

struct crash {
	atomic_int state;  /* enum crash_state */
	atomic_int thread; /* its id, as the system counts */
	int place;         /* its row of the part's threads; -1: it is a plugin's own */
	int signal;        /* 0: exit() was called */
	char name[16];     /* of the thread */
	int file_count;
	char files[CRASH_FILES][CRASH_PATH];
	int frame_count;
	struct crash_frame frames[CRASH_FRAMES]; /* the innermost first */
};

enum crash_state { CRASH_NONE, CRASH_WRITING, CRASH_WRITTEN };

/* Notes crashes of this process, which has adopted a part, from now on. */
void crash_watch(void);
/* The same for a thread whose stack may overflow; when it begins, and ends. The thread that calls crash_watch() needs none. */
void crash_watch_thread(void);
void crash_leave_thread(void);
/* Takes the signals of crashes out of SET, which is to be blocked. */
void crash_allow(sigset_t *set);
/* What ends the process from now on is no crash. */
void crash_end(void);

/* What the worker of PART has left; NULL: nothing. The master's. */
const struct crash *crash_of(const struct calls_part *part);
/* The file of a plugin where it was, the innermost; NULL: there is none. */
const char *crash_plugin(const struct calls_part *part);

#endif
