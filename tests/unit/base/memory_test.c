#include "base/memory.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer would otherwise end the process before the code under test can. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

Test(memory, gives_zeroed_bytes)
{
	unsigned char *bytes = memory_new(1000);
	int *items = memory_array(100, sizeof *items);
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(bytes[i], 0);
	for (size_t i = 0; i < 100; i++)
		cr_assert_eq(items[i], 0);
	free(items);
	free(bytes);
}

Test(memory, gives_something_to_free_for_a_size_of_zero)
{
	void *nothing[] = {
		memory_new(0), memory_array(0, 8), memory_array(8, 0), memory_resize(NULL, 0, 8)};
	for (size_t i = 0; i < array_length(nothing); i++) {
		cr_expect_not_null(nothing[i]);
		free(nothing[i]);
	}
}

Test(memory, keeps_what_was_there_when_it_grows)
{
	int *items = memory_array(2, sizeof *items);
	items[1] = 42;
	items = memory_resize(items, 1000, sizeof *items);
	cr_expect_eq(items[0], 0);
	cr_expect_eq(items[1], 42);
	free(items);
}

Test(memory, copies_strings_and_parts_of_them)
{
	char *whole = memory_string("hello");
	char *part = memory_text("hello", 4);
	char *empty = memory_text(NULL, 0);
	char *formatted = memory_format("%s-%d", "x", 7);
	cr_expect_str_eq(whole, "hello");
	cr_expect_str_eq(part, "hell");
	cr_expect_str_eq(empty, "");
	cr_expect_str_eq(formatted, "x-7");
	cr_expect_null(memory_string(NULL));
	free(whole);
	free(part);
	free(empty);
	free(formatted);
}

Test(memory, ends_the_process_when_an_array_would_overflow, .signal = SIGABRT)
{
	(void)memory_array(SIZE_MAX / 2, 4);
}

Test(memory, ends_the_process_when_growing_would_overflow, .signal = SIGABRT)
{
	(void)memory_resize(NULL, SIZE_MAX / 2, 4);
}
