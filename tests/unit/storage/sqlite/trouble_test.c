/* What goes wrong with files, locks, disks and memory: a clear error, nothing half stored, and service
 * again when the trouble is over. */
#include "file.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

TestSuite(sqlite_trouble, .init = store_begin, .fini = store_end);

static void write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, length, file), length);
	cr_assert_eq(fclose(file), 0);
}

/* Files. */

Test(sqlite_trouble, a_folder_instead_of_a_file_is_named)
{
	const char *path = store_file("folder.db");
	cr_assert_eq(mkdir(path, 0755), 0);
	store_refused(path, SS_INVALID, "is a folder; name a file in it");
}

Test(sqlite_trouble, a_missing_folder_is_named)
{
	store_refused(store_file("missing/store.db"), SS_INVALID,
		"missing: No such file or directory; create it, or name another path");
	write_file(store_file("plain"), "x", 1);
	store_refused(
		store_file("plain/store.db"), SS_INVALID, "plain: Not a directory; create it");
}

Test(sqlite_trouble, what_is_no_plain_file_is_refused)
{
	store_refused("/dev/null", SS_INVALID, "is not a plain file");
}

Test(sqlite_trouble, a_file_that_is_no_database_is_refused_and_left_alone)
{
	char junk[8192];
	char after[sizeof junk];
	memset(junk, 'j', sizeof junk);
	write_file(store_path(), junk, sizeof junk);
	store_refused(store_path(), SS_INTERNAL, "is not an SQLite database");
	FILE *file = fopen(store_path(), "rb");
	cr_assert_not_null(file);
	cr_expect_eq(fread(after, 1, sizeof after, file), sizeof after);
	cr_expect_eq(memcmp(junk, after, sizeof junk), 0);
	(void)fclose(file);
}

/* Writes over all but the header of the file. */
static void damage(void)
{
	struct stat status;
	char junk[4096];
	memset(junk, 0xa5, sizeof junk);
	int fd = open(store_path(), O_WRONLY | O_CLOEXEC);
	cr_assert_eq(fstat(fd, &status), 0);
	for (off_t at = 100; at < status.st_size; at += (off_t)sizeof junk)
		cr_assert_gt(pwrite(fd, junk, sizeof junk, at), 0);
	(void)close(fd);
}

Test(sqlite_trouble, a_damaged_database_is_refused)
{
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	store_close(store);
	damage();
	store_refused(store_path(), SS_INTERNAL, "is damaged; stop the server and restore it");
}

Test(sqlite_trouble, damage_that_shows_up_later_fails_the_transaction)
{
	struct ss_error err;
	struct database *db = store_open();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	cr_assert_eq(
		sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		SQLITE_OK);
	damage();
	/* What was read before is still in memory. */
	(void)sqlite3_db_release_memory(db->handle);
	cr_expect_eq(store_commit(db, &turn, &err), -1);
	cr_expect_eq(err.status, SS_INTERNAL, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "is damaged"), "%s", err.text);
	store_close(db);
}

/* Opens the store as a user who may not write its folder or its file. */
static int open_as_nobody(int report_fd, const void *argument)
{
	const char *path = argument;
	struct ss_error err = {.status = SS_OK};
	/* Root may write everything. */
	if (geteuid() == 0 && seteuid(65534) < 0)
		return 77;
	void *store = store_try(&(struct store_options){.path = path}, &err);
	(void)!write(report_fd, err.text, strlen(err.text));
	store_close(store);
	return store != NULL ? 0 : (int)err.status;
}

static void refused_as_nobody(const char *path)
{
	char report[600];
	int result = store_child(open_as_nobody, path, report, sizeof report);
	if (result == 77)
		cr_skip_test("this user cannot become one who may not write");
	cr_expect_eq(result, SS_UNAVAILABLE, "%d", result);
	cr_expect_not_null(strstr(report, "cannot be written; let the server's user write the file "
					  "and its folder"),
		"%s", report);
	cr_expect_not_null(strstr(report, path), "%s", report);
}

Test(sqlite_trouble, a_read_only_folder_or_file_is_named)
{
	store_close(store_open());
	char *folder = memory_text(store_path(), strlen(store_path()) - strlen("/store.db"));
	cr_assert_eq(chmod(folder, 0555), 0);
	/* The file is not there, ... */
	refused_as_nobody(store_file("new.db"));
	/* ... it may be written but its log cannot be created beside it, ... */
	cr_assert_eq(chmod(store_path(), 0666), 0);
	refused_as_nobody(store_path());
	/* ... and it may only be read. */
	cr_assert_eq(chmod(folder, 0777), 0);
	cr_assert_eq(chmod(store_path(), 0444), 0);
	refused_as_nobody(store_path());
	cr_assert_eq(chmod(folder, 0755), 0);
	free(folder);
}

Test(sqlite_trouble, a_file_that_was_deleted_while_in_use_takes_no_more_turns)
{
	struct ss_error err;
	void *store = store_open();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	cr_assert_eq(unlink(store_path()), 0);
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_UNAVAILABLE, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "was moved, deleted or replaced"), "%s", err.text);
	store_close(store);
}

/* Locks. */

Test(sqlite_trouble, a_lock_is_waited_for_and_then_the_error_says_so)
{
	struct ss_error err;
	void *store = store_try(&(struct store_options){.busy_timeout_s = 0.1}, &err);
	void *other = store_open();
	cr_assert_not_null(store);
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	cr_assert_eq(database_begin(other, STATEMENT_BEGIN_WRITE, &err), 0);
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_not_null(strstr(err.text, "is locked by another process for longer than 0.1 s"),
		"%s", err.text);
	/* Readers do not wait for writers. */
	char *context = store_context(store, "ann", NULL, 1);
	cr_expect_eq(context[0], '{', "%s", context);
	free(context);
	database_rollback(other);
	cr_expect_eq(store_commit(store, &turn, &err), 0, "%s", err.text);
	store_close(other);
	store_close(store);
	store_check();
}

Test(sqlite_trouble, a_file_that_is_locked_while_it_is_opened_is_named)
{
	sqlite3 *other = NULL;
	struct ss_error err = {.status = SS_OK};
	cr_assert_eq(sqlite3_open(store_path(), &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	void *store = store_try(&(struct store_options){.busy_timeout_s = 0.1}, &err);
	cr_expect_null(store);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_not_null(strstr(err.text, "is locked by another process"), "%s", err.text);
	(void)sqlite3_close(other);
	store_close(store_open());
}

/* Disks and memory. */

/* A turn whose texts take many pages, which are written to the log many at a time. */
static struct ss_turn large_turn(const char *id, const char *conversation)
{
	static char text[400000];
	memset(text, 'x', sizeof text);
	struct ss_turn turn = store_first_turn(id, conversation);
	turn.message = (struct ss_text){text, sizeof text};
	turn.response = turn.message;
	return turn;
}

/* Stores while files may not grow, and again when they may. */
static int store_on_a_full_disk(int report_fd, const void *argument)
{
	struct rlimit limit;
	struct stat status;
	struct ss_error err;
	(void)argument;
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	char *log = memory_format("%s-wal", store_path());
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || getrlimit(RLIMIT_FSIZE, &limit) < 0 ||
		stat(log, &status) < 0)
		return 2;
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)status.st_size + 5000;
	struct ss_turn turn = large_turn("t2", "conv_2");
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || store_commit(store, &turn, &err) == 0)
		return 3;
	(void)!write(report_fd, err.text, strlen(err.text));
	if (err.status != SS_LIMIT)
		return 4;
	char *history = store_history(store, "conv_1", 10);
	bool readable = strcmp(history, "Where is my invoice?|Under Settings.") == 0;
	char *none = store_context(store, "ann", "conv_2", 10);
	readable = readable && strstr(none, "does not exist") != NULL;
	limit.rlim_cur = before;
	if (!readable || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 5;
	if (store_commit(store, &turn, &err) < 0)
		return 6;
	store_close(store);
	free(log);
	free(history);
	free(none);
	return 0;
}

Test(sqlite_trouble, a_full_disk_stores_nothing_and_service_resumes_when_there_is_room)
{
	char report[600];
	int result = store_child(store_on_a_full_disk, NULL, report, sizeof report);
	cr_expect_eq(result, 0, "%d: %s", result, report);
	cr_expect_not_null(
		strstr(report, "cannot grow: the disk, or what the server may use of it, "
			       "is full; free some space"),
		"%s", report);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 4);
	store_check();
}

/* What the check says: 0, or -1 and ERR. */
static int check(void *store, struct ss_error *err)
{
	*err = (struct ss_error){.status = SS_OK};
	return smartsupport_plugin.storage->check(store, err);
}

static void pause_ms(long ms)
{
	const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
	(void)nanosleep(&time, NULL);
}

/* Checks while files may not grow, and again when they may. */
static int check_on_a_full_disk(int report_fd, const void *argument)
{
	struct rlimit limit;
	struct stat status;
	struct ss_error err;
	(void)argument;
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	char *log = memory_format("%s-wal", store_path());
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || getrlimit(RLIMIT_FSIZE, &limit) < 0 ||
		stat(log, &status) < 0 || check(store, &err) < 0)
		return 2;
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)status.st_size + 100;
	struct ss_turn turn = large_turn("t2", "conv_2");
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || store_commit(store, &turn, &err) == 0)
		return 3;
	if (check(store, &err) == 0 || err.status != SS_LIMIT)
		return 4;
	(void)!write(report_fd, err.text, strlen(err.text));
	pause_ms(1100); /* longer than between two attempts: now it tries for itself */
	if (check(store, &err) == 0 || err.status != SS_LIMIT)
		return 5;
	limit.rlim_cur = before;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 6;
	for (int i = 0; check(store, &err) < 0; i++) {
		if (i == 1000)
			return 7;
		pause_ms(10);
	}
	store_close(store);
	free(log);
	return 0;
}

Test(sqlite_trouble, a_check_knows_that_a_commit_failed_until_one_works_again)
{
	char report[600];
	int result = store_child(check_on_a_full_disk, NULL, report, sizeof report);
	cr_expect_eq(result, 0, "%d: %s", result, report);
	cr_expect_not_null(strstr(report, "is full; free some space"), "%s", report);
	/* Its attempts leave nothing behind. */
	cr_expect_eq(store_number("SELECT count(*) FROM analytics_totals"), 1);
	store_check();
}

Test(sqlite_trouble, a_check_trusts_a_commit_that_works)
{
	struct ss_error err;
	void *store = store_try(&(struct store_options){.busy_timeout_s = 0.1}, &err);
	void *other = store_open();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	cr_expect_eq(check(store, &err), 0, "%s", err.text);
	cr_assert_eq(database_begin(other, STATEMENT_BEGIN_WRITE, &err), 0);
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(check(store, &err), -1);
	cr_expect_not_null(strstr(err.text, "is locked by another process"), "%s", err.text);
	database_rollback(other);
	cr_expect_eq(store_commit(store, &turn, &err), 0, "%s", err.text);
	cr_expect_eq(check(store, &err), 0, "%s", err.text);
	/* What is wrong with a turn says nothing of the file. */
	turn.message = (struct ss_text){"another", 7};
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(check(store, &err), 0, "%s", err.text);
	store_close(other);
	store_close(store);
}

Test(sqlite_trouble, a_check_misses_a_file_that_was_moved)
{
	struct ss_error err;
	void *store = store_open();
	cr_assert_eq(rename(store_path(), store_file("away.db")), 0);
	cr_expect_eq(check(store, &err), -1);
	cr_expect_not_null(strstr(err.text, "was moved, deleted or replaced"), "%s", err.text);
	cr_assert_eq(rename(store_file("away.db"), store_path()), 0);
	cr_expect_eq(check(store, &err), 0, "%s", err.text);
	store_close(store);
}

/* The calls with which SQLite writes, one of which fails. */
static struct {
	long countdown; /* of calls until the one that fails; 0 for none */
	int error;
	bool happened;
} fault;

static bool fails_now(void)
{
	if (fault.countdown == 0 || --fault.countdown > 0)
		return false;
	fault.happened = true;
	errno = fault.error;
	return true;
}

static ssize_t failing_write(int fd, const void *bytes, size_t length, off_t at)
{
	return fails_now() ? -1 : pwrite(fd, bytes, length, at);
}

/* The library calls this one instead of the C library's. */
int fdatasync(int fd)
{
	return fails_now() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void intercept_writes(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
	const sqlite3_syscall_ptr function = (sqlite3_syscall_ptr)failing_write;
	cr_assert_eq(vfs->xSetSystemCall(vfs, "pwrite64", function), SQLITE_OK);
	cr_assert_eq(vfs->xSetSystemCall(vfs, "pwrite", function), SQLITE_OK);
}

/* Stores a batch of two with the Nth write or sync failing; whether it failed. */
static bool store_with_fault(void *store, long n, int error)
{
	char ids[4][32];
	struct ss_error errors[2] = {{.status = SS_OK}};
	(void)snprintf(ids[0], sizeof ids[0], "t%ld-%d-1", n, error);
	(void)snprintf(ids[1], sizeof ids[1], "t%ld-%d-2", n, error);
	(void)snprintf(ids[2], sizeof ids[2], "conv_%ld-%d-1", n, error);
	(void)snprintf(ids[3], sizeof ids[3], "conv_%ld-%d-2", n, error);
	const struct ss_turn turns[] = {large_turn(ids[0], ids[2]), large_turn(ids[1], ids[3])};
	fault.countdown = n;
	fault.error = error;
	fault.happened = false;
	int result = smartsupport_plugin.storage->commit_turns(store, turns, 2, errors);
	fault.countdown = 0;
	if (result == 0) {
		/* What went wrong behind the commit is repaired by the next one. */
		cr_expect_eq(errors[0].status, SS_OK, "%s", errors[0].text);
		cr_expect_eq(errors[1].status, SS_OK, "%s", errors[1].text);
		return fault.happened;
	}
	cr_expect_eq(errors[0].status, error == ENOSPC ? SS_LIMIT : SS_UNAVAILABLE, "%s",
		errors[0].text);
	for (int i = 2; i < 4; i++) {
		char *context = store_context(store, "ann", ids[i], 10);
		cr_expect_not_null(strstr(context, "does not exist"), "write %ld: %s", n, context);
		free(context);
	}
	/* The same once more. */
	result = smartsupport_plugin.storage->commit_turns(store, turns, 2, errors);
	cr_expect_eq(result, 0, "after write %ld failed: %s", n, errors[0].text);
	return true;
}

Test(sqlite_trouble, whichever_write_to_the_disk_fails_the_batch_is_stored_whole_or_not_at_all)
{
	static const int errors[] = {ENOSPC, EIO};
	void *store = store_open();
	long failed = 0, batches = 0;
	intercept_writes();
	for (size_t e = 0; e < array_length(errors); e++) {
		long n = 1;
		for (; n < 1000 && store_with_fault(store, n, errors[e]); n++)
			failed++;
		batches += n;
	}
	cr_expect_gt(failed, 40, "only %ld writes failed", failed);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 4 * batches);
	store_close(store);
	store_check();
}

/* How far it is to the next call that fails: each try takes a new file, so the usual run leaves most of them out. */
static long stride(long usual, long in_a_long_run)
{
	return getenv("SMARTSUPPORT_TEST_ALL_FAULTS") != NULL ? in_a_long_run : usual;
}

Test(sqlite_trouble, a_file_can_be_opened_after_any_write_of_its_creation_failed)
{
	intercept_writes();
	bool failed = true;
	long n = 1;
	for (; n < 1000 && failed; n += n < 20 ? 1 : stride(3, 1)) {
		struct ss_error err = {.status = SS_OK};
		(void)unlink(store_path());
		fault.countdown = n;
		fault.error = ENOSPC;
		fault.happened = false;
		void *store = store_try(&(struct store_options){.path = NULL}, &err);
		fault.countdown = 0;
		failed = fault.happened;
		cr_expect(store != NULL || err.status == SS_LIMIT, "write %ld: %s", n, err.text);
		store_close(store);
		store_close(store_open());
		store_check();
	}
	cr_expect_gt(n, 10, "only %ld writes failed", n - 1);
}

/* SQLite's memory, of which one allocation fails. */
static sqlite3_mem_methods memory;

static void *failing_allocate(int size)
{
	return fails_now() ? NULL : memory.xMalloc(size);
}

static void *failing_resize(void *old, int size)
{
	return fails_now() ? NULL : memory.xRealloc(old, size);
}

static void intercept_memory(void)
{
	(void)sqlite3_shutdown();
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
	sqlite3_mem_methods failing = memory;
	failing.xMalloc = failing_allocate;
	failing.xRealloc = failing_resize;
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
}

Test(sqlite_trouble, opening_without_enough_memory_leaves_a_file_that_can_be_opened)
{
	long n = 1;
	intercept_memory();
	/* Those by which SQLite is initialized, and some of the others. */
	for (bool failed = true; n < 20000 && failed; n += n < 30 ? 1 : stride(157, 53)) {
		struct ss_error err = {.status = SS_OK};
		(void)unlink(store_path());
		fault.happened = false;
		fault.countdown = n;
		void *store = store_try(&(struct store_options){.path = NULL}, &err);
		fault.countdown = 0;
		failed = fault.happened;
		cr_expect(store != NULL || err.status == SS_UNAVAILABLE, "allocation %ld: %s", n,
			err.text);
		store_close(store);
		store_close(store_open());
		store_check();
	}
	cr_expect_gt(n, 200, "only %ld allocations", n);
}

static void on_vector(void *context, struct ss_text message, struct ss_bytes vector)
{
	size_t *count = context;
	(void)message;
	cr_expect_eq(vector.length, 3);
	(*count)++;
}

/* Stores and reads with the Nth allocation failing; whether one failed. */
static bool use_with_little_memory(void *store, long n)
{
	char id[32], conversation[32];
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL, *stats = NULL;
	size_t vectors = 0;
	const struct ss_storage_operations *storage = smartsupport_plugin.storage;
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = "ann",
		.conversation_id = conversation,
		.history_limit = 10,
		.recent_limit = 5,
		.embedder = "e",
		.vector_read = on_vector,
		.vector_context = &vectors};
	(void)snprintf(id, sizeof id, "t%ld", n);
	(void)snprintf(conversation, sizeof conversation, "conv_%ld", n);
	struct ss_turn turn = store_first_turn(id, conversation);
	turn.embedder = "e";
	turn.vector = (struct ss_bytes){(const unsigned char *)"abc", 3};
	fault.happened = false;
	fault.countdown = n;
	int result = storage->commit_turns(store, &turn, 1, &err);
	bool stored = result == 0 && err.status == SS_OK;
	if (stored)
		result = storage->turn_context(store, &key, &context, &err);
	if (stored && result == 0)
		result = storage->stats(store, &stats, &err);
	fault.countdown = 0;
	cr_expect(context == NULL || vectors > 0, "allocation %ld: a vector is missing", n);
	cr_expect_eq(result == 0, err.status == SS_OK, "allocation %ld: %s", n, err.text);
	cr_expect(result == 0 || err.status == SS_UNAVAILABLE, "allocation %ld: %s", n, err.text);
	value_unref(context);
	value_unref(stats);
	char *after = store_context(store, "ann", conversation, 10);
	cr_expect_eq(
		strstr(after, "does not exist") == NULL, stored, "allocation %ld: %s", n, after);
	free(after);
	return fault.happened;
}

Test(sqlite_trouble, whichever_allocation_fails_a_turn_is_stored_whole_or_not_at_all)
{
	long n = 1;
	intercept_memory();
	for (bool failed = true; n < 5000 && failed; n++) {
		/* A new connection has nothing in memory yet. */
		void *store = store_open();
		failed = use_with_little_memory(store, n);
		store_close(store);
	}
	store_check();
	cr_expect_gt(n, 50, "only %ld allocations", n);
}
