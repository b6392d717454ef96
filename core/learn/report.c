/* What the kinds of reports share, and the report for the terminal. */
#include "learn/report.h"

#include "base/memory.h"
#include "base/text.h"
#include "learn/table.h"

#include <math.h>
#include <string.h>

enum {
	NAME_COLUMNS = 22,
	LABEL_COLUMNS = 20,
	FIGURE_COLUMNS = 11,
	TEXT_COLUMNS = 100,
	LABEL_SHOWN = 60,
	CURVE_ROWS = 10,
};

bool report_reached(const struct minimum *minimum)
{
	/* A figure is not missed for the last bit of a double. */
	return minimum->value >= minimum->least - 1e-9;
}

static size_t task_mistakes(const struct evaluation *evaluation, const struct task_evaluation *task,
	struct report_mistake *mistakes, size_t limit)
{
	size_t found = 0;
	size_t count = task->figures != NULL ? task->figures->count : 0;
	for (size_t i = 0; i < count; i++) {
		const struct verdict *verdict = &task->verdicts[i];
		if (verdict->found == verdict->truth || found++ >= limit)
			continue;
		mistakes[found - 1] = (struct report_mistake){
			.question = &evaluation->questions->items[task->rows[i]],
			.wanted = task->labels[verdict->truth],
			.found = task->labels[verdict->found],
			.confidence = verdict->confidence,
		};
	}
	return found;
}

/* Whether the search for the question in ROW is a mistake of KIND. */
static bool is_mistake(const struct evaluation *evaluation, size_t kind, size_t row)
{
	const struct question *question = &evaluation->questions->items[row];
	const struct outcome *outcome = &evaluation->outcomes[row];
	if (kind == REPORT_SEARCH)
		return question->article != NULL && !evaluation_right(evaluation, row);
	return outcome->known_answer &&
	       ((question->answer == ANSWER_NONE && !outcome->abstained) ||
		       (question->answer == ANSWER_EXISTS && outcome->abstained));
}

size_t report_mistakes(const struct evaluation *evaluation, size_t kind,
	struct report_mistake *mistakes, size_t limit)
{
	size_t count = 0;
	if (kind < QUESTION_TASKS)
		return task_mistakes(evaluation, &evaluation->tasks[kind], mistakes, limit);
	for (size_t row = 0; row < evaluation->questions->count; row++) {
		const struct question *question = &evaluation->questions->items[row];
		const struct outcome *outcome = &evaluation->outcomes[row];
		bool abstained = kind == REPORT_ABSTENTION && outcome->abstained;
		if (!is_mistake(evaluation, kind, row) || count++ >= limit)
			continue;
		mistakes[count - 1] = (struct report_mistake){
			.question = question,
			.wanted = question->article != NULL ? question->article : "",
			.found = outcome->first != NULL && !abstained ? outcome->first : "",
			.confidence = outcome->searched ? outcome->sureness : NAN,
		};
	}
	return count;
}

static void add_figure(struct buffer *text, const char *name, const char *value, const char *more)
{
	buffer_add_string(text, "  ");
	table_left(text, name, NAME_COLUMNS);
	table_right(text, value, FIGURE_COLUMNS);
	buffer_add_format(text, "%s%s\n", more[0] != '\0' ? "  " : "", more);
}

static void add_share(struct buffer *text, const char *name, double share, const char *more)
{
	char value[40];
	(void)snprintf(value, sizeof value, "%.1f %%", share * 100);
	add_figure(text, name, value, more);
}

static void add_number(struct buffer *text, const char *name, double number, const char *more)
{
	char value[40];
	if (isnan(number))
		(void)snprintf(value, sizeof value, "unknown");
	else
		(void)snprintf(value, sizeof value, "%.3f", number);
	add_figure(text, name, value, more);
}

static void add_labels(struct buffer *text, const struct task_evaluation *task)
{
	static const char *const heads[] = {"questions", "precision", "recall", "F1"};
	buffer_add_string(text, "\n  ");
	table_left(text, "label", LABEL_COLUMNS);
	for (size_t i = 0; i < array_length(heads); i++)
		table_right(text, heads[i], FIGURE_COLUMNS);
	for (size_t i = 0; i < task->label_count; i++) {
		const struct label_figures *label = &task->figures->labels[i];
		buffer_add_string(text, "\n  ");
		table_left(text, task->labels[i], LABEL_COLUMNS);
		table_cell(text, FIGURE_COLUMNS, "%zu", label->truth);
		table_cell(text, FIGURE_COLUMNS, "%.1f %%", label->precision * 100);
		table_cell(text, FIGURE_COLUMNS, "%.1f %%", label->recall * 100);
		table_cell(text, FIGURE_COLUMNS, "%.3f", label->f1);
	}
	buffer_add_char(text, '\n');
}

static void add_confusion(struct buffer *text, const struct task_evaluation *task)
{
	buffer_add_string(text, "\n  ");
	table_left(text, "right \\ decided", LABEL_COLUMNS);
	for (size_t i = 0; i < task->label_count; i++) {
		buffer_add_char(text, ' ');
		table_right(text, task->labels[i], FIGURE_COLUMNS - 1);
	}
	for (size_t truth = 0; truth < task->label_count; truth++) {
		buffer_add_string(text, "\n  ");
		table_left(text, task->labels[truth], LABEL_COLUMNS);
		for (size_t i = 0; i < task->label_count; i++)
			table_cell(text, FIGURE_COLUMNS, "%zu",
				task->figures->confusion[truth * task->label_count + i]);
	}
	buffer_add_char(text, '\n');
}

/* "" is what has no label, or nothing that is found. */
static void add_decision(struct buffer *text, const char *decision, const char *empty)
{
	table_line(text, text_of(decision[0] != '\0' ? decision : empty), LABEL_SHOWN);
}

/* The wrong decisions of KIND. */
static void add_mistakes(const struct report *report, size_t kind, struct buffer *text)
{
	struct report_mistake mistakes[REPORT_MISTAKES];
	size_t count = report_mistakes(report->evaluation, kind, mistakes, REPORT_MISTAKES);
	if (count > 0)
		buffer_add_format(text, "\n  %zu wrong:\n", count);
	for (size_t i = 0; i < count && i < REPORT_MISTAKES; i++) {
		const struct report_mistake *one = &mistakes[i];
		bool answerable = one->question->answer != ANSWER_NONE;
		buffer_add_format(
			text, "  %s:%zu: ", one->question->place.path, one->question->place.line);
		add_decision(text, one->found, "nothing");
		buffer_add_string(text, ", not ");
		add_decision(text, one->wanted, answerable ? "something" : "nothing");
		if (!isnan(one->confidence))
			buffer_add_format(text, " (%.2f)", one->confidence);
		buffer_add_string(text, ": ");
		table_line(text, one->question->text, TEXT_COLUMNS);
		buffer_add_char(text, '\n');
	}
	if (count > REPORT_MISTAKES)
		buffer_add_format(text, "  … and %zu more\n", count - REPORT_MISTAKES);
}

static void add_task(const struct report *report, size_t index, struct buffer *text)
{
	const struct task_evaluation *task = &report->evaluation->tasks[index];
	if (task->figures == NULL)
		return;
	buffer_add_format(text, "\nThe %s of %zu question%s\n", task->name, task->figures->count,
		task->figures->count == 1 ? "" : "s");
	add_share(text, "accuracy", task->figures->accuracy, "");
	add_number(text, "macro F1", task->figures->macro_f1, "");
	add_share(text, "macro recall", task->figures->macro_recall, "");
	add_number(text, "calibration error", task->figures->calibration_error, "");
	add_labels(text, task);
	add_confusion(text, task);
	add_mistakes(report, index, text);
}

static void add_retrieval(const struct report *report, struct buffer *text)
{
	const struct retrieval *retrieval = &report->evaluation->retrieval;
	if (retrieval->count == 0)
		return;
	buffer_add_format(text, "\nThe article of %zu question%s, among those of %s\n",
		retrieval->count, retrieval->count == 1 ? "" : "s", report->articles);
	add_share(text, "recall@1", retrieval->recall_1, "comes first");
	add_share(text, "recall@3", retrieval->recall_3, "among the first three");
	add_share(text, "recall@5", retrieval->recall_5, "among the first five");
	add_number(text, "MRR", retrieval->mrr, "");
	add_mistakes(report, REPORT_SEARCH, text);
}

static void add_abstention(const struct report *report, struct buffer *text)
{
	const struct evaluation *evaluation = report->evaluation;
	char more[80];
	if (isnan(evaluation->abstained) && isnan(evaluation->answered))
		return;
	buffer_add_string(text, "\nWhat the workflow does with them as it is configured\n");
	if (!isnan(evaluation->abstained)) {
		(void)snprintf(more, sizeof more, "of %zu that no article answers",
			evaluation->without_answer);
		add_share(text, "finds nothing", evaluation->abstained, more);
	}
	if (!isnan(evaluation->answered)) {
		(void)snprintf(more, sizeof more, "of %zu that an article answers",
			evaluation->answerable);
		add_share(text, "finds something", evaluation->answered, more);
	}
	add_mistakes(report, REPORT_ABSTENTION, text);
}

static void add_point(struct buffer *text, const struct coverage_point *point)
{
	buffer_add_string(text, "  ");
	table_cell(text, FIGURE_COLUMNS, "%.4f", point->threshold);
	table_cell(text, FIGURE_COLUMNS, "%.1f %%", point->coverage * 100);
	table_cell(text, FIGURE_COLUMNS, "%.1f %%", point->risk * 100);
	buffer_add_char(text, '\n');
}

static void add_curve(const struct coverage_curve *curve, struct buffer *text)
{
	size_t shown = 0;
	buffer_add_format(text,
		"\nRisk and coverage of %zu questions (area %.4f; smaller is better)\n  ",
		curve->questions, curve->area);
	table_right(text, "threshold", FIGURE_COLUMNS);
	table_right(text, "answered", FIGURE_COLUMNS);
	table_right(text, "wrong", FIGURE_COLUMNS);
	buffer_add_char(text, '\n');
	for (size_t row = 0; row < curve->count; row++) {
		double next = (double)(shown + 1) / CURVE_ROWS;
		if (curve->points[row].coverage < next - 1e-9)
			continue;
		add_point(text, &curve->points[row]);
		while ((double)(shown + 1) / CURVE_ROWS <= curve->points[row].coverage + 1e-9)
			shown++;
	}
}

static void add_choice(const struct report *report, struct buffer *text)
{
	const struct evaluation *evaluation = report->evaluation;
	const struct coverage_curve *curve = &evaluation->curve;
	if (evaluation->chosen == curve->count) {
		buffer_add_format(text,
			"\nNo threshold keeps the wrong answers at %g %% or less; look at the "
			"wrong ones "
			"above, and at the articles\nthat were found in place of the right ones.\n",
			evaluation->max_wrong * 100);
		return;
	}
	const struct coverage_point *point = &curve->points[evaluation->chosen];
	buffer_add_format(text,
		"\nAt most %g %% wrong: the threshold %g answers %.1f %% of the questions, and "
		"%.1f "
		"%% of the answers are wrong.\n",
		evaluation->max_wrong * 100, evaluation->threshold, point->coverage * 100,
		point->risk * 100);
	if (report->node != NULL)
		buffer_add_format(text, "In %s write under nodes, %s:\n    options: {%s: %g}\n",
			report->workflow, report->node, report->option, evaluation->threshold);
}

static void add_minimums(const struct report *report, struct buffer *text)
{
	if (report->minimum_count > 0)
		buffer_add_string(text, "\nMinimums\n");
	for (size_t i = 0; i < report->minimum_count; i++) {
		const struct minimum *minimum = &report->minimums[i];
		buffer_add_string(text, "  ");
		table_left(text, minimum->figure->name, NAME_COLUMNS);
		if (isnan(minimum->value))
			table_right(text, "unknown", FIGURE_COLUMNS);
		else
			table_cell(text, FIGURE_COLUMNS, "%.4f", minimum->value);
		buffer_add_format(text, "  %s %g\n",
			report_reached(minimum) ? "reaches" : "is less than", minimum->least);
	}
}

void report_text(const struct report *report, struct buffer *text)
{
	const struct evaluation *evaluation = report->evaluation;
	buffer_add_format(text, "%s: %zu question%s\n", report->file, evaluation->questions->count,
		evaluation->questions->count == 1 ? "" : "s");
	if (evaluation->degraded > 0)
		buffer_add_format(text,
			"Of %zu a node failed, and its on_error decided; see smartsupport run with "
			"one "
			"of them.\n",
			evaluation->degraded);
	for (size_t i = 0; i < QUESTION_TASKS; i++)
		add_task(report, i, text);
	add_retrieval(report, text);
	add_abstention(report, text);
	if (evaluation->curve.count > 0) {
		add_curve(&evaluation->curve, text);
		add_choice(report, text);
	}
	add_minimums(report, text);
}
