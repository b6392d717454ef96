/* What plugins of each kind are tried with: usual, odd and hostile input. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "conformance/plugin_case.h"
#include "plugin/plugin.h"
#include "value/json.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const plugin_odd_texts[] = {"", " ", "\n", "%s%n%p", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
	"\xe2\x80\xae right to left \xe2\x80\xac", "\x01\x02\x7f", "{{message}}", "' OR 1=1 --",
	"#99999999999999999999", "\"\\\"", "../../etc/passwd", "e\xcc\x81\xcc\x81\xcc\x81", NULL};

enum {
	LONG_TEXT = 1024 * 1024,
	LOOP_CALLS = 5,
	LOOP_LIMIT_MS = 50, /* much more than allowed, so that a slow machine is no mistake */
};

/* Agents. */

/* A value of TYPE: of those that are usual, empty, or of the odd number ODD. */
static struct ss_value *usual_value(enum ss_type type)
{
	switch (type) {
	case SS_BOOL:
		return value_bool(true);
	case SS_INT:
		return value_int(1);
	case SS_NUMBER:
		return value_number(0.5);
	case SS_LIST:
		return value_list(NULL, 0);
	case SS_MAP:
		return value_map(NULL, NULL, 0);
	case SS_NULL:
	case SS_STRING:
		break;
	}
	return value_text("How do I reset my password? My order is #17.");
}

/* Lists and maps of what nobody expects in them. */
static struct ss_value *odd_items(void)
{
	struct ss_value *items[] = {value_null(), value_int(INT64_MIN), value_text(""),
		value_list(NULL, 0), value_map(NULL, NULL, 0), value_number(1e308)};
	return value_list(items, array_length(items));
}

static struct ss_value *odd_value(enum ss_type type, size_t odd)
{
	static const int64_t integers[] = {0, -1, INT64_MAX, INT64_MIN};
	static const double numbers[] = {0, -1, 1e308, -1e308};
	switch (type) {
	case SS_BOOL:
		return value_bool(false);
	case SS_INT:
		return value_int(integers[odd % array_length(integers)]);
	case SS_NUMBER:
		return value_number(numbers[odd % array_length(numbers)]);
	case SS_LIST:
		return odd_items();
	case SS_MAP:
		return value_map_make({"", odd_items()}, {"id", value_int(1)},
			{"content", value_null()}, {"title", odd_items()});
	case SS_NULL:
	case SS_STRING:
		break;
	}
	return value_text(plugin_odd_texts[odd]);
}

/* Sets each field that the agent reads to what MAKE gives. */
static void set_all(struct plugin_case *one,
	struct ss_value *(*make)(enum ss_type type, size_t odd), size_t odd)
{
	for (const struct ss_field *row = one->plugin->fields; row != NULL && row->name != NULL;
		row++) {
		/* Of an enum there are no other values, so the odd ones are one after the other. */
		const struct ss_value *values = plugin_case_values(one, row->name);
		if (values != NULL)
			ss_test_take(one->host, row->name,
				value_ref(value_at(values, odd % value_count(values))));
		else
			ss_test_take(one->host, row->name, make(row->type, odd));
	}
}

static struct ss_value *make_usual(enum ss_type type, size_t odd)
{
	(void)odd;
	return usual_value(type);
}

static struct ss_value *make_long(enum ss_type type, size_t odd)
{
	(void)odd;
	if (type != SS_STRING && type != SS_NULL)
		return usual_value(type);
	char *text = memory_new(LONG_TEXT + 1);
	memset(text, 'a', LONG_TEXT);
	for (size_t i = 0; i + 7 < LONG_TEXT; i += 7)
		text[i] = ' ';
	struct ss_value *value = value_string(text, LONG_TEXT);
	free(text);
	return value;
}

/* Runs the agent, which must come to an end; the kit sees to the rest of the rules. */
static void run_agent(struct plugin_case *one, const char *what)
{
	struct ss_error err = {0};
	enum ss_result result = ss_test_run(one->host, &err);
	if (ss_test_fault(one->host)[0] != '\0')
		plugin_case_fail(one, what, "only what the descriptor allows",
			memory_string(ss_test_fault(one->host)));
	if (result == SS_FAILED && strpbrk(err.text, "\n\r") != NULL)
		plugin_case_fail(
			one, what, "an error without line breaks", memory_string(err.text));
}

static void run_usual(struct plugin_case *one)
{
	set_all(one, make_usual, 0);
	run_agent(one, "a usual state");
}

/* How long the quickest of some calls of WORK took, which others on the machine have kept waiting least. */
static double quickest_ms(struct plugin_case *one, void (*work)(struct plugin_case *one))
{
	int64_t least_ns = INT64_MAX;
	for (size_t i = 0; i < LOOP_CALLS; i++) {
		int64_t begun_ns = clock_monotonic_ns();
		work(one);
		int64_t took_ns = clock_monotonic_ns() - begun_ns;
		least_ns = took_ns < least_ns ? took_ns : least_ns;
	}
	return (double)least_ns / 1e6;
}

/* Nothing that WORK asks the host for takes time here, so all of it is the plugin's own, on the loop. */
static void look_at_time(
	struct plugin_case *one, void (*work)(struct plugin_case *one), const char *what)
{
	double took_ms = quickest_ms(one, work);
	plugin_case_forget(one); /* other cases tell what else is wrong with it */
	if (took_ms > LOOP_LIMIT_MS)
		plugin_case_fail(one, what,
			"some tenths of a millisecond on the loop, and nothing that waits",
			memory_format("%.0f ms at best of %d times", took_ms, LOOP_CALLS));
}

static void run_soon(struct plugin_case *one)
{
	if ((plugin_running(one->plugin) & SS_BLOCKS) == 0)
		look_at_time(one, run_usual,
			"run() with a usual state; an agent that must wait says SS_BLOCKS");
}

static void run_odd(struct plugin_case *one)
{
	for (size_t i = 0; plugin_odd_texts[i] != NULL; i++) {
		set_all(one, odd_value, i);
		run_agent(one, "an odd state");
	}
}

static void run_long(struct plugin_case *one)
{
	set_all(one, make_long, 0);
	run_agent(one, "a long text");
}

static void leave_out(struct plugin_case *one)
{
	struct ss_error err = {0};
	plugin_case_destroy(one);
	one->host = plugin_case_host(one);
	for (const struct ss_field *row = one->plugin->fields; row != NULL && row->name != NULL;
		row++) {
		if (row->access & SS_OPTIONAL)
			ss_test_leave_out(one->host, row->name);
	}
	if (ss_test_create(one->host, one->trial->options, &err) == 0)
		run_usual(one);
}

static void run_with_failing_services(struct plugin_case *one)
{
	for (int call = 0; call < SS_TEST_CALLS; call++)
		ss_test_fail(one->host, (enum ss_test_call)call, SS_TIMEOUT, "it took too long");
	run_usual(one);
	for (int call = 0; call < SS_TEST_CALLS; call++)
		ss_test_refuse(one->host, (enum ss_test_call)call, SS_LIMIT, "it is refused");
	run_usual(one);
}

static void run_with_odd_articles(struct plugin_case *one)
{
	static const char *const articles[] = {"[]", "[{}]", "[null, 1, \"\"]",
		"[{\"id\": 1, \"title\": [], \"content\": null, \"score\": {}}]"};
	for (size_t i = 0; i < array_length(articles); i++) {
		ss_test_articles(one->host, articles[i]);
		ss_test_answer(one->host, plugin_odd_texts[i], articles[i], "");
		run_usual(one);
	}
}

const struct plugin_trying plugin_agent_cases[] = {
	{"agent", "it runs with a usual state", run_usual, false},
	{"agent", "it gives the loop back soon", run_soon, false},
	{"agent", "it runs with empty, odd and hostile values", run_odd, false},
	{"agent", "it runs with texts of a mebibyte", run_long, false},
	{"agent", "it runs without the fields that are optional", leave_out, false},
	{"agent",
		"it ends when embeddings, searches, models, waits and requests fail or are refused",
		run_with_failing_services, false},
	{"agent", "it runs when articles and answers are not as expected", run_with_odd_articles,
		false},
	{NULL, NULL, NULL, false},
};

/* Models. */

/* Whether the list SOURCES has ids of ARTICLES only. */
static bool are_of(const struct ss_value *sources, const struct ss_value *articles)
{
	for (size_t i = 0; i < value_count(sources); i++) {
		size_t at = 0;
		while (at < value_count(articles) &&
			!value_equal(value_at(sources, i), value_get(value_at(articles, at), "id")))
			at++;
		if (at == value_count(articles))
			return false;
	}
	return sources == NULL || value_type(sources) == SS_LIST;
}

/* What an answer has: words, and of what was given. */
static void check_answer(struct plugin_case *one, const struct ss_value *articles)
{
	const struct ss_conclusion *conclusion = ss_test_conclusion(one->host);
	const struct ss_text answer = conclusion->answer;
	const char *pieces = ss_test_emitted(one->host);
	if (answer.length == 0 || text_characters(answer) < 0)
		plugin_case_fail(one, "an answer", "UTF-8, and not empty",
			memory_format("%zu bytes that are not", answer.length));
	if (!are_of(conclusion->sources, articles))
		plugin_case_fail(one, "the sources of an answer",
			"NULL, or a list of ids of the articles that were given",
			json_text(conclusion->sources));
	if (strlen(pieces) > answer.length || memcmp(pieces, answer.data, strlen(pieces)) != 0)
		plugin_case_fail(one, "the pieces of an answer", "its beginning",
			memory_format("\"%.100s\" of \"%.100s\"", pieces, answer.data));
}

static void ask(struct plugin_case *one, const char *question, struct ss_value *articles)
{
	struct ss_error err = {0};
	const struct ss_prompt prompt = {
		.struct_size = sizeof prompt,
		.question = {question, strlen(question)},
		.instructions = {"Answer.", 7},
		.articles = articles,
	};
	if (ss_test_generate(one->host, &prompt, &err) == 0)
		check_answer(one, articles);
	else if (err.text[0] == '\0' || strpbrk(err.text, "\n\r") != NULL)
		plugin_case_fail(one, "an error", "a sentence without line breaks",
			memory_format("\"%s\"", err.text));
	value_unref(articles);
}

static struct ss_value *an_article(void)
{
	struct ss_value *article = value_map_make({"id", value_text("reset")},
		{"title", value_text("Reset a password")},
		{"content", value_text("Open the page. Click the link. It works for a day.")},
		{"category", value_text("Account")}, {"score", value_number(0.9)});
	return value_list(&article, 1);
}

static void ask_usual(struct plugin_case *one)
{
	ask(one, "How do I reset my password?", an_article());
}

static void ask_soon(struct plugin_case *one)
{
	look_at_time(one, ask_usual, "generate() with a usual question");
}

static void ask_odd(struct plugin_case *one)
{
	for (size_t i = 0; plugin_odd_texts[i] != NULL; i++) {
		ask(one, plugin_odd_texts[i], an_article());
		ask(one, plugin_odd_texts[i], odd_items());
	}
	ask(one, "Why?", NULL);
}

static void ask_failing(struct plugin_case *one)
{
	ss_test_fail(one->host, SS_TEST_HTTP, SS_TIMEOUT, "it took too long");
	ask_usual(one);
	ss_test_refuse(one->host, SS_TEST_HTTP, SS_LIMIT, "it is refused");
	ask_usual(one);
}

const struct plugin_trying plugin_model_cases[] = {
	{"llm", "it answers a usual question or says why not", ask_usual, false},
	{"llm", "it gives the loop back soon", ask_soon, false},
	{"llm", "it bears odd questions and articles", ask_odd, false},
	{"llm", "it ends when requests fail or are refused", ask_failing, false},
	{NULL, NULL, NULL, false},
};

/* Embedders. */

enum { ROOM = 8 };
static const float UNTOUCHED = 12345.0f;

static void check_length(struct plugin_case *one, const float *vector, size_t dimension)
{
	double squares = 0;
	for (size_t i = 0; i < dimension; i++)
		squares += (double)vector[i] * (double)vector[i];
	if (!(fabs(squares - 1) < 0.01))
		plugin_case_fail(
			one, "a vector", "the length 1", memory_format("%g", sqrt(squares)));
}

/* The sentence of ERR, or that there is none; new. */
static char *sentence_of(const struct ss_error *err)
{
	return memory_string(err->text[0] != '\0' ? err->text : "an error without a sentence");
}

/* The floats at AT, beside those that WHO was to write, must be as they were. */
static void check_room(struct plugin_case *one, const float *at, const char *who)
{
	for (size_t i = 0; i < ROOM; i++) {
		if (at[i] != UNTOUCHED) {
			plugin_case_fail(one, who, "writes where its results belong alone",
				memory_string("something in front of them or behind them"));
			return;
		}
	}
}

static double product_of(const float *a, const float *b, size_t dimension)
{
	double product = 0;
	for (size_t i = 0; i < dimension; i++)
		product += (double)a[i] * (double)b[i];
	return product;
}

/* Embeds TEXTS, and the first one once more by itself, which must come to the same; the first two are DIFFERENT. */
static void embed(
	struct plugin_case *one, const struct ss_text *texts, size_t count, bool different)
{
	struct ss_error err = {0};
	const struct ss_embedder_operations *embedder = one->plugin->embedder;
	void *instance = ss_test_instance(one->host);
	size_t dimension = embedder->dimension(instance);
	if (dimension < 1 || dimension > 65536) {
		plugin_case_fail(one, "dimension()", "1 to 65536", memory_format("%zu", dimension));
		return;
	}
	/* With room around each that must stay as it is. */
	float *all = memory_array((size_t)2 * ROOM + (count + 1) * dimension, sizeof *all);
	float *vectors = all + ROOM, *again = vectors + count * dimension;
	for (size_t i = 0; i < (size_t)2 * ROOM + (count + 1) * dimension; i++)
		all[i] = UNTOUCHED;
	if (embedder->embed(instance, texts, count, vectors, &err) < 0) {
		plugin_case_fail(one, "embed()", "vectors", sentence_of(&err));
		goto done;
	}
	check_room(one, all, "embed()");
	check_room(one, again, "embed()");
	if (embedder->embed(instance, texts, 1, again, &err) < 0) {
		plugin_case_fail(one, "embed()", "vectors", sentence_of(&err));
		goto done;
	}
	check_room(one, again + dimension, "embed()");
	double product = product_of(vectors, again, dimension);
	for (size_t i = 0; i < count; i++)
		check_length(one, vectors + i * dimension, dimension);
	if (!(product > 0.99))
		plugin_case_fail(one, "a text by itself and among others", "the same vector",
			memory_format("vectors with a cosine of %g", product));
	if (different && product_of(vectors, vectors + dimension, dimension) > 0.9999)
		plugin_case_fail(one, "two texts that have not a word in common",
			"different vectors", memory_string("the same one"));
done:
	free(all);
}

static void embed_usual(struct plugin_case *one)
{
	static const struct ss_text texts[] = {
		{"How do I reset my password?", 27}, {"Where is my invoice?", 20}, {"Hello", 5}};
	embed(one, texts, array_length(texts), true);
}

static void embed_odd(struct plugin_case *one)
{
	struct ss_text texts[32];
	size_t count = 0;
	for (; plugin_odd_texts[count] != NULL; count++)
		texts[count] =
			(struct ss_text){plugin_odd_texts[count], strlen(plugin_odd_texts[count])};
	struct ss_value *text = make_long(SS_STRING, 0);
	texts[count++] = value_as_text(text);
	embed(one, texts, count, false);
	value_unref(text);
}

const struct plugin_trying plugin_embedder_cases[] = {
	{"embedder", "its vectors have the length 1 and depend on their text alone", embed_usual,
		false},
	{"embedder", "it embeds empty, odd and long texts", embed_odd, false},
	{NULL, NULL, NULL, false},
};

/* Indexes. */

enum { DIMENSION = 8, ROWS = 500, NEAREST = 10 };

/* ROWS vectors of length 1, always the same. */
static void make_vectors(float vectors[ROWS][DIMENSION])
{
	uint64_t state = 88172645463325252u; /* xorshift64, Marsaglia 2003 */
	for (size_t row = 0; row < ROWS; row++) {
		float squares = 0;
		for (size_t i = 0; i < DIMENSION; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			vectors[row][i] = (float)(state >> 40) / 8388608.0f - 1;
			squares += vectors[row][i] * vectors[row][i];
		}
		for (size_t i = 0; i < DIMENSION; i++)
			vectors[row][i] /= sqrtf(squares);
	}
}

/* The NEAREST of each of the COUNT QUERIES, with room around IDS and SCORES that must stay as it is. */
static int find(
	struct plugin_case *one, const float *queries, size_t count, int64_t *ids, float *scores)
{
	struct ss_error err = {0};
	int64_t *found = memory_array(count * NEAREST + 1, sizeof *found);
	float *all = memory_array(count * NEAREST + (size_t)2 * ROOM, sizeof *all);
	found[count * NEAREST] = INT64_MIN;
	for (size_t i = 0; i < count * NEAREST + (size_t)2 * ROOM; i++)
		all[i] = UNTOUCHED;
	int result = one->plugin->index->search(
		ss_test_instance(one->host), queries, count, NEAREST, found, all + ROOM, &err);
	if (result < 0)
		plugin_case_fail(one, "search()", "the nearest", sentence_of(&err));
	if (found[count * NEAREST] != INT64_MIN)
		plugin_case_fail(one, "search()", "writes where its results belong alone",
			memory_string("something behind the ids"));
	check_room(one, all, "search()");
	check_room(one, all + ROOM + count * NEAREST, "search()");
	memcpy(ids, found, count * NEAREST * sizeof *ids);
	memcpy(scores, all + ROOM, count * NEAREST * sizeof *scores);
	free(found);
	free(all);
	return result;
}

/* Several queries at once find what each of them finds by itself. */
static void search_together(struct plugin_case *one, float vectors[ROWS][DIMENSION])
{
	enum { TOGETHER = 7 };
	int64_t ids[TOGETHER * NEAREST], id[NEAREST];
	float scores[TOGETHER * NEAREST], score[NEAREST];
	if (find(one, vectors[0], TOGETHER, ids, scores) < 0)
		return;
	for (size_t row = 0; row < TOGETHER; row++) {
		if (find(one, vectors[row], 1, id, score) < 0)
			return;
		if (memcmp(id, ids + row * NEAREST, sizeof id) != 0)
			plugin_case_fail(one, "a search for several queries at once",
				"what each of them finds by itself",
				memory_format("row %lld in front for query %zu, by itself row %lld",
					(long long)ids[row * NEAREST], row, (long long)id[0]));
	}
}

/* Searches for the first COUNT vectors, of which COUNT are held: each must find itself, and never what there is not. */
static void search(struct plugin_case *one, float vectors[ROWS][DIMENSION], size_t count)
{
	int64_t ids[NEAREST];
	float scores[NEAREST];
	for (size_t row = 0; row < count || row == 0; row++) {
		if (find(one, vectors[row], 1, ids, scores) < 0)
			return;
		for (size_t i = 0; i < NEAREST; i++) {
			if (ids[i] < -1 || ids[i] >= (int64_t)count ||
				(ids[i] == -1) != (i >= count))
				plugin_case_fail(one, "the ids of a search",
					"rows, and -1 where there are no more",
					memory_format("%lld at place %zu of %zu vectors",
						(long long)ids[i], i, count));
			else if (i > 0 && ids[i] != -1 && scores[i] > scores[i - 1])
				plugin_case_fail(one, "the scores of a search", "the best first",
					memory_format("%g before %g", (double)scores[i - 1],
						(double)scores[i]));
		}
		if (count > 0 && (ids[0] != (int64_t)row || fabsf(scores[0] - 1) > 0.01f))
			plugin_case_fail(one, "a search for a vector that is there",
				"it, with the score 1",
				memory_format("row %lld for row %zu, with %g", (long long)ids[0],
					row, (double)scores[0]));
	}
}

static void build(struct plugin_case *one, float vectors[ROWS][DIMENSION], size_t count)
{
	struct ss_error err = {0};
	/* They are there for the call alone: whoever keeps the pointer has rubbish afterwards. */
	float *lent = memory_array((size_t)ROWS * DIMENSION, sizeof *lent);
	memcpy(lent, vectors, sizeof(float[ROWS][DIMENSION]));
	int result = one->plugin->index->build(
		ss_test_instance(one->host), lent, count, DIMENSION, &err);
	memset(lent, 0, sizeof(float[ROWS][DIMENSION]));
	if (result < 0)
		plugin_case_fail(one, "build()", "an index", sentence_of(&err));
	else
		search(one, vectors, count);
	if (result == 0 && count == ROWS)
		search_together(one, vectors);
	free(lent);
}

static void build_sizes(struct plugin_case *one)
{
	static const size_t counts[] = {ROWS, 0, 1, 3, ROWS};
	float vectors[ROWS][DIMENSION];
	make_vectors(vectors);
	for (size_t i = 0; i < array_length(counts); i++)
		build(one, vectors, counts[i]);
}

static void save_and_load(struct plugin_case *one)
{
	const struct ss_index_operations *index = one->plugin->index;
	float vectors[ROWS][DIMENSION];
	struct ss_error err = {0};
	void *bytes = NULL;
	size_t length = 0;
	static const char rubbish[] = "This is no index, but it is as long as some are.";
	make_vectors(vectors);
	build(one, vectors, ROWS);
	if (one->plugin->abi_minor < 2)
		return;
	if ((index->save == NULL) != (index->load == NULL))
		plugin_case_fail(one, "the operations save and load", "both or neither",
			memory_format("only %s", index->save != NULL ? "save" : "load"));
	if (index->save == NULL || index->load == NULL)
		return;
	void *instance = ss_test_instance(one->host);
	if (index->save(instance, &bytes, &length, &err) < 0)
		plugin_case_fail(one, "save()", "its bytes", sentence_of(&err));
	if (bytes != NULL && index->load(instance, bytes, length, ROWS, DIMENSION, &err) < 0)
		plugin_case_fail(one, "load() of what save() gave", "it", sentence_of(&err));
	if (index->load(instance, rubbish, sizeof rubbish, ROWS, DIMENSION, &err) == 0)
		plugin_case_fail(one, "load() of bytes that are no index", "an error",
			memory_string("success"));
	free(bytes);
	search(one, vectors, ROWS);
}

const struct plugin_trying plugin_index_cases[] = {
	{"index", "it finds what it holds, of any number of vectors, and builds anew", build_sizes,
		false},
	{"index", "what it saves can be loaded, if it saves, and nothing else", save_and_load,
		false},
	{NULL, NULL, NULL, false},
};

/* Storages. */

void plugin_storage_work(struct plugin_case *one)
{
	struct ss_error err = {0};
	const struct ss_storage_operations *storage = one->plugin->storage;
	void *instance = ss_test_instance(one->host);
	struct ss_value *context = NULL, *stats = NULL;
	const struct ss_turn_key key = {
		.struct_size = sizeof key, .user_id = "nobody", .history_limit = 10};
	if (storage->turn_context(instance, &key, &context, &err) == 0)
		value_unref(context);
	if (storage->stats(instance, &stats, &err) == 0)
		value_unref(stats);
	(void)storage->check(instance, &err);
}
