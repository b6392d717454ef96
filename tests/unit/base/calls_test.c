#include "base/calls.h"

#include "base/crash.h"
#include "base/symbols.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct calls *calls;

static void set_up(void)
{
	calls = calls_new();
	cr_assert_not_null(calls);
}

static void tear_down(void)
{
	calls_adopt(NULL);
	calls_free(calls);
}

TestSuite(calls, .init = set_up, .fini = tear_down);

/* The site of the node NAME of a workflow; this program stands for the plugin. */
static struct call_site *site(const char *node)
{
	struct call_name name = {.workflow = "w", .agent = "a"};
	(void)snprintf(name.node, sizeof name.node, "%s", node);
	return calls_site(&name, "1", &calls);
}

__attribute__((noinline)) static void crash_here(int number)
{
	(void)raise(number);
}

__attribute__((noinline)) static void exit_here(void)
{
	exit(7);
}

static void *crash_apart(void *context)
{
	(void)context;
	crash_here(SIGSEGV);
	return NULL;
}

enum misdeed { CRASH, LEAVE, VANISH, CRASH_APART, CRASH_AFTER, FORK };

static void be_bad(enum misdeed misdeed)
{
	pthread_t thread;
	if (misdeed == CRASH) {
		crash_here(SIGSEGV);
	} else if (misdeed == LEAVE) {
		exit_here();
	} else if (misdeed == VANISH) {
		_exit(3);
	} else if (misdeed == CRASH_APART) {
		(void)pthread_create(&thread, NULL, crash_apart, NULL);
		(void)pthread_join(thread, NULL);
	} else if (misdeed == FORK) {
		pid_t pid = fork();
		if (pid == 0)
			crash_here(SIGSEGV);
		(void)waitpid(pid, NULL, 0);
		_exit(0);
	}
}

/* In a process of its own: does MISDEED in a call for "inner" within one for "outer". Returns how it ended. */
static int end_badly(struct calls_part *part, enum misdeed misdeed)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		calls_adopt(part);
		crash_watch();
		calls_begin(site("outer"), CALL_RUN);
		calls_begin(site("inner"), CALL_FOUND);
		be_bad(misdeed);
		calls_end();
		calls_end();
		crash_here(SIGABRT);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* Whether a frame of what CRASH has is the function NAME. */
static bool was_in(const struct crash *crash, const char *name)
{
	char text[200];
	bool found = false;
	struct symbols *symbols = symbols_read("/proc/self/exe");
	cr_assert_not_null(symbols);
	for (int i = 0; i < crash->frame_count; i++) {
		if (symbols_name(symbols, crash->frames[i].offset, text, sizeof text) &&
			strncmp(text, name, strlen(name)) == 0)
			found = true;
	}
	symbols_free(symbols);
	return found;
}

Test(calls, a_crash_tells_its_signal_its_calls_and_where_it_was)
{
	bool sure = false;
	const struct call_site *blamed[4];
	struct calls_part *part = calls_take(calls, false);
	int status = end_badly(part, CRASH);
	cr_assert(WIFSIGNALED(status));
	cr_expect_eq(WTERMSIG(status), SIGSEGV);
	const struct crash *crash = crash_of(part);
	cr_assert_not_null(crash);
	cr_expect_eq(crash->signal, SIGSEGV);
	cr_expect(was_in(crash, "crash_here+0x"));
	cr_assert_eq(calls_blamed(part, blamed, 4, &sure), 2);
	cr_expect(sure);
	cr_expect_str_eq(blamed[0]->name.node, "inner");
	cr_expect_str_eq(blamed[1]->name.node, "outer");
	cr_expect_str_eq(calls_operation(part, blamed[1]), "run()");
	cr_expect_eq(calls_blamed(part, blamed, 1, &sure), 1, "no more than there is room for");
	calls_give(part);
	cr_expect_null(crash_of(part));
}

Test(calls, exit_is_told_with_where_it_was_called_and_keeps_its_code)
{
	struct calls_part *part = calls_take(calls, false);
	int status = end_badly(part, LEAVE);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 7);
	cr_assert_not_null(crash_of(part));
	cr_expect_eq(crash_of(part)->signal, 0);
	cr_expect(was_in(crash_of(part), "exit_here+0x"));
}

Test(calls, who_ends_without_a_word_leaves_its_calls)
{
	bool sure = false;
	const struct call_site *blamed[4];
	struct calls_part *part = calls_take(calls, false);
	cr_expect(WIFEXITED(end_badly(part, VANISH)));
	cr_expect_null(crash_of(part));
	cr_expect_eq(calls_blamed(part, blamed, 4, &sure), 2);
	cr_expect(sure);
}

Test(calls, a_thread_that_is_not_the_hosts_blames_no_call_of_the_loop)
{
	bool sure = false;
	const struct call_site *blamed[4];
	struct calls_part *part = calls_take(calls, false);
	cr_expect(WIFSIGNALED(end_badly(part, CRASH_APART)));
	cr_assert_not_null(crash_of(part));
	cr_expect_eq(crash_of(part)->place, -1);
	cr_expect_eq(calls_blamed(part, blamed, 4, &sure), 0, "it is in no plugin's file");
}

Test(calls, a_crash_outside_of_calls_names_the_last_one_and_is_not_sure)
{
	bool sure = true;
	const struct call_site *blamed[4];
	struct calls_part *part = calls_take(calls, false);
	cr_expect(WIFSIGNALED(end_badly(part, CRASH_AFTER)));
	cr_assert_eq(calls_blamed(part, blamed, 4, &sure), 1);
	cr_expect_not(sure);
	cr_expect_str_eq(blamed[0]->name.node, "outer");
}

Test(calls, a_child_of_the_process_leaves_nothing)
{
	struct calls_part *part = calls_take(calls, false);
	cr_expect(WIFEXITED(end_badly(part, FORK)));
	cr_expect_null(crash_of(part));
}

Test(calls, a_beat_clears_what_was_called_last)
{
	struct calls_part *part = calls_take(calls, false);
	calls_adopt(part);
	const struct call_site *node = site("n");
	calls_begin(node, CALL_RUN);
	cr_expect_eq(call_current(), node);
	calls_beat();
	cr_expect_eq(call_current(), node, "not of a call that is under way");
	calls_end();
	cr_expect_null(call_current());
	cr_expect_eq(calls_last(), node);
	calls_beat();
	cr_expect_null(calls_last());
	cr_expect_eq(calls_beats(part), 2);
}

Test(calls, calls_that_are_nested_deeper_than_is_noted_do_no_harm)
{
	calls_adopt(calls_take(calls, false));
	const struct call_site *node = site("n");
	for (int i = 0; i < 3 * CALLS_DEPTH; i++)
		calls_begin(i == 0 ? node : NULL, CALL_RUN);
	for (int i = 0; i < 3 * CALLS_DEPTH - 1; i++)
		calls_end();
	cr_expect_eq(call_current(), node);
	calls_end();
	cr_expect_null(call_current());
}

Test(calls, a_process_without_a_part_notes_nothing)
{
	cr_expect_null(site("n"));
	calls_begin(NULL, CALL_RUN);
	calls_end();
	calls_beat();
	cr_expect_null(call_current());
	cr_expect_not(call_is_quarantined(NULL));
}

Test(calls, two_deaths_put_a_node_in_quarantine_everywhere_and_for_those_that_come_later)
{
	struct call_suspect suspects[CALLS_ROWS];
	struct calls_part *one = calls_take(calls, false), *two = calls_take(calls, false);
	calls_adopt(one);
	struct call_site *here = site("n"), *other = site("m");
	calls_adopt(two);
	struct call_site *there = site("n");
	cr_expect_neq(here, there);
	cr_expect_eq(calls_count(calls, here), 1);
	cr_expect_not(call_is_quarantined(here));
	cr_expect_eq(calls_quarantined(calls, suspects), 0);
	cr_expect_eq(calls_count(calls, there), 2);
	cr_expect(call_is_quarantined(here) && call_is_quarantined(there));
	cr_expect_not(call_is_quarantined(other));
	cr_assert_eq(calls_quarantined(calls, suspects), 1);
	cr_expect_str_eq(suspects[0].name.node, "n");
	cr_expect_eq(suspects[0].deaths, 2);
	calls_adopt(calls_take(calls, false));
	cr_expect(call_is_quarantined(site("n")));
}

Test(calls, a_new_generation_begins_without_any_quarantine)
{
	struct call_suspect suspects[CALLS_ROWS];
	calls_adopt(calls_take(calls, false));
	struct call_site *old = site("n");
	(void)calls_count(calls, old);
	(void)calls_count(calls, old);
	calls_adopt(calls_take(calls, true));
	struct call_site *fresh = site("n");
	cr_expect_not(call_is_quarantined(fresh));
	(void)calls_count(calls, old); /* while it starts */
	calls_lift(calls);
	cr_expect_not(call_is_quarantined(fresh));
	cr_expect(call_is_quarantined(old), "who is leaving does not call it any more");
	cr_expect_eq(calls_quarantined(calls, suspects), 0);
	cr_expect_eq(calls_count(calls, fresh), 1);
}

Test(calls, of_many_nodes_those_in_quarantine_are_remembered)
{
	char name[16];
	struct call_suspect suspects[CALLS_ROWS];
	calls_adopt(calls_take(calls, false));
	struct call_site *first = site("first");
	(void)calls_count(calls, first);
	(void)calls_count(calls, first);
	for (int i = 0; i < 2 * CALLS_ROWS; i++) {
		(void)snprintf(name, sizeof name, "n%d", i);
		cr_expect_eq(calls_count(calls, site(name)), 1);
	}
	cr_assert_eq(calls_quarantined(calls, suspects), 1);
	cr_expect_str_eq(suspects[0].name.node, "first");
}

Test(calls, there_is_room_for_a_bounded_number_of_nodes)
{
	char name[16];
	calls_adopt(calls_take(calls, false));
	for (int i = 0; i < CALLS_SITES; i++) {
		(void)snprintf(name, sizeof name, "n%d", i);
		cr_assert_not_null(site(name));
	}
	cr_expect_null(site("one more"));
	cr_expect_not_null(site("n7"), "one that is there");
}

Test(calls, of_what_is_made_it_is_seen_whether_it_may_take_its_time)
{
	struct calls_part *part = calls_take(calls, false);
	struct call_name name = {.kind = "storage", .agent = "s"};
	calls_adopt(part);
	const struct call_site *storage = calls_site(&name, "", &calls);
	cr_expect_not(calls_making(part));
	calls_begin_making(site("n"), CALL_CREATE);
	cr_expect(calls_making(part));
	unsigned before = calls_beats(part);
	calls_end();
	cr_expect_not(calls_making(part));
	calls_begin_making(site("n"), CALL_CREATE);
	cr_expect_neq(calls_beats(part), before, "it is another one");
	calls_end();
	calls_begin_making(storage, CALL_OPEN);
	cr_expect_not(calls_making(part));
	cr_expect_str_eq(calls_operation(part, storage), "create()");
	calls_end();
	cr_expect_null(calls_last(), "it is no node");
	calls_begin(site("n"), CALL_RUN);
	calls_end();
	cr_expect_str_eq(calls_last()->name.node, "n");
}
