/* What must hold of what is stored, beyond what the schema can say, whatever has happened. For verify(). */
#ifndef COMMON_SQL_VERIFY_H
#define COMMON_SQL_VERIFY_H

#include "common/sql/rows.h"

/* The most sentences of one rule. */
enum { VERIFY_LIMIT = 100 };

/* Each selects a sentence for what breaks a rule, VERIFY_LIMIT of them and one more at most; the same for all plugins.
 * They read whole tables. */
extern const char *const verify_rules[];
extern const size_t verify_rule_count;

/* Adds SENTENCE, the next one of a rule of which COUNT are there. */
int verify_add(struct database *db, struct items *faults, size_t count, const char *sentence,
	struct ss_error *err);

#endif
