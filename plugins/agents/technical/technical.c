/*
 * The agent technical: answers questions about things that do not work. When it has no answer it asks for
 * what a person needs to find the fault, and for nothing that the customer has said already.
 */
#include "common/specialist.h"

#include <ctype.h>
#include <string.h>

enum { CODE_SIZE = 24 };

/* An error code is a word of capitals and digits, perhaps with a hyphen, that has both: TB-9999, E404. */
static bool is_code(const char *word, size_t length)
{
	bool capital = false;
	bool digit = false;
	for (size_t i = 0; i < length; i++) {
		capital = capital || isupper((unsigned char)word[i]);
		digit = digit || isdigit((unsigned char)word[i]);
		if (!isupper((unsigned char)word[i]) && !isdigit((unsigned char)word[i]) &&
			word[i] != '-')
			return false;
	}
	return capital && digit && length >= 3 && length < CODE_SIZE;
}

static bool word_character(char c)
{
	return isalnum((unsigned char)c) || c == '-' || (unsigned char)c >= 0x80;
}

/* Finds the first error code in MESSAGE. */
static bool find_code(struct ss_text message, char code[CODE_SIZE])
{
	size_t at = 0;
	while (at < message.length) {
		size_t end = at;
		while (end < message.length && word_character(message.data[end]))
			end++;
		if (is_code(message.data + at, end - at)) {
			memcpy(code, message.data + at, end - at);
			code[end - at] = '\0';
			return true;
		}
		at = end + 1;
	}
	return false;
}

static void ask(struct ss_text message, char *abstain, size_t size)
{
	char code[CODE_SIZE];
	size_t length = strlen(abstain);
	if (find_code(message, code))
		(void)snprintf(abstain + length, size - length,
			" It helps them to know your system, the version of the app and what you "
			"did "
			"just before %s appeared.",
			code);
	else
		(void)snprintf(abstain + length, size - length,
			" It helps them to know your system, the version of the app and the exact "
			"text of any error message.");
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	return specialist_create(setup, ask, instance, err);
}

static const struct ss_option options[] = {
	[SPECIALIST_OPENINGS] = {.name = "openings",
		.type = SS_OPTION_TEXTS,
		.fallback = "{Positive: 'Thank you for the kind words! Here is how it works.', "
			    "Negative: 'I am sorry that this does not work as it should. "
			    "Please try this.', "
			    "Angry: 'I am sorry, this should not cost you so much time.'}",
		.help = "The sentence that an answer begins with, by sentiment."},
	[SPECIALIST_ABSTAIN] = {.name = "abstain",
		.type = SS_OPTION_STRING,
		.fallback =
			"I found nothing in our technical articles that fits this, and I do not "
			"want "
			"to send you the wrong way. Reply \"human agent\" and a person of our team "
			"will look at it with you.",
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
	.name = "technical",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Answers technical questions from the articles found.",
	.options = options,
	.fields = specialist_fields,
	.services = SS_USES_MODEL,
	.agent = &operations,
};
