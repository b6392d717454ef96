/* What is done while something fails (fault_test.c), of the operations that fault_operations.c has. */
#ifndef TESTS_STORAGE_SQLITE_FAULT_H
#define TESTS_STORAGE_SQLITE_FAULT_H

#include "file.h"

#include "base/buffer.h"

enum { FAULT_ID_SIZE = 48 };

struct scenario;
struct trouble;

/* One run, with ids of its own. */
struct run {
	const struct scenario *scenario;
	const struct trouble *trouble;
	long n;
	int number;
	struct ss_error err;
	struct buffer answer; /* of a read */
};

struct scenario {
	const char *name;
	/* What must be there before, without trouble. */
	void (*prepare)(void *store, struct run *run);
	/* 0 when it was done by its own word, else -1 and the run's error. */
	int (*act)(void *store, struct run *run);
	/* How much of it is there, of how much there is when all is. NULL for what only reads. */
	int (*found)(const struct run *run);
	int whole;
	/* Messages go while the figures that they were counted in stay. */
	bool deletes;
};

/* The run's turn I, whose texts take more than a page; IDS are to outlive it. */
struct ss_turn fault_turn(const struct run *run, int i, char ids[4][FAULT_ID_SIZE]);

/* How many the SQL FORMAT counts for NUMBER. */
int fault_count(const char *format, int number);

/* Adds ANSWER, which it takes, to the run's if RESULT is 0. Returns RESULT. */
int fault_answer(struct run *run, int result, struct ss_value *answer);

extern const struct scenario fault_writes[], fault_reads[];
extern const size_t fault_write_count, fault_read_count;

/* Stores what the reads read. */
void fault_fill(void *store, struct run *run);

#endif
