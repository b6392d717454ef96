#include "service/compute.h"

#include "service/articles.h"
#include "service/knowledge.h"
#include "service/metrics.h"
#include "service/vector_bytes.h"
#include "unit/service/loop.h"

#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSION = 26, REQUESTS = 32 };

enum embedder_mood {
	EMBEDS,
	FAILS,
	FAILS_SILENTLY,
};

/* The embedder's instance; read by the test only after its answers came. */
struct embedder {
	struct gate gate;
	enum embedder_mood mood;
	size_t calls;
	size_t texts;
	size_t most; /* texts of one call */
};

static struct event_base *base;
static struct embedder embedder;
static struct compute *compute;
static struct metrics *metrics;

static size_t dimension(const void *instance)
{
	(void)instance;
	return DIMENSION;
}

/* How often each letter is in TEXT, scaled to length 1. */
static void letters(struct ss_text text, float vector[DIMENSION])
{
	float sum = 0;
	memset(vector, 0, DIMENSION * sizeof *vector);
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] >= 'a' && text.data[i] <= 'z')
			vector[text.data[i] - 'a'] += 1;
	}
	for (size_t i = 0; i < DIMENSION; i++)
		sum += vector[i] * vector[i];
	for (size_t i = 0; i < DIMENSION && sum > 0; i++)
		vector[i] /= sqrtf(sum);
}

static int embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	struct embedder *mine = instance;
	gate_pass(&mine->gate);
	mine->calls++;
	mine->texts += count;
	mine->most = count > mine->most ? count : mine->most;
	for (size_t i = 0; i < count; i++)
		letters(texts[i], vectors + i * DIMENSION);
	if (mine->mood == FAILS)
		return ss_fail_as(err, SS_UNAVAILABLE, "the model is broken");
	return mine->mood == FAILS_SILENTLY ? -1 : 0;
}

static const struct ss_embedder_operations operations = {.dimension = dimension, .embed = embed};

static void start_with(
	bool gated, size_t queue_limit, size_t cache_limit, struct knowledge *knowledge)
{
	struct ss_error err = {0};
	const struct compute_options options = {
		.base = base,
		.embedder = &operations,
		.embedder_instance = &embedder,
		.knowledge = knowledge,
		.queue_limit = queue_limit,
		.cache_limit = cache_limit,
		.metrics = metrics_take(metrics),
	};
	gate_init(&embedder.gate, gated);
	compute = compute_new(&options, &err);
	cr_assert_not_null(compute, "%s", err.text);
}

static void start(bool gated, size_t queue_limit)
{
	start_with(gated, queue_limit, 100, NULL);
}

static void set_up(void)
{
	base = event_base_new();
	metrics = metrics_new();
}

static void tear_down(void)
{
	compute_free(compute);
	gate_destroy(&embedder.gate);
	event_base_free(base);
	metrics_free(metrics);
}

TestSuite(compute, .init = set_up, .fini = tear_down, .timeout = 300);

/* One request and what came back for it. */
struct request {
	const char *texts[4];
	size_t count;
	size_t calls;
	struct ss_error err;
	size_t found;         /* articles */
	char first[16];       /* the id of the first one */
	size_t stages;        /* of the first one's scores */
	char missing[64];     /* why the others did not run */
	struct request *next; /* asked again from the callback */
	int next_result;
};

static struct request requests[REQUESTS];
static size_t answered;

static int ask(struct request *request, struct ss_error *err);

static void on_embedded(void *context, const float *const *vectors, size_t count, size_t size,
	const struct ss_error *err)
{
	struct request *request = context;
	answered++;
	request->calls++;
	cr_assert_eq(vectors == NULL, err != NULL);
	cr_assert_eq(count, err != NULL ? 0 : request->count);
	if (err != NULL)
		request->err = *err;
	for (size_t i = 0; i < count; i++) {
		float expected[DIMENSION];
		cr_assert_eq(size, DIMENSION);
		letters(text_of(request->texts[i]), expected);
		vector_round(expected, DIMENSION);
		cr_assert_eq(memcmp(vectors[i], expected, sizeof expected), 0,
			"the wrong vector for %s", request->texts[i]);
	}
	if (request->next != NULL)
		request->next_result = ask(request->next, NULL);
}

static int ask(struct request *request, struct ss_error *err)
{
	struct ss_text texts[4];
	char copies[4][64];
	for (size_t i = 0; i < request->count; i++) {
		(void)snprintf(copies[i], sizeof copies[i], "%s", request->texts[i]);
		texts[i] = text_of(copies[i]);
	}
	size_t before = answered;
	int result = compute_embed(compute, texts, request->count, on_embedded, request, err);
	cr_assert_eq(answered, before, "called before compute_embed() has returned");
	memset(copies, 'X', sizeof copies); /* the texts were copied */
	return result;
}

/* Asks as request ROW for the texts that A and B name; B may be NULL. */
static void embed_texts(size_t row, const char *a, const char *b)
{
	struct ss_error err = {0};
	requests[row].texts[0] = a;
	requests[row].texts[1] = b;
	requests[row].count = b != NULL ? 2 : 1;
	cr_assert_eq(ask(&requests[row], &err), 0, "%s", err.text);
}

/* Asks for "first" and returns when the embedder stands at its gate with it. */
static void keep_busy(void)
{
	embed_texts(0, "first", NULL);
	gate_wait(&embedder.gate);
}

Test(compute, embeds_a_text)
{
	start(false, 10);
	embed_texts(0, "hello", "world");
	loop_until(base, &answered, 1);
	cr_expect_eq(embedder.texts, 2);
	cr_expect_eq(requests[0].err.status, SS_OK);
}

Test(compute, embeds_once_what_three_ask_for_at_once)
{
	start(true, 10);
	keep_busy();
	for (size_t i = 1; i <= 3; i++)
		embed_texts(i, "same", NULL);
	embed_texts(4, "first", NULL); /* is being embedded now */
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 5);
	cr_expect_eq(embedder.calls, 2);
	cr_expect_eq(embedder.texts, 2);
	for (size_t i = 0; i < 5; i++) {
		cr_expect_eq(requests[i].calls, 1);
		cr_expect_eq(requests[i].err.status, SS_OK);
	}
}

Test(compute, embeds_once_what_one_request_has_twice)
{
	start(false, 10);
	embed_texts(0, "same", "same");
	loop_until(base, &answered, 1);
	cr_expect_eq(embedder.texts, 1);
}

Test(compute, remembers_what_it_embedded)
{
	start(false, 10);
	embed_texts(0, "hello", NULL);
	loop_until(base, &answered, 1);
	embed_texts(1, "hello", "hello");
	loop_until(base, &answered, 2);
	cr_expect_eq(embedder.texts, 1);
	embed_texts(2, "hello", "world");
	loop_until(base, &answered, 3);
	cr_expect_eq(embedder.texts, 2);
}

Test(compute, embeds_again_what_no_longer_fits_its_cache)
{
	start_with(false, 10, 2, NULL);
	static const char *const texts[] = {"a", "b", "c", "a"};
	for (size_t i = 0; i < array_length(texts); i++) {
		embed_texts(i, texts[i], NULL);
		loop_until(base, &answered, i + 1);
	}
	cr_expect_eq(embedder.texts, 4);
}

Test(compute, works_without_room_in_its_cache)
{
	start_with(false, 10, 0, NULL);
	embed_texts(0, "a", "b");
	embed_texts(1, "a", "b");
	loop_until(base, &answered, 2);
	embed_texts(2, "a", "b");
	loop_until(base, &answered, 3);
}

Test(compute, embeds_what_waits_in_one_call)
{
	start(true, 100);
	keep_busy();
	embed_texts(1, "a", "b");
	embed_texts(2, "c", "d");
	embed_texts(3, "e", "a");
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 4);
	cr_expect_eq(embedder.calls, 2);
	cr_expect_eq(embedder.most, 5);
}

Test(compute, gives_the_error_to_all_who_wait_and_forgets_it)
{
	start(true, 10);
	keep_busy();
	embedder.mood = FAILS;
	embed_texts(1, "same", NULL);
	embed_texts(2, "same", "other");
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 3);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(requests[i].calls, 1);
		cr_expect_eq(requests[i].err.status, SS_UNAVAILABLE);
		cr_expect_str_eq(requests[i].err.text, "the model is broken");
	}
	embedder.mood = EMBEDS;
	gate_open(&embedder.gate, 1);
	embed_texts(3, "same", NULL);
	loop_until(base, &answered, 4);
	cr_expect_eq(requests[3].err.status, SS_OK);
	cr_expect_eq(embedder.calls, 3);
}

Test(compute, never_takes_a_failure_without_a_reason_for_vectors)
{
	start(false, 10);
	embedder.mood = FAILS_SILENTLY;
	embed_texts(0, "a", NULL);
	loop_until(base, &answered, 1);
	cr_expect_eq(requests[0].err.status, SS_INTERNAL);
	cr_expect_neq(requests[0].err.text[0], '\0');
}

Test(compute, may_be_asked_again_from_its_callback)
{
	start(false, 10);
	requests[0].next = &requests[1];
	requests[1] = (struct request){.texts = {"a"}, .count = 1, .next = &requests[2]};
	requests[2] = (struct request){.texts = {"b"}, .count = 1};
	embed_texts(0, "a", NULL);
	loop_until(base, &answered, 3);
	cr_expect_eq(embedder.texts, 2);
}

Test(compute, may_be_asked_again_from_its_callback_after_a_failure)
{
	start(true, 10);
	embedder.mood = FAILS;
	requests[0].next = &requests[1];
	requests[1] = (struct request){.texts = {"a"}, .count = 1};
	embed_texts(0, "a", NULL);
	embed_texts(2, "a", NULL);
	gate_open(&embedder.gate, 3);
	loop_until(base, &answered, 3);
	cr_expect_eq(embedder.texts, 2);
	cr_expect_eq(requests[1].err.status, SS_UNAVAILABLE);
}

Test(compute, refuses_more_than_may_wait)
{
	struct ss_error err = {0};
	start(true, 1);
	keep_busy();
	requests[1] = (struct request){.texts = {"a", "b"}, .count = 2};
	cr_expect_eq(ask(&requests[1], &err), -1);
	cr_expect_eq(err.status, SS_LIMIT);
	embed_texts(2, "first", NULL); /* needs no room */
	gate_open(&embedder.gate, 1);
	loop_until(base, &answered, 2);
	cr_expect_eq(requests[1].calls, 0);
	gate_open(&embedder.gate, 1);
	embed_texts(1, "a", NULL); /* nothing is left of the refused one */
	loop_until(base, &answered, 3);
	cr_expect_eq(requests[1].err.status, SS_OK);
}

Test(compute, fails_a_request_that_was_refused_in_part_when_the_rest_has_come)
{
	start(true, 2);
	keep_busy();
	requests[1] = (struct request){.texts = {"a", "b", "first", "b"}, .count = 4};
	cr_expect_eq(ask(&requests[1], NULL), 0);
	cr_expect_eq(requests[1].calls, 0);
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 2);
	cr_expect_eq(requests[0].err.status, SS_OK);
	cr_expect_eq(requests[1].calls, 1);
	cr_expect_eq(requests[1].err.status, SS_LIMIT);
}

Test(compute, finishes_what_was_asked_when_it_is_freed)
{
	start(true, 100);
	keep_busy();
	embed_texts(1, "a", "b");
	embed_texts(2, "a", NULL);
	gate_open(&embedder.gate, 2);
	compute_free(compute);
	compute = NULL;
	cr_expect_eq(answered, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(requests[i].err.status, SS_OK);
}

Test(compute, refuses_what_its_last_callbacks_ask)
{
	start(false, 100);
	requests[0].next = &requests[1];
	requests[1] = (struct request){.texts = {"new"}, .count = 1};
	embed_texts(0, "a", NULL);
	compute_free(compute);
	compute = NULL;
	cr_expect_eq(answered, 1);
	cr_expect_eq(requests[0].next_result, -1);
}

Test(compute, calls_back_from_its_cache_while_it_is_freed)
{
	start(false, 100);
	embed_texts(0, "a", NULL);
	loop_until(base, &answered, 1);
	requests[1].next = &requests[2];
	requests[2] = (struct request){.texts = {"new"}, .count = 1};
	embed_texts(1, "a", NULL); /* its call waits for the loop */
	compute_free(compute);
	compute = NULL;
	cr_expect_eq(requests[1].calls, 1);
	cr_expect_eq(requests[1].err.status, SS_OK);
	/* What that call asked for was finished or refused, but not forgotten. */
	cr_expect_eq(
		requests[2].calls, requests[2].next_result == 0 && requests[1].next_result == 0);
}

static uint64_t counted(enum metric metric)
{
	return metrics_total(metrics, metric);
}

Test(compute, counts_what_its_cache_has_and_what_it_embeds)
{
	start_with(true, 100, 3, NULL);
	keep_busy();
	embed_texts(1, "a", "b");
	embed_texts(2, "a", "first");
	cr_expect_eq(counted(METRIC_COMPUTE_QUEUE), 3);
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 3);
	cr_expect_eq(counted(METRIC_COMPUTE_QUEUE), 0);
	cr_expect_eq(counted(METRIC_CACHE_MISSES), 3);
	cr_expect_eq(counted(METRIC_CACHE_HITS), 2);
	cr_expect_eq(counted(METRIC_TEXTS), 3);
	cr_expect_eq(counted(METRIC_CACHE_ENTRIES), 3);
	cr_expect_gt(counted(METRIC_CACHE_BYTES), 3 * DIMENSION * sizeof(float));
	cr_expect_eq(counted(METRIC_CACHE_EVICTIONS), 0);
	gate_open(&embedder.gate, 1);
	embed_texts(3, "c", NULL);
	loop_until(base, &answered, 4);
	cr_expect_eq(counted(METRIC_CACHE_ENTRIES), 3);
	cr_expect_eq(counted(METRIC_CACHE_EVICTIONS), 1);
}

/* Vectors that are kept elsewhere. */

enum { VECTOR_SIZE = DIMENSION * VECTOR_BYTES };

/* What compute_keep() writes for TEXT. */
static void expect_bytes(const char *text, unsigned char bytes[VECTOR_SIZE])
{
	float vector[DIMENSION];
	letters(text_of(text), vector);
	vector_to_bytes(vector, DIMENSION, bytes);
}

static void restore(const char *text, size_t size)
{
	unsigned char bytes[VECTOR_SIZE];
	expect_bytes(text, bytes);
	compute_restore(compute, text_of(text), (struct ss_bytes){bytes, size});
}

Test(compute, keeps_the_vectors_that_it_has)
{
	unsigned char bytes[VECTOR_SIZE], expected[VECTOR_SIZE];
	start(true, 10);
	cr_assert_eq(compute_vector_size(compute), VECTOR_SIZE);
	keep_busy();
	cr_expect_not(compute_keep(compute, text_of("first"), bytes), "it is not there yet");
	gate_open(&embedder.gate, 1);
	loop_until(base, &answered, 1);
	cr_assert(compute_keep(compute, text_of(" first\r\n"), bytes));
	expect_bytes("first", expected);
	cr_expect_arr_eq(bytes, expected, sizeof expected);
	cr_expect_not(compute_keep(compute, text_of("second"), bytes));
	cr_expect_eq(embedder.texts, 1);
	cr_expect_eq(counted(METRIC_CACHE_MISSES), 1);
	cr_expect_eq(counted(METRIC_CACHE_HITS), 0);
}

Test(compute, does_not_embed_what_was_restored)
{
	start(false, 10);
	restore("earlier", VECTOR_SIZE);
	embed_texts(0, "earlier", "now");
	loop_until(base, &answered, 1);
	cr_expect_eq(embedder.texts, 1);
	cr_expect_eq(counted(METRIC_CACHE_RESTORED), 1);
	cr_expect_eq(counted(METRIC_CACHE_HITS), 1);
	cr_expect_eq(counted(METRIC_CACHE_MISSES), 1);
}

Test(compute, leaves_what_it_has_or_is_embedding_as_it_is)
{
	start(true, 10);
	keep_busy();
	embed_texts(1, "same", NULL);
	restore("first", VECTOR_SIZE);
	restore("same", VECTOR_SIZE);
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 2);
	restore("same", VECTOR_SIZE);
	cr_expect_eq(embedder.texts, 2);
	cr_expect_eq(counted(METRIC_CACHE_RESTORED), 0);
}

Test(compute, takes_no_vector_of_another_size)
{
	start(false, 10);
	restore("earlier", VECTOR_SIZE - VECTOR_BYTES);
	restore("earlier", 0);
	embed_texts(0, "earlier", NULL);
	loop_until(base, &answered, 1);
	cr_expect_eq(embedder.texts, 1);
}

Test(compute, restores_without_room_in_its_cache)
{
	start_with(false, 10, 0, NULL);
	restore("earlier", VECTOR_SIZE);
	embed_texts(0, "earlier", NULL);
	loop_until(base, &answered, 1);
	cr_expect_eq(embedder.texts, 1);
}

/* Searches. */

static const float *indexed;
static size_t indexed_count;

static int build(
	void *instance, const float *vectors, size_t count, size_t size, struct ss_error *err)
{
	(void)instance;
	(void)err;
	cr_assert_eq(size, DIMENSION);
	float *copy = memory_array(count * size, sizeof *copy);
	memcpy(copy, vectors, count * size * sizeof *copy);
	indexed = copy;
	indexed_count = count;
	return 0;
}

static float product(const float *a, const float *b)
{
	float sum = 0;
	for (size_t i = 0; i < DIMENSION; i++)
		sum += a[i] * b[i];
	return sum;
}

/* The K nearest by looking at all. */
static int search(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	(void)instance;
	for (size_t at = 0; at < count * k; at++) {
		const float *query = queries + at / k * DIMENSION;
		ids[at] = -1;
		for (size_t row = 0; row < indexed_count; row++) {
			float score = product(query, indexed + row * DIMENSION);
			bool taken = false;
			for (size_t before = at / k * k; before < at; before++)
				taken = taken || ids[before] == (int64_t)row;
			if (!taken && (ids[at] < 0 || score > scores[at])) {
				ids[at] = (int64_t)row;
				scores[at] = score;
			}
		}
	}
	if (embedder.mood == FAILS)
		return ss_fail_as(err, SS_INTERNAL, "the index is broken");
	return 0;
}

static const struct ss_index_operations index_operations = {.build = build, .search = search};

static struct ss_value *article(const char *id, const char *title)
{
	return value_map_make({"id", value_text(id)}, {"title", value_text(title)},
		{"content", value_text(title)}, {"category", value_text("General")});
}

static struct knowledge *make_knowledge(void)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {article("apple", "apple apple"), article("bell", "bell bell"),
		article("zoo", "zoo zoo")};
	const struct articles articles = {items, array_length(items)};
	const struct knowledge_options options = knowledge_defaults();
	struct knowledge *knowledge = knowledge_new(
		&articles, &operations, &embedder, &index_operations, NULL, &options, &err);
	cr_assert_not_null(knowledge, "%s", err.text);
	for (size_t i = 0; i < array_length(items); i++)
		value_unref(items[i]);
	return knowledge;
}

static void free_knowledge(struct knowledge *knowledge)
{
	compute_free(compute);
	compute = NULL;
	knowledge_free(knowledge);
	free((float *)(uintptr_t)indexed);
}

static void on_found(void *context, const struct ss_value *articles, const struct ss_value *missing,
	const struct ss_error *err)
{
	struct request *request = context;
	answered++;
	request->calls++;
	cr_assert_eq(articles == NULL, err != NULL);
	if (err != NULL)
		request->err = *err;
	request->found = value_count(articles);
	(void)snprintf(request->first, sizeof request->first, "%s",
		value_as_string(value_get(value_at(articles, 0), "id"), NULL));
	request->stages = value_count(value_get(value_at(articles, 0), "scores"));
	(void)snprintf(request->missing, sizeof request->missing, "%s",
		value_as_string(value_get(missing, "error"), NULL));
}

static int look_for(struct request *request, const char *text, struct ss_error *err)
{
	char copy[64];
	char category[] = "General";
	(void)snprintf(copy, sizeof copy, "%s", text);
	const struct ss_search query = {.struct_size = sizeof query,
		.text = text_of(copy),
		.prefer_category = category,
		.top_k = 2,
		.min_score = 0.3};
	size_t before = answered;
	int result = compute_search(compute, &query, on_found, request, err);
	cr_assert_eq(answered, before, "called before compute_search() has returned");
	memset(copy, 'X', sizeof copy - 1); /* the search was copied */
	memset(category, 'X', sizeof category - 1);
	return result;
}

Test(compute, cannot_search_without_a_knowledge_base)
{
	struct ss_error err = {0};
	start(false, 10);
	cr_expect_eq(look_for(&requests[0], "x", &err), -1);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(err.text, "no knowledge base is configured");
}

Test(compute, searches_with_the_vector_it_has)
{
	struct knowledge *knowledge = make_knowledge();
	start_with(false, 10, 100, knowledge);
	size_t texts = embedder.texts;
	embed_texts(0, "bell", NULL);
	loop_until(base, &answered, 1);
	cr_assert_eq(look_for(&requests[1], "bell", NULL), 0);
	cr_assert_eq(look_for(&requests[2], "zoo", NULL), 0);
	loop_until(base, &answered, 3);
	cr_expect_eq(embedder.texts - texts, 2);
	cr_expect_str_eq(requests[1].first, "bell");
	cr_expect_str_eq(requests[2].first, "zoo");
	free_knowledge(knowledge);
}

Test(compute, counts_searches_and_those_that_find_nothing)
{
	struct knowledge *knowledge = make_knowledge();
	start_with(false, 10, 100, knowledge);
	cr_assert_eq(look_for(&requests[0], "bell", NULL), 0);
	cr_assert_eq(look_for(&requests[1], "xyx", NULL), 0);
	loop_until(base, &answered, 2);
	cr_expect_eq(requests[1].found, 0);
	cr_expect_eq(counted(METRIC_SEARCHES), 2);
	cr_expect_eq(counted(METRIC_SEARCHES_EMPTY), 1);
	cr_expect_eq(counted(METRIC_CACHE_MISSES), 2);
	cr_expect_eq(counted(METRIC_CACHE_HITS), 0, "a search looks its own text up once");
	free_knowledge(knowledge);
}

Test(compute, searches_by_words_alone_when_the_embedder_or_the_index_fails)
{
	struct knowledge *knowledge = make_knowledge();
	start_with(false, 10, 100, knowledge);
	embed_texts(0, "bell", NULL);
	loop_until(base, &answered, 1);
	embedder.mood = FAILS;
	cr_assert_eq(look_for(&requests[1], "bell", NULL), 0); /* the index fails */
	cr_assert_eq(look_for(&requests[2], "zoo", NULL), 0);  /* the embedder fails */
	loop_until(base, &answered, 3);
	cr_expect_str_eq(requests[1].missing, "the index is broken");
	cr_expect_str_eq(requests[2].missing, "the model is broken");
	cr_expect_str_eq(requests[1].first, "bell");
	cr_expect_str_eq(requests[2].first, "zoo");
	cr_expect(requests[1].stages == 1 && requests[2].stages == 1);
	cr_expect_eq(counted(METRIC_SEARCHES), 2);
	cr_expect_eq(counted(METRIC_SEARCHES_INCOMPLETE), 2);
	embedder.mood = EMBEDS;
	cr_assert_eq(look_for(&requests[3], "zoo", NULL), 0);
	loop_until(base, &answered, 4);
	cr_expect_str_eq(requests[3].missing, "");
	cr_expect_eq(requests[3].stages, 3);
	cr_expect_eq(counted(METRIC_SEARCHES_INCOMPLETE), 2);
	free_knowledge(knowledge);
}

Test(compute, searches_by_words_alone_when_the_embedder_does_not_say_why)
{
	struct knowledge *knowledge = make_knowledge();
	start_with(false, 10, 100, knowledge);
	embedder.mood = FAILS_SILENTLY;
	cr_assert_eq(look_for(&requests[0], "zoo", NULL), 0);
	loop_until(base, &answered, 1);
	cr_expect_str_eq(requests[0].first, "zoo");
	cr_expect_str_eq(requests[0].missing, "the embedder failed without saying why");
	free_knowledge(knowledge);
}

/* Words alone would be quick, but whoever comes first must not starve the others. */
Test(compute, refuses_searches_when_too_much_waits)
{
	struct ss_error err = {0};
	struct knowledge *knowledge = make_knowledge();
	start_with(true, 1, 100, knowledge);
	keep_busy();
	embedder.mood = FAILS;
	cr_expect_eq(look_for(&requests[1], "zoo", &err), -1);
	cr_expect_eq(err.status, SS_LIMIT);
	/* One waits for the vector that is on its way, whose failure leaves it no room: another takes it. */
	cr_assert_eq(look_for(&requests[1], "first", NULL), 0);
	requests[2].next = &requests[3];
	requests[3] = (struct request){.texts = {"second"}, .count = 1};
	embed_texts(2, "first", NULL);
	gate_open(&embedder.gate, 2);
	loop_until(base, &answered, 4);
	cr_expect_eq(requests[1].err.status, SS_LIMIT);
	cr_expect_eq(requests[1].calls, 1);
	free_knowledge(knowledge);
}

Test(compute, finishes_a_search_of_a_known_text_when_it_is_freed)
{
	struct knowledge *knowledge = make_knowledge();
	start_with(false, 10, 100, knowledge);
	embed_texts(0, "bell", NULL);
	loop_until(base, &answered, 1);
	cr_assert_eq(look_for(&requests[1], "bell", NULL), 0);
	free_knowledge(knowledge);
	cr_expect_eq(requests[1].calls, 1);
	cr_expect_eq(requests[1].err.status, SS_OK, "%s", requests[1].err.text);
	cr_expect_str_eq(requests[1].first, "bell");
}

Test(compute, ends_a_search_of_a_new_text_when_it_is_freed)
{
	struct knowledge *knowledge = make_knowledge();
	start_with(false, 10, 100, knowledge);
	cr_assert_eq(look_for(&requests[0], "bell", NULL), 0);
	free_knowledge(knowledge);
	cr_expect_eq(requests[0].calls, 1);
	cr_expect(requests[0].err.status == SS_OK || requests[0].err.status == SS_UNAVAILABLE, "%s",
		requests[0].err.text);
}
