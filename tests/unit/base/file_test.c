#include "base/file.h"

#include "base/memory.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static void set_up(void)
{
	folder = scratch_new();
}

static void tear_down(void)
{
	scratch_remove(folder);
}

TestSuite(file, .init = set_up, .fini = tear_down);

static size_t files_in(const char *path)
{
	size_t count = 0;
	DIR *open = opendir(path);
	for (const struct dirent *entry; (entry = readdir(open)) != NULL;)
		count += entry->d_name[0] != '.';
	(void)closedir(open);
	return count;
}

static void expect_refused(const char *path, size_t limit, enum ss_status status, const char *why)
{
	struct ss_error err = {0};
	char *data = NULL;
	size_t length = 0;
	cr_expect_eq(file_read(path, limit, &data, &length, &err), -1);
	cr_expect_eq(err.status, status, "%s", err.text);
	cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
	cr_expect_null(data);
}

Test(file, is_read_whole_with_its_nuls)
{
	char *path = scratch_file(folder, "a", "one\0two\n", 8);
	char *data = NULL;
	size_t length = 0;
	cr_assert_eq(file_read(path, 8, &data, &length, NULL), 0);
	cr_expect_eq(length, 8);
	cr_expect_eq(memcmp(data, "one\0two\n", 9), 0);
	free(data);
	free(path);
}

Test(file, may_be_empty)
{
	char *path = scratch_file(folder, "empty", "", 0);
	char *data = NULL;
	size_t length = 1;
	cr_assert_eq(file_read(path, 0, &data, &length, NULL), 0);
	cr_expect_eq(length, 0);
	cr_expect_str_eq(data, "");
	free(data);
	free(path);
}

Test(file, is_refused_above_the_limit)
{
	char *path = scratch_file(folder, "big", "12345", 5);
	expect_refused(path, 4, SS_LIMIT, "has 5 bytes; at most 4 are read");
	free(path);
}

Test(file, that_is_missing_is_not_found)
{
	char *path = scratch_path(folder, "missing");
	expect_refused(path, 10, SS_NOT_FOUND, "cannot be opened");
	free(path);
}

Test(file, that_is_a_folder_is_refused)
{
	expect_refused(folder, 10, SS_INVALID, "is not a file");
}

Test(file, that_is_a_pipe_is_refused_without_waiting_for_a_writer, .timeout = 10)
{
	char *path = scratch_path(folder, "pipe");
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_refused(path, 10, SS_INVALID, "is not a file");
	free(path);
}

Test(file, is_written_anew_and_leaves_nothing_else_behind)
{
	char *path = scratch_file(folder, "a", "a long old text", 15);
	char *data = NULL;
	size_t length = 0;
	cr_assert_eq(file_write(path, "new", 3, NULL), 0);
	cr_assert_eq(file_read(path, 100, &data, &length, NULL), 0);
	cr_expect_str_eq(data, "new");
	cr_expect_eq(files_in(folder), 1);
	free(data);
	free(path);
}

Test(file, that_cannot_be_written_says_so_and_leaves_nothing_behind)
{
	struct ss_error err = {0};
	char *missing = scratch_path(folder, "no/such/file");
	cr_expect_eq(file_write(missing, "x", 1, &err), -1);
	cr_expect_eq(strncmp(err.text, missing, strlen(missing)), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "cannot be written"), "%s", err.text);

	char *taken = scratch_path(folder, "folder");
	cr_assert_eq(mkdir(taken, 0700), 0);
	cr_expect_eq(file_write(taken, "x", 1, &err), -1);
	cr_expect_not_null(strstr(err.text, "cannot be written"), "%s", err.text);
	cr_expect_eq(files_in(folder), 1);
	free(missing);
	free(taken);
}

enum { WRITERS = 4, ROUNDS = 40, SIZE = 100000 };

/* Returns NULL when every write went well. */
static void *write_again_and_again(void *path)
{
	void *failed = NULL;
	for (int i = 0; i < ROUNDS; i++) {
		char *data = memory_new(SIZE);
		memset(data, 'a' + i % 26, SIZE);
		if (file_write(path, data, SIZE, NULL) < 0)
			failed = path;
		free(data);
	}
	return failed;
}

Test(file, is_seen_whole_while_several_threads_write_it)
{
	pthread_t threads[WRITERS];
	char *path = scratch_file(folder, "shared", "", 0);
	cr_assert_null(write_again_and_again(path));
	for (size_t i = 0; i < WRITERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, write_again_and_again, path), 0);
	for (int round = 0; round < 200; round++) {
		char *data = NULL;
		size_t length = 0;
		cr_assert_eq(file_read(path, SIZE, &data, &length, NULL), 0);
		cr_assert_eq(length, SIZE);
		for (size_t i = 1; i < length; i++)
			cr_assert_eq(data[i], data[0]);
		free(data);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		void *failed = NULL;
		(void)pthread_join(threads[i], &failed);
		cr_expect_null(failed);
	}
	cr_expect_eq(files_in(folder), 1);
	free(path);
}

static void expect_beside(const char *file, const char *path, const char *expected)
{
	char *found = file_beside(file, path);
	cr_expect_str_eq(found, expected);
	free(found);
}

Test(file, has_an_absolute_path)
{
	cr_assert_eq(chdir(folder), 0);
	char *relative = file_absolute("a/../b");
	char *absolute = file_absolute("/a/b");
	char *expected = scratch_path(folder, "a/../b");
	cr_expect_str_eq(relative, expected);
	cr_expect_str_eq(absolute, "/a/b");
	free(expected);
	free(relative);
	free(absolute);
}

Test(file, beside_another_is_found_from_its_folder)
{
	expect_beside("config/a.yaml", "b.md", "config/b.md");
	expect_beside("/etc/x/a.yaml", "../b.md", "/etc/x/../b.md");
	expect_beside("a.yaml", "b.md", "b.md");
	expect_beside("config/a.yaml", "/b.md", "/b.md");
	expect_beside("/a.yaml", "b.md", "/b.md");
}

Test(file, gets_its_name_when_it_is_whole_and_takes_no_others)
{
	struct ss_error err = {0};
	char *path = scratch_path(folder, "report.json");
	char *first = file_partial_name(path), *second = file_partial_name(path);
	char *data = NULL;
	size_t length = 0;
	cr_expect_str_neq(first, second);
	cr_assert_eq(file_write(first, "one", 3, &err), 0);
	cr_assert_eq(file_place(first, path, false, &err), 0, "%s", err.text);
	cr_assert_eq(file_write(second, "two", 3, &err), 0);
	cr_expect_eq(file_place(second, path, false, &err), -1);
	cr_expect_not_null(strstr(err.text, "report.json"), "%s", err.text);
	cr_expect_not_null(strstr(err.text, "File exists"), "%s", err.text);
	cr_assert_eq(file_read(path, 100, &data, &length, &err), 0);
	cr_expect_str_eq(data, "one");
	free(data);
	cr_assert_eq(file_write(second, "two", 3, &err), 0);
	cr_assert_eq(file_place(second, path, true, &err), 0, "%s", err.text);
	cr_assert_eq(file_read(path, 100, &data, &length, &err), 0);
	cr_expect_str_eq(data, "two");
	cr_expect_eq(files_in(folder), 1, "something is left");
	free(data);
	free(first);
	free(second);
	free(path);
}
