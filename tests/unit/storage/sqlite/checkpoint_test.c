/* The write-ahead log is written back beside the commits, and does not grow for ever. */
#include "file.h"

#include "base/clock.h"
#include "base/memory.h"
#include "storage/sqlite/database.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

TestSuite(sqlite_checkpoint, .init = store_begin, .fini = store_end, .timeout = 120);

enum {
	LONG = 16000,        /* bytes of a message */
	TURNS = 64,          /* of a commit, which then adds more than this many times four pages */
	COMMITS_LIMIT = 200, /* the log is long after some twenty */
	SEQUENCE_AT =
		12, /* in the log, the number of its beginnings: https://www.sqlite.org/fileformat2.html#walformat */
};

static const int64_t patience_ns = 60000000000, log_size_most = 64 * 1024 * 1024;

static void *open_quick(void)
{
	struct ss_error err;
	void *store = store_try(&(struct store_options){.synchronous = "normal"}, &err);
	cr_assert_not_null(store, "%s", err.text);
	return store;
}

static int64_t size_of(const char *name)
{
	struct stat file;
	cr_assert_eq(stat(store_file(name), &file), 0);
	return file.st_size;
}

/* How often the log has begun anew, from some number on. */
static unsigned sequence(void)
{
	unsigned char head[SEQUENCE_AT + 4] = {0};
	FILE *file = fopen(store_file("store.db-wal"), "rb");
	cr_assert_not_null(file);
	cr_assert_eq(fread(head, 1, sizeof head, file), sizeof head);
	(void)fclose(file);
	const unsigned char *at = head + SEQUENCE_AT;
	return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

/* Stores turns of long messages in one transaction, the NUMBERth. */
static void commit(void *store, int number)
{
	static char message[LONG];
	static char ids[TURNS][2][32];
	struct ss_turn turns[TURNS];
	struct ss_error errors[TURNS] = {{.status = SS_OK}};
	memset(message, 'm', sizeof message);
	for (int i = 0; i < TURNS; i++) {
		(void)snprintf(ids[i][0], sizeof ids[i][0], "t%d_%d", number, i);
		(void)snprintf(ids[i][1], sizeof ids[i][1], "conv_%d_%d", number, i);
		turns[i] = store_first_turn(ids[i][0], ids[i][1]);
		turns[i].message = (struct ss_text){message, sizeof message};
	}
	cr_assert_eq(smartsupport_plugin.storage->commit_turns(store, turns, TURNS, errors), 0,
		"%s", errors[0].text);
}

/* Commits until the log has begun anew after it was SEQUENCE_BEFORE. */
static void commit_until_it_begins_anew(void *store, int number, unsigned sequence_before)
{
	int64_t give_up = clock_monotonic_ns() + patience_ns;
	while (sequence() == sequence_before) {
		cr_assert_lt(clock_monotonic_ns(), give_up, "the log goes on and on");
		commit(store, number++);
	}
}

Test(sqlite_checkpoint, no_commit_writes_the_log_back)
{
	struct database *store = open_quick();
	int number = 0;
	cr_assert(checkpoint_hold(&store->checkpoint, true));
	int64_t size = size_of("store.db");
	while (!store->checkpoint.begun) {
		cr_assert_lt(number, COMMITS_LIMIT, "nobody wants to write it back");
		commit(store, number++);
	}
	commit(store, number++);
	cr_expect_eq(size_of("store.db"), size, "a commit wrote into the file");
	unsigned before = sequence();
	checkpoint_release(&store->checkpoint);
	commit_until_it_begins_anew(store, number, before);
	cr_expect_gt(size_of("store.db"), size);
	store_close(store);
}

Test(sqlite_checkpoint, a_log_that_a_reader_lets_grow_is_cut_off_afterwards)
{
	sqlite3 *reader = NULL;
	struct database *store = open_quick();
	int number = 0;
	cr_assert_eq(sqlite3_open(store_path(), &reader), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM users", NULL, NULL, NULL),
		SQLITE_OK);
	commit(store, number++);
	unsigned before = sequence();
	while (size_of("store.db-wal") <= log_size_most) {
		cr_assert_lt(number, COMMITS_LIMIT, "the log has no more than %lld bytes",
			(long long)size_of("store.db-wal"));
		commit(store, number++);
	}
	cr_expect_eq(sequence(), before, "what somebody reads is overwritten");
	(void)sqlite3_close(reader);
	commit_until_it_begins_anew(store, number, before);
	cr_expect_leq(size_of("store.db-wal"), log_size_most);
	store_close(store);
	char *integrity = store_text("PRAGMA integrity_check");
	cr_expect_str_eq(integrity, "ok");
	free(integrity);
}
