#include "http/sse.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_event(const char *name, const char *data, size_t length, const char *expected)
{
	struct buffer out = {0};
	sse_event(&out, name, (struct ss_text){data, length});
	cr_expect_str_eq(buffer_text(&out), expected);
	buffer_free(&out);
}

Test(sse, frames_an_event)
{
	expect_event("token", "{\"text\":\"a\"}", 12, "event: token\ndata: {\"text\":\"a\"}\n\n");
	expect_event(NULL, "[DONE]", 6, "data: [DONE]\n\n");
	expect_event("empty", "", 0, "event: empty\ndata: \n\n");
}

Test(sse, gives_each_line_of_the_data_its_own)
{
	expect_event(NULL, "a\nb\r\nc\rd", 8, "data: a\ndata: b\ndata: c\ndata: d\n\n");
	expect_event(NULL, "a\n", 2, "data: a\ndata: \n\n");
	expect_event(NULL, "\n\n", 2, "data: \ndata: \ndata: \n\n");
	expect_event(NULL, "a\r", 2, "data: a\ndata: \n\n");
}

Test(sse, frames_a_comment)
{
	struct buffer out = {0};
	sse_comment(&out, "still there");
	cr_expect_str_eq(buffer_text(&out), ": still there\n\n");
	buffer_free(&out);
}

Test(sse, knows_who_asks_for_events)
{
	cr_expect(sse_accepted("text/event-stream"));
	cr_expect(sse_accepted("Text/Event-Stream"));
	cr_expect(sse_accepted("application/json, text/event-stream;q=0.9"));
	cr_expect(sse_accepted("text/event-stream ; charset=utf-8"));
	cr_expect_not(sse_accepted(NULL));
	cr_expect_not(sse_accepted(""));
	cr_expect_not(sse_accepted("*/*"));
	cr_expect_not(sse_accepted("application/json"));
	cr_expect_not(sse_accepted("text/event-streams"));
	cr_expect_not(sse_accepted("text/event-stream;q=0"));
	cr_expect_not(sse_accepted("text/event-stream; q=0.0, application/json"));
	cr_expect_not(sse_accepted("application/x;a=text/event-stream"));
}
