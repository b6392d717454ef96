#include "storage/postgresql/zero.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_LENGTH = 4 };

static const char mark[] = "\xf4\x8f\xbf\xbf"; /* U+10FFFF */

bool zero_is_written_in(struct ss_text text)
{
	return text.length > 0 && memmem(text.data, text.length, mark, MARK_LENGTH) != NULL;
}

bool zero_is_in(struct ss_text text)
{
	return text.length > 0 &&
	       (memchr(text.data, '\0', text.length) != NULL || zero_is_written_in(text));
}

static bool begins_with_mark(const char *at, const char *end)
{
	return end - at >= MARK_LENGTH && memcmp(at, mark, MARK_LENGTH) == 0;
}

char *zero_write(struct ss_text text, size_t *length)
{
	const char *end = text.data + text.length;
	char *written = malloc(text.length * (MARK_LENGTH + 1) + 1);
	char *to = written;
	for (const char *at = text.data; written != NULL && at < end; at++) {
		bool marked = begins_with_mark(at, end);
		if (!marked && *at != '\0') {
			*to++ = *at;
			continue;
		}
		memcpy(to, mark, MARK_LENGTH);
		to[MARK_LENGTH] = marked ? '1' : '0';
		to += MARK_LENGTH + 1;
		at += marked ? MARK_LENGTH - 1 : 0;
	}
	*length = written != NULL ? (size_t)(to - written) : 0;
	return written;
}

char *zero_read(struct ss_text text, size_t *length)
{
	const char *end = text.data + text.length;
	char *read = malloc(text.length + 1);
	char *to = read;
	for (const char *at = text.data; read != NULL && at < end; at++) {
		if (!begins_with_mark(at, end) || at + MARK_LENGTH == end) {
			*to++ = *at;
			continue;
		}
		at += MARK_LENGTH;
		if (*at == '1') {
			memcpy(to, mark, MARK_LENGTH);
			to += MARK_LENGTH;
		} else {
			*to++ = '\0';
		}
	}
	*length = read != NULL ? (size_t)(to - read) : 0;
	if (read != NULL)
		*to = '\0';
	return read;
}
