#include "service/generations.h"

#include "base/memory.h"
#include "support/scratch.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct generation_state state_of(const struct generations *generations)
{
	struct generation_state state;
	generations_read(generations, &state);
	return state;
}

Test(generations, count_who_takes_over_and_who_is_refused)
{
	struct generations *generations = generations_new(NULL, "http://127.0.0.1:8000");
	cr_assert_not_null(generations);
	cr_expect_eq(state_of(generations).number, 0);
	cr_expect_str_eq(state_of(generations).address, "http://127.0.0.1:8000");
	struct generation_state before = state_of(generations);
	struct ss_value *none = generation_value(&before);
	cr_expect_null(value_get(none, "since"), "none serves yet");
	value_unref(none);
	generations_serve(generations);
	cr_expect_eq(state_of(generations).number, 1);
	cr_expect_eq(state_of(generations).master, getpid());
	generations_begin_reload(generations);
	cr_expect_eq(state_of(generations).reload, RELOAD_UNDER_WAY);
	generations_refuse(generations, "a.yaml:1:2: one\nb.yaml:3:4: two\n");
	struct generation_state state = state_of(generations);
	cr_expect_eq(state.reload, RELOAD_REFUSED);
	cr_expect_eq(state.number, 1);
	cr_expect_eq(state.finished, 1);
	cr_expect_eq(state.refused, 1);
	struct ss_value *errors = generation_errors(&state);
	char *text = json_text(errors);
	cr_expect_str_eq(
		text, "[{\"detail\":\"a.yaml:1:2: one\"},{\"detail\":\"b.yaml:3:4: two\"}]");
	free(text);
	value_unref(errors);
	generations_begin_reload(generations);
	generations_take_over(generations);
	state = state_of(generations);
	cr_expect_eq(state.reload, RELOAD_TAKEN_OVER);
	cr_expect_eq(state.number, 2);
	cr_expect_eq(state.finished, 2);
	cr_expect_eq(state.refused, 1);
	cr_expect_str_eq(state.error, "");
	generations_free(generations);
	generations_free(NULL);
}

Test(generations, wait_for_a_reload_that_begins_later)
{
	struct generations *generations = generations_new(NULL, "http://127.0.0.1:8000");
	generations_serve(generations);
	cr_expect_eq(generations_next(generations), 1);
	generations_begin_reload(generations);
	cr_expect_eq(generations_next(generations), 2, "the one under way may have read the files");
	generations_take_over(generations);
	cr_expect_eq(generations_next(generations), 2);
	generations_free(generations);
}

Test(generations, keep_the_beginning_of_a_long_text)
{
	struct generations *generations = generations_new(NULL, "http://127.0.0.1:8000");
	char *text = memory_array(2 * GENERATION_ERROR_SIZE, 1);
	memset(text, 'x', 2 * GENERATION_ERROR_SIZE - 1);
	generations_refuse(generations, text);
	cr_expect_eq(strlen(state_of(generations).error), GENERATION_ERROR_SIZE - 1);
	free(text);
	generations_free(generations);
}

Test(generations, are_seen_by_others_as_long_as_the_server_runs)
{
	struct ss_error err = {0};
	char *folder = scratch_new();
	char *file = scratch_path(folder, "new/servers/one");
	cr_expect_null(generations_open(file, &err));
	cr_expect_eq(err.status, SS_NOT_FOUND);
	struct generations *server = generations_new(file, "http://127.0.0.1:8000");
	generations_serve(server);
	struct generations *other = generations_open(file, &err);
	cr_assert_not_null(other, "%s", err.text);
	cr_expect_eq(state_of(other).number, 1);
	generations_begin_reload(server);
	generations_take_over(server);
	cr_expect_eq(state_of(other).number, 2);
	generations_free(server);
	cr_expect_null(generations_open(file, &err));
	cr_expect_eq(state_of(other).number, 2, "what was mapped stays");
	generations_free(other);
	free(file);
	scratch_remove(folder);
}

Test(generations, of_a_server_that_was_killed_are_not_seen)
{
	struct ss_error err = {0};
	char *folder = scratch_new();
	char *file = scratch_path(folder, "one");
	int told[2];
	cr_assert_eq(pipe(told), 0);
	pid_t server = fork();
	if (server == 0) {
		struct generations *generations = generations_new(file, "http://127.0.0.1:8000");
		generations_serve(generations);
		(void)!write(told[1], "!", 1);
		for (;;)
			(void)pause();
	}
	char byte;
	cr_assert_eq(read(told[0], &byte, 1), 1);
	struct generations *other = generations_open(file, &err);
	cr_assert_not_null(other, "%s", err.text);
	generations_free(other);
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	cr_expect_null(generations_open(file, &err));
	free(file);
	scratch_remove(folder);
}

/* Reads while another process writes, and while that one stands still, also in the middle of it: each state is whole. */
Test(generations, are_read_as_they_were_at_one_moment)
{
	enum { ROUNDS = 10000 };
	struct generations *generations = generations_new(NULL, "http://127.0.0.1:8000");
	pid_t writer = fork();
	if (writer == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			char text[3000];
			(void)snprintf(text, sizeof text, "%d %02900d", i + 1, 0);
			generations_begin_reload(generations);
			generations_refuse(generations, text);
		}
		_exit(0);
	}
	struct generation_state state;
	bool stops = false;
	do {
		(void)kill(writer, stops ? SIGSTOP : SIGCONT);
		generations_read(generations, &state);
		cr_expect_eq(atoi(state.error), state.finished); // NOLINT(cert-err34-c)
		stops = !stops;
	} while (state.finished < ROUNDS);
	(void)kill(writer, SIGCONT);
	(void)waitpid(writer, NULL, 0);
	generations_free(generations);
}

Test(generations, are_not_those_of_a_server_whose_workers_alone_are_left)
{
	struct ss_error err = {0};
	int end[2], adopted[2];
	char byte = 0;
	char *folder = scratch_new();
	char *path = scratch_path(folder, "server");
	cr_assert_eq(pipe(end), 0);
	cr_assert_eq(pipe(adopted), 0);
	struct generations *generations = generations_new(path, "http://127.0.0.1:8000");
	pid_t worker = fork();
	if (worker == 0) {
		(void)close(end[1]);
		generations_adopt(generations);
		if (write(adopted[1], &byte, 1) != 1)
			_exit(2);
		_exit(read(end[0], &byte, 1) == 0 && state_of(generations).master == getppid() ? 0
											       : 1);
	}
	/* Until then it has the file as the master has it. */
	cr_assert_eq(read(adopted[0], &byte, 1), 1);
	struct generations *seen = generations_open(path, &err);
	cr_expect_not_null(seen, "%s", err.text);
	generations_free(seen);
	/* As when the master is killed; whoever starts one again can be seen. */
	generations_free(generations);
	cr_expect_null(generations_open(path, &err));
	(void)close(end[1]);
	int status = -1;
	cr_assert_eq(waitpid(worker, &status, 0), worker);
	cr_expect_eq(status, 0);
	free(path);
	scratch_remove(folder);
}
