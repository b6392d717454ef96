#include "schema.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_SIZE = 300 };

static char *url;

/* The server. It ends with its input, so with this process at the latest. */

static pid_t server;
static int server_input = -1;

static void start_server(int input, int output)
{
	(void)dup2(input, STDIN_FILENO);
	(void)dup2(output, STDOUT_FILENO);
	(void)execl(SS_SOURCE_DIR "/tests/support/postgres", "postgres", (char *)NULL);
	_exit(127);
}

static void share_server(char *line)
{
	char *rest = NULL;
	char *ready = strtok_r(line, " \n", &rest);
	char *folder = strtok_r(NULL, " \n", &rest), *port = strtok_r(NULL, " \n", &rest);
	if (ready == NULL || folder == NULL || port == NULL) {
		(void)fprintf(stderr, "PostgreSQL does not start\n");
		exit(1);
	}
	(void)setenv("SS_POSTGRES_FOLDER", folder, 1);
	(void)setenv("SS_POSTGRES_PORT", port, 1);
}

/* The tests are processes of their own, which find the server by the environment. */
ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	int input[2], output[2];
	char line[LINE_SIZE] = "";
	(void)tests;
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		exit(1);
	server = fork();
	if (server == 0)
		start_server(input[0], output[1]);
	(void)close(input[0]);
	(void)close(output[1]);
	server_input = input[1];
	FILE *lines = fdopen(output[0], "r");
	(void)!fgets(line, sizeof line, lines);
	(void)fclose(lines);
	share_server(line);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	(void)close(server_input);
	(void)waitpid(server, NULL, 0);
}

/* Schemas. */

static PGconn *raw_open(void)
{
	PGconn *handle = PQconnectdb(url);
	store_must(PQstatus(handle) == CONNECTION_OK, "%s", PQerrorMessage(handle));
	return handle;
}

void store_begin(void)
{
	char name[32];
	(void)snprintf(name, sizeof name, "test_%d", (int)getpid());
	url = memory_format("postgresql://support@/postgres?host=%s&port=%s&options="
			    "-csearch_path%%3D%s%%20-cclient_min_messages%%3Dwarning",
		getenv("SS_POSTGRES_FOLDER"), schema_port(), name);
	char *create =
		memory_format("DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s", name, name);
	store_execute(create);
	free(create);
}

void schema_alone(void)
{
	char *create = memory_format("CREATE DATABASE test_%d", (int)getpid());
	store_execute(create);
	free(create);
	free(url);
	url = memory_format("postgresql://support@/test_%d?host=%s&port=%s", (int)getpid(),
		getenv("SS_POSTGRES_FOLDER"), schema_port());
}

void store_end(void)
{
	free(url);
	store_end_log();
}

const char *schema_url(void)
{
	return url;
}

const char *schema_port(void)
{
	return getenv("SS_POSTGRES_PORT");
}

static void *try_with(
	const char *place, double timeout_s, double active_window_s, struct ss_error *err)
{
	struct ss_value *values[] = {
		value_text(place),
		value_number(5),
		value_number(timeout_s),
		value_number(active_window_s > 0 ? active_window_s : 86400),
	};
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &store_host,
		.name = "postgresql",
		.options = (const struct ss_value *const *)values,
	};
	void *store = NULL;
	int result = smartsupport_plugin.storage->create(&setup, &store, err);
	for (size_t i = 0; i < array_length(values); i++)
		value_unref(values[i]);
	return result == 0 ? store : NULL;
}

void *store_try(const struct store_options *options, struct ss_error *err)
{
	return try_with(
		options->path != NULL ? options->path : url, 10, options->active_window_s, err);
}

void *schema_try(const char *place, double timeout_s, struct ss_error *err)
{
	return try_with(place, timeout_s, 0, err);
}

void schema_refused(const char *place, enum ss_status status, const char *words)
{
	struct ss_error err = {.status = SS_OK};
	void *store = schema_try(place, 10, &err);
	cr_assert_null(store, "%s was opened", place);
	cr_expect_eq(err.status, status, "%d: %s", (int)err.status, err.text);
	cr_expect_not_null(strstr(err.text, words), "%s", err.text);
	cr_expect_null(strstr(err.text, "s3cret"), "%s", err.text);
	cr_expect_null(strstr(err.text, "of@tests"), "%s", err.text);
}

char *store_text(const char *sql)
{
	PGconn *handle = raw_open();
	PGresult *result = PQexec(handle, sql);
	cr_assert_eq(
		PQresultStatus(result), PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(handle));
	cr_assert_gt(PQntuples(result), 0, "%s", sql);
	char *copy = memory_string(PQgetvalue(result, 0, 0));
	PQclear(result);
	PQfinish(handle);
	return copy;
}

char *store_rows(const char *word, bool with)
{
	struct buffer rows = {0};
	char *rest = NULL;
	char *tables = store_text(
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
		" WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace");
	for (char *table = strtok_r(tables, " ", &rest); table != NULL;
		table = strtok_r(NULL, " ", &rest)) {
		char *sql = memory_format(
			"SELECT coalesce(string_agg('%s: ' || line, E'\\n' ORDER BY line) || "
			"E'\\n', '')"
			" FROM (SELECT stored::text AS line FROM %s AS stored) AS lines"
			" WHERE (line LIKE '%%%s%%') = %s",
			table, table, word, with ? "true" : "false");
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
	PGconn *handle = raw_open();
	PGresult *result = PQexec(handle, sql);
	cr_assert(PQresultStatus(result) == PGRES_COMMAND_OK ||
			  PQresultStatus(result) == PGRES_TUPLES_OK,
		"%s: %s", sql, PQerrorMessage(handle));
	PQclear(result);
	PQfinish(handle);
}

void schema_cut(void)
{
	store_execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
		      " WHERE pid <> pg_backend_pid() AND application_name = 'smartsupport'"
		      " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND"
		      " classid::bigint = hashtext(current_schema() || ' smartsupport writers')"
		      "::bigint & 4294967295)");
}

void store_check(void)
{
	store_check_figures();
}
