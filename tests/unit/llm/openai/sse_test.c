#include "llm/openai/sse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The events, each with "|" behind. */
static char events[4000];
static size_t longest;

static int take(void *context, struct ss_text data, struct ss_error *err)
{
	(void)context;
	longest = data.length > longest ? data.length : longest;
	if (data.length == 4 && memcmp(data.data, "stop", 4) == 0)
		return ss_fail_as(err, SS_INVALID, "stopped");
	if (data.length < 100)
		(void)snprintf(events + strlen(events), sizeof events - strlen(events), "%.*s|",
			(int)data.length, data.data);
	return 0;
}

/* Reads STREAM in pieces of SIZE bytes. */
static const char *read_in(const char *stream, size_t size)
{
	struct sse sse = {.who = "it"};
	struct ss_error err = {0};
	size_t length = strlen(stream);
	events[0] = '\0';
	for (size_t at = 0; at < length; at += size) {
		size_t part = length - at < size ? length - at : size;
		cr_assert_eq(sse_read(&sse, (struct ss_text){stream + at, part}, take, NULL, &err),
			0, "%s", err.text);
	}
	cr_assert_eq(sse_finish(&sse, take, NULL, &err), 0);
	sse_end(&sse);
	return events;
}

/* The same however the stream is cut. */
static void expect(const char *stream, const char *expected)
{
	for (size_t size = 1; size <= strlen(stream); size++)
		cr_expect_str_eq(
			read_in(stream, size), expected, "in pieces of %zu: %s", size, events);
}

Test(sse, gives_the_data_of_each_event)
{
	expect("data: one\n\ndata: two\n\n", "one|two|");
}

Test(sse, knows_all_line_ends)
{
	expect("data: one\r\n\r\ndata: two\r\rdata: three\n\n", "one|two|three|");
}

Test(sse, joins_the_lines_of_an_event)
{
	expect("data: a\ndata: b\ndata\ndata:\n\n", "a\nb\n\n|");
}

Test(sse, takes_one_blank_off_and_no_more)
{
	expect("data:a\n\ndata:  b\n\n", "a| b|");
}

Test(sse, passes_over_comments_and_other_fields)
{
	expect(": ping\n\nevent: x\nid: 1\ndata: a\nretry: 5\ndatabase: no\n\n", "a|");
}

Test(sse, passes_over_a_byte_order_mark)
{
	expect("\xef\xbb\xbf"
	       "data: a\n\n",
		"a|");
}

Test(sse, takes_the_last_event_without_its_end)
{
	expect("data: a\n\ndata: b", "a|b|");
	expect("data: a\n\ndata: b\n", "a|b|");
}

Test(sse, has_nothing_of_an_empty_stream)
{
	cr_expect_str_eq(read_in("", 1), "");
	expect("\n\n\r\n\n", "");
}

Test(sse, hands_on_what_is_wrong_with_an_event)
{
	struct sse sse = {.who = "it"};
	struct ss_error err = {0};
	static const char stream[] = "data: stop\n\n";
	cr_expect_eq(
		sse_read(&sse, (struct ss_text){stream, strlen(stream)}, take, NULL, &err), -1);
	cr_expect_str_eq(err.text, "stopped");
	sse_end(&sse);
}

Test(sse, bounds_an_event)
{
	struct sse sse = {.who = "it"};
	struct ss_error err = {0};
	char *line = malloc(1000);
	int result = 0;
	size_t fed = 0;
	memset(line, 'a', 1000);
	memcpy(line, "data: ", 6);
	line[999] = '\n';
	while (result == 0 && fed < 10u * SSE_EVENT_LIMIT) {
		result = sse_read(&sse, (struct ss_text){line, 1000}, take, NULL, &err);
		fed += 1000;
	}
	cr_expect_eq(result, -1);
	cr_expect_not_null(strstr(err.text, "longer than"));
	cr_expect_leq(fed, SSE_EVENT_LIMIT + 20000u);
	sse_end(&sse);
	free(line);
}
