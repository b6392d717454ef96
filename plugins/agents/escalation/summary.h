/* What a human should know of a conversation that is handed over, told from the facts alone. Loop thread. */
#ifndef ESCALATION_SUMMARY_H
#define ESCALATION_SUMMARY_H

#include <smartsupport/plugin.h>

/* The facts, all borrowed; NULL for what is not known. */
struct summary_facts {
	const struct ss_value *reason; /* why it is handed over */
	const struct ss_value *user_name;
	const struct ss_value *vip;
	const struct ss_value *attempts;
	const struct ss_value *category;
	const struct ss_value *sentiment;
	const struct ss_value *priority;
	const struct ss_value *message; /* what the customer asks now */
	const struct ss_value
		*history; /* the messages before, maps with role and content, oldest first */
	const struct ss_value *kb_results; /* the articles that fit, best first */
};

/* A line for each thing that is known; long messages are cut and old ones left out. New; NULL without memory. */
struct ss_value *summary_of(
	const struct ss_value_functions *values, const struct summary_facts *facts);

/* TEXT as one value of at most the length of a summary, whole characters, without the blanks at its ends. New. */
struct ss_value *summary_from(const struct ss_value_functions *values, struct ss_text text);

#endif
