#include "base/buffer.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/knowledge.h"
#include "service/knowledge_change.h"
#include "support/scratch.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIMENSION = 64 };

/* An embedder for which texts are near that have the same words, and an index that looks at all. */
struct fakes {
	size_t largest_batch;
	size_t texts;
	const char *fails; /* why embed() fails */
	float *vectors;
	size_t count;
	const char *search_fails; /* why search() fails */
	size_t builds, loads;
	bool load_fails;
};

static struct fakes fakes;
static struct knowledge *knowledge;
static struct ss_value *found;
static struct ss_value *missing;

static size_t dimension(const void *instance)
{
	(void)instance;
	return DIMENSION;
}

static void embed_text(struct ss_text text, float *vector)
{
	size_t at = 0;
	memset(vector, 0, DIMENSION * sizeof *vector);
	vector[0] = 0.1f; /* so that no text has the length 0 */
	while (at < text.length) {
		unsigned hash = 7;
		for (; at < text.length && isalnum((unsigned char)text.data[at]); at++)
			hash = hash * 31 + (unsigned)tolower((unsigned char)text.data[at]);
		if (hash != 7)
			vector[hash % DIMENSION] += 1;
		at++;
	}
	double sum = 0;
	for (size_t i = 0; i < DIMENSION; i++)
		sum += (double)vector[i] * (double)vector[i];
	for (size_t i = 0; i < DIMENSION; i++)
		vector[i] = (float)((double)vector[i] / sqrt(sum));
}

static int embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	struct fakes *fake = instance;
	if (fake->fails != NULL)
		return ss_fail(err, "%s", fake->fails);
	for (size_t i = 0; i < count; i++)
		embed_text(texts[i], vectors + i * DIMENSION);
	fake->texts += count;
	if (count > fake->largest_batch)
		fake->largest_batch = count;
	return 0;
}

static int build(void *instance, const float *vectors, size_t count, size_t vector_dimension,
	struct ss_error *err)
{
	struct fakes *fake = instance;
	(void)err;
	fake->vectors = memory_array(count, vector_dimension * sizeof *vectors);
	memcpy(fake->vectors, vectors, count * vector_dimension * sizeof *vectors);
	fake->count = count;
	fake->builds++;
	return 0;
}

static double product(const float *a, const float *b)
{
	double sum = 0;
	for (size_t i = 0; i < DIMENSION; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static int search(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	struct fakes *fake = instance;
	cr_assert_eq(count, 1);
	if (fake->search_fails != NULL)
		return fake->search_fails[0] != '\0' ? ss_fail(err, "%s", fake->search_fails) : -1;
	for (size_t n = 0; n < k; n++) {
		ids[n] = -1;
		scores[n] = -2;
		for (size_t row = 0; row < fake->count; row++) {
			bool taken = false;
			for (size_t m = 0; m < n; m++)
				taken = taken || ids[m] == (int64_t)row;
			float score = (float)product(queries, fake->vectors + row * DIMENSION);
			if (!taken && score > scores[n]) {
				ids[n] = (int64_t)row;
				scores[n] = score;
			}
		}
	}
	return 0;
}

static const struct ss_embedder_operations embedder = {.dimension = dimension, .embed = embed};
static const struct ss_index_operations index_operations = {.build = build, .search = search};

static void forget(void)
{
	knowledge_free(knowledge);
	value_unref(found);
	value_unref(missing);
	free(fakes.vectors);
	knowledge = NULL;
	found = NULL;
	missing = NULL;
	fakes = (struct fakes){0};
}

TestSuite(knowledge, .init = forget, .fini = forget);

static struct ss_value *article(
	const char *id, const char *title, const char *content, const char *category)
{
	return value_map_make({"id", value_text(id)}, {"title", value_text(title)},
		{"content", value_text(content)}, {"category", value_text(category)});
}

/* Builds the knowledge of the COUNT ITEMS, which are taken. */
static void know(struct ss_value **items, size_t count, struct ss_error *err)
{
	const struct knowledge_options options = knowledge_defaults();
	const struct articles articles = {.items = items, .count = count};
	knowledge = knowledge_new(
		&articles, &embedder, &fakes, &index_operations, &fakes, &options, err);
	for (size_t i = 0; i < count; i++)
		value_unref(items[i]);
}

static void know_three(void)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {
		article("crash", "Why does the program crash?", "Update the driver.", "Technical"),
		article("refund", "Can I get a refund?", "Within thirty days.", "Billing"),
		article("reset", "How do I reset my password?", "Click the link.", "Account")};
	know(items, array_length(items), &err);
	cr_assert_not_null(knowledge, "%s", err.text);
}

/* The ids found for TEXT, best first, with a space behind each. An embedder that fails has no vector for it. */
static const char *ask(const char *text, const char *category, size_t top_k, double min_score)
{
	static char ids[400];
	float vector[DIMENSION];
	struct ss_error failure = {0};
	size_t length = 0;
	bool embedded =
		embed(&fakes, &(struct ss_text){text, strlen(text)}, 1, vector, &failure) == 0;
	const struct knowledge_query query = {.text = text,
		.vector = embedded ? vector : NULL,
		.failure = &failure,
		.prefer_category = category,
		.top_k = top_k,
		.min_score = min_score};
	value_unref(found);
	value_unref(missing);
	const struct knowledge_found result = knowledge_search(knowledge, &query);
	found = result.articles;
	missing = result.missing;
	ids[0] = '\0';
	for (size_t i = 0; i < value_count(found); i++)
		length += (size_t)snprintf(ids + length, sizeof ids - length, "%s ",
			value_as_string(value_get(value_at(found, i), "id"), NULL));
	return ids;
}

static double score_at(size_t place)
{
	return value_as_number(value_get(value_at(found, place), "score"));
}

Test(knowledge, finds_an_article_by_its_question)
{
	know_three();
	cr_expect_str_eq(ask("reset my password", NULL, 1, 0), "reset ");
	cr_expect_str_eq(
		value_as_string(value_get(value_at(found, 0), "content"), NULL), "Click the link.");
}

Test(knowledge, finds_an_article_by_its_answer)
{
	know_three();
	cr_expect_str_eq(ask("update the driver", NULL, 1, 0), "crash ");
}

Test(knowledge, finds_an_article_by_another_question_that_it_names)
{
	struct ss_error err = {0};
	struct ss_value *other = value_text("borrowed umbrella policy");
	struct ss_value *items[] = {article("a", "First", "Text.", ""),
		value_map_make({"id", value_text("b")}, {"title", value_text("Second")},
			{"content", value_text("Text.")}, {"category", value_text("")},
			{"questions", value_list(&other, 1)})};
	know(items, array_length(items), &err);
	cr_expect_str_eq(ask("umbrella policy", NULL, 1, 0), "b ");
}

Test(knowledge, gives_scores_from_0_to_1_in_falling_order)
{
	know_three();
	ask("can I get a refund", NULL, 3, 0);
	cr_assert_eq(value_count(found), 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(score_at(i) >= 0 && score_at(i) <= 1, "%g", score_at(i));
	cr_expect_geq(score_at(0), score_at(1));
	cr_expect_geq(score_at(1), score_at(2));
}

Test(knowledge, leaves_out_what_scores_too_little_and_what_is_too_many)
{
	know_three();
	cr_expect_str_eq(ask("can I get a refund", NULL, 3, 0.5), "refund ");
	cr_expect_str_eq(ask("bananas", NULL, 3, 0.5), "");
	ask("can I get a refund", NULL, 2, 0);
	cr_expect_eq(value_count(found), 2);
}

Test(knowledge, prefers_a_category_among_equals_only)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {article("a", "Where is the log?", "Here.", "Technical"),
		article("b", "Where is the log?", "Here.", "Billing")};
	know(items, array_length(items), &err);
	cr_expect_str_eq(ask("where is the log", NULL, 2, 0), "a b ");
	cr_expect_str_eq(ask("where is the log", "Billing", 2, 0), "b a ");
	double with = score_at(0);
	ask("where is the log", NULL, 2, 0);
	cr_expect_eq(score_at(0), with); /* the preference is no part of the score */
	forget();
	know_three();
	cr_expect_str_eq(ask("reset my password", "Billing", 1, 0), "reset ");
}

Test(knowledge, gives_no_article_a_chance_that_fits_too_little_for_its_category)
{
	know_three();
	ask("can I get a refund", NULL, 1, 0);
	double score = score_at(0);
	cr_expect_str_eq(ask("can I get a refund", "Billing", 1, score + 0.001), "");
}

Test(knowledge, finds_what_stands_far_down_in_a_long_article)
{
	struct ss_error err = {0};
	struct ss_value *items[2];
	char *text = memory_new(5000);
	while (strlen(text) < 3000)
		(void)strcat(text, "Some words about nothing in particular follow here.\n\n");
	(void)strcat(text, "The umbrella is behind the door.");
	items[0] = article("short", "One", "Some words.", "");
	items[1] = article("long", "Two", text, "");
	know(items, 2, &err);
	free(text);
	cr_expect_geq(fakes.texts, 2 + 1 + 3);
	cr_expect_str_eq(ask("where is the umbrella", NULL, 1, 0), "long ");
}

Test(knowledge, embeds_in_small_batches)
{
	struct ss_error err = {0};
	struct ss_value *items[40];
	for (size_t i = 0; i < array_length(items); i++) {
		char id[24];
		(void)snprintf(id, sizeof id, "a%zu", i);
		items[i] = article(id, id, "Text.", "");
	}
	know(items, array_length(items), &err);
	cr_expect_eq(fakes.texts, 80);
	cr_expect_leq(fakes.largest_batch, 16);
}

Test(knowledge, cuts_text_without_spaces_between_characters)
{
	struct ss_error err = {0};
	char *text = memory_new(4001);
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	struct ss_value *items[] = {article("a", "A", text, "")};
	know(items, 1, &err);
	free(text);
	cr_expect_not_null(knowledge, "%s", err.text);
}

Test(knowledge, is_not_made_when_the_embedder_fails)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {article("a", "A", "Text.", "")};
	fakes.fails = "no model";
	know(items, 1, &err);
	cr_expect_null(knowledge);
	cr_expect_str_eq(err.text, "no model");
}

static double stage(size_t place, const char *name)
{
	return value_as_number(value_get(value_get(value_at(found, place), "scores"), name));
}

Test(knowledge, tells_the_score_of_every_stage)
{
	const struct knowledge_options options = knowledge_defaults();
	know_three();
	ask("can I get a refund", NULL, 2, 0);
	for (size_t i = 0; i < 2; i++)
		cr_expect_float_eq(score_at(i),
			options.question_weight * stage(i, "question") +
				options.answer_weight * stage(i, "answer") +
				options.lexical_weight * stage(i, "lexical"),
			2e-4);
	cr_expect_gt(stage(0, "question"), stage(1, "question"));
	cr_expect_gt(stage(0, "lexical"), stage(1, "lexical"));
}

static double confidence(void)
{
	return value_as_number(value_get(value_at(found, 0), "confidence"));
}

Test(knowledge, tells_how_likely_the_first_article_answers)
{
	know_three();
	ask("can I get a refund", NULL, 3, 0);
	double sure = confidence();
	cr_expect_gt(sure, 0.5);
	cr_expect_null(value_get(value_at(found, 1), "confidence"));
	ask("bananas and apples", NULL, 3, 0);
	cr_expect_lt(confidence(), 0.2);
}

static const char *doubt(void)
{
	return value_as_string(value_get(value_at(found, 0), "doubt"), NULL);
}

/* Three articles of codes whose vectors are alike. */
static void know_codes(void)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {
		article("a", "Import error", "The program shows TB-1000 when a row is too long.",
			""),
		article("b", "Import error", "The program shows TB-2000 when a row is too long.",
			""),
		article("c", "Import error", "Click on restore sheet when a row is missing.", "")};
	know(items, array_length(items), &err);
	cr_assert_not_null(knowledge, "%s", err.text);
}

Test(knowledge, puts_the_article_with_the_code_or_the_phrase_first)
{
	know_codes();
	cr_expect_str_eq(ask("what is TB-2000?", NULL, 1, 0), "b ");
	cr_expect_geq(confidence(), 0.5);
	cr_expect_str_eq(ask("TB-1000", NULL, 1, 0), "a ");
	cr_expect_str_eq(ask("the program shows import error \"restore sheet\"", NULL, 1, 0), "c ");
}

Test(knowledge, doubts_every_article_when_it_is_asked_for_a_code_that_none_has)
{
	know_codes();
	ask("import error TB-9999", NULL, 1, 0);
	cr_expect_eq(confidence(), 0);
	cr_expect_str_eq(doubt(), "unknown_code");
}

Test(knowledge, doubts_an_article_that_fits_but_for_words_that_none_has)
{
	know_three();
	cr_expect_str_eq(
		ask("How do I reset my old zebra umbrella password?", NULL, 1, 0), "reset ");
	cr_expect_eq(confidence(), 0);
	cr_expect_str_eq(doubt(), "other_subject");
	ask("How do I reset my password?", NULL, 1, 0);
	cr_expect_gt(confidence(), 0.5);
	cr_expect_null(value_get(value_at(found, 0), "doubt"));
}

Test(knowledge, answers_from_a_base_of_one_article)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {article("a", "How do I print?", "Click on print.", "")};
	know(items, 1, &err);
	ask("How can I print?", NULL, 3, 0);
	cr_expect(confidence() > 0 && confidence() < 1);
}

/* Both texts have the same words; only the first one has a sentence that says what is asked. */
Test(knowledge, is_surer_of_an_article_with_a_sentence_that_fits)
{
	static const char *const contents[] = {
		"Choose the blue printer tray there. Wait for the light outside.",
		"Choose there the light printer outside. Wait for the blue tray.",
	};
	double found_in[2];
	for (size_t i = 0; i < 2; i++) {
		struct ss_error err = {0};
		struct ss_value *items[] = {
			article("a", "How do I print?", contents[i], ""),
			article("b", "How do I save?", "Click on the disk in the menu.", ""),
		};
		know(items, 2, &err);
		cr_expect_str_eq(ask("Where is the blue printer tray?", NULL, 1, 0), "a ");
		found_in[i] = confidence();
		forget();
	}
	cr_expect_gt(found_in[0], found_in[1]);
}

/* Plugins that fail while the server runs. */

static void expect_missing(const char *expected)
{
	char *json = missing != NULL ? json_text(missing) : memory_string("nothing");
	cr_expect_str_eq(json, expected);
	free(json);
}

static void expect_words_alone(const char *why)
{
	char *expected =
		memory_format("{\"error\":\"%s\",\"stages\":[\"question\",\"answer\"]}", why);
	expect_missing(expected);
	free(expected);
	for (size_t i = 0; i < value_count(found); i++) {
		const struct ss_value *scores = value_get(value_at(found, i), "scores");
		cr_expect_eq(value_count(scores), 1);
		cr_expect_eq(score_at(i), value_as_number(value_get(scores, "lexical")));
	}
}

Test(knowledge, tells_of_nothing_missing_when_every_stage_ran)
{
	know_three();
	ask("can I get a refund", NULL, 3, 0);
	expect_missing("nothing");
	ask("How do I reset my old zebra umbrella password?", NULL, 1, 0);
	expect_missing("nothing");
}

Test(knowledge, finds_articles_by_their_words_alone_without_the_embedder)
{
	know_three();
	fakes.fails = "no model";
	cr_expect_str_eq(ask("reset the password", NULL, 3, 0), "reset ");
	expect_words_alone("no model");
	cr_expect_gt(confidence(), 0.5);
	cr_expect_str_eq(doubt(), "");
	cr_expect_str_eq(ask("bananas and apples", NULL, 3, 0), "");
	expect_words_alone("no model");
}

Test(knowledge, finds_articles_by_their_words_alone_without_the_index)
{
	know_three();
	fakes.search_fails = "index gone";
	cr_expect_str_eq(ask("reset the password", NULL, 3, 0), "reset ");
	expect_words_alone("index gone");
}

Test(knowledge, names_what_failed_without_saying_why)
{
	know_three();
	fakes.search_fails = "";
	ask("reset the password", NULL, 3, 0);
	expect_words_alone("the index failed without saying why");
}

Test(knowledge, keeps_to_codes_and_phrases_where_it_has_words_alone)
{
	know_codes();
	fakes.fails = "no model";
	cr_expect_str_eq(ask("what is TB-2000?", NULL, 1, 0), "b ");
	cr_expect_geq(confidence(), 0.5);
	cr_expect_str_eq(ask("the program shows import error \"restore sheet\"", NULL, 1, 0), "c ");
	cr_expect_geq(confidence(), 0.5);
	cr_expect_str_eq(ask("what is TB-2000?", NULL, 3, 1), "b ", "one that scores too little");
	ask("import error TB-9999", NULL, 1, 0);
	cr_expect_eq(confidence(), 0);
	cr_expect_str_eq(doubt(), "unknown_code");
}

Test(knowledge, is_not_sure_by_words_of_which_most_are_unknown)
{
	know_three();
	fakes.fails = "no model";
	cr_expect_str_eq(ask("paint an old zebra umbrella with a password", NULL, 1, 0), "reset ");
	cr_expect_lt(confidence(), 0.2);
}

Test(knowledge, prefers_a_category_by_words_alone)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {article("a", "Where is the log?", "Here.", "Technical"),
		article("b", "Where is the log?", "Here.", "Billing")};
	know(items, array_length(items), &err);
	fakes.fails = "no model";
	cr_expect_str_eq(ask("where is the log", NULL, 2, 0), "a b ");
	cr_expect_str_eq(ask("where is the log", "Billing", 2, 0), "b a ");
	cr_expect_str_eq(ask("where is the log", "Billing", 1, 0), "b ");
}

/* The question has its vector; what fails is the embedding of what is left of it. */
Test(knowledge, goes_on_without_the_rule_whose_embedding_fails)
{
	static const char text[] = "How do I reset my old zebra umbrella password?";
	float vector[DIMENSION];
	const struct knowledge_query query = {.text = text, .vector = vector, .top_k = 1};
	know_three();
	embed_text((struct ss_text){text, strlen(text)}, vector);
	fakes.fails = "no model";
	const struct knowledge_found result = knowledge_search(knowledge, &query);
	found = result.articles;
	missing = result.missing;
	expect_missing("{\"error\":\"no model\",\"stages\":[\"other_subject\"]}");
	cr_expect_gt(confidence(), 0);
	cr_expect_str_eq(doubt(), "");
	cr_expect_eq(value_count(value_get(value_at(found, 0), "scores")), 3);
}

/* Keeping vectors. */

static char *folder;
static const char of_embedder[HASH_SIZE] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char of_another[HASH_SIZE] =
	"1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static struct log quiet = {.fd = -1, .level = SS_LOG_ERROR};
static char *cache_file;

static void begin_keeping(void)
{
	folder = scratch_new();
	cache_file = memory_format("%s/base.vectors", folder);
}

static void end_keeping(void)
{
	forget();
	scratch_remove(folder);
	free(cache_file);
}

TestSuite(knowledge_cache, .init = begin_keeping, .fini = end_keeping);

static int save(void *instance, void **bytes, size_t *length, struct ss_error *err)
{
	(void)instance;
	(void)err;
	*bytes = memory_string("graph");
	*length = 5;
	return 0;
}

static int load(void *instance, const void *bytes, size_t length, size_t count,
	size_t vector_dimension, struct ss_error *err)
{
	struct fakes *fake = instance;
	(void)count;
	(void)vector_dimension;
	fake->loads++;
	if (fake->load_fails)
		return ss_fail(err, "no such graph");
	cr_expect_eq(length, 5);
	cr_expect_eq(memcmp(bytes, "graph", 5), 0);
	return 0;
}

static const struct ss_index_operations saving_index = {
	.build = build, .search = search, .save = save, .load = load};

/* Builds a base of COUNT articles with the cache; what was embedded before is forgotten. Returns how many texts
 * were embedded. */
static size_t start(size_t count, const char *embedder_hash, const char *index_hash)
{
	struct ss_error err = {0};
	struct knowledge_options options = knowledge_defaults();
	const struct knowledge_cache cache = {cache_file, embedder_hash, index_hash, &quiet};
	struct ss_value *items[8];
	for (size_t i = 0; i < count; i++) {
		char id[24];
		char content[64];
		(void)snprintf(id, sizeof id, "a%zu", i);
		(void)snprintf(content, sizeof content, "This is text %zu.", i);
		items[i] = article(id, id, content, "");
	}
	options.cache = &cache;
	bool load_fails = fakes.load_fails;
	forget();
	fakes.load_fails = load_fails;
	const struct articles articles = {.items = items, .count = count};
	knowledge = knowledge_new(&articles, &embedder, &fakes,
		index_hash != NULL ? &saving_index : &index_operations, &fakes, &options, &err);
	cr_assert_not_null(knowledge, "%s", err.text);
	for (size_t i = 0; i < count; i++)
		value_unref(items[i]);
	return fakes.texts;
}

Test(knowledge_cache, embeds_nothing_when_nothing_changed)
{
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(4, of_embedder, NULL), 0);
	cr_expect_str_eq(ask("a2", NULL, 1, 0), "a2 ");
}

Test(knowledge_cache, embeds_only_what_is_new)
{
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(6, of_embedder, NULL), 6);
	cr_expect_str_eq(ask("a5", NULL, 1, 0), "a5 ");
	cr_expect_eq(start(2, of_embedder, NULL), 0);
}

Test(knowledge_cache, embeds_everything_with_another_embedder)
{
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(4, of_another, NULL), 12);
	cr_expect_eq(start(4, of_another, NULL), 0);
}

Test(knowledge_cache, loads_the_index_only_when_it_fits)
{
	start(4, of_embedder, of_embedder);
	cr_expect_eq(fakes.loads, 0);
	start(4, of_embedder, of_embedder);
	cr_expect_eq(fakes.loads, 1);
	cr_expect_eq(fakes.builds, 0);
	cr_expect_eq(start(4, of_embedder, of_another), 0);
	cr_expect(fakes.loads == 0 && fakes.builds == 1, "other settings");
	start(5, of_embedder, of_another);
	cr_expect(fakes.loads == 0 && fakes.builds == 1, "other articles");
	fakes.load_fails = true;
	start(5, of_embedder, of_another);
	cr_expect(fakes.loads == 1 && fakes.builds == 1, "refused");
}

Test(knowledge_cache, is_made_anew_when_it_is_damaged)
{
	start(4, of_embedder, NULL);
	cr_assert_eq(truncate(cache_file, 300), 0);
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(4, of_embedder, NULL), 0);
}

Test(knowledge_cache, is_gone_without_where_it_cannot_be)
{
	free(cache_file);
	cache_file = memory_string("/proc/nowhere/base.vectors");
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_str_eq(ask("a2", NULL, 1, 0), "a2 ");
}

/* Puts ITEM, which is taken, in the place of ID, or takes that one out. */
static int change(const char *id, struct ss_value *item, struct ss_error *err)
{
	struct knowledge_change *one = knowledge_change_new(id, item);
	int more = 1;
	value_unref(item);
	while (more > 0)
		more = knowledge_change_step(knowledge, one, err);
	knowledge_change_free(one);
	return more;
}

static void changed(const char *id, struct ss_value *item)
{
	struct ss_error err = {0};
	cr_assert_eq(change(id, item, &err), 0, "%s", err.text);
}

/* Keeps what is found for QUESTION as JSON; the caller frees it. */
static char *found_text(const char *question)
{
	(void)ask(question, NULL, 5, 0);
	return json_text(found);
}

Test(knowledge, an_article_that_is_added_is_found_and_one_that_is_taken_out_is_not)
{
	know_three();
	changed("invoice", article("invoice", "Where is my invoice?", "Under billing.", "Billing"));
	cr_expect_str_eq(ask("where is my invoice", NULL, 1, 0), "invoice ");
	changed("invoice", NULL);
	changed("reset", NULL);
	changed("nobody", NULL);
	cr_expect_null(strstr(ask("where is my invoice", NULL, 5, 0), "invoice"));
	cr_expect_null(strstr(ask("how do I reset my password", NULL, 5, 0), "reset"));
	for (const char *const *id = (const char *const[]){"crash", "refund", NULL}; *id != NULL;
		id++)
		changed(*id, NULL);
	cr_expect_str_eq(ask("refund", NULL, 5, 0), "");
	changed("refund", article("refund", "Can I get a refund?", "Yes.", "Billing"));
	cr_expect_str_eq(ask("refund", NULL, 5, 0), "refund ");
}

Test(knowledge, a_changed_base_finds_what_one_finds_that_is_made_of_the_same_articles)
{
	static const char *const questions[] = {"reset my password", "refund within sixty days",
		"\"crash on start\" error AB-12", "why does it crash", "my invoice"};
	char *texts[array_length(questions)];
	struct ss_error err = {0};
	know_three();
	changed("invoice", article("invoice", "Where is my invoice?", "Under billing.", "Billing"));
	changed("refund",
		article("refund", "Can I get a refund?", "Within sixty days.", "Billing"));
	changed("crash",
		article("crash", "Why is there a crash on start?", "Error AB-12.", "Technical"));
	changed("account",
		article("account", "How do I close my account?", "Write to us.", "Account"));
	changed("reset", NULL);
	cr_assert_eq(knowledge_calibrate(knowledge, &err), 0);
	for (size_t i = 0; i < array_length(questions); i++)
		texts[i] = found_text(questions[i]);
	forget();
	struct ss_value *items[] = {
		article("account", "How do I close my account?", "Write to us.", "Account"),
		article("crash", "Why is there a crash on start?", "Error AB-12.", "Technical"),
		article("invoice", "Where is my invoice?", "Under billing.", "Billing"),
		article("refund", "Can I get a refund?", "Within sixty days.", "Billing")};
	know(items, array_length(items), &err);
	for (size_t i = 0; i < array_length(questions); i++) {
		char *text = found_text(questions[i]);
		cr_expect_str_eq(texts[i], text);
		free(text);
		free(texts[i]);
	}
}

Test(knowledge, texts_that_an_article_had_before_are_not_embedded_again)
{
	know_three();
	fakes.texts = 0;
	changed("refund",
		article("refund", "Can I get a refund?", "Within thirty days.", "Account"));
	cr_expect_eq(fakes.texts, 0);
	changed("refund",
		article("refund", "Can I get a refund?", "Within sixty days.", "Account"));
	cr_expect_lt(fakes.texts, 3);
	cr_expect_gt(fakes.texts, 0);
}

Test(knowledge, an_embedder_that_fails_leaves_the_base_as_it_was_and_the_change_can_go_on)
{
	struct ss_error err = {0};
	know_three();
	struct ss_value *item = article("refund", "Can I get my money back?", "Never.", "Billing");
	struct knowledge_change *one = knowledge_change_new("refund", item);
	value_unref(item);
	fakes.fails = "the model is gone";
	cr_expect_lt(knowledge_change_step(knowledge, one, &err), 0);
	cr_expect_str_eq(err.text, "the model is gone");
	fakes.fails = NULL;
	cr_expect_str_eq(ask("can I get a refund", NULL, 1, 0), "refund ");
	int more = 1;
	while (more > 0)
		more = knowledge_change_step(knowledge, one, &err);
	knowledge_change_free(one);
	cr_expect_eq(more, 0);
	(void)ask("can I get my money back", NULL, 1, 0);
	cr_expect_str_eq(value_as_string(value_get(value_at(found, 0), "content"), NULL), "Never.");
}

Test(knowledge, a_piece_of_a_change_embeds_few_texts)
{
	struct buffer text = {0};
	struct ss_error err = {0};
	know_three();
	for (int i = 0; i < 400; i++)
		buffer_add_format(
			&text, "This is the sentence number %d of a long article.\n\n", i);
	struct ss_value *item = article("long", "What is long?", buffer_text(&text), "General");
	struct knowledge_change *one = knowledge_change_new("long", item);
	size_t pieces = 0;
	int more = 1;
	for (fakes.largest_batch = 0; more > 0; pieces++)
		more = knowledge_change_step(knowledge, one, &err);
	knowledge_change_free(one);
	value_unref(item);
	buffer_free(&text);
	cr_expect_gt(pieces, 5);
	cr_expect_leq(fakes.largest_batch, 16);
}

static int find_nothing(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	(void)instance;
	(void)queries;
	(void)err;
	for (size_t i = 0; i < count * k; i++) {
		ids[i] = -1;
		scores[i] = -1;
	}
	return 0;
}

Test(knowledge, no_number_of_questions_is_too_many_to_learn_from)
{
	static const struct ss_index_operations nothing = {.build = build, .search = find_nothing};
	const struct knowledge_options options = knowledge_defaults();
	struct ss_error err = {0};
	char id[32];
	/* Of 1001 to 1004 every fifth one makes 201. */
	for (size_t count = 999; count < 1006; count++) {
		struct articles articles = {
			.items = memory_array(count, sizeof(struct ss_value *))};
		for (; articles.count < count; articles.count++) {
			(void)snprintf(id, sizeof id, "question%zu", articles.count);
			articles.items[articles.count] = article(id, id, "An answer.", "General");
		}
		knowledge = knowledge_new(
			&articles, &embedder, &fakes, &nothing, &fakes, &options, &err);
		cr_expect_not_null(knowledge, "%s", err.text);
		for (size_t i = 0; i < count; i++)
			value_unref(articles.items[i]);
		free(articles.items);
		forget();
	}
}
