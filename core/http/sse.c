#include "http/sse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether the LENGTH bytes of RANGE, as in "text/html;q=0.8", name event streams. */
static bool names_events(const char *range, size_t length)
{
	static const char type[] = SSE_TYPE;
	const size_t known = sizeof type - 1;
	if (length < known || strncasecmp(range, type, known) != 0 ||
		(length > known && strchr(" \t;", range[known]) == NULL))
		return false;
	/* q=0 says that it is not acceptable. */
	const char *weight = memmem(range, length, "q=", 2);
	return weight == NULL || strtod(weight + 2, NULL) > 0;
}

bool sse_accepted(const char *accept)
{
	while (accept != NULL && *accept != '\0') {
		accept += strspn(accept, " \t,");
		size_t length = strcspn(accept, ",");
		if (names_events(accept, length))
			return true;
		accept += length;
	}
	return false;
}

void sse_event(struct buffer *out, const char *name, struct ss_text data)
{
	const char *at = data.data;
	const char *end = data.data + data.length;
	if (name != NULL)
		buffer_add_format(out, "event: %s\n", name);
	for (;;) {
		const char *line = at;
		while (at < end && *at != '\n' && *at != '\r')
			at++;
		buffer_add_string(out, "data: ");
		buffer_add(out, line, (size_t)(at - line));
		buffer_add_char(out, '\n');
		if (at == end)
			break;
		at += at + 1 < end && at[0] == '\r' && at[1] == '\n' ? 2 : 1;
	}
	buffer_add_char(out, '\n');
}

void sse_comment(struct buffer *out, const char *text)
{
	buffer_add_format(out, ": %s\n\n", text);
}

void sse_id(struct buffer *out, const char *id)
{
	buffer_add_format(out, "id: %s\n", id);
}

void sse_retry(struct buffer *out, unsigned ms)
{
	buffer_add_format(out, "retry: %u\n\n", ms);
}
