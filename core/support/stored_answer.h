/* The answer of a turn that is stored, as the API gave it or would have. Loop thread. */
#ifndef SUPPORT_STORED_ANSWER_H
#define SUPPORT_STORED_ANSWER_H

#include "service/store.h"

/* Finds the answer of the turn TURN_ID (copied) and gives it to DONE, as support_replied() gets it; SS_NOT_FOUND when the turn is not
 * stored. */
int stored_answer_find(struct store *store, const char *turn_id, store_read *done, void *context,
	struct ss_error *err);

#endif
