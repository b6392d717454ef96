/*
 * What the tests use of Criterion, for builds with ThreadSanitizer: Criterion itself cannot start there,
 * since it maps memory for its processes where that sanitizer has none. Tests are compiled with this
 * header instead, without knowing, and run by plain.c, each in a process of its own.
 */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct plain_options {
	void (*init)(void);
	void (*fini)(void);
	double timeout; /* seconds; 0: the runner's own */
	int signal;     /* that ends the test when all is well */
	bool disabled;
};

struct plain_test {
	const char *suite;
	const char *name; /* NULL: these are the options of the suite */
	void (*run)(void);
	struct plain_options options;
	struct plain_test *next; /* the runner's */
};

void plain_register(struct plain_test *test);

/* Reports a condition that does not hold; ends the test if FATAL. */
__attribute__((format(printf, 5, 6))) void plain_failed(
	bool fatal, const char *file, int line, const char *condition, const char *format, ...);

__attribute__((format(printf, 1, 2), noreturn)) void plain_skip(const char *format, ...);
__attribute__((format(printf, 1, 2))) void plain_log(const char *format, ...);

#define PLAIN_REGISTER(id, ...)                                                                    \
	static struct plain_test id##_entry = {__VA_ARGS__};                                       \
	__attribute__((constructor)) static void id##_register(void)                               \
	{                                                                                          \
		plain_register(&id##_entry);                                                       \
	}

#define Test(suite_name, test_name, ...)                                                           \
	static void suite_name##_##test_name##_body(void);                                         \
	PLAIN_REGISTER(suite_name##_##test_name, .suite = #suite_name, .name = #test_name,         \
		.run = suite_name##_##test_name##_body,                                            \
		.options = {.disabled = false, __VA_ARGS__})                                       \
	static void suite_name##_##test_name##_body(void)

#define TestSuite(suite_name, ...)                                                                 \
	PLAIN_REGISTER(suite_name##_suite, .suite = #suite_name,                                   \
		.options = {.disabled = false, __VA_ARGS__})                                       \
	struct plain_test

#define PLAIN_CHECK(fatal, condition, text, ...)                                                   \
	((condition) ? (void)0 : plain_failed(fatal, __FILE__, __LINE__, text, "" __VA_ARGS__))

#define cr_assert(condition, ...) PLAIN_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...)                                                              \
	PLAIN_CHECK(true, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_null(a, ...)      PLAIN_CHECK(true, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...)  PLAIN_CHECK(true, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_assert_eq(a, b, ...)     PLAIN_CHECK(true, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)    PLAIN_CHECK(true, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)     PLAIN_CHECK(true, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)    PLAIN_CHECK(true, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)     PLAIN_CHECK(true, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)    PLAIN_CHECK(true, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PLAIN_CHECK(true, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)                                                               \
	PLAIN_CHECK(true, strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...)                                                          \
	PLAIN_CHECK(true, memcmp(a, b, size) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_float_eq(a, b, epsilon, ...)                                                     \
	PLAIN_CHECK(true, fabs((double)(a) - (double)(b)) <= (double)(epsilon), #a " ~ " #b,       \
		__VA_ARGS__)

#define cr_expect(condition, ...) PLAIN_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_expect_not(condition, ...)                                                              \
	PLAIN_CHECK(false, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_null(a, ...)      PLAIN_CHECK(false, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a, ...)  PLAIN_CHECK(false, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_expect_eq(a, b, ...)     PLAIN_CHECK(false, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...)    PLAIN_CHECK(false, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)     PLAIN_CHECK(false, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...)    PLAIN_CHECK(false, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)     PLAIN_CHECK(false, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...)    PLAIN_CHECK(false, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) PLAIN_CHECK(false, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)                                                               \
	PLAIN_CHECK(false, strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...)                                                          \
	PLAIN_CHECK(false, memcmp(a, b, size) == 0, #a " is " #b, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, size, ...)                                                         \
	PLAIN_CHECK(false, memcmp(a, b, size) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_expect_float_eq(a, b, epsilon, ...)                                                     \
	PLAIN_CHECK(false, fabs((double)(a) - (double)(b)) <= (double)(epsilon), #a " ~ " #b,      \
		__VA_ARGS__)

#define cr_skip_test(...) plain_skip(__VA_ARGS__)
#define cr_log_info(...)  plain_log(__VA_ARGS__)
#define cr_log_error(...) plain_log(__VA_ARGS__)

#endif
