/*
 * The agent billing: answers questions about money. When it has no answer it promises none: it asks for
 * what a person needs to look the payment up, and for nothing that should never be sent.
 */
#include "common/specialist.h"

#include <string.h>

static void ask(struct ss_text message, char *abstain, size_t size)
{
	static const char question[] =
		" To look it up they need the invoice number and the date of the payment. "
		"Please never send a card number.";
	size_t length = strlen(abstain);
	(void)message;
	if (length + sizeof question <= size)
		memcpy(abstain + length, question, sizeof question);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	return specialist_create(setup, ask, instance, err);
}

static const struct ss_option options[] = {
	[SPECIALIST_OPENINGS] = {.name = "openings",
		.type = SS_OPTION_TEXTS,
		.fallback = "{Positive: 'Thank you for your message! Here is how it works.', "
			    "Negative: 'I am sorry about the trouble with your payment. "
			    "Here is what you can do.', "
			    "Angry: 'I understand that you are upset when money is concerned, "
			    "and I am sorry.'}",
		.help = "The sentence that an answer begins with, by sentiment."},
	[SPECIALIST_ABSTAIN] = {.name = "abstain",
		.type = SS_OPTION_STRING,
		.fallback = "I found nothing in our billing articles that answers this, and where "
			    "money "
			    "is concerned I do not want to guess. Reply \"human agent\" and a "
			    "person of "
			    "our team will look into it.",
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
	.name = "billing",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Answers questions about money from the articles found.",
	.options = options,
	.fields = specialist_fields,
	.services = SS_USES_MODEL,
	.agent = &operations,
};
