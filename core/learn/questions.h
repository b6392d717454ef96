/*
 * Labelled questions: what `smartsupport eval` measures with. JSONL, a line each:
 *     {"text": "…", "category": "Billing", "sentiment": "Angry", "article": "charged-twice", "should_abstain": false}
 * with any of the labels but at least one of them. One thread.
 */
#ifndef LEARN_QUESTIONS_H
#define LEARN_QUESTIONS_H

#include "learn/lines.h"

enum { QUESTIONS_LIMIT = 50000 };

/* The labels that heads decide on. */
enum { QUESTION_CATEGORY, QUESTION_SENTIMENT, QUESTION_TASKS };
extern const char *const question_tasks[QUESTION_TASKS];

/* Whether the knowledge base has an answer. */
enum question_answer { ANSWER_UNKNOWN, ANSWER_EXISTS, ANSWER_NONE };

struct question {
	struct ss_text text;          /* owned, like all below */
	char *labels[QUESTION_TASKS]; /* NULL: not labelled */
	char *article;                /* the id of the one that answers; NULL: not labelled */
	enum question_answer answer;
	struct lines_place place;
};

struct questions {
	struct question *items;
	size_t count;
};

/* Reads the file at PATH, borrowed for the questions' life. NULL and ERR, which names the file, the line and the
 * value, when a line is wrong or there is none. */
struct questions *questions_load(const char *path, struct ss_error *err);
void questions_free(struct questions *questions);

#endif
