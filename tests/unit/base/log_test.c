#include "base/log_scope.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ends[2];

static void set_up(void)
{
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
}

TestSuite(log, .init = set_up);

/* What was written so far, new. Nothing more can be written. */
static char *written(void)
{
	struct buffer all = {0};
	char some[4096];
	ssize_t n;
	(void)close(ends[1]);
	while ((n = read(ends[0], some, sizeof some)) > 0)
		buffer_add(&all, some, (size_t)n);
	(void)close(ends[0]);
	return buffer_take(&all);
}

/* The one line that was written, parsed as JSON. */
static struct ss_value *json_line(void)
{
	struct ss_error err = {0};
	char *line = written();
	size_t length = strlen(line);
	cr_assert_gt(length, 1);
	cr_assert_eq(strchr(line, '\n'), line + length - 1, "not one line: %s", line);
	struct ss_value *value = json_parse(line, length - 1, &err);
	cr_assert_not_null(value, "%s: %s", err.text, line);
	free(line);
	return value;
}

static const char *member(const struct ss_value *map, const char *name)
{
	return value_as_string(value_get(map, name), NULL);
}

/* Takes name=value or name="quoted value" from *AT; false at the line's end. */
static bool next_pair(const char **at, struct buffer *name, struct buffer *value)
{
	buffer_free(name);
	buffer_free(value);
	if (**at == '\n')
		return false;
	size_t length = strcspn(*at, "= \n\"");
	cr_assert(length > 0 && (*at)[length] == '=', "no name at: %s", *at);
	buffer_add(name, *at, length);
	*at += length + 1;
	if (**at == '"') {
		for (++*at; **at != '"'; ++*at) {
			cr_assert(**at != '\n' && **at != '\0', "the quotes are not closed");
			if (**at == '\\')
				buffer_add_char(value, *(*at)++);
			buffer_add_char(value, **at);
		}
		++*at;
	} else {
		length = strcspn(*at, " \n\"=");
		buffer_add(value, *at, length);
		*at += length;
	}
	cr_assert(**at == ' ' || **at == '\n', "something behind a value: %s", *at);
	*at += **at == ' ';
	return true;
}

/* The value of NAME in the one line of logfmt that was written, with its escapes; new. */
static char *logfmt_value(const char *line, const char *wanted)
{
	struct buffer name = {0};
	struct buffer value = {0};
	char *found = NULL;
	while (next_pair(&line, &name, &value)) {
		if (strcmp(buffer_text(&name), wanted) == 0 && found == NULL)
			found = memory_string(buffer_text(&value));
	}
	cr_assert_str_eq(line, "\n", "more than one line: %s", line);
	return found;
}

static void expect_logfmt(const char *name, const char *expected)
{
	char *line = written();
	char *value = logfmt_value(line, name);
	cr_assert_not_null(value, "no %s in %s", name, line);
	cr_expect_str_eq(value, expected);
	free(value);
	free(line);
}

Test(log, writes_logfmt)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	log_warning(&log, "port %d is in use", 8000);
	char *line = written();
	char expected[64];
	(void)snprintf(expected, sizeof expected,
		" level=warning pid=%d message=\"port 8000 is in use\"\n", (int)getpid());
	cr_expect_eq(strncmp(line, "time=20", 7), 0, "%s", line);
	cr_expect_not_null(strstr(line, expected), "%s", line);
	free(line);
}

Test(log, has_a_field_once)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	log = log_with(&log, "id", "first");
	log = log_with(&log, "id", "second");
	log = log_with(&log, "trace_id", "third");
	log_info(&log, "x");
	char *line = written();
	cr_expect_not_null(strstr(line, " id=\"first\" trace_id=\"third\" message"), "%s", line);
	free(line);
}

Test(log, is_entered_and_left_in_its_scope)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	cr_expect_null(log_enter(&log), "nothing is entered where there is no scope");
	cr_expect_null(log_entered(&log));
	log.scope = log_scope_new();
	const struct log inner = log_with(&log, "id", "inner");
	const struct log other = log_new(ends[1], SS_LOG_INFO, false);
	cr_expect_null(log_enter(&log));
	cr_expect_eq(log_enter(&inner), &log);
	cr_expect_eq(log_entered(&log), &inner);
	cr_expect_null(log_entered(&other));
	log_leave(&inner, &log);
	cr_expect_eq(log_entered(&inner), &log);
	log_leave(&log, NULL);
	cr_expect_null(log_entered(&log));
	log_scope_free(log.scope);
}

Test(log, writes_json)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, true);
	log_error(&log, "%s", "it broke");
	struct ss_value *line = json_line();
	cr_expect_str_eq(member(line, "level"), "error");
	cr_expect_str_eq(member(line, "message"), "it broke");
	cr_expect_eq(value_as_int(value_get(line, "pid")), (int64_t)getpid());
	cr_expect_eq(strlen(member(line, "time")), strlen("2026-01-31T09:05:00.123456Z"));
	value_unref(line);
}

static const char hard[] =
	"quote \" back\\slash\nline\ttab \x01 \x7f \xc3\xa9 \xf0\x9f\x98\x80 a=b";

Test(log, escapes_what_would_break_a_json_line)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, true);
	log = log_with(&log, "question", hard);
	log_info(&log, "%s", hard);
	struct ss_value *line = json_line();
	cr_expect_str_eq(member(line, "message"), hard);
	cr_expect_str_eq(member(line, "question"), hard);
	value_unref(line);
}

Test(log, escapes_what_would_break_a_logfmt_line)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	log_info(&log, "%s", hard);
	expect_logfmt("message", "quote \\\" back\\\\slash\\u000aline\\u0009tab \\u0001 \\u007f "
				 "\xc3\xa9 \xf0\x9f\x98\x80 a=b");
}

Test(log, carries_its_context_in_the_order_it_was_given)
{
	struct log plain = log_new(ends[1], SS_LOG_INFO, false);
	struct log request = log_with(&plain, "request", "r 1");
	struct log both = log_with(&request, "node", "billing");
	log_info(&both, "x");
	char *line = written();
	cr_expect_not_null(
		strstr(line, " request=\"r 1\" node=\"billing\" message=\"x\"\n"), "%s", line);
	cr_expect_str_eq(plain.context, "");
	free(line);
}

Test(log, drops_lines_below_its_level)
{
	struct log log = log_new(ends[1], SS_LOG_WARNING, false);
	log_debug(&log, "no");
	log_info(&log, "no");
	log_warning(&log, "yes");
	expect_logfmt("message", "yes");
}

/* A text of COUNT times PIECE; new. */
static char *many(const char *piece, size_t count)
{
	struct buffer buffer = {0};
	for (size_t i = 0; i < count; i++)
		buffer_add_string(&buffer, piece);
	return buffer_take(&buffer);
}

/* Whatever is logged, the line is valid JSON of bounded length. */
static void expect_valid_line(const char *piece, size_t count, const char *context)
{
	set_up();
	char *text = many(piece, count);
	struct log log = log_new(ends[1], SS_LOG_INFO, true);
	log = log_with(&log, "first", context);
	log = log_with(&log, "second", context);
	log_info(&log, "%s", text);
	struct ss_value *line = json_line();
	cr_expect_not_null(value_get(line, "message"));
	cr_expect_eq(strncmp(member(line, "message"), piece, strlen(piece)), 0);
	value_unref(line);
	free(text);
}

Test(log, cuts_long_text_and_stays_valid)
{
	static const char *const pieces[] = {
		"x", "\"", "\\", "\n", "\x7f", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};
	for (size_t i = 0; i < array_length(pieces); i++) {
		for (size_t shift = 0; shift < 8; shift++) {
			char *piece = many(pieces[i], 1 + shift);
			char *context = many(pieces[i], 20 + shift * 20);
			expect_valid_line(piece, 6000, context);
			free(context);
			free(piece);
		}
	}
}

Test(log, replaces_what_is_not_utf_8)
{
	struct log log = log_new(ends[1], SS_LOG_INFO, true);
	log = log_with(&log, "user", "a\xff");
	log_info(&log, "%s", "b\xc3 c\xed\xa0\x80");
	struct ss_value *line = json_line();
	cr_expect_str_eq(member(line, "user"), "a\xef\xbf\xbd");
	cr_expect_eq(strncmp(member(line, "message"), "b\xef\xbf\xbd c\xef\xbf\xbd", 8), 0);
	value_unref(line);
}

Test(log, cuts_context_that_does_not_fit)
{
	char *text = many("0123456789", 10);
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	for (char name[] = "a"; name[0] < 'g'; name[0]++)
		log = log_with(&log, name, text);
	log_info(&log, "still here");
	char *line = written();
	char *message = logfmt_value(line, "message");
	cr_expect_str_eq(message, "still here");
	/* The first fields are whole; another has what fits. */
	cr_expect_not_null(strstr(line, text));
	cr_expect_not_null(strstr(line, "\" e=\"0123456"), "%s", line);
	cr_expect_null(strstr(line, " f="), "%s", line);
	free(message);
	free(line);
	free(text);
}

static void *log_many(void *log)
{
	for (int i = 0; i < 50; i++)
		log_info((const struct log *)log, "a line of a thread");
	return NULL;
}

Test(log, writes_whole_lines_from_several_threads)
{
	pthread_t threads[4];
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	for (size_t i = 0; i < array_length(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, log_many, &log), 0);
	for (size_t i = 0; i < array_length(threads); i++)
		(void)pthread_join(threads[i], NULL);
	char *all = written();
	char *rest = all;
	size_t count = 0;
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; count++) {
		cr_assert_eq(strncmp(line, "time=", 5), 0);
		cr_assert_not_null(strstr(line, "message=\"a line of a thread\""));
	}
	cr_expect_eq(count, 200);
	free(all);
}

Test(log, that_cannot_be_written_harms_nobody)
{
	struct log log = log_new(-1, SS_LOG_DEBUG, false);
	log_error(&log, "nobody reads this");
}

Test(log, carries_a_trace_beside_the_ids_of_a_request)
{
	const struct log log = log_new(ends[1], SS_LOG_INFO, false);
	const struct trace trace = trace_new();
	char longest[65];
	memset(longest, 'i', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	const struct log request = log_with(&log, "request_id", longest);
	const struct log traced = log_with_trace(&request, &trace);
	const struct log all = log_with(&traced, "conversation_id", longest);
	cr_expect_str_eq(all.trace.id, trace.id);
	log_info(&all, "said");
	char *line = written();
	const char *const names[] = {"request_id", "trace_id", "conversation_id"};
	const char *const values[] = {longest, trace.id, longest};
	for (size_t i = 0; i < array_length(names); i++) {
		char *value = logfmt_value(line, names[i]);
		cr_assert_not_null(value, "no %s in %s", names[i], line);
		cr_expect_str_eq(value, values[i]);
		free(value);
	}
	free(line);
}
