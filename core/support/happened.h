/*
 * Events: what other systems and the console are told of. docs/api.md describes what is in them. Any thread.
 */
#ifndef SUPPORT_HAPPENED_H
#define SUPPORT_HAPPENED_H

#include "base/id.h"

#include <smartsupport/plugin.h>

enum {
	HAPPENED_LIMIT = 2,
	HAPPENED_CHARACTERS = 4000, /* of a message or a response; the rest is cut off */
};

/* The events of one write. Zeroed at first; ends with happened_free(). */
struct happened {
	struct ss_event items[HAPPENED_LIMIT];
	char ids[HAPPENED_LIMIT][ID_SIZE];
	char *texts[HAPPENED_LIMIT];
	size_t count;
};

/* What is to be stored, borrowed. */
struct ss_events happened_events(const struct happened *happened);

void happened_free(struct happened *happened);

/* TURN is stored: query.created, and query.escalated when it goes to a human. */
void happened_turn(struct happened *happened, const struct ss_turn *turn);

/* FEEDBACK is given on an answer of CONVERSATION, as a storage reads it: feedback.received. */
void happened_feedback(struct happened *happened, const struct ss_value *conversation,
	const struct ss_feedback *feedback);

/* CHANGE, whose events need not be set, happens to CONVERSATION, as a storage reads it before: conversation.replied for a
 * human's reply, and query.resolved, conversation.closed or conversation.reopened for another status. */
void happened_change(struct happened *happened, const struct ss_value *conversation,
	const struct ss_conversation_change *change);

#endif
