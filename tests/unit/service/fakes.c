#include "fakes.h"

#include "base/memory.h"
#include "service/knowledge.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fakes fakes;

static size_t dimension(const void *instance)
{
	(void)instance;
	return FAKES_DIMENSION;
}

void fakes_embed(struct ss_text text, float *vector)
{
	size_t at = 0;
	memset(vector, 0, FAKES_DIMENSION * sizeof *vector);
	vector[0] = 0.1f; /* so that no text has the length 0 */
	while (at < text.length) {
		unsigned hash = 7;
		for (; at < text.length && isalnum((unsigned char)text.data[at]); at++)
			hash = hash * 31 + (unsigned)tolower((unsigned char)text.data[at]);
		if (hash != 7)
			vector[hash % FAKES_DIMENSION] += 1;
		at++;
	}
	double sum = 0;
	for (size_t i = 0; i < FAKES_DIMENSION; i++)
		sum += (double)vector[i] * (double)vector[i];
	for (size_t i = 0; i < FAKES_DIMENSION; i++)
		vector[i] = (float)((double)vector[i] / sqrt(sum));
}

static int embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	struct fakes *fake = instance;
	if (fake->fails != NULL)
		return ss_fail(err, "%s", fake->fails);
	for (size_t i = 0; i < count; i++)
		fakes_embed(texts[i], vectors + i * FAKES_DIMENSION);
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
	for (size_t i = 0; i < FAKES_DIMENSION; i++)
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
			float score =
				(float)product(queries, fake->vectors + row * FAKES_DIMENSION);
			if (!taken && score > scores[n]) {
				ids[n] = (int64_t)row;
				scores[n] = score;
			}
		}
	}
	return 0;
}

const struct ss_embedder_operations fakes_embedder = {.dimension = dimension, .embed = embed};
const struct ss_index_operations fakes_index = {.build = build, .search = search};

void fakes_forget(void)
{
	knowledge_free(fakes.knowledge);
	value_unref(fakes.found);
	value_unref(fakes.missing);
	free(fakes.vectors);
	fakes = (struct fakes){0};
}

struct ss_value *fakes_article(
	const char *id, const char *title, const char *content, const char *category)
{
	return value_map_make({"id", value_text(id)}, {"title", value_text(title)},
		{"content", value_text(content)}, {"category", value_text(category)});
}

void fakes_know(struct ss_value **items, size_t count, struct ss_error *err)
{
	const struct knowledge_options options = knowledge_defaults();
	const struct articles articles = {.items = items, .count = count};
	fakes.knowledge = knowledge_new(
		&articles, &fakes_embedder, &fakes, &fakes_index, &fakes, &options, err);
	for (size_t i = 0; i < count; i++)
		value_unref(items[i]);
}

void fakes_know_three(void)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {fakes_article("crash", "Why does the program crash?",
					    "Update the driver.", "Technical"),
		fakes_article("refund", "Can I get a refund?", "Within thirty days.", "Billing"),
		fakes_article(
			"reset", "How do I reset my password?", "Click the link.", "Account")};
	fakes_know(items, array_length(items), &err);
	cr_assert_not_null(fakes.knowledge, "%s", err.text);
}

const char *fakes_ask(const char *text, const char *category, size_t top_k, double min_score)
{
	static char ids[400];
	float vector[FAKES_DIMENSION];
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
	value_unref(fakes.found);
	value_unref(fakes.missing);
	const struct knowledge_found result = knowledge_search(fakes.knowledge, &query);
	fakes.found = result.articles;
	fakes.missing = result.missing;
	ids[0] = '\0';
	for (size_t i = 0; i < value_count(fakes.found); i++)
		length += (size_t)snprintf(ids + length, sizeof ids - length, "%s ",
			value_as_string(value_get(value_at(fakes.found, i), "id"), NULL));
	return ids;
}
