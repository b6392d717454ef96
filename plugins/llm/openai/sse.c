#include "sse.h"

#include <stdlib.h>
#include <string.h>

static int append(char **text, size_t *length, size_t *capacity, const char *more, size_t size,
	struct ss_error *err)
{
	if (size > SSE_EVENT_LIMIT - *length)
		return ss_fail_as(err, SS_INVALID, "an event of the stream is longer than %d bytes",
			SSE_EVENT_LIMIT);
	if (*length + size > *capacity) {
		size_t wanted = (*length + size) * 2;
		char *grown = realloc(*text, wanted);
		if (grown == NULL)
			return ss_fail(err, "out of memory");
		*text = grown;
		*capacity = wanted;
	}
	if (size > 0)
		memcpy(*text + *length, more, size);
	*length += size;
	return 0;
}

static int dispatch(struct sse *sse, sse_event *event, void *context, struct ss_error *err)
{
	if (sse->data_length == 0)
		return 0;
	const struct ss_text data = {sse->data, sse->data_length - 1};
	sse->data_length = 0;
	return event(context, data, err);
}

/* A line "data: TEXT"; the blank may be missing. Other fields and comments mean nothing here. */
static int take_line(struct sse *sse, sse_event *event, void *context, struct ss_error *err)
{
	static const char field[] = "data";
	const size_t name = sizeof field - 1;
	const char *line = sse->line;
	size_t length = sse->line_length, value = name;
	sse->line_length = 0;
	if (length == 0)
		return dispatch(sse, event, context, err);
	if (length < name || memcmp(line, field, name) != 0 || (length > name && line[name] != ':'))
		return 0;
	if (length > value)
		value++;
	if (length > value && line[value] == ' ')
		value++;
	if (append(&sse->data, &sse->data_length, &sse->data_capacity, line + value, length - value,
		    err) < 0)
		return -1;
	return append(&sse->data, &sse->data_length, &sse->data_capacity, "\n", 1, err);
}

/* The bytes of PART that are left of a byte order mark in the beginning. */
static size_t skip_mark(struct sse *sse, struct ss_text part)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t at = 0;
	while (sse->begun < 3 && at < part.length) {
		if (part.data[at] != mark[sse->begun]) {
			sse->begun = 3; /* the line of bytes that are no mark is no field either */
			break;
		}
		sse->begun++;
		at++;
	}
	return at;
}

int sse_read(
	struct sse *sse, struct ss_text part, sse_event *event, void *context, struct ss_error *err)
{
	size_t at = skip_mark(sse, part);
	while (at < part.length) {
		/* The second half of a line end. */
		if (sse->after_return && part.data[at] == '\n')
			at++;
		sse->after_return = false;
		size_t end = at;
		while (end < part.length && part.data[end] != '\n' && part.data[end] != '\r')
			end++;
		if (append(&sse->line, &sse->line_length, &sse->line_capacity, part.data + at,
			    end - at, err) < 0)
			return -1;
		if (end == part.length)
			return 0;
		sse->after_return = part.data[end] == '\r';
		at = end + 1;
		if (take_line(sse, event, context, err) < 0)
			return -1;
	}
	return 0;
}

int sse_finish(struct sse *sse, sse_event *event, void *context, struct ss_error *err)
{
	if (sse->line_length > 0 && take_line(sse, event, context, err) < 0)
		return -1;
	return dispatch(sse, event, context, err);
}

void sse_end(struct sse *sse)
{
	free(sse->line);
	free(sse->data);
	*sse = (struct sse){0};
}
