/* Runs the tests of a program that was compiled with the plain <criterion/criterion.h>. */
#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SKIPPED = 77,  /* a test's exit status */
	SECONDS = 300, /* that a test may take, where it does not say */
	SLOWER = 10,   /* by how much a sanitizer may slow a test down */
};

static struct plain_test *first;
static struct plain_test **last = &first;
static size_t failures; /* of the test that this process runs */

void plain_register(struct plain_test *test)
{
	*last = test;
	last = &test->next;
}

void plain_failed(
	bool fatal, const char *file, int line, const char *condition, const char *format, ...)
{
	va_list arguments;
	(void)printf("%s:%d: expected %s: ", file, line, condition);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)printf("\n");
	failures++;
	if (fatal)
		exit(EXIT_FAILURE);
}

void plain_skip(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)printf("\n");
	exit(SKIPPED);
}

void plain_log(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)printf("\n");
}

static const struct plain_options *suite_of(const struct plain_test *test)
{
	static const struct plain_options none;
	for (const struct plain_test *suite = first; suite != NULL; suite = suite->next) {
		if (suite->name == NULL && strcmp(suite->suite, test->suite) == 0)
			return &suite->options;
	}
	return &none;
}

static void call(void (*function)(void))
{
	if (function != NULL)
		function();
}

/* In the test's own process. */
static void run(const struct plain_test *test)
{
	const struct plain_options *suite = suite_of(test);
	double seconds = test->options.timeout > 0 ? test->options.timeout : suite->timeout;
	(void)alarm(seconds > 0 ? (unsigned)(seconds * SLOWER) : SECONDS);
	call(suite->init);
	call(test->options.init);
	test->run();
	call(test->options.fini);
	call(suite->fini);
	exit(failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Runs TEST and says how it went. Returns whether it is to count as passed. */
static bool run_apart(const struct plain_test *test)
{
	int status = 0;
	(void)fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		run(test);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	int wanted = test->options.signal;
	int got = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	bool passed = got == wanted && (code == EXIT_SUCCESS || code == SKIPPED);
	if (!passed || code == SKIPPED)
		(void)printf("%s %s::%s (exit %d, signal %d)\n", passed ? "skipped" : "FAILED",
			test->suite, test->name, code, got);
	return passed;
}

int main(void)
{
	size_t tests = 0;
	size_t failed = 0;
	for (const struct plain_test *test = first; test != NULL; test = test->next) {
		if (test->name == NULL || test->options.disabled)
			continue;
		tests++;
		failed += !run_apart(test);
	}
	(void)printf("%zu tests, %zu failed\n", tests, failed);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
