/*
 * Workflows other than the one that a worker answers with, as unfinished turns began with them: a few at once, each with an
 * engine of its own, made when it is needed and freed when it has nothing to do. Loop thread.
 */
#ifndef SUPPORT_VERSIONS_H
#define SUPPORT_VERSIONS_H

#include "engine/engine.h"
#include "support/support.h"

struct plugins;
struct record;
struct versions;

struct versions_options {
	const struct engine_options *engine; /* copied */
	const struct support_options
		*support; /* copied; its engine and graph are those that the worker answers with */
	struct support *current; /* of these */
	struct plugins *plugins;
};

/* What OPTIONS points to otherwise is borrowed for the life of the result. */
struct versions *versions_new(const struct versions_options *options);

/* What goes on with the question of RECORD: *SUPPORT, borrowed until versions_tidy() finds nothing to do for it, or NULL
 * when too many others are at work. -1 and ERR when its workflow cannot be made here. It takes its time: the agents'
 * instances are made. */
int versions_get(struct versions *versions, const struct record *record, struct support **support,
	struct ss_error *err);

/* Frees those that have nothing to do. Not from what one of their turns calls. */
void versions_tidy(struct versions *versions);

/* As engine_stop(), for all of them. */
void versions_stop(struct versions *versions);

/* When the services are freed; NULL is allowed. */
void versions_free(struct versions *versions);

#endif
