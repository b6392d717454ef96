#include "sse.h"

#include <string.h>

static int append(const struct sse *sse, struct text *text, const char *more, size_t length,
	struct ss_error *err)
{
	if (length > SSE_EVENT_LIMIT - text->length)
		return ss_fail_as(err, SS_INVALID,
			"%s: an event of the stream is longer than %d bytes", sse->who,
			SSE_EVENT_LIMIT);
	text_add(text, more, length);
	return text->failed ? ss_fail(err, "out of memory") : 0;
}

static int dispatch(struct sse *sse, sse_event *event, void *context, struct ss_error *err)
{
	if (sse->data.length == 0)
		return 0;
	const struct ss_text data = {sse->data.data, sse->data.length - 1};
	sse->data.length = 0;
	return event(context, data, err);
}

/* A line "data: TEXT"; the blank may be missing. Other fields and comments mean nothing here. */
static int take_line(struct sse *sse, sse_event *event, void *context, struct ss_error *err)
{
	static const char field[] = "data";
	const size_t name = sizeof field - 1;
	const char *line = sse->line.data;
	size_t length = sse->line.length, value = name;
	sse->line.length = 0;
	if (length == 0)
		return dispatch(sse, event, context, err);
	if (length < name || memcmp(line, field, name) != 0 || (length > name && line[name] != ':'))
		return 0;
	if (length > value)
		value++;
	if (length > value && line[value] == ' ')
		value++;
	if (append(sse, &sse->data, line + value, length - value, err) < 0)
		return -1;
	return append(sse, &sse->data, "\n", 1, err);
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
		if (append(sse, &sse->line, part.data + at, end - at, err) < 0)
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
	if (sse->line.length > 0 && take_line(sse, event, context, err) < 0)
		return -1;
	return dispatch(sse, event, context, err);
}

void sse_end(struct sse *sse)
{
	text_end(&sse->line);
	text_end(&sse->data);
	*sse = (struct sse){0};
}
