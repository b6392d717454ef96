#include "base/trace.h"

#include "base/memory.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

Test(trace, is_gone_on_with_under_a_span_of_ones_own)
{
	struct trace trace = {0};
	char text[TRACE_TEXT_SIZE];
	cr_assert(trace_join(&trace, text_of("00-" ID "-" PARENT "-01")));
	cr_expect_str_eq(trace.id, ID);
	cr_expect_str_neq(trace.span, PARENT);
	cr_expect(trace.sampled);
	trace_text(&trace, text);
	cr_expect_eq(strlen(text), TRACE_TEXT_SIZE - 1);
	struct trace again = {0};
	cr_assert(trace_join(&again, text_of(text)));
	cr_expect_str_eq(again.id, ID);
	cr_assert(trace_join(&again, text_of("00-" ID "-" PARENT "-fe")));
	cr_expect_not(again.sampled);
	const struct trace child = trace_child(&trace);
	cr_expect_str_eq(child.id, ID);
	cr_expect_str_neq(child.span, trace.span);
	cr_expect(child.sampled);
}

Test(trace, tells_whose_call_it_is)
{
	struct trace trace = {0};
	cr_assert(trace_join(&trace, text_of("00-" ID "-" PARENT "-01")));
	cr_expect_str_eq(trace.parent, PARENT);
	cr_expect_str_eq(trace_new().parent, "");
}

Test(trace, state_is_taken_over_as_far_as_it_fits)
{
	char state[TRACE_STATE_SIZE], entry[300], both[700];
	cr_expect_str_eq(trace_take_state(NULL, state), "");
	cr_expect_str_eq(trace_take_state("a=1, b=2\t,c=", state), "a=1, b=2\t,c=");
	cr_expect_str_eq(trace_take_state("a=\xc3\xa9", state), "");
	cr_expect_str_eq(trace_take_state("a=1\x7f", state), "");
	memset(entry, 'x', sizeof entry - 1);
	entry[sizeof entry - 1] = '\0';
	(void)snprintf(both, sizeof both, "%s,%s", entry, entry);
	cr_expect_str_eq(trace_take_state(both, state), entry);
	both[512] = '\0';
	cr_expect_str_eq(trace_take_state(both, state), both);
	memset(both, 'x', sizeof both - 1);
	both[sizeof both - 1] = '\0';
	cr_expect_str_eq(trace_take_state(both, state), "");
}

Test(trace, of_a_later_version_may_say_more)
{
	struct trace trace = {0};
	cr_expect(trace_join(&trace, text_of("01-" ID "-" PARENT "-01")));
	cr_expect(trace_join(&trace, text_of("cc-" ID "-" PARENT "-01-what-follows")));
}

Test(trace, that_is_not_valid_is_left_alone)
{
	static const char *const wrong[] = {
		"",
		"00",
		"00-" ID "-" PARENT "-0",
		"00-" ID "-" PARENT "-01-more",
		"01-" ID "-" PARENT "-01more",
		"ff-" ID "-" PARENT "-01",
		"0x-" ID "-" PARENT "-01",
		"00-" ID "-" PARENT "-0g",
		"00_" ID "-" PARENT "-01",
		"00-" ID "_" PARENT "-01",
		"00-" ID "-" PARENT "_01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" ID "-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
		"00-4bf92f3577b34da6a3ce929d0e0e473\"-" PARENT "-01",
	};
	for (size_t i = 0; i < array_length(wrong); i++) {
		struct trace trace = {0};
		cr_expect_not(trace_join(&trace, text_of(wrong[i])), "%s", wrong[i]);
		cr_expect_str_eq(trace.id, "");
	}
}

Test(trace, that_is_new_has_another_id_each_time)
{
	const struct trace first = trace_new(), second = trace_new();
	cr_expect_eq(strlen(first.id), TRACE_ID_SIZE - 1);
	cr_expect_eq(strlen(first.span), TRACE_SPAN_SIZE - 1);
	cr_expect_str_neq(first.id, second.id);
	cr_expect_str_neq(first.span, second.span);
	cr_expect(first.sampled);
}
