/* An evaluation put into words: for the terminal, as JSON and as a page with plots. For `smartsupport eval`; no state. */
#ifndef LEARN_REPORT_H
#define LEARN_REPORT_H

#include "base/buffer.h"
#include "learn/evaluation.h"

enum {
	REPORT_MISTAKES = 20,      /* shown of each kind at the terminal */
	REPORT_MISTAKES_PAGE = 200 /* in a page and as JSON */
};

/* A figure that must not be too small. */
struct minimum {
	const struct figure *figure;
	double least;
	double value; /* NAN: the file has no such labels */
};

/* All members are borrowed. */
struct report {
	const struct evaluation *evaluation;
	const char *file;     /* of the questions */
	const char *articles; /* where they come from */
	/* Where a threshold is set; NULL: the workflow has no such node. */
	const char *workflow, *node, *option;
	const struct minimum *minimums;
	size_t minimum_count;
};

bool report_reached(const struct minimum *minimum);

void report_text(const struct report *report, struct buffer *text);
/* A new map. */
struct ss_value *report_json(const struct report *report);
/* A page that needs no other file. */
void report_html(const struct report *report, struct buffer *page);

/* A decision that is wrong. */
struct report_mistake {
	const struct question *question;
	const char *wanted; /* a label, an article's id or "" for none */
	const char *found;  /* the same */
	double confidence;
};

/* Fills MISTAKES with up to LIMIT wrong decisions of TASK, or, with QUESTION_TASKS, wrong first articles of questions
 * that have one. Returns how many there are in all. */
size_t report_mistakes(const struct evaluation *evaluation, size_t task,
	struct report_mistake *mistakes, size_t limit);

#endif
