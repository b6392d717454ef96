/*
 * The schema as numbered steps: the files in migrations/, which the build embeds in the plugin, and what
 * applies them. Called while a database is opened.
 *
 * A migration that was released is never edited: databases remember its checksum. What changes the
 * schema is a new file with the next number.
 */
#ifndef COMMON_SQL_MIGRATIONS_H
#define COMMON_SQL_MIGRATIONS_H

#include <smartsupport/error.h>

#include <stddef.h>

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

/* Applies the COUNT STEPS, or those that DB lacks of them, each of them whole or not at all. Several processes may do
 * it at once: one of them applies, the others find it done. Fails without a change when DB belongs to another
 * program, when it has steps that are not in STEPS, or others under the same number. */
int migrations_apply(
	struct database *db, const struct migration *steps, size_t count, struct ss_error *err);

#endif
