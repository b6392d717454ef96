/*
 * What `smartsupport eval` measures: the decisions of the workflow's heads, the search, and when it should rather
 * abstain. Made from labelled questions and what came of them; no state.
 */
#ifndef LEARN_EVALUATION_H
#define LEARN_EVALUATION_H

#include "learn/classification.h"
#include "learn/questions.h"
#include "learn/retrieval.h"

/* What came of a question. */
struct outcome {
	char *labels[QUESTION_TASKS];      /* that the workflow decided on; NULL: none */
	double confidence[QUESTION_TASKS]; /* NAN: unknown */
	bool degraded;                     /* a node failed, and its fallback decided */
	bool searched;
	char *first;       /* the id of the first article found; NULL: none was */
	size_t rank;       /* of the right article, from 1; 0: it was not found */
	double sureness;   /* 0..1, that the first one answers */
	bool known_answer; /* whether the workflow keeps articles at all: */
	bool abstained;    /* it kept none */
};

/* Decisions on one kind of label. */
struct task_evaluation {
	const char *name;
	char **labels; /* sorted */
	size_t label_count;
	struct verdict *verdicts;       /* [count of the figures] */
	size_t *rows;                   /* [the same]: the question of a verdict */
	struct classification *figures; /* NULL: no question is labelled */
};

struct evaluation {
	const struct questions *questions; /* borrowed, like the next */
	const struct outcome *outcomes;    /* [questions->count] */
	size_t degraded;                   /* questions with a fallback */
	struct task_evaluation tasks[QUESTION_TASKS];
	struct retrieval retrieval;
	size_t without_answer, answerable; /* questions that are known to be */
	double abstained; /* the share of those without an answer that found none; NAN: unknown */
	double answered;  /* the share of the answerable that found one; NAN: unknown */
	struct coverage_curve curve;
	double max_wrong; /* what the operator wishes */
	size_t chosen;    /* row of the curve; curve.count: none fulfils it */
	double threshold; /* for that row */
};

struct evaluation *evaluation_new(
	const struct questions *questions, const struct outcome *outcomes, double max_wrong);
void evaluation_free(struct evaluation *evaluation);

/* Whether the file says of the question in ROW what the first article should be. */
bool evaluation_judges(const struct evaluation *evaluation, size_t row);

/* Whether the first article found for the question in ROW is the one that it should be. */
bool evaluation_right(const struct evaluation *evaluation, size_t row);

/* A figure that can be asked for by its name. */
struct figure {
	const char *name;
	const char *help;
	double (*read)(const struct evaluation *evaluation); /* NAN: the file has no such labels */
};

/* All of them, ends with a row whose name is NULL. */
extern const struct figure evaluation_figures[];

/* The row of NAME; NULL when there is none. */
const struct figure *evaluation_figure(const char *name);

#endif
