/*
 * The schema as numbered steps: the files in migrations/, which the build embeds in the plugin, and what
 * applies them. Called while a database is opened.
 *
 * A migration that was released is never edited: databases remember its checksum. What changes the
 * schema is a new file with the next number.
 */
#ifndef COMMON_SQL_MIGRATIONS_H
#define COMMON_SQL_MIGRATIONS_H

#include <smartsupport/plugin.h>

struct database;

struct migration {
	int version; /* 1, 2, … */
	const char *name;
	const char *sha256; /* of the text, hexadecimal */
	const char *sql;
};

/* In the order of their versions, from 1 without gaps. */
extern const struct migration migrations[];
extern const size_t migrations_count;

/* The most steps that there may be. */
enum { MIGRATIONS_LIMIT = 256 };

/* What is asked for, and what has come of it. */
struct migration_run {
	const struct migration *steps;
	size_t count;
	int64_t to;   /* up to this step; 0: all */
	bool dry_run; /* it is only looked at */
	int64_t from; /* what there is, before anything is applied */
	int64_t end;  /* up to where it goes */
	bool applied
		[MIGRATIONS_LIMIT]; /* those that were applied by this run, or would be, from 0 on */
};

/* Applies the steps of RUN that DB lacks, each of them whole or not at all. Several processes may do it at once: one
 * of them applies a step, the others find it done. Fails without a change when DB belongs to another program, when it has
 * steps that are not among those of RUN, or others under the same number, and when it has more than are wanted. */
int migrations_run(struct database *db, struct migration_run *run, struct ss_error *err);

/* The same with all of the COUNT STEPS. */
int migrations_apply(
	struct database *db, const struct migration *steps, size_t count, struct ss_error *err);

/* Finds the end of RUN, which has found its FROM in PLACE. */
int migration_find_end(struct migration_run *run, const char *place, struct ss_error *err);

/* What the operation migrate() reports of RUN; new. */
struct ss_value *migration_report(
	const struct ss_value_functions *values, const struct migration_run *run);

#endif
