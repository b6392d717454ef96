/*
 * Where a list goes on, as a text: COUNT numbers by which it is ordered, none below 0, behind the name of the order, which
 * tells them from places in other lists: "newest.1.2". For what reads, on the store's thread.
 */
#ifndef COMMON_SQL_PLACE_H
#define COMMON_SQL_PLACE_H

#include "common/sql/rows.h"

/* Reads AFTER; NUMBERS stay as they are when it is NULL. SS_INVALID when it is no place in the list ORDER. */
int place_read(
	const char *after, const char *order, int64_t *numbers, size_t count, struct ss_error *err);

void place_write(
	char place[PAGE_PLACE_SIZE], const char *order, const int64_t *numbers, size_t count);

/* The time NS as it is kept; what is not given is OTHER. */
int64_t place_time(int64_t ns, int64_t other);

/* PLACE, {time, number} in a list of the newest, becomes the one before all of the time TO_NS and later unless it is behind
 * that already, so that the list is not walked through up to there. TO_NS 0: no time. */
void place_before(int64_t place[2], int64_t to_ns);

#endif
