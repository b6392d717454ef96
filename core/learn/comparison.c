#include "learn/comparison.h"

#include "base/memory.h"
#include "base/text.h"
#include "common/head.h"
#include "learn/classification.h"
#include "learn/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_COLUMNS = 24,
	FIGURE_COLUMNS = 13,
	TEXT_COLUMNS = 100,
	LABEL_SHOWN = 60,
	EXAMPLES_SHOWN = 20, /* in each direction */
};

void comparison_begin(
	struct comparison *comparison, const struct dataset *dataset, const double *left_out)
{
	size_t count = dataset->labels_count;
	*comparison = (struct comparison){.dataset = dataset, .label_count = count};
	comparison->labels = memory_array(count + HEAD_LABELS_LIMIT, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		comparison->labels[i] = memory_string(dataset->labels[i]);
	comparison->fresh = memory_array(dataset->count, sizeof *comparison->fresh);
	for (size_t row = 0; row < dataset->count; row++) {
		size_t best = classification_best(left_out + row * count, count);
		comparison->fresh[row] = (struct verdict){
			dataset->examples[row].label, best, left_out[row * count + best]};
	}
}

/* The index of LABEL, which is added when it is new. */
static size_t label_index(struct comparison *comparison, const char *label)
{
	for (size_t i = 0; i < comparison->label_count; i++) {
		if (strcmp(comparison->labels[i], label) == 0)
			return i;
	}
	comparison->labels[comparison->label_count] = memory_string(label);
	return comparison->label_count++;
}

int comparison_add(struct comparison *comparison, const struct head *head, const char *name,
	const float *vectors, size_t dimension, struct ss_error *err)
{
	const struct dataset *dataset = comparison->dataset;
	double probabilities[HEAD_LABELS_LIMIT];
	size_t labels[HEAD_LABELS_LIMIT];
	struct verdict *used = memory_array(dataset->count, sizeof *used);
	for (size_t i = 0; i < head_labels(head); i++)
		labels[i] = label_index(comparison, head_label(head, i));
	for (size_t row = 0; row < dataset->count; row++) {
		const struct example *example = &dataset->examples[row];
		if (head_apply(head, vectors + row * dimension, dimension, example->text,
			    probabilities, err) < 0) {
			free(used);
			return -1;
		}
		size_t best = classification_best(probabilities, head_labels(head));
		used[row] = (struct verdict){example->label, labels[best], probabilities[best]};
	}
	comparison->used = used;
	comparison->used_name = name;
	return 0;
}

static void add_figure(struct buffer *text, double figure, bool is_share)
{
	if (isnan(figure))
		return;
	if (is_share)
		table_cell(text, FIGURE_COLUMNS, "%.1f %%", figure * 100);
	else
		table_cell(text, FIGURE_COLUMNS, "%.3f", figure);
}

/* A line with a figure of both heads; NAN where there is none in use. */
static void add_row(struct buffer *text, const char *name, bool is_share, double fresh, double used)
{
	buffer_add_string(text, "  ");
	table_left(text, name, NAME_COLUMNS);
	add_figure(text, fresh, is_share);
	add_figure(text, used, is_share);
	buffer_add_char(text, '\n');
}

static void add_figures(const struct comparison *comparison, struct buffer *text)
{
	size_t count = comparison->dataset->count;
	struct classification *fresh =
		classification_new(comparison->fresh, count, comparison->label_count);
	struct classification *used =
		comparison->used != NULL
			? classification_new(comparison->used, count, comparison->label_count)
			: NULL;
	buffer_add_string(text, "  ");
	table_left(text, "", NAME_COLUMNS);
	table_right(text, "new head", FIGURE_COLUMNS);
	table_right(text, used != NULL ? "head in use" : "", used != NULL ? FIGURE_COLUMNS : 0);
	buffer_add_char(text, '\n');
	add_row(text, "accuracy", true, fresh->accuracy, used != NULL ? used->accuracy : NAN);
	add_row(text, "macro F1", false, fresh->macro_f1, used != NULL ? used->macro_f1 : NAN);
	add_row(text, "calibration error", false, fresh->calibration_error,
		used != NULL ? used->calibration_error : NAN);
	for (size_t i = 0; i < comparison->dataset->labels_count; i++) {
		char *name = memory_format("F1 %s", comparison->labels[i]);
		add_row(text, name, false, fresh->labels[i].f1,
			used != NULL ? used->labels[i].f1 : NAN);
		free(name);
	}
	classification_free(fresh);
	classification_free(used);
}

static bool is_right(const struct verdict *verdict)
{
	return verdict->found == verdict->truth;
}

static void add_example(const struct comparison *comparison, size_t row, struct buffer *text)
{
	const struct example *example = &comparison->dataset->examples[row];
	const char *truth = comparison->labels[comparison->fresh[row].truth];
	const char *fresh = comparison->labels[comparison->fresh[row].found];
	const char *used = comparison->labels[comparison->used[row].found];
	buffer_add_format(text, "  %s:%zu: ", example->place.path, example->place.line);
	bool right = is_right(&comparison->fresh[row]);
	table_line(text, text_of(fresh), LABEL_SHOWN);
	buffer_add_string(text, ", not ");
	table_line(text, text_of(right ? used : truth), LABEL_SHOWN);
	buffer_add_string(text, right ? " any more: " : ": ");
	table_line(text, example->text, TEXT_COLUMNS);
	buffer_add_char(text, '\n');
}

/* Adds the examples of which one head is right and the other one is not. */
static void add_changes(const struct comparison *comparison, bool better, struct buffer *text)
{
	size_t found = 0;
	struct buffer lines = {0};
	for (size_t row = 0; row < comparison->dataset->count; row++) {
		bool fresh = is_right(&comparison->fresh[row]);
		bool used = is_right(&comparison->used[row]);
		if (fresh == used || fresh != better)
			continue;
		found++;
		if (found <= EXAMPLES_SHOWN)
			add_example(comparison, row, &lines);
	}
	buffer_add_format(text, "\n%s: %zu example%s that only the %s gets right%s\n",
		better ? "Better" : "Worse", found, found == 1 ? "" : "s",
		better ? "new head" : "head in use", found > 0 ? "" : ".");
	buffer_add(text, buffer_text(&lines), lines.length);
	if (found > EXAMPLES_SHOWN)
		buffer_add_format(text, "  … and %zu more\n", found - EXAMPLES_SHOWN);
	buffer_free(&lines);
}

void comparison_print_figures(const struct comparison *comparison, struct buffer *text)
{
	add_figures(comparison, text);
	if (comparison->used != NULL)
		buffer_add_format(text,
			"\nThe new head is judged on examples that it was not made from. The head "
			"in "
			"use,\n%s, is judged as it is: if it was made\nfrom some of these "
			"examples, "
			"it looks better here than it is.\n",
			comparison->used_name);
}

void comparison_print_changes(const struct comparison *comparison, struct buffer *text)
{
	add_changes(comparison, true, text);
	add_changes(comparison, false, text);
}

void comparison_end(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->label_count; i++)
		free(comparison->labels[i]);
	free(comparison->labels);
	free(comparison->fresh);
	free(comparison->used);
}
