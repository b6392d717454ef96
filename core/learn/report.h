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

/* What is listed beside the tasks, whose mistakes are wrong labels. */
enum {
	REPORT_SEARCH = QUESTION_TASKS, /* the first article is not the right one */
	REPORT_ABSTENTION, /* the workflow finds something where it should not, or nothing */
};

/* A decision that is wrong. */
struct report_mistake {
	const struct question *question;
	const char *wanted; /* a label, an article's id or "" for none */
	const char *found;  /* the same */
	double confidence;
};

/* Fills MISTAKES with up to LIMIT wrong decisions of KIND, a task or one of the two. Returns how many there are in all. */
size_t report_mistakes(const struct evaluation *evaluation, size_t kind,
	struct report_mistake *mistakes, size_t limit);

#endif
