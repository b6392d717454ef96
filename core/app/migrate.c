/* `smartsupport migrate`: brings the schema of the store up to date. */
#include "app/command.h"
#include "app/play.h"
#include "app/storage_tool.h"
#include "app/stored.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: smartsupport migrate [--to N] [--dry-run] [--json]\n\n"
	"Brings the schema of the store up to date, as a server does when it starts, and shows the "
	"steps.\n"
	"There are no steps back: make a backup first.\n\n"
	"  -t, --to N         only up to step N\n"
	"  -d, --dry-run      change nothing, and show the steps that are missing\n"
	"  -j, --json         print {from, to, steps: list of {version, name}} as JSON\n"
	"  -c, --config FILE  the configuration that names the store\n"
	"  -h, --help         this text\n";

struct arguments {
	const char *config;
	struct ss_migrate migrate;
	bool json;
};

static void print_report(const struct ss_value *report, bool dry_run)
{
	const struct ss_value *steps = value_get(report, "steps");
	size_t count = value_count(steps);
	long long to = (long long)value_as_int(value_get(report, "to"));
	for (size_t i = 0; i < count; i++)
		(void)printf("%5lld  %s\n",
			(long long)value_as_int(value_get(value_at(steps, i), "version")),
			value_as_string(value_get(value_at(steps, i), "name"), NULL));
	if (count == 0)
		(void)printf("The schema has version %lld; there is nothing to do.\n", to);
	else
		(void)printf("%zu step%s %s, from version %lld to %lld.\n", count,
			count == 1 ? "" : "s", dry_run ? "would be taken" : "taken",
			(long long)value_as_int(value_get(report, "from")), to);
}

static int migrate(struct storage_tool *tool, const struct arguments *arguments)
{
	struct ss_error err = {0};
	struct ss_value *report = NULL;
	if (runtime_storage(tool->runtime)->migrate == NULL) {
		(void)fprintf(stderr, "smartsupport: the storage %s has no schema to migrate\n",
			tool->config->storage.name);
		return 1;
	}
	if (runtime_migrate(tool->runtime, &arguments->migrate, &report, &err) < 0)
		return stored_fail(&err);
	if (arguments->json)
		play_print_json(report);
	else
		print_report(report, arguments->migrate.dry_run);
	value_unref(report);
	return 0;
}

/* A whole number from 1; false and a message when it is none. */
static bool read_step(const char *given, int64_t *step)
{
	char *end = NULL;
	*step = strtoll(given, &end, 10);
	if (given[0] >= '1' && given[0] <= '9' && *end == '\0')
		return true;
	(void)fprintf(
		stderr, "smartsupport: --to takes a whole number from 1, not \"%s\"\n", given);
	return false;
}

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'},
		{"dry-run", no_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "t:djc:h", options, NULL)) != -1) {
		switch (option) {
		case 't':
			if (!read_step(optarg, &arguments->migrate.to))
				return 3;
			break;
		case 'd':
			arguments->migrate.dry_run = true;
			break;
		case 'j':
			arguments->json = true;
			break;
		case 'c':
			arguments->config = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			return 1;
		default:
			(void)fputs(help, stderr);
			return 3;
		}
	}
	if (optind == argc)
		return 0;
	(void)fputs(help, stderr);
	return 3;
}

int command_migrate(int argc, char **argv)
{
	struct storage_tool tool;
	struct arguments arguments = {.migrate = {.struct_size = sizeof arguments.migrate}};
	int done = read_arguments(argc, argv, &arguments);
	if (done > 0)
		return done - 1;
	int code = storage_tool_open(&tool, arguments.config) ? migrate(&tool, &arguments) : 1;
	storage_tool_close(&tool);
	return code;
}
