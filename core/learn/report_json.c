#include "base/memory.h"
#include "learn/report.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>

static struct ss_value *number(double figure)
{
	return isnan(figure) ? value_null() : value_number(figure);
}

static struct ss_value *whole(size_t count)
{
	return value_int((int64_t)count);
}

/* A list of COUNT items, each made by MAKE. */
static struct ss_value *list(size_t count,
	struct ss_value *(*make)(const void *context, size_t row), const void *context)
{
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = make(context, i);
	struct ss_value *all = value_list(items, count);
	free(items);
	return all;
}

static struct ss_value *label_of(const void *context, size_t row)
{
	const struct task_evaluation *task = context;
	const struct label_figures *label = &task->figures->labels[row];
	return value_map_make({"label", value_text(task->labels[row])},
		{"questions", whole(label->truth)}, {"precision", number(label->precision)},
		{"recall", number(label->recall)}, {"f1", number(label->f1)});
}

/* A row of the confusion matrix. */
struct confusion_row {
	const struct task_evaluation *task;
	size_t truth;
};

static struct ss_value *cell_of(const void *context, size_t column)
{
	const struct confusion_row *row = context;
	const struct classification *figures = row->task->figures;
	return whole(figures->confusion[row->truth * figures->label_count + column]);
}

static struct ss_value *confusion_of(const void *context, size_t truth)
{
	const struct confusion_row row = {context, truth};
	return list(row.task->label_count, cell_of, &row);
}

static struct ss_value *bin_of(const void *context, size_t row)
{
	const struct task_evaluation *task = context;
	const struct calibration_bin *bin = &task->figures->bins[row];
	return value_map_make({"questions", whole(bin->count)},
		{"confidence", bin->count > 0 ? number(bin->confidence) : value_null()},
		{"accuracy", bin->count > 0 ? number(bin->accuracy) : value_null()});
}

static struct ss_value *mistake_of(const void *context, size_t row)
{
	const struct report_mistake *mistake = (const struct report_mistake *)context + row;
	struct ss_text text = mistake->question->text;
	return value_map_make({"line", whole(mistake->question->place.line)},
		{"text", value_string(text.data, text.length)},
		{"wanted", value_text(mistake->wanted)}, {"found", value_text(mistake->found)},
		{"confidence", number(mistake->confidence)});
}

static struct ss_value *mistakes_of(const struct report *report, size_t task)
{
	struct report_mistake mistakes[REPORT_MISTAKES_PAGE];
	size_t count = report_mistakes(report->evaluation, task, mistakes, REPORT_MISTAKES_PAGE);
	return list(
		count < REPORT_MISTAKES_PAGE ? count : REPORT_MISTAKES_PAGE, mistake_of, mistakes);
}

static struct ss_value *task_of(const struct report *report, size_t index)
{
	const struct task_evaluation *task = &report->evaluation->tasks[index];
	const struct classification *figures = task->figures;
	if (figures == NULL)
		return NULL;
	return value_map_make({"questions", whole(figures->count)},
		{"accuracy", number(figures->accuracy)}, {"macro_f1", number(figures->macro_f1)},
		{"macro_recall", number(figures->macro_recall)},
		{"calibration_error", number(figures->calibration_error)},
		{"labels", list(task->label_count, label_of, task)},
		{"confusion", list(task->label_count, confusion_of, task)},
		{"bins", list(CLASSIFICATION_BINS, bin_of, task)},
		{"mistakes", mistakes_of(report, index)});
}

static struct ss_value *rank_of(const void *context, size_t row)
{
	const struct retrieval *retrieval = context;
	return whole(retrieval->ranks[row + 1]);
}

static struct ss_value *retrieval_of(const struct report *report)
{
	const struct retrieval *retrieval = &report->evaluation->retrieval;
	if (retrieval->count == 0)
		return NULL;
	return value_map_make({"questions", whole(retrieval->count)},
		{"recall@1", number(retrieval->recall_1)},
		{"recall@3", number(retrieval->recall_3)},
		{"recall@5", number(retrieval->recall_5)}, {"mrr", number(retrieval->mrr)},
		{"ranks", list(RETRIEVAL_RANKS, rank_of, retrieval)},
		{"not_found", whole(retrieval->ranks[0])},
		{"mistakes", mistakes_of(report, REPORT_SEARCH)});
}

static struct ss_value *point_of(const void *context, size_t row)
{
	const struct coverage_curve *curve = context;
	const struct coverage_point *point = &curve->points[row];
	return value_map_make({"threshold", number(point->threshold)},
		{"coverage", number(point->coverage)}, {"risk", number(point->risk)});
}

static struct ss_value *choice_of(const struct evaluation *evaluation)
{
	const struct coverage_curve *curve = &evaluation->curve;
	if (evaluation->chosen == curve->count)
		return value_null();
	const struct coverage_point *point = &curve->points[evaluation->chosen];
	return value_map_make({"threshold", number(evaluation->threshold)},
		{"coverage", number(point->coverage)}, {"risk", number(point->risk)});
}

static struct ss_value *abstention_of(const struct report *report)
{
	const struct evaluation *evaluation = report->evaluation;
	const struct coverage_curve *curve = &evaluation->curve;
	if (evaluation->without_answer == 0 && evaluation->answerable == 0 && curve->count == 0)
		return NULL;
	return value_map_make({"without_answer", whole(evaluation->without_answer)},
		{"abstained", number(evaluation->abstained)},
		{"answerable", whole(evaluation->answerable)},
		{"answered", number(evaluation->answered)}, {"area", number(curve->area)},
		{"curve", list(curve->count, point_of, curve)},
		{"max_wrong", number(evaluation->max_wrong)}, {"chosen", choice_of(evaluation)},
		{"mistakes", mistakes_of(report, REPORT_ABSTENTION)});
}

static struct ss_value *minimum_of(const void *context, size_t row)
{
	const struct minimum *minimum = (const struct minimum *)context + row;
	return value_map_make({"name", value_text(minimum->figure->name)},
		{"value", number(minimum->value)}, {"least", number(minimum->least)},
		{"reached", value_bool(report_reached(minimum))});
}

struct ss_value *report_json(const struct report *report)
{
	const struct evaluation *evaluation = report->evaluation;
	return value_map_make({"file", value_text(report->file)},
		{"articles", value_text(report->articles)},
		{"questions", whole(evaluation->questions->count)},
		{"degraded", whole(evaluation->degraded)},
		{"category", task_of(report, QUESTION_CATEGORY)},
		{"sentiment", task_of(report, QUESTION_SENTIMENT)},
		{"retrieval", retrieval_of(report)}, {"abstention", abstention_of(report)},
		{"minimums", list(report->minimum_count, minimum_of, report->minimums)});
}
