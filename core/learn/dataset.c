#include "learn/dataset.h"

#include "base/memory.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* An example while the files are read; its label is a name still. */
struct line {
	char *text;
	size_t length;
	char *label;
	char *key; /* the text in small letters with single spaces */
	struct lines_place place;
};

struct loader {
	const char *task;
	struct line *items;
	size_t count, capacity;
};

/* What two spellings of one text have in common. */
static char *key_of(const char *text)
{
	utf8proc_uint8_t *folded = NULL;
	const utf8proc_option_t how =
		UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE;
	char *key = memory_new(strlen(text) * 4 + 1);
	size_t length = 0;
	if (utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded, how) < 0)
		folded = NULL;
	const char *from = folded != NULL ? (const char *)folded : text;
	for (; *from != '\0' && length < strlen(text) * 4; from++) {
		bool space = *from == ' ' || *from == '\t' || *from == '\n';
		if (!space)
			key[length++] = *from;
		else if (length > 0 && key[length - 1] != ' ')
			key[length++] = ' ';
	}
	while (length > 0 && key[length - 1] == ' ')
		length--;
	key[length] = '\0';
	free(folded);
	return key;
}

static int add_line(void *context, const struct ss_value *object, struct lines_place place,
	struct ss_error *err)
{
	struct loader *loader = context;
	const struct ss_value *label = value_get(object, loader->task);
	struct ss_text text = lines_text(object, place, err);
	if (text.data == NULL || lines_label(label, loader->task, place, err) < 0)
		return -1;
	if (loader->count == DATASET_LIMIT)
		return ss_fail_as(err, SS_LIMIT, "%s:%zu: there are more than %d examples",
			place.path, place.line, DATASET_LIMIT);
	if (loader->count == loader->capacity) {
		loader->capacity = loader->capacity * 2 + 64;
		loader->items =
			memory_resize(loader->items, loader->capacity, sizeof *loader->items);
	}
	loader->items[loader->count++] = (struct line){
		.text = memory_text(text.data, text.length),
		.length = text.length,
		.label = memory_string(value_as_string(label, NULL)),
		.key = key_of(text.data),
		.place = place,
	};
	return 0;
}

static void free_lines(struct loader *loader)
{
	for (size_t i = 0; i < loader->count; i++) {
		free(loader->items[i].text);
		free(loader->items[i].label);
		free(loader->items[i].key);
	}
	free(loader->items);
}

size_t dataset_label(const struct dataset *dataset, const char *label)
{
	size_t i = 0;
	while (i < dataset->labels_count && strcmp(dataset->labels[i], label) != 0)
		i++;
	return i;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect_labels(
	struct dataset *dataset, const struct loader *loader, struct ss_error *err)
{
	dataset->labels = memory_array(DATASET_LABELS_LIMIT, sizeof *dataset->labels);
	for (size_t i = 0; i < loader->count; i++) {
		const struct line *line = &loader->items[i];
		if (dataset_label(dataset, line->label) < dataset->labels_count)
			continue;
		if (dataset->labels_count == DATASET_LABELS_LIMIT)
			return ss_fail_as(err, SS_LIMIT, "%s:%zu: there are more than %d labels",
				line->place.path, line->place.line, DATASET_LABELS_LIMIT);
		dataset->labels[dataset->labels_count++] = memory_string(line->label);
	}
	qsort(dataset->labels, dataset->labels_count, sizeof *dataset->labels, compare_names);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct line *const *left = a;
	const struct line *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);
	return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Numbers the groups of examples with the same key. */
static void find_groups(struct dataset *dataset, const struct loader *loader)
{
	const struct line **sorted = memory_array(loader->count, sizeof *sorted);
	for (size_t i = 0; i < loader->count; i++)
		sorted[i] = &loader->items[i];
	qsort(sorted, loader->count, sizeof *sorted, compare_keys);
	for (size_t i = 0; i < loader->count; i++) {
		if (i > 0 && strcmp(sorted[i]->key, sorted[i - 1]->key) != 0)
			dataset->groups++;
		dataset->examples[sorted[i] - loader->items].group = dataset->groups;
	}
	dataset->groups++;
	free(sorted);
}

static int fill(
	struct dataset *dataset, struct loader *loader, const char *path, struct ss_error *err)
{
	if (collect_labels(dataset, loader, err) < 0)
		return -1;
	if (dataset->labels_count == 0)
		return ss_fail_as(err, SS_INVALID, "%s: has no examples", path);
	if (dataset->labels_count == 1)
		return ss_fail_as(err, SS_INVALID,
			"%s: all %zu examples have the %s \"%s\"; a head decides between at least "
			"two labels",
			path, loader->count, loader->task, dataset->labels[0]);
	dataset->examples = memory_array(loader->count, sizeof *dataset->examples);
	for (; dataset->count < loader->count; dataset->count++) {
		struct line *line = &loader->items[dataset->count];
		dataset->examples[dataset->count] = (struct example){
			.text = {line->text, line->length},
			.label = dataset_label(dataset, line->label),
			.place = line->place,
		};
		line->text = NULL;
	}
	find_groups(dataset, loader);
	return 0;
}

struct dataset *dataset_load(
	const char *const *paths, size_t count, const char *task, struct ss_error *err)
{
	struct loader loader = {.task = task};
	struct dataset *dataset = memory_make(struct dataset);
	int result = 0;
	for (size_t i = 0; i < count && result == 0; i++)
		result = lines_read(paths[i], add_line, &loader, err);
	if (result < 0 || fill(dataset, &loader, paths[0], err) < 0) {
		dataset_free(dataset);
		dataset = NULL;
	}
	free_lines(&loader);
	return dataset;
}

void dataset_free(struct dataset *dataset)
{
	if (dataset == NULL)
		return;
	for (size_t i = 0; i < dataset->count; i++)
		free((char *)(uintptr_t)dataset->examples[i].text.data);
	for (size_t i = 0; i < dataset->labels_count; i++)
		free(dataset->labels[i]);
	free(dataset->examples);
	free(dataset->labels);
	free(dataset);
}

int dataset_check(const struct dataset *dataset, size_t folds, struct ss_error *err)
{
	size_t *texts = memory_array(dataset->labels_count, sizeof *texts);
	bool *seen = memory_array(dataset->groups, sizeof *seen);
	int result = 0;
	for (size_t i = 0; i < dataset->count; i++) {
		const struct example *example = &dataset->examples[i];
		texts[example->label] += !seen[example->group];
		seen[example->group] = true;
	}
	for (size_t label = 0; label < dataset->labels_count && result == 0; label++) {
		if (texts[label] < folds)
			result = ss_fail_as(err, SS_INVALID,
				"there are too few examples of \"%s\": %zu different texts, but "
				"each of the %zu folds needs one; add some or use fewer --folds",
				dataset->labels[label], texts[label], folds);
	}
	free(texts);
	free(seen);
	return result;
}

/* The next number of the generator SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

void dataset_deal(const struct dataset *dataset, size_t folds, uint64_t seed, size_t *fold_of)
{
	size_t *first = memory_array(dataset->groups, sizeof *first); /* example of a group, + 1 */
	size_t *order = memory_array(dataset->groups, sizeof *order);
	size_t *dealt = memory_array(dataset->labels_count, sizeof *dealt);
	size_t *part = memory_array(dataset->groups, sizeof *part);
	size_t count = 0;
	uint64_t state = seed;
	for (size_t i = 0; i < dataset->count; i++) {
		if (first[dataset->examples[i].group] != 0)
			continue;
		first[dataset->examples[i].group] = i + 1;
		order[count++] = dataset->examples[i].group;
	}
	for (size_t i = count; i > 1; i--) {
		size_t other = (size_t)(next_random(&state) % i);
		size_t group = order[i - 1];
		order[i - 1] = order[other];
		order[other] = group;
	}
	for (size_t i = 0; i < count; i++) {
		size_t label = dataset->examples[first[order[i]] - 1].label;
		part[order[i]] = dealt[label]++ % folds;
	}
	for (size_t i = 0; i < dataset->count; i++)
		fold_of[i] = part[dataset->examples[i].group];
	free(first);
	free(order);
	free(dealt);
	free(part);
}
