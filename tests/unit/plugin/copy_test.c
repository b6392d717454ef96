#include "plugin/copy.h"

#include "base/file.h"
#include "base/memory.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with the plugin files a.so and b.so. */
struct stage {
	char *folder, *copies, *a, *b;
};

static struct stage stage_new(const char *a, const char *b)
{
	char *folder = scratch_new();
	return (struct stage){.folder = folder,
		.copies = scratch_path(folder, "new/copies"),
		.a = scratch_file(folder, "a.so", a, strlen(a)),
		.b = scratch_file(folder, "b.so", b, strlen(b))};
}

static void stage_free(struct stage *stage)
{
	scratch_remove(stage->folder);
	free(stage->copies);
	free(stage->a);
	free(stage->b);
}

/* The copy of PATH, which has the bytes TEXT. */
static char *copied(const struct stage *stage, const char *path, const char *text)
{
	struct ss_error err = {0};
	char hash[HASH_SIZE];
	char *bytes = NULL;
	size_t length = 0;
	char *copy = plugin_copy(path, stage->copies, hash, &err);
	cr_assert_not_null(copy, "%s", err.text);
	cr_assert_eq(file_read(copy, 1000, &bytes, &length, &err), 0, "%s", err.text);
	cr_expect_str_eq(bytes, text);
	free(bytes);
	return copy;
}

Test(plugin_copy, has_the_name_of_the_plugin_and_of_its_bytes)
{
	struct stage stage = stage_new("one", "two");
	char *first = copied(&stage, stage.a, "one"), *again = copied(&stage, stage.a, "one");
	cr_expect_str_eq(first, again);
	cr_expect_not_null(strstr(first, "new/copies/a-7692c3ad3540bb80.so")); /* of sha256sum */
	cr_assert_eq(truncate(stage.a, 2), 0);
	char *changed = copied(&stage, stage.a, "on");
	cr_expect_neq(strcmp(first, changed), 0);
	free(first);
	free(again);
	free(changed);
	stage_free(&stage);
}

Test(plugin_copy, that_is_damaged_is_made_anew)
{
	struct stage stage = stage_new("one", "two");
	char *copy = copied(&stage, stage.a, "one");
	cr_assert_eq(truncate(copy, 1), 0);
	char *again = copied(&stage, stage.a, "one");
	cr_expect_str_eq(copy, again);
	free(copy);
	free(again);
	stage_free(&stage);
}

Test(plugin_copy, names_the_file_that_is_not_there)
{
	struct stage stage = stage_new("one", "two");
	struct ss_error err = {0};
	char hash[HASH_SIZE];
	cr_assert_eq(unlink(stage.a), 0);
	cr_expect_null(plugin_copy(stage.a, stage.copies, hash, &err));
	cr_expect_eq(strncmp(err.text, stage.a, strlen(stage.a)), 0, "%s", err.text);
	stage_free(&stage);
}

Test(plugin_copy, is_the_file_itself_where_nothing_can_be_written)
{
	struct stage stage = stage_new("one", "two");
	struct ss_error err = {0};
	char hash[HASH_SIZE];
	char *below = memory_format("%s/copies", stage.b); /* a file is no folder */
	char *copy = plugin_copy(stage.a, below, hash, &err);
	cr_expect_str_eq(copy, stage.a);
	cr_expect_neq(err.status, SS_OK);
	cr_expect_not_null(strstr(err.text, below), "%s", err.text);
	free(copy);
	free(below);
	stage_free(&stage);
}

Test(plugin_copy, is_deleted_when_nobody_has_asked_for_it)
{
	struct stage stage = stage_new("one", "two");
	const struct timespec long_ago[] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	char *a = copied(&stage, stage.a, "one"), *b = copied(&stage, stage.b, "two");
	cr_assert_eq(utimensat(AT_FDCWD, a, long_ago, 0), 0);
	cr_assert_eq(utimensat(AT_FDCWD, b, long_ago, 0), 0);
	free(copied(&stage, stage.b, "two"));
	plugin_copies_tidy(stage.copies, 30);
	cr_expect_eq(access(a, F_OK), -1);
	cr_expect_eq(access(b, F_OK), 0);
	free(a);
	free(b);
	stage_free(&stage);
}
