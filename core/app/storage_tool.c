#include "app/storage_tool.h"

#include "app/command.h"
#include "app/stored.h"
#include "value/value.h"

#include <stdio.h>
#include <unistd.h>

bool storage_tool_open(struct storage_tool *tool, const char *file)
{
	*tool = (struct storage_tool){
		.log = log_new(STDERR_FILENO, SS_LOG_ERROR, false), .config = command_config(file)};
	if (tool->config == NULL)
		return false;
	tool->runtime = runtime_new_storage(tool->config, &tool->log, &tool->diagnostics);
	return tool->runtime != NULL;
}

void storage_tool_close(struct storage_tool *tool)
{
	runtime_free(tool->runtime);
	diagnostics_print(&tool->diagnostics, stderr);
	diagnostics_free(&tool->diagnostics);
	config_free(tool->config);
}

/* The steps that the store lacks are not taken by a command that only looks at it, or keeps it as it was. */
static bool check_report(const struct ss_value *report)
{
	long long from = (long long)value_as_int(value_get(report, "from"));
	long long to = (long long)value_as_int(value_get(report, "to"));
	if (from == 0)
		(void)fputs("smartsupport: there is no store yet\n", stderr);
	else if (from < to)
		(void)fprintf(stderr,
			"smartsupport: the store has schema version %lld, and this program would "
			"bring it to %lld; do that first with smartsupport migrate, or use the "
			"program that the store was used with\n",
			from, to);
	return from > 0 && from == to;
}

bool storage_is_current(const char *file)
{
	struct storage_tool tool;
	struct ss_error err = {0};
	struct ss_value *report = NULL;
	const struct ss_migrate look = {.struct_size = sizeof look, .dry_run = true};
	bool current = storage_tool_open(&tool, file);
	if (current && runtime_storage(tool.runtime)->migrate != NULL) {
		if (runtime_migrate(tool.runtime, &look, &report, &err) == 0)
			current = check_report(report);
		else
			current = stored_fail(&err) == 0;
	}
	value_unref(report);
	storage_tool_close(&tool);
	return current;
}
