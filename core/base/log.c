#include "base/log.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

enum {
	LINE_SIZE = 4096,
	QUOTED_ROOM =
		16, /* of a quoted text: the last character, escaped, and what ends the line */
};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct log log_new(int fd, enum ss_log_level level, bool json)
{
	return (struct log){.fd = fd, .level = level, .json = json};
}

/* Appends TEXT inside quotes, as both logfmt and JSON escape it; always leaves room for the end. What
 * is not UTF-8 becomes a replacement character, so that the line can be parsed in any case. */
static size_t add_quoted(char *line, size_t at, size_t size, const char *text)
{
	size_t limit = size - QUOTED_ROOM;
	size_t left = strlen(text);
	line[at++] = '"';
	while (left > 0 && at < limit) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate(
			(const utf8proc_uint8_t *)text, (utf8proc_ssize_t)left, &point);
		if (used <= 0) {
			at += (size_t)snprintf(line + at, 7, "\\ufffd");
			used = 1;
		} else if (point == '"' || point == '\\') {
			line[at++] = '\\';
			line[at++] = (char)point;
		} else if (point < 0x20 || point == 0x7f) {
			at += (size_t)snprintf(line + at, 7, "\\u%04x", (unsigned)point);
		} else {
			memcpy(line + at, text, (size_t)used);
			at += (size_t)used;
		}
		text += used;
		left -= (size_t)used;
	}
	line[at++] = '"';
	return at;
}

struct log log_with(const struct log *log, const char *name, const char *value)
{
	struct log copy = *log;
	char start[32];
	size_t used = strlen(copy.context);
	size_t length =
		(size_t)snprintf(start, sizeof start, log->json ? ",\"%.24s\":" : " %.24s=", name);
	if (strstr(copy.context, start) != NULL)
		return copy;
	if (used + length + QUOTED_ROOM >= sizeof copy.context)
		return copy;
	memcpy(copy.context + used, start, length);
	used = add_quoted(copy.context, used + length, sizeof copy.context, value);
	copy.context[used] = '\0';
	return copy;
}

struct log log_with_trace(const struct log *log, const struct trace *trace)
{
	struct log copy = log_with(log, "trace_id", trace->id);
	copy = log_with(&copy, "span_id", trace->span);
	if (trace->parent[0] != '\0')
		copy = log_with(&copy, "parent_id", trace->parent);
	copy.trace = *trace;
	return copy;
}

void log_write(const struct log *log, enum ss_log_level level, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	log_write_arguments(log, level, format, arguments);
	va_end(arguments);
}

void log_write_arguments(
	const struct log *log, enum ss_log_level level, const char *format, va_list arguments)
{
	if (level < log->level)
		return;
	char text[LINE_SIZE / 2];
	char line[LINE_SIZE];
	char now[CLOCK_TEXT_SIZE];
	(void)vsnprintf(text, sizeof text, format, arguments);
	size_t at = (size_t)snprintf(line, sizeof line,
		log->json ? "{\"time\":\"%s\",\"level\":\"%s\",\"pid\":%d%s,\"message\":"
			  : "time=%s level=%s pid=%d%s message=",
		clock_format(clock_utc_ns(), now), level_names[level], (int)getpid(), log->context);
	at = add_quoted(line, at, sizeof line, text);
	if (log->json)
		line[at++] = '}';
	line[at++] = '\n';
	/* A log that cannot be written has nowhere to say so. */
	ssize_t written = write(log->fd, line, at);
	(void)written;
}
