/* What is erased is gone from the files, and not only from the tables. */
#include "file.h"

#include "support/storage/traces.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

TestSuite(sqlite_erase, .init = store_begin, .fini = store_end);

/* How often WORD is in the file NAME; 0 without such a file. */
static size_t count_in(const char *name, const char *word)
{
	size_t found = 0;
	FILE *file = fopen(store_file(name), "rb");
	if (file == NULL)
		return 0;
	cr_assert_eq(fseek(file, 0, SEEK_END), 0);
	size_t size = (size_t)ftell(file);
	char *bytes = memory_array(size + 1, 1);
	rewind(file);
	cr_assert_eq(fread(bytes, 1, size, file), size);
	(void)fclose(file);
	const char *at = bytes, *end = bytes + size;
	while ((at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
		found++;
		at++;
	}
	free(bytes);
	return found;
}

static size_t count_in_files(const char *word)
{
	return count_in("store.db", word) + count_in("store.db-wal", word) +
	       count_in("store.db-shm", word);
}

/* As many that rows move from page to page, which leaves copies of them behind. */
Test(sqlite_erase, nothing_of_a_user_is_in_the_files_afterwards)
{
	enum { USERS = 30, ROUNDS = 24 };
	struct ss_error err;
	void *store = store_try(&(struct store_options){.synchronous = "normal"}, &err);
	traces_store(store, USERS, ROUNDS);
	for (size_t i = 0; i < USERS; i++) {
		char word[TRACES_WORD_SIZE];
		traces_word(i, word);
		cr_expect_gt(count_in_files(word), 0);
		traces_erase(store, i);
		cr_expect_eq(count_in_files(word), 0, "%s is there %zu times", word,
			count_in_files(word));
	}
	store_close(store);
	char *integrity = store_text("PRAGMA integrity_check");
	cr_expect_str_eq(integrity, "ok");
	free(integrity);
}

/* Stores a conversation whose message is WORD. */
static void *store_word(const char *word)
{
	void *store = store_open();
	struct ss_turn turn = store_first_turn("turn", "conv_old");
	turn.message = (struct ss_text){word, strlen(word)};
	store_add(store, turn);
	cr_expect_gt(count_in_files(word), 0);
	return store;
}

Test(sqlite_erase, nothing_of_a_conversation_is_in_the_files_when_it_was_deleted)
{
	static const char word[] = "qzjvxdeletedukwy";
	struct ss_error err;
	void *store = store_word(word);
	cr_assert_eq(smartsupport_plugin.storage->delete_conversation(store, "conv_old", &err), 0);
	cr_expect_eq(count_in_files(word), 0);
	store_close(store);
}

Test(sqlite_erase, nothing_of_what_was_old_is_in_the_files_when_it_was_purged)
{
	static const char word[] = "qzjvxpurgedukwy";
	struct ss_error err;
	size_t count = 0;
	void *store = store_word(word);
	const struct ss_purge purge = {.struct_size = sizeof purge,
		.what = SS_PURGE_CONVERSATIONS,
		.before_ns = INT64_MAX,
		.limit = 10};
	cr_assert_eq(smartsupport_plugin.storage->purge(store, &purge, &count, &err), 0);
	cr_expect_eq(count, 1);
	cr_expect_eq(count_in_files(word), 0);
	store_close(store);
}

/* Writes until the log is cut off. */
static void write_until_cut(void *store, const char *word)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	char id[32];
	for (int i = 0; count_in("store.db-wal", word) > 0; i++) {
		cr_assert_lt(i, 3000, "the log is never cut off");
		(void)snprintf(id, sizeof id, "later-%d", i);
		store_add(store, store_first_turn(id, id));
		(void)nanosleep(&moment, NULL);
	}
}

static sqlite3 *read_log(void)
{
	sqlite3 *reader = NULL;
	store_must(sqlite3_open(store_path(), &reader) == SQLITE_OK, "cannot be opened");
	store_must(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM users", NULL, NULL, NULL) ==
			   SQLITE_OK,
		"cannot be read");
	return reader;
}

Test(sqlite_erase, a_log_that_others_read_is_cut_off_when_they_have_ended)
{
	struct ss_error err;
	char word[TRACES_WORD_SIZE];
	void *store = store_try(&(struct store_options){.busy_timeout_s = 0.05}, &err);
	traces_store(store, 2, 3);
	traces_word(0, word);
	sqlite3 *reader = read_log();
	traces_erase(store, 0);
	cr_expect_gt(count_in("store.db-wal", word), 0, "nobody has read the log");
	cr_expect_not_null(strstr(store_log(), "what was deleted is still in its write-ahead log"),
		"%s", store_log());
	store_add(store, store_first_turn("while", "while"));
	(void)sqlite3_close(reader);
	write_until_cut(store, word);
	cr_expect_eq(count_in_files(word), 0);
	store_close(store);
}

/* Erases all of ann through another instance while somebody reads the log, so that it is not cut off. */
static void *erase_while_read(sqlite3 **reader)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *erased = NULL;
	*reader = read_log();
	void *store = store_try(&(struct store_options){.busy_timeout_s = 0.05}, &err);
	store_must(store != NULL, "%s", err.text);
	const struct ss_erasure whole = {
		.struct_size = sizeof whole, .user_id = "ann", .limit = 1000};
	int result = smartsupport_plugin.storage->erase_user(store, &whole, &erased, &err);
	store_must(result == 0, "%s", err.text);
	value_unref(erased);
	return store;
}

static int die_after_erasing(int report_fd, const void *argument)
{
	const char *word = argument;
	sqlite3 *reader = NULL;
	struct ss_turn turn = store_first_turn("turn", "conv_old");
	turn.message = (struct ss_text){word, strlen(word)};
	(void)report_fd;
	store_add(store_open(), turn);
	(void)erase_while_read(&reader);
	(void)kill(getpid(), SIGKILL);
	return 0;
}

Test(sqlite_erase, a_log_that_nobody_lived_to_cut_off_is_cut_off_when_the_store_is_opened)
{
	static const char word[] = "qzjvxkilledukwy";
	char report[1];
	cr_assert_eq(store_child(die_after_erasing, word, report, sizeof report), -SIGKILL);
	cr_expect_gt(count_in("store.db-wal", word), 0, "nobody has read the log");
	void *store = store_open();
	cr_expect_eq(count_in_files(word), 0);
	store_close(store);
}

Test(sqlite_erase, a_log_that_another_one_could_not_cut_off_is_cut_off_by_who_looks_for_what_is_old)
{
	static const char word[] = "qzjvxothersukwy";
	struct ss_error err;
	sqlite3 *reader = NULL;
	size_t count = 1;
	const struct timespec moment = {.tv_nsec = 20000000};
	void *store = store_word(word);
	const struct ss_purge purge = {.struct_size = sizeof purge,
		.what = SS_PURGE_DOCUMENTS,
		.before_ns = 1,
		.limit = 10};
	store_close(erase_while_read(&reader));
	(void)sqlite3_close(reader);
	cr_expect_gt(count_in("store.db-wal", word), 0, "nobody has read the log");
	/* It has tried when it was opened, and does so once a second at most. */
	for (int i = 0; count_in_files(word) > 0; i++) {
		cr_assert_lt(i, 3000, "the log is never cut off");
		cr_assert_eq(smartsupport_plugin.storage->purge(store, &purge, &count, &err), 0);
		cr_expect_eq(count, 0);
		(void)nanosleep(&moment, NULL);
	}
	store_close(store);
}

/* Pages. */

static void set_number(unsigned char *page, size_t at, size_t number)
{
	page[at] = (unsigned char)(number >> 8);
	page[at + 1] = (unsigned char)number;
}

/* Whether PAGE of SIZE bytes, all of them 0xaa but for its header, is written with zeros from FROM to before TO, and as
 * it is without FROM. */
static void expect_written(
	const unsigned char *page, size_t size, size_t number, size_t from, size_t to)
{
	unsigned char written[4096];
	struct scrub scrub = {.registered = false};
	sqlite3 *handle = NULL;
	sqlite3_file *file = NULL;
	cr_assert_eq(scrub_begin(&scrub), SQLITE_OK);
	cr_assert_eq(sqlite3_open_v2(store_file("pages.db"), &handle,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, scrub.name),
		SQLITE_OK);
	cr_assert_eq(
		sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file), SQLITE_OK);
	sqlite3_int64 offset = (sqlite3_int64)(number * size);
	cr_assert_eq(file->pMethods->xWrite(file, page, (int)size, offset), SQLITE_OK);
	cr_assert_eq(file->pMethods->xRead(file, written, (int)size, offset), SQLITE_OK);
	for (size_t i = 0; i < size; i++)
		cr_expect_eq(written[i], i >= from && i < to ? 0 : page[i], "byte %zu", i);
	(void)sqlite3_close(handle);
	scrub_end(&scrub);
}

Test(sqlite_erase, a_page_is_written_without_what_is_in_its_unused_part)
{
	static const struct {
		unsigned char kind;
		size_t number, cells, content, from, to;
	} rows[] = {
		{13, 1, 3, 4000, 14, 4000},
		{10, 2, 0, 4096, 8, 4096},
		{5, 1, 2, 20, 16, 20},
		{2, 3, 1, 1000, 14, 1000},
		{13, 0, 3, 4000, 114, 4000}, /* behind the file's header */
		{13, 1, 3, 14, 0, 0},        /* full */
		{13, 1, 3, 12, 0, 0},        /* none that SQLite writes */
		{13, 1, 3, 5000, 0, 0},
		{0, 1, 3, 4000, 0, 0}, /* another kind of page */
		{1, 1, 3, 4000, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned char page[4096];
		size_t header = rows[i].number == 0 ? 100 : 0;
		memset(page, 0xaa, sizeof page);
		page[header] = rows[i].kind;
		set_number(page, header + 3, rows[i].cells);
		set_number(page, header + 5, rows[i].content);
		expect_written(page, sizeof page, rows[i].number, rows[i].from, rows[i].to);
	}
}

/* There pages of other kinds may begin as those of trees do. */
Test(sqlite_erase, pages_of_a_file_that_has_become_large_are_written_as_they_are)
{
	unsigned char page[4096], written[sizeof page];
	struct scrub scrub = {.registered = false};
	sqlite3 *handle = NULL;
	sqlite3_file *file = NULL;
	memset(page, 0xaa, sizeof page);
	page[0] = 13;
	set_number(page, 3, 3);
	set_number(page, 5, 4000);
	cr_assert_eq(scrub_begin(&scrub), SQLITE_OK);
	cr_assert_eq(sqlite3_open_v2(store_file("large.db"), &handle,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, scrub.name),
		SQLITE_OK);
	cr_assert_eq(sqlite3_exec(handle,
			     "PRAGMA journal_mode = WAL; CREATE TABLE things (a);"
			     "PRAGMA wal_checkpoint(TRUNCATE)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	cr_assert_eq(
		sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file), SQLITE_OK);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(file->pMethods->xWrite(file, page, sizeof page, 8 * sizeof page),
			SQLITE_OK);
		cr_assert_eq(file->pMethods->xRead(file, written, sizeof page, 8 * sizeof page),
			SQLITE_OK);
		cr_expect_eq(written[2000], i == 0 ? 0 : 0xaa);
		/* Somebody else has added to it; it takes no room. */
		cr_assert_eq(truncate(store_file("large.db"), sizeof page << 24), 0);
		cr_assert_eq(
			sqlite3_exec(handle, "PRAGMA wal_checkpoint", NULL, NULL, NULL), SQLITE_OK);
	}
	(void)sqlite3_close(handle);
	scrub_end(&scrub);
}
