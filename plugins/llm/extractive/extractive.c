/*
 * The model extractive: no model at all. It answers with what the articles say, in their own words, so
 * it needs no key and no network and never makes anything up.
 */
#include "passages.h"

#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum { OPTION_MAX_CHARACTERS, OPTION_SECOND_WITHIN };

struct extractive {
	const struct ss_host *host;
	size_t limit; /* bytes */
	double second_within;
};

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct extractive *extractive = calloc(1, sizeof *extractive);
	if (extractive == NULL)
		return ss_fail(err, "out of memory");
	extractive->host = setup->host;
	extractive->limit = (size_t)values->as_int(setup->options[OPTION_MAX_CHARACTERS]);
	extractive->second_within = values->as_number(setup->options[OPTION_SECOND_WITHIN]);
	*instance = extractive;
	return 0;
}

static void destroy(void *instance)
{
	free(instance);
}

static struct ss_text text_of(
	const struct extractive *extractive, const struct ss_value *article, const char *key)
{
	struct ss_text text = {0};
	const struct ss_value_functions *values = extractive->host->values;
	text.data = values->as_string(values->get(article, key), &text.length);
	return text;
}

static double score_of(const struct extractive *extractive, const struct ss_value *article)
{
	const struct ss_value_functions *values = extractive->host->values;
	return values->as_number(values->get(article, "score"));
}

/* The opening of a second article under its title, in the room that is left. */
static size_t add_second(const struct extractive *extractive, const struct ss_value *article,
	struct ss_text question, char *out, size_t room)
{
	struct ss_text title = text_of(extractive, article, "title");
	size_t head = title.length + 3; /* two line breaks before it and one behind it */
	if (head >= room)
		return 0;
	size_t length = passages_quote_first(
		text_of(extractive, article, "content"), question, out + head, room - head);
	if (length == 0)
		return 0;
	memcpy(out, "\n\n", 2);
	memcpy(out + 2, title.data, title.length);
	out[head - 1] = '\n';
	return head + length;
}

/* Where the pieces of an answer go. */
struct answer {
	const struct ss_host *host;
	struct ss_generation *generation;
};

static void hand_on(void *context, struct ss_text passage)
{
	const struct answer *answer = context;
	answer->host->piece(answer->generation, passage);
}

static int generate(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	const struct extractive *extractive = instance;
	const struct ss_value_functions *values = extractive->host->values;
	const struct ss_value *best = values->at(prompt->articles, 0);
	const struct ss_value *second = values->at(prompt->articles, 1);
	struct ss_value *used[2];
	size_t count = 0;
	if (best == NULL)
		return ss_fail_as(err, SS_NOT_FOUND, "there is no article to answer from");
	char *out = malloc(extractive->limit);
	if (out == NULL)
		return ss_fail(err, "out of memory");
	struct answer answer = {extractive->host, generation};
	size_t length = passages_quote(text_of(extractive, best, "content"), prompt->question, out,
		extractive->limit, hand_on, &answer);
	used[count++] = values->ref(values->get(best, "id"));
	bool close = second != NULL && score_of(extractive, best) - score_of(extractive, second) <=
					       extractive->second_within;
	if (close) {
		size_t added = add_second(extractive, second, prompt->question, out + length,
			extractive->limit - length);
		if (added > 0) {
			used[count++] = values->ref(values->get(second, "id"));
			hand_on(&answer, (struct ss_text){out + length, added});
		}
		length += added;
	}
	struct ss_value *sources = values->list(used, count);
	if (length == 0) {
		free(out);
		values->unref(sources);
		return ss_fail_as(err, SS_NOT_FOUND,
			"the article \"%.60s\" has no sentence of at most %zu characters to quote",
			text_of(extractive, best, "id").data, extractive->limit);
	}
	extractive->host->answer(generation, (struct ss_text){out, length}, sources, NULL);
	values->unref(sources);
	free(out);
	return 0;
}

static const struct ss_option options[] = {
	[OPTION_MAX_CHARACTERS] = {.name = "max_characters",
		.type = SS_OPTION_INT,
		.fallback = "1200",
		.min = 200,
		.max = 20000,
		.help = "How long an answer may be, in bytes of UTF-8."},
	[OPTION_SECOND_WITHIN] = {.name = "second_within",
		.type = SS_OPTION_NUMBER,
		.fallback = "0.01",
		.min = 0,
		.max = 1,
		.help = "A second article is quoted as well when its score is this close to the "
			"best."},
	{.name = NULL},
};

static const struct ss_llm_operations operations = {
	.create = create,
	.destroy = destroy,
	.generate = generate,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_LLM,
	.name = "extractive",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Answers with the words of the articles, without any model.",
	.options = options,
	.llm = &operations,
};
