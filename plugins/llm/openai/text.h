/* A text that grows. */
#ifndef OPENAI_TEXT_H
#define OPENAI_TEXT_H

#include <smartsupport/value.h>

struct text {
	char *data; /* NULL while nothing was added */
	size_t length, capacity;
	bool failed; /* for want of memory: it is not whole */
};

void text_add(struct text *text, const char *more, size_t length);
void text_add_string(struct text *text, const char *more);
void text_end(struct text *text);

#endif
