#include "config/options.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct ss_value *options[8];
static void *instance;
static char answered[4000];
static struct ss_value *sources;
static size_t answers;
static char handed_on[4000];
static size_t pieces;

/* A generation that only the test knows about. */
static void take_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *ids, const struct ss_error *err)
{
	cr_assert_not_null(generation);
	cr_assert_null(err);
	cr_assert_lt(answer.length, sizeof answered);
	memcpy(answered, answer.data, answer.length);
	answered[answer.length] = '\0';
	sources = value_ref(ids);
	answers++;
}

static void take_piece(struct ss_generation *generation, struct ss_text text)
{
	size_t length = strlen(handed_on);
	cr_assert_not_null(generation);
	cr_expect_eq(answers, 0, "a piece after the answer");
	cr_assert_lt(length + text.length, sizeof handed_on);
	memcpy(handed_on + length, text.data, text.length);
	pieces++;
}

static const struct ss_host host = {.struct_size = sizeof host,
	.values = &value_functions,
	.answer = take_answer,
	.piece = take_piece};

static void create(const char *yaml)
{
	struct ss_error err = {0};
	struct diagnostics diagnostics = {0};
	struct yaml_document *document =
		yaml_parse("options.yaml", 1, yaml, strlen(yaml), &diagnostics);
	cr_assert_eq(
		options_read(document, document->root, document->root, smartsupport_plugin.options,
			NULL, "extractive", options, &diagnostics),
		0);
	yaml_close(document);
	const struct ss_setup setup = {.struct_size = sizeof setup,
		.host = &host,
		.name = "extractive",
		.options = (const struct ss_value *const *)options};
	cr_assert_eq(smartsupport_plugin.llm->create(&setup, &instance, &err), 0, "%s", err.text);
}

static void end(void)
{
	if (instance != NULL)
		smartsupport_plugin.llm->destroy(instance);
	options_free(options, options_count(smartsupport_plugin.options));
	value_unref(sources);
}

TestSuite(extractive, .fini = end);

static int ask(const char *question, const char *articles, struct ss_error *err)
{
	/* Never looked into: only handed back. */
	struct ss_generation *generation = (struct ss_generation *)&answers;
	struct ss_value *list = json_parse(articles, strlen(articles), err);
	cr_assert_not_null(list, "%s", err->text);
	const struct ss_prompt prompt = {.struct_size = sizeof prompt,
		.question = {question, strlen(question)},
		.articles = list};
	int result = smartsupport_plugin.llm->generate(instance, generation, &prompt, err);
	value_unref(list);
	return result;
}

static const char *source_ids(void)
{
	static char text[200];
	char *json = json_text(sources);
	(void)snprintf(text, sizeof text, "%s", json);
	free(json);
	return text;
}

#define PASSWORD                                                                                   \
	"{\"id\": \"a\", \"title\": \"A?\", \"score\": 0.8, "                                      \
	"\"content\": \"Click the link.\\n\\n1. Open the page.\\n2. Click.\"}"

Test(extractive, answers_at_once_with_the_best_article_and_names_it)
{
	struct ss_error err = {0};
	create("{}");
	cr_assert_eq(ask("how?", "[" PASSWORD "]", &err), 0, "%s", err.text);
	cr_expect_str_eq(answered, "Click the link.\n\n1. Open the page.\n2. Click.");
	cr_expect_str_eq(source_ids(), "[\"a\"]");
	cr_expect_eq(answers, 1);
	cr_expect_str_eq(handed_on, answered);
	cr_expect_eq(pieces, 2);
}

Test(extractive, has_nothing_to_say_without_an_article)
{
	struct ss_error err = {0};
	create("{}");
	cr_expect_eq(ask("how?", "[]", &err), -1);
	cr_expect_eq(err.status, SS_NOT_FOUND);
	cr_expect_eq(answers, 0);
	cr_expect_eq(pieces, 0);
}

Test(extractive, adds_a_second_article_that_is_as_near)
{
	struct ss_error err = {0};
	create("{second_within: 0.1}");
	cr_assert_eq(ask("how?",
			     "[" PASSWORD ", {\"id\": \"b\", \"title\": \"B?\", \"score\": 0.75, "
			     "\"content\": \"Ask an admin.\\n\\n1. Write.\"}]",
			     &err),
		0, "%s", err.text);
	cr_expect_not_null(strstr(answered, "\n\nB?\nAsk an admin."));
	cr_expect_str_eq(handed_on, answered);
	cr_expect_eq(pieces, 3);
	cr_expect_str_eq(source_ids(), "[\"a\",\"b\"]");
}

Test(extractive, leaves_out_a_second_article_that_fits_less)
{
	struct ss_error err = {0};
	create("{}");
	cr_assert_eq(ask("how?",
			     "[" PASSWORD ", {\"id\": \"b\", \"title\": \"B?\", \"score\": 0.5, "
			     "\"content\": \"Ask an admin.\"}]",
			     &err),
		0, "%s", err.text);
	cr_expect_null(strstr(answered, "Ask an admin."));
	cr_expect_str_eq(source_ids(), "[\"a\"]");
}

Test(extractive, keeps_to_its_length)
{
	struct ss_error err = {0};
	char articles[2000] = "[{\"id\": \"a\", \"title\": \"A?\", \"score\": 1, \"content\": \"";
	create("{max_characters: 200}");
	for (size_t i = 0; i < 30; i++)
		(void)strcat(articles, "A sentence of some words. ");
	(void)strcat(articles, "\"}]");
	cr_assert_eq(ask("how?", articles, &err), 0, "%s", err.text);
	cr_expect_leq(strlen(answered), 200);
	cr_expect_eq(answered[strlen(answered) - 1], '.');
}
