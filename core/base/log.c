#include "base/log.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct log log_new(int fd, enum ss_log_level level, bool json)
{
	return (struct log){.fd = fd, .level = level, .json = json};
}

/* Appends TEXT inside quotes, as both logfmt and JSON escape it; always leaves room for the end. */
static size_t add_quoted(char *line, size_t at, size_t size, const char *text)
{
	size_t limit = size - 16;
	line[at++] = '"';
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0' && at < limit; c++) {
		if (*c == '"' || *c == '\\') {
			line[at++] = '\\';
			line[at++] = (char)*c;
		} else if (*c < 0x20 || *c == 0x7f) {
			at += (size_t)snprintf(line + at, 7, "\\u%04x", *c);
		} else {
			line[at++] = (char)*c;
		}
	}
	line[at++] = '"';
	return at;
}

struct log log_with(const struct log *log, const char *name, const char *value)
{
	struct log copy = *log;
	char field[sizeof copy.context];
	size_t at = (size_t)snprintf(
		field, sizeof field, log->json ? ",\"%.24s\":" : " %.24s=", name);
	at = add_quoted(field, at, sizeof field, value);
	field[at] = '\0';
	if (strlen(copy.context) + at < sizeof copy.context)
		memcpy(copy.context + strlen(copy.context), field, at + 1);
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
