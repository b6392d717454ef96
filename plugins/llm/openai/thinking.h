/*
 * What a reasoning model thinks before it answers, where its server leaves that in the answer: <think>…</think> or
 * <thinking>…</thinking> at the beginning, before or after blanks, once or several times. It is taken out while the
 * answer streams; a tag further on is a word like any other.
 */
#ifndef OPENAI_THINKING_H
#define OPENAI_THINKING_H

#include "text.h"

/* All zero in the beginning. */
struct thinking {
	enum { THINKING_FRONT, THINKING_INSIDE, THINKING_PAST } state;
	size_t tag;     /* the one that it is inside of */
	size_t matched; /* bytes of a tag that were seen */
	bool thought;
	struct text held; /* in front: what may be a tag, with the blanks before it */
};

/* What of the answer can be told after its next PART; borrowed until the next call. */
struct ss_text thinking_read(struct thinking *thinking, struct ss_text part);

/* The rest of it, at the answer's end. */
struct ss_text thinking_finish(struct thinking *thinking);

void thinking_end(struct thinking *thinking);

#endif
