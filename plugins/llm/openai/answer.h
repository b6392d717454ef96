/* The answer that is made of a model's words: without its thoughts, with its citations in order, and told apart from
 * "no answer". */
#ifndef OPENAI_ANSWER_H
#define OPENAI_ANSWER_H

#include "citations.h"
#include "thinking.h"

/* What a model says instead of an answer when the articles have none. */
#define ANSWER_NONE "NO_ANSWER"

struct answer {
	struct thinking thinking;
	struct citations citations;
	struct text head; /* while it may be ANSWER_NONE */
	bool begun;       /* it is not */
	bool task;        /* the words are what they are, but for thoughts */
	struct text text;
};

/* For a TASK the words behind the thoughts stay as they are. ARTICLES may be NULL. -1 for want of memory. */
int answer_begin(struct answer *answer, const struct ss_value_functions *values,
	const struct ss_value *articles, bool task);

/* Takes the next PART of what the model says. What is in `text` afterwards does not change any more. */
void answer_read(struct answer *answer, struct ss_text part);

/* The end of what it says. False: it says that there is no answer. With CUT an answer that does not end with a
 * sentence gets an ellipsis. */
bool answer_finish(struct answer *answer, bool cut);

void answer_end(struct answer *answer);

#endif
