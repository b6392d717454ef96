#include "train/dataset.h"

#include "base/file.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* An example while the file is read; its label is a name still. */
struct line {
	struct ss_value *value;
	const char *label;
	char *key; /* the text in small letters with single spaces */
	size_t number;
};

struct lines {
	struct line *items;
	size_t count;
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

static int read_line(struct lines *lines, const char *path, size_t number, const char *text,
	size_t length, const char *task, struct ss_error *err)
{
	struct ss_error why = {0};
	struct ss_value *value = json_parse(text, length, &why);
	if (value == NULL)
		return ss_fail_as(err, SS_INVALID, "%s:%zu: %s", path, number, why.text);
	size_t words_length = 0;
	const struct ss_value *words = value_get(value, "text");
	const struct ss_value *label = value_get(value, task);
	const char *string = value_as_string(words, &words_length);
	const char *name = value_as_string(label, NULL);
	int result = 0;
	if (value_type(words) != SS_STRING || words_length == 0)
		result = ss_fail_as(
			err, SS_INVALID, "%s:%zu: \"text\" must be a string", path, number);
	else if (words_length > DATASET_TEXT_LIMIT)
		result = ss_fail_as(err, SS_LIMIT, "%s:%zu: \"text\" has more than %d bytes", path,
			number, DATASET_TEXT_LIMIT);
	else if (value_type(label) != SS_STRING || name[0] == '\0')
		result = ss_fail_as(
			err, SS_INVALID, "%s:%zu: \"%s\" must be a label", path, number, task);
	if (result < 0) {
		value_unref(value);
		return -1;
	}
	lines->items = memory_resize(lines->items, lines->count + 1, sizeof *lines->items);
	lines->items[lines->count++] = (struct line){
		.value = value, .label = name, .key = key_of(string), .number = number};
	return 0;
}

static int read_lines(struct lines *lines, const char *path, const char *data, const char *task,
	struct ss_error *err)
{
	size_t number = 1;
	for (const char *at = data; *at != '\0'; number++) {
		size_t length = strcspn(at, "\n");
		if (strspn(at, " \t\r") < length &&
			read_line(lines, path, number, at, length, task, err) < 0)
			return -1;
		at += length + (at[length] == '\n');
	}
	return 0;
}

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		value_unref(lines->items[i].value);
		free(lines->items[i].key);
	}
	free(lines->items);
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

static int collect_labels(struct dataset *dataset, const struct lines *lines, struct ss_error *err)
{
	dataset->labels = memory_array(DATASET_LABELS_LIMIT, sizeof *dataset->labels);
	for (size_t i = 0; i < lines->count; i++) {
		if (dataset_label(dataset, lines->items[i].label) < dataset->labels_count)
			continue;
		if (dataset->labels_count == DATASET_LABELS_LIMIT)
			return ss_fail_as(err, SS_LIMIT, "%s:%zu: there are more than %d labels",
				dataset->path, lines->items[i].number, DATASET_LABELS_LIMIT);
		dataset->labels[dataset->labels_count++] = memory_string(lines->items[i].label);
	}
	qsort(dataset->labels, dataset->labels_count, sizeof *dataset->labels, compare_names);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct line *const *left = a;
	const struct line *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);
	if (order != 0)
		return order;
	return (*left)->number < (*right)->number ? -1 : 1;
}

/* Numbers the groups of examples with the same key. */
static void find_groups(struct dataset *dataset, const struct lines *lines)
{
	const struct line **sorted = memory_array(lines->count, sizeof *sorted);
	for (size_t i = 0; i < lines->count; i++)
		sorted[i] = &lines->items[i];
	qsort(sorted, lines->count, sizeof *sorted, compare_keys);
	for (size_t i = 0; i < lines->count; i++) {
		if (i > 0 && strcmp(sorted[i]->key, sorted[i - 1]->key) != 0)
			dataset->groups++;
		dataset->examples[sorted[i] - lines->items].group = dataset->groups;
	}
	dataset->groups++;
	free(sorted);
}

static int fill(struct dataset *dataset, const struct lines *lines, struct ss_error *err)
{
	if (collect_labels(dataset, lines, err) < 0)
		return -1;
	if (dataset->labels_count < 2)
		return ss_fail_as(err, SS_INVALID, "%s: there must be lines of at least two labels",
			dataset->path);
	dataset->examples = memory_array(lines->count, sizeof *dataset->examples);
	for (; dataset->count < lines->count; dataset->count++) {
		const struct line *line = &lines->items[dataset->count];
		struct ss_text text = value_as_text(value_get(line->value, "text"));
		dataset->examples[dataset->count] = (struct example){
			.text = {memory_text(text.data, text.length), text.length},
			.label = dataset_label(dataset, line->label),
			.line = line->number,
		};
	}
	find_groups(dataset, lines);
	return 0;
}

struct dataset *dataset_load(const char *path, const char *task, struct ss_error *err)
{
	struct lines lines = {0};
	char *data = NULL;
	size_t length = 0;
	if (file_read(path, DATASET_FILE_LIMIT, &data, &length, err) < 0)
		return NULL;
	struct dataset *dataset = memory_make(struct dataset);
	dataset->path = memory_string(path);
	if (read_lines(&lines, path, data, task, err) < 0 || fill(dataset, &lines, err) < 0) {
		dataset_free(dataset);
		dataset = NULL;
	}
	free_lines(&lines);
	free(data);
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
	free(dataset->path);
	free(dataset);
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
