/* The tests' stores in SQLite files. */
#include "file.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_LIMIT = 16 };

static char folder[] = "/tmp/smartsupport-sqlite-XXXXXX";
static char *files[FILES_LIMIT];

void store_begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static int remove_file(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)status;
	(void)type;
	(void)position;
	return remove(path);
}

void store_end(void)
{
	(void)nftw(folder, remove_file, 8, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < FILES_LIMIT; i++)
		free(files[i]);
	store_end_log();
}

const char *store_file(const char *name)
{
	char *path = memory_format("%s/%s", folder, name);
	for (size_t i = 0; i < FILES_LIMIT; i++) {
		if (files[i] == NULL)
			return files[i] = path;
		if (strcmp(files[i], path) == 0) {
			free(path);
			return files[i];
		}
	}
	store_must(false, "more than %d files", FILES_LIMIT);
	return NULL;
}

const char *store_path(void)
{
	return store_file("store.db");
}

void *store_try(const struct store_options *options, struct ss_error *err)
{
	struct ss_value *values[] = {
		value_text(options->path != NULL ? options->path : store_path()),
		value_text(options->synchronous != NULL ? options->synchronous : "full"),
		value_number(options->busy_timeout_s > 0 ? options->busy_timeout_s : 5),
		value_number(options->active_window_s > 0 ? options->active_window_s : 86400),
	};
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &store_host,
		.name = "sqlite",
		.options = (const struct ss_value *const *)values,
	};
	void *store = NULL;
	int result = smartsupport_plugin.storage->create(&setup, &store, err);
	for (size_t i = 0; i < array_length(values); i++)
		value_unref(values[i]);
	return result == 0 ? store : NULL;
}

void store_refused(const char *path, enum ss_status status, const char *words)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_try(&(struct store_options){.path = path}, &err);
	cr_assert_null(store, "%s was opened", path);
	cr_expect_eq(err.status, status, "%d: %s", (int)err.status, err.text);
	cr_expect_not_null(strstr(err.text, words), "%s", err.text);
	cr_expect_not_null(strstr(err.text, path), "%s", err.text);
}

static sqlite3 *raw_open(void)
{
	sqlite3 *handle = NULL;
	cr_assert_eq(sqlite3_open(store_path(), &handle), SQLITE_OK);
	(void)sqlite3_busy_timeout(handle, 30000);
	return handle;
}

char *store_text(const char *sql)
{
	sqlite3 *handle = raw_open();
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
	cr_assert_eq(code, SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(handle));
	code = sqlite3_step(statement);
	cr_assert_eq(code, SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(handle));
	const char *text = (const char *)sqlite3_column_text(statement, 0);
	char *copy = memory_string(text != NULL ? text : "");
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(handle);
	return copy;
}

/* What SQL selects rows of TABLE with, each as one text. */
static char *row_query(const char *table, const char *word, bool with)
{
	char *columns =
		memory_format("SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ')"
			      " FROM pragma_table_info('%s')",
			table);
	char *row = store_text(columns);
	char *sql =
		memory_format("SELECT coalesce(group_concat(line, char(10)) || char(10), '') FROM"
			      " (SELECT '%s: ' || %s AS line FROM \"%s\" ORDER BY 1)"
			      " WHERE %s (line LIKE '%%%s%%')",
			table, row, table, with ? "" : "NOT", word);
	free(columns);
	free(row);
	return sql;
}

char *store_rows(const char *word, bool with)
{
	struct buffer rows = {0};
	char *rest = NULL;
	char *tables =
		store_text("SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema"
			   " WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)");
	for (char *table = strtok_r(tables, " ", &rest); table != NULL;
		table = strtok_r(NULL, " ", &rest)) {
		char *sql = row_query(table, word, with);
		char *lines = store_text(sql);
		buffer_add(&rows, lines, strlen(lines));
		free(lines);
		free(sql);
	}
	free(tables);
	return buffer_take(&rows);
}

void store_execute(const char *sql)
{
	sqlite3 *handle = raw_open();
	(void)sqlite3_exec(handle, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	int code = sqlite3_exec(handle, sql, NULL, NULL, NULL);
	cr_assert_eq(code, SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(handle));
	(void)sqlite3_close(handle);
}

void store_check(void)
{
	char *integrity = store_text("PRAGMA integrity_check");
	cr_expect_str_eq(integrity, "ok");
	free(integrity);
	cr_expect_eq(store_number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
	store_check_figures();
}
