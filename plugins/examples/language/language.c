/*
 * The agent language: in which language a message is written. Each three letters that follow each other speak for some
 * languages more than for others; what they say together decides. The method is known as n-gram text categorisation (Cavnar
 * and Trenkle, 1994); the table is made by make_table.mjs.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum { OPTION_LEAD, OPTION_OTHERWISE };
enum { FIELD_MESSAGE, FIELD_LANGUAGE };
enum { LANGUAGES = 5, READ_LIMIT = 2000 }; /* bytes of a message that are looked at */

static const char *const languages[LANGUAGES] = {"de", "en", "es", "fr", "it"};

/* Three bytes of a text, and how much they speak for each language. */
static const struct trigram {
	unsigned key;
	signed char weights[LANGUAGES];
} trigrams[] = {
#include "trigrams.inc"
};

/* One node of a workflow. */
struct language {
	const struct ss_host *host;
	int64_t lead;
	struct ss_value *otherwise;
};

static void destroy(void *instance)
{
	struct language *agent = instance;
	agent->host->values->unref(agent->otherwise);
	free(agent);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct language *agent = calloc(1, sizeof *agent);
	if (agent == NULL)
		return ss_fail(err, "out of memory");
	agent->host = setup->host;
	agent->lead = values->as_int(setup->options[OPTION_LEAD]);
	agent->otherwise = values->ref(setup->options[OPTION_OTHERWISE]);
	*instance = agent;
	return 0;
}

static int compare(const void *key, const void *row)
{
	unsigned a = *(const unsigned *)key, b = ((const struct trigram *)row)->key;
	return a < b ? -1 : a > b;
}

/* BYTE as the table has it: a small letter, a part of a letter beyond ASCII, or a blank. */
static unsigned fold(char byte)
{
	unsigned folded = (unsigned char)byte;
	if (folded >= 'A' && folded <= 'Z')
		return folded | 32;
	return folded >= 128 || (folded >= 'a' && folded <= 'z') ? folded : ' ';
}

/* Adds up what the trigrams of TEXT say for each language. */
static void add_up(const char *text, size_t length, int64_t sums[LANGUAGES])
{
	unsigned key = ' '; /* a text begins as a word does */
	for (size_t at = 0; at <= length; at++) {
		unsigned letter = at < length ? fold(text[at]) : ' ';
		if (letter == ' ' && (key & 0xff) == ' ')
			continue;
		key = (key << 8 | letter) & 0xffffff;
		const struct trigram *row = bsearch(&key, trigrams,
			sizeof trigrams / sizeof trigrams[0], sizeof trigrams[0], compare);
		for (size_t i = 0; row != NULL && i < LANGUAGES; i++)
			sums[i] += row->weights[i];
	}
}

/* The language that leads by LEAD; NULL: none does. */
static const char *leading(const int64_t sums[LANGUAGES], int64_t lead)
{
	size_t best = 0;
	for (size_t i = 1; i < LANGUAGES; i++) {
		if (sums[i] > sums[best])
			best = i;
	}
	for (size_t i = 0; i < LANGUAGES; i++) {
		if (i != best && sums[best] - sums[i] < lead)
			return NULL;
	}
	return languages[best];
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct language *agent = instance;
	const struct ss_host *host = agent->host;
	const struct ss_value_functions *values = host->values;
	int64_t sums[LANGUAGES] = {0};
	size_t length = 0;
	const char *message = values->as_string(host->read(run, FIELD_MESSAGE), &length);
	add_up(message, length < READ_LIMIT ? length : READ_LIMIT, sums);
	const char *found = leading(sums, agent->lead);
	struct ss_value *value = found != NULL ? values->string(found, strlen(found))
					       : values->ref(agent->otherwise);
	return host->write(run, FIELD_LANGUAGE, value, err) < 0 ? SS_FAILED : SS_DONE;
}

static const struct ss_option options[] = {
	[OPTION_LEAD] = {.name = "lead",
		.type = SS_OPTION_INT,
		.fallback = "40",
		.min = 1,
		.max = 1000,
		.help = "How far a language must be ahead, in tenths of the logarithm of its "
			"odds."},
	[OPTION_OTHERWISE] = {.name = "otherwise",
		.type = SS_OPTION_STRING,
		.fallback = "",
		.help = "What is written when no language is ahead."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_LANGUAGE] = {"language", SS_STRING, SS_WRITES, "de, en, es, fr or it."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = destroy,
	.run = run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "language",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Tells in which language a message is written.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
