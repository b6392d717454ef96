/* A process that is killed at any moment loses no turn that it acknowledged, and doubles none. */
#include "file.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 20, BATCH = 3, ARTICLES = 4000, ARTICLE_SIZE = 1000 };

TestSuite(sqlite_crash, .init = store_begin, .fini = store_end);

/* What the child says about a batch: it was sent (1), it is stored (2). */
struct note {
	int life;
	int batch;
	int what;
};

static int batch_size(int life, int batch)
{
	return 1 + (life + batch) % BATCH;
}

/* The batch's turns, which go on with one conversation a life. */
static int send(void *store, int life, int batch)
{
	char ids[BATCH][32], conversation[32];
	struct ss_turn turns[BATCH];
	struct ss_error errors[BATCH] = {{.status = SS_OK}};
	int count = batch_size(life, batch);
	(void)snprintf(conversation, sizeof conversation, "conv_%d", life);
	for (int i = 0; i < count; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "t%d-%d-%d", life, batch, i);
		turns[i] = batch == 0 && i == 0 ? store_first_turn(ids[i], conversation)
						: store_turn(ids[i], conversation);
	}
	int result = smartsupport_plugin.storage->commit_turns(store, turns, (size_t)count, errors);
	for (int i = 0; i < count && result == 0; i++)
		result = errors[i].status == SS_OK ? 0 : -1;
	if (result < 0)
		(void)fprintf(stderr, "%s\n", errors[0].text);
	return result;
}

/* Stores batch after batch until it is killed. */
static void store_forever(int notes, int life)
{
	void *store = store_open();
	for (int batch = 0;; batch++) {
		struct note note = {life, batch, 1};
		(void)!write(notes, &note, sizeof note);
		if (send(store, life, batch) < 0)
			_exit(1);
		note.what = 2;
		(void)!write(notes, &note, sizeof note);
	}
}

/* Lets a child live for US microseconds after its first batch and kills it. The number of batches that it
 * sent and of those that are stored by its word. */
static void live_and_die(int life, useconds_t us, int *sent, int *stored)
{
	int ends[2];
	int status = 0;
	struct note note;
	cr_assert_eq(pipe(ends), 0);
	pid_t child = store_fork();
	if (child == 0) {
		(void)close(ends[0]);
		store_forever(ends[1], life);
	}
	(void)close(ends[1]);
	*sent = *stored = 0;
	for (bool killed = false; read(ends[0], &note, sizeof note) == (ssize_t)sizeof note;) {
		cr_assert_eq(note.life, life);
		*(note.what == 1 ? sent : stored) = note.batch + 1;
		if (!killed && *stored > 0) {
			(void)usleep(us);
			cr_assert_eq(kill(child, SIGKILL), 0);
			killed = true;
		}
	}
	(void)close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int64_t count_of(int life, int batch)
{
	char *sql = memory_format(
		"SELECT count(*) FROM messages WHERE turn_id GLOB 't%d-%d-*'", life, batch);
	int64_t count = store_number(sql);
	free(sql);
	return count;
}

Test(sqlite_crash, kill_9_at_any_moment_loses_no_acknowledged_turn_and_doubles_none)
{
	int64_t turns = 0;
	srandom((unsigned)getpid());
	store_close(store_open());
	for (int life = 0; life < KILLS; life++) {
		int sent, stored;
		live_and_die(life, (useconds_t)(random() % 30000), &sent, &stored);
		for (int batch = 0; batch < sent; batch++) {
			int64_t count = count_of(life, batch);
			bool whole = count == batch_size(life, batch);
			/* Only the last one may have been cut off, and then as a whole. */
			cr_assert(whole || (batch >= stored && count == 0),
				"life %d: %d of %d batches stored, batch %d has %lld turns", life,
				stored, sent, batch, (long long)count);
			turns += count;
		}
		store_check();
	}
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 2 * turns);
	cr_expect_geq(turns, KILLS);
}

Test(sqlite_crash, a_batch_that_was_cut_off_is_sent_again_without_doubling)
{
	for (int life = 0; life < 5; life++) {
		int sent, stored;
		live_and_die(life, (useconds_t)(random() % 5000), &sent, &stored);
		void *store = store_open();
		cr_expect_eq(send(store, life, sent - 1), 0);
		cr_expect_eq(send(store, life, sent), 0);
		store_close(store);
		cr_expect_eq(count_of(life, sent - 1), batch_size(life, sent - 1));
		store_check();
	}
}

/* A turn that is refused for the last of the articles that it shows, all of which need more memory than there is for what a
 * transaction changes. IDS are to outlive it. */
static struct ss_turn refused_turn(char ids[ARTICLES][ARTICLE_SIZE], const char *shown[ARTICLES])
{
	struct ss_turn turn = store_first_turn("refused", "conv_refused");
	for (int i = 0; i < ARTICLES; i++) {
		memset(ids[i], 'x', ARTICLE_SIZE - 1);
		/* Those that follow each other have places in the table that are far apart. */
		(void)snprintf(ids[i], ARTICLE_SIZE, "%d", i * 7919 % ARTICLES);
		ids[i][strlen(ids[i])] = 'x';
		shown[i] = ids[i];
	}
	ids[ARTICLES - 1][0] = '\0';
	turn.shown = shown;
	turn.shown_count = ARTICLES;
	return turn;
}

/* Stores a batch of which a turn is refused, and some turns more, and dies. */
static int refuse_and_die(int report_fd, const void *argument)
{
	static char ids[ARTICLES][ARTICLE_SIZE];
	static const char *shown[ARTICLES];
	struct ss_error errors[2] = {{.status = SS_OK}};
	const struct ss_turn turns[] = {refused_turn(ids, shown), store_first_turn("t0", "conv_1")};
	(void)argument;
	void *store = store_open();
	if (smartsupport_plugin.storage->commit_turns(store, turns, 2, errors) < 0 ||
		errors[1].status != SS_OK)
		return 2;
	(void)!write(report_fd, errors[0].text, strlen(errors[0].text));
	store_add(store, store_turn("t1", "conv_1"));
	store_add(store, store_turn("t2", "conv_1"));
	_exit(0);
}

Test(sqlite_crash, a_turn_that_was_refused_takes_none_that_was_stored_after_it_along)
{
	char report[600];
	cr_expect_eq(store_child(refuse_and_die, NULL, report, sizeof report), 0, "%s", report);
	cr_expect_not_null(strstr(report, "turn refused: "), "%s", report);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 6);
	store_check();
}
