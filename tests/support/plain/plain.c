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

/* A test in its process. */
struct running {
	const struct plain_test *test;
	pid_t child;
};

static struct running begin(const struct plain_test *test)
{
	(void)fflush(NULL);
	const struct running running = {.test = test, .child = fork()};
	if (running.child < 0)
		abort();
	if (running.child == 0)
		run(test);
	return running;
}

/* Says how a test went that ended with STATUS. Returns whether it is to count as passed. */
static bool judge(const struct plain_test *test, int status)
{
	int wanted = test->options.signal;
	int got = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	bool passed = got == wanted && (code == EXIT_SUCCESS || code == SKIPPED);
	if (!passed || code == SKIPPED)
		(void)printf("%s %s::%s (exit %d, signal %d)\n", passed ? "skipped" : "FAILED",
			test->suite, test->name, code, got);
	return passed;
}

/* Waits until one of the COUNT tests has ended, and takes it out. Returns whether it is to count as passed. */
static bool await_one(struct running *running, size_t *count)
{
	int status = 0;
	pid_t child = waitpid(-1, &status, 0);
	size_t at = 0;
	while (at < *count && running[at].child != child)
		at++;
	if (at == *count)
		abort(); /* cannot happen: there are no other children */
	const struct plain_test *test = running[at].test;
	running[at] = running[--*count];
	return judge(test, status);
}

/* As many tests at a time as there are processors. */
int main(void)
{
	enum { MOST = 16 };
	struct running running[MOST];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = processors < 1 ? 1 : processors < MOST ? (size_t)processors : MOST;
	size_t tests = 0, failed = 0, count = 0;
	for (const struct plain_test *test = first; test != NULL; test = test->next) {
		if (test->name == NULL || test->options.disabled)
			continue;
		tests++;
		while (count == most)
			failed += !await_one(running, &count);
		running[count++] = begin(test);
	}
	while (count > 0)
		failed += !await_one(running, &count);
	(void)printf("%zu tests, %zu failed\n", tests, failed);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
