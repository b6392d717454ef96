#include "learn/evaluation.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t label_index(const struct task_evaluation *task, const char *label)
{
	char *const *found = bsearch(
		&label, task->labels, task->label_count, sizeof *task->labels, compare_names);
	return (size_t)(found - task->labels);
}

/* The labels that occur, in the file or in what was decided. */
static void collect_labels(struct task_evaluation *task, size_t index,
	const struct questions *questions, const struct outcome *outcomes, size_t count)
{
	task->labels = memory_array(2 * count, sizeof *task->labels);
	for (size_t i = 0; i < count; i++) {
		task->labels[2 * i] = questions->items[task->rows[i]].labels[index];
		task->labels[2 * i + 1] = outcomes[task->rows[i]].labels[index];
	}
	qsort(task->labels, 2 * count, sizeof *task->labels, compare_names);
	for (size_t i = 0; i < 2 * count; i++) {
		if (i == 0 || strcmp(task->labels[i], task->labels[task->label_count - 1]) != 0)
			task->labels[task->label_count++] = task->labels[i];
	}
	for (size_t i = 0; i < task->label_count; i++)
		task->labels[i] = memory_string(task->labels[i]);
}

static void judge_task(struct evaluation *evaluation, size_t index)
{
	const struct questions *questions = evaluation->questions;
	const struct outcome *outcomes = evaluation->outcomes;
	struct task_evaluation *task = &evaluation->tasks[index];
	size_t count = 0;
	task->name = question_tasks[index];
	task->rows = memory_array(questions->count, sizeof *task->rows);
	for (size_t row = 0; row < questions->count; row++) {
		if (questions->items[row].labels[index] != NULL &&
			outcomes[row].labels[index] != NULL)
			task->rows[count++] = row;
	}
	if (count == 0)
		return;
	collect_labels(task, index, questions, outcomes, count);
	task->verdicts = memory_array(count, sizeof *task->verdicts);
	for (size_t i = 0; i < count; i++) {
		size_t row = task->rows[i];
		task->verdicts[i] = (struct verdict){
			label_index(task, questions->items[row].labels[index]),
			label_index(task, outcomes[row].labels[index]),
			outcomes[row].confidence[index],
		};
	}
	task->figures = classification_new(task->verdicts, count, task->label_count);
}

bool evaluation_judges(const struct evaluation *evaluation, size_t row)
{
	const struct question *question = &evaluation->questions->items[row];
	return question->article != NULL || question->answer == ANSWER_NONE;
}

bool evaluation_right(const struct evaluation *evaluation, size_t row)
{
	return evaluation->outcomes[row].rank == 1;
}

static void judge_search(struct evaluation *evaluation)
{
	const struct questions *questions = evaluation->questions;
	size_t *ranks = memory_array(questions->count, sizeof *ranks);
	struct search_verdict *verdicts = memory_array(questions->count, sizeof *verdicts);
	size_t rank_count = 0;
	size_t count = 0;
	for (size_t row = 0; row < questions->count; row++) {
		const struct outcome *outcome = &evaluation->outcomes[row];
		if (!outcome->searched || !evaluation_judges(evaluation, row))
			continue;
		if (questions->items[row].article != NULL)
			ranks[rank_count++] = outcome->rank;
		verdicts[count++] = (struct search_verdict){
			outcome->sureness, evaluation_right(evaluation, row)};
	}
	evaluation->retrieval = retrieval_figures(ranks, rank_count);
	evaluation->curve = coverage_curve(verdicts, count);
	evaluation->chosen = coverage_choose(&evaluation->curve, evaluation->max_wrong);
	if (evaluation->chosen < evaluation->curve.count)
		evaluation->threshold = coverage_threshold(&evaluation->curve, evaluation->chosen);
	free(ranks);
	free(verdicts);
}

/* What the workflow does as it is configured. */
static void judge_abstention(struct evaluation *evaluation)
{
	size_t rightly = 0;
	size_t answered = 0;
	for (size_t row = 0; row < evaluation->questions->count; row++) {
		const struct outcome *outcome = &evaluation->outcomes[row];
		enum question_answer answer = evaluation->questions->items[row].answer;
		if (!outcome->known_answer)
			continue;
		evaluation->without_answer += answer == ANSWER_NONE;
		evaluation->answerable += answer == ANSWER_EXISTS;
		rightly += answer == ANSWER_NONE && outcome->abstained;
		answered += answer == ANSWER_EXISTS && !outcome->abstained;
	}
	evaluation->abstained = evaluation->without_answer > 0
					? (double)rightly / (double)evaluation->without_answer
					: NAN;
	evaluation->answered = evaluation->answerable > 0
				       ? (double)answered / (double)evaluation->answerable
				       : NAN;
}

struct evaluation *evaluation_new(
	const struct questions *questions, const struct outcome *outcomes, double max_wrong)
{
	struct evaluation *evaluation = memory_make(struct evaluation);
	evaluation->questions = questions;
	evaluation->outcomes = outcomes;
	evaluation->max_wrong = max_wrong;
	for (size_t row = 0; row < questions->count; row++)
		evaluation->degraded += outcomes[row].degraded;
	for (size_t i = 0; i < QUESTION_TASKS; i++)
		judge_task(evaluation, i);
	judge_search(evaluation);
	judge_abstention(evaluation);
	return evaluation;
}

void evaluation_free(struct evaluation *evaluation)
{
	if (evaluation == NULL)
		return;
	for (size_t i = 0; i < QUESTION_TASKS; i++) {
		struct task_evaluation *task = &evaluation->tasks[i];
		for (size_t k = 0; k < task->label_count; k++)
			free(task->labels[k]);
		free(task->labels);
		free(task->verdicts);
		free(task->rows);
		classification_free(task->figures);
	}
	free(evaluation->curve.points);
	free(evaluation);
}

static const struct classification *figures_of(const struct evaluation *evaluation, size_t task)
{
	static const struct classification unknown = {
		.accuracy = NAN, .macro_f1 = NAN, .macro_recall = NAN};
	const struct classification *figures = evaluation->tasks[task].figures;
	return figures != NULL ? figures : &unknown;
}

static double category_accuracy(const struct evaluation *evaluation)
{
	return figures_of(evaluation, QUESTION_CATEGORY)->accuracy;
}

static double category_f1(const struct evaluation *evaluation)
{
	return figures_of(evaluation, QUESTION_CATEGORY)->macro_f1;
}

static double category_recall(const struct evaluation *evaluation)
{
	return figures_of(evaluation, QUESTION_CATEGORY)->macro_recall;
}

static double sentiment_accuracy(const struct evaluation *evaluation)
{
	return figures_of(evaluation, QUESTION_SENTIMENT)->accuracy;
}

static double sentiment_f1(const struct evaluation *evaluation)
{
	return figures_of(evaluation, QUESTION_SENTIMENT)->macro_f1;
}

static double sentiment_recall(const struct evaluation *evaluation)
{
	return figures_of(evaluation, QUESTION_SENTIMENT)->macro_recall;
}

static double if_searched(const struct evaluation *evaluation, double figure)
{
	return evaluation->retrieval.count > 0 ? figure : NAN;
}

static double recall_1(const struct evaluation *evaluation)
{
	return if_searched(evaluation, evaluation->retrieval.recall_1);
}

static double recall_3(const struct evaluation *evaluation)
{
	return if_searched(evaluation, evaluation->retrieval.recall_3);
}

static double recall_5(const struct evaluation *evaluation)
{
	return if_searched(evaluation, evaluation->retrieval.recall_5);
}

static double mrr(const struct evaluation *evaluation)
{
	return if_searched(evaluation, evaluation->retrieval.mrr);
}

static double abstained(const struct evaluation *evaluation)
{
	return evaluation->abstained;
}

static double answered(const struct evaluation *evaluation)
{
	return evaluation->answered;
}

static double coverage(const struct evaluation *evaluation)
{
	const struct coverage_curve *curve = &evaluation->curve;
	if (curve->count == 0)
		return NAN;
	return evaluation->chosen < curve->count ? curve->points[evaluation->chosen].coverage : 0;
}

const struct figure evaluation_figures[] = {
	{"accuracy.category", "the share of right categories", category_accuracy},
	{"macro_f1.category", "the mean F1 of the categories", category_f1},
	{"macro_recall.category", "the mean recall of the categories", category_recall},
	{"accuracy.sentiment", "the share of right sentiments", sentiment_accuracy},
	{"macro_f1.sentiment", "the mean F1 of the sentiments", sentiment_f1},
	{"macro_recall.sentiment", "the mean recall of the sentiments", sentiment_recall},
	{"recall@1", "the share whose article comes first", recall_1},
	{"recall@3", "the share whose article is among the first three", recall_3},
	{"recall@5", "the share whose article is among the first five", recall_5},
	{"mrr", "the mean of 1 / rank of the right article", mrr},
	{"abstained", "the share of should_abstain for which the workflow finds nothing",
		abstained},
	{"answered", "the share of questions with an article for which it finds one", answered},
	{"coverage", "the share that is answered at the chosen threshold", coverage},
	{0},
};

const struct figure *evaluation_figure(const char *name)
{
	for (const struct figure *figure = evaluation_figures; figure->name != NULL; figure++) {
		if (strcmp(figure->name, name) == 0)
			return figure;
	}
	return NULL;
}
