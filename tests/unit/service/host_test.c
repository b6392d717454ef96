#include "service/host.h"

#include "base/log_scope.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

Test(host, logs_with_the_name_of_the_instance)
{
	int ends[2];
	char line[1000];
	struct host host;
	cr_assert_eq(pipe(ends), 0);
	const struct log log = log_new(ends[1], SS_LOG_INFO, true);
	host_init(&host, "billing", &log, NULL);
	host.table.log(&host.table, SS_LOG_DEBUG, "dropped");
	host.table.log(&host.table, SS_LOG_WARNING, "%d articles", 3);
	(void)close(ends[1]);
	ssize_t length = read(ends[0], line, sizeof line);
	(void)close(ends[0]);
	cr_assert_gt(length, 1);
	struct ss_value *value = json_parse(line, (size_t)length - 1, NULL);
	cr_expect_str_eq(value_as_string(value_get(value, "plugin"), NULL), "billing");
	cr_expect_str_eq(value_as_string(value_get(value, "level"), NULL), "warning");
	cr_expect_str_eq(value_as_string(value_get(value, "message"), NULL), "3 articles");
	value_unref(value);
}

Test(host, logs_for_whom_it_works)
{
	int ends[2];
	char line[1000] = "";
	struct host host;
	cr_assert_eq(pipe(ends), 0);
	struct log log = log_new(ends[1], SS_LOG_INFO, false);
	log.scope = log_scope_new();
	host_init(&host, "billing", &log, NULL);
	const struct log turn = log_with(&log, "request_id", "mine");
	const struct log *before = log_enter(&turn);
	host.table.log(&host.table, SS_LOG_INFO, "inside");
	log_leave(&turn, before);
	host.table.log(&host.table, SS_LOG_INFO, "outside");
	(void)close(ends[1]);
	cr_assert_gt(read(ends[0], line, sizeof line - 1), 1);
	(void)close(ends[0]);
	cr_expect_not_null(
		strstr(line, "request_id=\"mine\" plugin=\"billing\" message=\"inside\""), "%s",
		line);
	cr_expect_null(strstr(strchr(line, '\n'), "request_id"), "%s", line);
	log_scope_free(log.scope);
}

Test(host, gives_every_plugin_values_and_no_agents_functions)
{
	struct host host;
	const struct log log = log_new(-1, SS_LOG_INFO, false);
	host_init(&host, "x", &log, NULL);
	cr_expect_eq(host.table.struct_size, sizeof(struct ss_host));
	cr_expect_eq(host.table.values, &value_functions);
	cr_expect_not_null(host.table.answer);
	cr_expect_not_null(host.table.piece);
	cr_expect_null(host.table.read);
	cr_expect_null(host.table.write);
	cr_expect_null(host.table.finish);
}
