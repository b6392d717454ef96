/*
 * The history of a turn: its checkpoints, which are the moments after each of its tasks, in the order of the
 * tasks and not in the one in which they happened to finish. Number 0 is the moment before the first one.
 * Loop thread.
 */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/record.h"

struct graph;

/* The checkpoints in TRACE, which is of a turn that was looked at (turn_options.look): a new list of maps
 * {checkpoint (from 1), id, node, step, status, writes (names)}. */
struct ss_value *history_list(const struct ss_value *trace);

/* The tasks that had finished at CHECKPOINT, with those of inner workflows: a new array of *COUNT ids, the one
 * that CHECKPOINT is of last. NULL and ERR when there is no such checkpoint. */
uint64_t *history_tasks(
	const struct ss_value *trace, size_t checkpoint, size_t *count, struct ss_error *err);

/* Called when a fork is stored, or with an error. */
typedef void history_forked(void *context, const struct ss_error *err);

struct history_fork {
	const struct record *record;
	const struct graph *graph;    /* that the record's turn began with */
	const struct ss_value *trace; /* of looking at it */
	size_t checkpoint;
	const struct ss_value *changes; /* a map from fields to values; NULL: none */
	const char *id;                 /* of the new turn */
};

/* Stores a new turn that is as the other one was at a checkpoint, but for the changes, and can be gone on with.
 * FORK is borrowed for the call. -1 and ERR, and nothing is stored, when there is no such checkpoint or a
 * change does not fit the state. */
int history_store_fork(struct store *store, const struct history_fork *fork, history_forked *done,
	void *context, struct ss_error *err);

#endif
