/* The power fails at any moment: what was acknowledged is there whole when the file is opened again, what was under way is
 * there whole or not at all, whatever of the writes that were not synced has reached the disk. */
#include "faulty_disk.h"
#include "file.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 40, LARGEST = 4, TEXT_SIZE = 9000, LOG_PAGES = 40, ONE_OF = 5 };

static void begin(void)
{
	store_begin();
	disk_begin();
}

static void end(void)
{
	disk_end();
	store_end();
}

TestSuite(sqlite_power, .init = begin, .fini = end, .timeout = 3000);

/* What is under way. */
static struct {
	const char *synchronous;
	int acknowledged; /* batches */
	unsigned seed;
	long cuts;
	long forgotten;    /* how often the batch that was under way was not there */
	long broken_words; /* how often one that was acknowledged was not */
} state;

static const char *live_path(void)
{
	return store_file("live.db");
}

static int batch_size(int batch)
{
	return 1 + batch % LARGEST;
}

static int64_t count_of(int batch)
{
	char *sql =
		memory_format("SELECT count(*) FROM messages WHERE turn_id GLOB 't%d-*'", batch);
	int64_t count = store_number(sql);
	free(sql);
	return count;
}

/* How many batches are there, one behind the other, each of them whole. */
static int count_batches(void)
{
	int batch = 0;
	while (batch <= state.acknowledged && count_of(batch) == batch_size(batch))
		batch++;
	int64_t turns = 0;
	for (int i = 0; i < batch; i++)
		turns += batch_size(i);
	cr_expect_eq(store_number("SELECT count(*) FROM messages WHERE role = 'assistant'"), turns,
		"cut %ld (seed %u): batch %d is there in part, or one behind it", state.cuts,
		state.seed, batch);
	return batch;
}

/* Each is begun with both entries, before its batch. */
static void expect_journals(int batches)
{
	int64_t journals = store_number("SELECT count(*) FROM turns");
	cr_expect(journals == batches || journals == batches + 1, "%lld journals, %d batches",
		(long long)journals, batches);
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 2 * journals);
}

/* The power fails now. */
static void cut(void)
{
	state.seed = state.seed * 1103515245 + 12345;
	if (getenv("SMARTSUPPORT_TEST_ALL_FAULTS") == NULL && state.seed / 65536 % ONE_OF != 0)
		return;
	state.cuts++;
	disk_cut(live_path(), store_path(), state.seed);
	store_close(store_open());
	int batches = count_batches();
	state.forgotten += batches == state.acknowledged;
	state.broken_words += batches < state.acknowledged;
	expect_journals(batches);
	store_check();
}

static void *open_live(void)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_try(
		&(struct store_options){.path = live_path(), .synchronous = state.synchronous},
		&err);
	cr_assert_not_null(store, "%s", err.text);
	/* The log is copied into the file, and begins anew, many times. */
	cr_assert_eq(sqlite3_wal_autocheckpoint(((struct database *)store)->handle, LOG_PAGES),
		SQLITE_OK);
	return store;
}

static void write_journal(void *store, int batch)
{
	char id[32];
	static const struct ss_journal_entry entries[] = {
		{1, {"{\"a\":1}", 7}}, {2, {"{\"b\":2}", 7}}};
	struct ss_error err = {.status = SS_OK};
	(void)snprintf(id, sizeof id, "j%d", batch);
	const struct ss_journal_write write = {
		.struct_size = sizeof write,
		.turn_id = id,
		.workflow = "hash",
		.workflow_text = {"{}", 2},
		.start = {"{}", 2},
		.fence = 1,
		.entries = entries,
		.entry_count = 2,
		.first = 1,
	};
	cr_assert_eq(smartsupport_plugin.storage->write_journals(store, &write, 1, &err), 0);
	cr_assert_eq(err.status, SS_OK, "%s", err.text);
}

static void store_batch(void *store, int batch)
{
	static char text[TEXT_SIZE];
	char ids[LARGEST][32], conversation[32];
	struct ss_turn turns[LARGEST];
	struct ss_error errors[LARGEST] = {{.status = SS_OK}};
	memset(text, 'a' + batch % 26, sizeof text);
	(void)snprintf(conversation, sizeof conversation, "conv_%d", batch);
	for (int i = 0; i < batch_size(batch); i++) {
		(void)snprintf(ids[i], sizeof ids[i], "t%d-%d", batch, i);
		turns[i] = i == 0 ? store_first_turn(ids[i], conversation)
				  : store_turn(ids[i], conversation);
		turns[i].response = (struct ss_text){text, (size_t)(batch % 3) * TEXT_SIZE / 2};
	}
	cr_assert_eq(smartsupport_plugin.storage->commit_turns(
			     store, turns, (size_t)batch_size(batch), errors),
		0, "%s", errors[0].text);
	state.acknowledged = batch + 1;
}

static void live_and_die(void)
{
	state.seed = 20261126;
	disk_watch(cut);
	void *store = open_live();
	for (int batch = 0; batch < BATCHES; batch++) {
		write_journal(store, batch);
		store_batch(store, batch);
		/* The last one to close the file deletes its log. */
		if (batch % 15 == 14) {
			store_close(store);
			store = open_live();
		}
	}
	store_close(store);
	disk_watch(NULL);
	cr_expect_gt(state.cuts, 100, "only %ld cuts", state.cuts);
	cr_expect_gt(state.forgotten, 30, "only %ld of %ld", state.forgotten, state.cuts);
}

Test(sqlite_power, what_was_acknowledged_survives_a_power_cut_at_any_moment)
{
	state.synchronous = "full";
	live_and_die();
	cr_expect_eq(
		state.broken_words, 0, "lost at %ld of %ld cuts", state.broken_words, state.cuts);
}

/* Which also shows that the test above would find a commit that does not wait for the disk. */
Test(sqlite_power, without_waiting_for_the_disk_a_power_cut_takes_the_last_turns_and_nothing_else)
{
	state.synchronous = "normal";
	live_and_die();
	cr_expect_gt(state.broken_words, 10, "at %ld of %ld cuts", state.broken_words, state.cuts);
}
