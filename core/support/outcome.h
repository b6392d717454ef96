/*
 * What a turn that is over comes to for the customer who asked: the answer, what is known about it, and what of that is stored for those
 * who answer in its place. Loop thread.
 */
#ifndef SUPPORT_OUTCOME_H
#define SUPPORT_OUTCOME_H

#include <smartsupport/value.h>

#include <stdbool.h>
#include <stdint.h>

struct turn;

/* All of it is borrowed. */
struct outcome {
	const char *turn_id;
	struct turn *turn;            /* over */
	const struct ss_value *trace; /* its trace */
	const char *
		handover; /* why a human answers in place of the workflow; NULL: it is as that says */
	bool candid; /* who asks runs the server, and is told what plugins say of their failures */
};

/* The field NAME of the turn's state, borrowed; NULL: the workflow has none. */
const struct ss_value *outcome_field(const struct outcome *outcome, const char *name);
const char *outcome_text(const struct outcome *outcome, const char *name);

/* What the customer is answered. */
struct ss_text outcome_response(const struct outcome *outcome);

/* Whether a human takes over, why ("" or NULL: nobody does), and which kind of agent answered (may be NULL). */
bool outcome_is_escalated(const struct outcome *outcome);
const char *outcome_escalation_reason(const struct outcome *outcome);
const char *outcome_answered_by(const struct outcome *outcome);

/* Whether an article answers the question; a workflow that does not tell always answers. */
bool outcome_is_answered(const struct outcome *outcome);

/* Whether the workflow says that no article answers what was asked. */
bool outcome_is_unanswered(const struct outcome *outcome);

/* The articles that the answer shows, a list of {id, ...}; NULL: none. */
const struct ss_value *outcome_sources(const struct outcome *outcome);

/* The member `metadata` of a reply that took DURATION_NS; new. */
struct ss_value *outcome_metadata(const struct outcome *outcome, int64_t duration_ns);

/* What is stored of it: the reply's METADATA, and what only those may see who answer in its place; JSON, new. */
char *outcome_stored_metadata(const struct outcome *outcome, const struct ss_value *metadata);

#endif
