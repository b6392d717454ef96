#include "conformance/case.h"

#include "base/buffer.h"
#include "conformance/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the process of a case tells: a character for each flag, then its texts, each with a NUL behind it. */
enum { TOLD_OPENED, TOLD_OK, TOLD_TEXTS };

static void add_text(struct buffer *told, const char *text)
{
	buffer_add(told, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

static void write_all(int fd, const struct buffer *told)
{
	size_t done = 0;
	while (done < told->length) {
		ssize_t written = write(fd, told->data + done, told->length - done);
		if (written < 0 && errno != EINTR)
			_exit(EXIT_FAILURE);
		done += written > 0 ? (size_t)written : 0;
	}
}

/* Runs the case here and tells FD what it came to. */
static void run_here(const struct probe_case *one, const struct ss_plugin *plugin,
	const struct ss_setup *setup, int fd)
{
	struct buffer told = {0};
	struct probe *probe = probe_new(plugin, setup);
	buffer_add_char(&told, probe->failed ? '0' : '1');
	one->run(probe);
	buffer_add_char(&told, probe->failed ? '0' : '1');
	add_text(&told, probe->what);
	add_text(&told, probe->expected);
	add_text(&told, probe->came);
	probe_free(probe);
	/* Not before the store is closed, which may go wrong as well. */
	write_all(fd, &told);
	buffer_free(&told);
}

/* What was written to the file FD. */
static void read_all(int fd, struct buffer *told)
{
	char block[4096];
	ssize_t length;
	(void)lseek(fd, 0, SEEK_SET);
	while ((length = read(fd, block, sizeof block)) > 0 || (length < 0 && errno == EINTR))
		buffer_add(told, block, length > 0 ? (size_t)length : 0);
}

/* The text at *AT of TOLD as a new one; *AT moves behind it. */
static char *take_text(const struct buffer *told, size_t *at)
{
	char *text = memory_string(*at < told->length ? told->data + *at : "");
	*at += strlen(text) + 1;
	return text;
}

static struct case_result fail(bool opened, const char *what, const char *expected, char *came)
{
	return (struct case_result){
		.opened = opened,
		.what = memory_string(what),
		.expected = memory_string(expected),
		.came = came,
	};
}

/* What the process that ended so came to, which told TOLD. */
static struct case_result read_result(
	const struct buffer *told, const struct process_end *end, unsigned timeout_s)
{
	static const char what[] = "the process that the case runs in";
	size_t at = TOLD_TEXTS;
	if (end->late)
		return fail(
			true, what, "its end in time", memory_format("none after %u s", timeout_s));
	if (WIFSIGNALED(end->status))
		return fail(true, what, "an end in good order",
			memory_format("signal %d: %s", WTERMSIG(end->status),
				strsignal(WTERMSIG(end->status))));
	if (told->length < TOLD_TEXTS || WEXITSTATUS(end->status) != 0)
		return fail(true, what, "an end in good order",
			memory_format("the exit code %d", WEXITSTATUS(end->status)));
	if (end->left)
		return fail(true, what, "an end in good order",
			memory_string("processes that the plugin had started went on; they were "
				      "ended"));
	struct case_result result = {
		.opened = told->data[TOLD_OPENED] == '1', .ok = told->data[TOLD_OK] == '1'};
	if (result.ok)
		return result;
	result.what = take_text(told, &at);
	result.expected = take_text(told, &at);
	result.came = take_text(told, &at);
	return result;
}

struct case_result case_run(const struct probe_case *one, const struct ss_plugin *plugin,
	const struct ss_setup *setup, unsigned timeout_s)
{
	struct buffer told = {0};
	struct process_end end = {0};
	int note = memfd_create("result", MFD_CLOEXEC);
	if (note < 0)
		return fail(true, "a file for the case", "one", memory_string(strerror(errno)));
	pid_t child = fork();
	if (child == 0) {
		process_lead();
		run_here(one, plugin, setup, note);
		/* Where there is a leak checker, it looks now. */
		exit(EXIT_SUCCESS);
	}
	int error = errno;
	if (child > 0)
		process_wait(child, timeout_s, &end);
	read_all(note, &told);
	(void)close(note);
	struct case_result result = child > 0 ? read_result(&told, &end, timeout_s)
					      : fail(true, "a process for the case", "one",
							memory_string(strerror(error)));
	buffer_free(&told);
	return result;
}

void case_result_free(struct case_result *result)
{
	free(result->what);
	free(result->expected);
	free(result->came);
}
