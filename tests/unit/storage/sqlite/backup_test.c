/* Backups of a file that others write, and what stops one. */
#include "file.h"

#include "base/memory.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(sqlite_backup, .init = store_begin, .fini = store_end);

static int back_up(void *store, const char *path, struct ss_error *err)
{
	return smartsupport_plugin.storage->backup(store, path, err);
}

/* How many files in the test's folder begin with NAME. */
static size_t files_with(const char *name)
{
	size_t count = 0;
	char *folder =
		memory_text(store_path(), (size_t)(strrchr(store_path(), '/') - store_path()));
	DIR *open = opendir(folder);
	for (const struct dirent *entry; (entry = readdir(open)) != NULL;)
		count += strncmp(entry->d_name, name, strlen(name)) == 0;
	(void)closedir(open);
	free(folder);
	return count;
}

static int64_t number_in(const char *path, const char *sql)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *statement = NULL;
	cr_assert_eq(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK, "%s",
		sqlite3_errmsg(handle));
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW, "%s", sqlite3_errmsg(handle));
	int64_t number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(handle);
	return number;
}

Test(sqlite_backup, is_one_file_for_its_owner_with_all_that_is_stored)
{
	struct stat status;
	struct ss_error err = {.status = SS_OK};
	const char *copy = store_file("copy.db");
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	cr_assert_eq(back_up(store, copy, &err), 0, "%s", err.text);
	store_add(store, store_turn("t2", "conv_1"));
	store_close(store);
	cr_expect_eq(number_in(copy, "SELECT count(*) FROM messages"), 2);
	cr_assert_eq(stat(copy, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	cr_expect_eq(files_with("copy.db"), 1, "something is left beside it");
	/* A store opens it and goes on. */
	store = store_try(&(struct store_options){.path = copy}, &err);
	cr_assert_not_null(store, "%s", err.text);
	store_add(store, store_turn("t2", "conv_1"));
	store_close(store);
	cr_expect_eq(number_in(copy, "SELECT count(*) FROM messages"), 4);
}

Test(sqlite_backup, takes_no_file_that_is_there)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_open();
	cr_expect_eq(back_up(store, store_path(), &err), -1);
	cr_expect_eq(err.status, SS_CONFLICT);
	cr_expect_not_null(strstr(err.text, "is there already; name a new file"), "%s", err.text);
	store_close(store);
	cr_expect_eq(number_in(store_path(), "SELECT count(*) FROM users"), 0);
}

Test(sqlite_backup, names_a_folder_that_is_not_there)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_open();
	cr_expect_eq(back_up(store, store_file("missing/copy.db"), &err), -1);
	cr_expect_not_null(strstr(err.text, "missing: No such file or directory"), "%s", err.text);
	cr_expect_eq(back_up(store, "/proc/copy.db", &err), -1);
	cr_expect_not_null(strstr(err.text, "/proc/copy.db: cannot be written"), "%s", err.text);
	store_close(store);
}

/* Like a disk that is full, a limit of the process stops a file that grows. */
static int back_up_with_little_room(int report_fd, const void *argument)
{
	struct ss_error err = {.status = SS_OK};
	const char *copy = argument;
	(void)signal(SIGXFSZ, SIG_IGN);
	void *store = store_open();
	const struct rlimit room = {.rlim_cur = 50000, .rlim_max = 50000};
	store_must(setrlimit(RLIMIT_FSIZE, &room) == 0, "no limit");
	int result = back_up(store, copy, &err);
	(void)!write(report_fd, err.text, strlen(err.text));
	return result == -1 ? 0 : 1;
}

Test(sqlite_backup, on_a_disk_that_is_full_says_so_and_leaves_nothing)
{
	char report[600] = "";
	const char *copy = store_file("copy.db");
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	store_close(store);
	cr_expect_eq(store_child(back_up_with_little_room, copy, report, sizeof report), 0, "%s",
		report);
	cr_expect_not_null(strstr(report, copy), "%s", report);
	cr_expect_not_null(strstr(report, "free some space"), "%s", report);
	cr_expect_eq(files_with("copy.db"), 0, "a part of it is left");
	store_check();
}

Test(sqlite_backup, of_a_damaged_file_says_so_and_leaves_nothing)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_open();
	char turn_id[16];
	store_add(store, store_first_turn("t0", "conv_1"));
	for (int i = 1; i < 100; i++) {
		(void)snprintf(turn_id, sizeof turn_id, "t%d", i);
		store_add(store, store_turn(turn_id, "conv_1"));
	}
	store_close(store);
	/* In the middle, where the messages are. */
	char junk[4096];
	struct stat status;
	memset(junk, 0xa5, sizeof junk);
	int fd = open(store_path(), O_WRONLY | O_CLOEXEC);
	cr_assert_eq(fstat(fd, &status), 0);
	off_t last = status.st_size / (off_t)sizeof junk - 2;
	cr_assert_eq(
		pwrite(fd, junk, sizeof junk, last * (off_t)sizeof junk), (ssize_t)sizeof junk);
	(void)close(fd);
	store = store_open();
	cr_expect_eq(back_up(store, store_file("copy.db"), &err), -1);
	cr_expect_not_null(strstr(err.text, "damaged"), "%s", err.text);
	cr_expect_eq(files_with("copy.db"), 0, "a part of it is left");
	struct ss_value *faults = NULL;
	cr_assert_eq(smartsupport_plugin.storage->verify(store, &faults, &err), 0, "%s", err.text);
	cr_expect_gt(value_count(faults), 0);
	value_unref(faults);
	store_close(store);
}

/* Stores turns until it is killed, and tells of each. */
static void write_on(int report)
{
	void *store = store_open();
	char turn_id[32];
	for (int i = 0;; i++) {
		(void)snprintf(turn_id, sizeof turn_id, "w%d", i);
		store_add(store, store_turn(turn_id, "conv_1"));
		(void)!write(report, "x", 1);
	}
}

Test(sqlite_backup, is_of_one_moment_while_another_process_writes, .timeout = 300)
{
	struct ss_error err = {.status = SS_OK};
	int report[2];
	char told;
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	/* So large that the copy takes many steps. */
	store_execute(
		"CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		" FROM n WHERE i < 4000) SELECT i, zeroblob(4000) AS data FROM n");
	cr_assert_eq(pipe(report), 0);
	pid_t writer = store_fork();
	if (writer == 0)
		write_on(report[1]);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(read(report[0], &told, 1), 1);
	int64_t before = store_number("SELECT count(*) FROM messages");
	cr_assert_eq(back_up(store, store_file("copy.db"), &err), 0, "%s", err.text);
	int64_t after = store_number("SELECT count(*) FROM messages");
	(void)kill(writer, SIGKILL);
	(void)waitpid(writer, NULL, 0);
	store_close(store);
	int64_t kept = number_in(store_file("copy.db"), "SELECT count(*) FROM messages");
	cr_expect_geq(kept, before);
	cr_expect_lt(kept, after, "nobody wrote meanwhile");
	cr_expect_eq(number_in(store_file("copy.db"),
			     "SELECT count(*) FROM conversations c WHERE message_count <>"
			     " (SELECT count(*) FROM messages)"),
		0);
}
