#include "text.h"

#include <stdlib.h>
#include <string.h>

void text_add(struct text *text, const char *more, size_t length)
{
	if (text->failed || length == 0)
		return;
	if (text->length + length > text->capacity) {
		size_t wanted = (text->length + length) * 2;
		char *grown = realloc(text->data, wanted);
		if (grown == NULL) {
			text->failed = true;
			return;
		}
		text->data = grown;
		text->capacity = wanted;
	}
	memcpy(text->data + text->length, more, length);
	text->length += length;
}

void text_add_string(struct text *text, const char *more)
{
	text_add(text, more, strlen(more));
}

void text_end(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}
