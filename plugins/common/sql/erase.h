/* A step of the erasure of a user, as erase_user() and purge() take it. Store's thread. */
#ifndef COMMON_SQL_ERASE_H
#define COMMON_SQL_ERASE_H

#include "common/sql/statements.h"

/* What is counted. */
enum erase_kind {
	ERASE_CONVERSATIONS,
	ERASE_MESSAGES,
	ERASE_JOURNALS,
	ERASE_EVENTS,
	ERASE_REQUESTS,
	ERASE_QUESTIONS,
	ERASE_KINDS,
};

struct erase_step {
	int64_t left; /* how much more it may delete; a turn that is not cut in two may leave it below 0 */
	int64_t deleted[ERASE_KINDS];
	int64_t sums[ERASE_KINDS]; /* since the erasure began */
	bool found;                /* there was something of the user */
	bool over;                 /* nothing is left */
};

/* Deletes of the user as much as LIMIT, 1 or more, says, in a transaction. Fills *STEP. AT_US is when the erasure counts as
 * gone on with; 0: as before. */
int erase_some(struct database *db, const char *user_id, int64_t limit, int64_t at_us,
	struct erase_step *step, struct ss_error *err);

/* How much of what limits count STEP has deleted. */
int64_t erase_count(const struct erase_step *step);

#endif
