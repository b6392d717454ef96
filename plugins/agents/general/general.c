/*
 * The agent general: answers questions about the product and the company, and any other kind of question
 * that a workflow gives it with texts of its own.
 */
#include "common/specialist.h"

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	return specialist_create(setup, NULL, instance, err);
}

static const struct ss_option options[] = {
	[SPECIALIST_OPENINGS] = {.name = "openings",
		.type = SS_OPTION_TEXTS,
		.fallback = "{Positive: 'Thank you, that is good to hear!', "
			    "Negative: 'I am sorry about that. Here is what I found.', "
			    "Angry: 'I am sorry that we let you down.'}",
		.help = "The sentence that an answer begins with, by sentiment."},
	[SPECIALIST_ABSTAIN] = {.name = "abstain",
		.type = SS_OPTION_STRING,
		.fallback =
			"I found nothing in our help articles that answers this, and I do not want "
			"to guess. Reply \"human agent\" and a person of our team will answer you.",
		.help = "What is said when no article fits."},
	[SPECIALIST_PROMPT] = SPECIALIST_PROMPT_ROW,
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = specialist_destroy,
	.run = specialist_run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "general",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Answers from the articles found, or says that none fits.",
	.options = options,
	.fields = specialist_fields,
	.services = SS_USES_MODEL,
	.agent = &operations,
};
