/* `smartsupport plugin check`: tries whether a plugin does all that its contract says. */
#include "app/plugin_command.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/environment.h"
#include "config/options.h"
#include "conformance/storage.h"
#include "plugin/plugin.h"
#include "service/host.h"
#include "value/json.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: smartsupport plugin check --storage FILE.so [--options YAML] [--case TEXT]\n"
	"       [--timeout SECONDS] [--json]\n\n"
	"Loads a plugin as the server does, and tries whether it does all that "
	"smartsupport/storage.h\n"
	"says. Prints a line for each case, and what was expected and what came where they "
	"differ.\n"
	"Exits with 1 when there is such a case.\n\n"
	"The store may hold data already; what is tried has ids of its own. Nobody else may write "
	"to\n"
	"it meanwhile. What is tried stays in it, but for journals: name a store to throw away.\n\n"
	"  -s, --storage FILE  the plugin, a storage\n"
	"  -o, --options YAML  its options as the configuration has them, as YAML or JSON: "
	"'path: try.db'\n"
	"  -c, --case TEXT     only the cases whose sentence has this in it\n"
	"  -t, --timeout N     how many seconds a case may take, by default 300\n"
	"  -j, --json          print {plugin, version, cases: list of {area, case, ok, what, "
	"expected,\n"
	"                      came}, passed, failed} as JSON\n"
	"  -h, --help          this text\n";

/* The kinds of plugins that there is a suite for. */
static const struct suite {
	const char *option; /* that names the file */
	enum ss_plugin_kind kind;
	void (*run)(const struct conformance_run *run, conformance_told *told, void *context);
} suites[] = {
	{"storage", SS_STORAGE, conformance_storage},
};

struct arguments {
	const struct suite *suite; /* NULL: none is named */
	const char *file;
	const char *options;
	const char *only; /* NULL: all cases */
	unsigned timeout_s;
	bool json;
};

/* What was told so far. */
struct report {
	bool json;
	struct ss_value **cases;
	size_t passed, failed;
};

static struct ss_value *given(const char *text)
{
	return text != NULL ? value_text(text) : NULL;
}

static void on_outcome(void *context, const struct conformance_outcome *outcome)
{
	struct report *report = context;
	size_t count = report->passed + report->failed;
	if (outcome->ok)
		report->passed++;
	else
		report->failed++;
	if (report->json) {
		report->cases = memory_resize(report->cases, count + 1, sizeof(struct ss_value *));
		report->cases[count] = value_map_make({"area", value_text(outcome->area)},
			{"case", value_text(outcome->sentence)}, {"ok", value_bool(outcome->ok)},
			{"what", given(outcome->what)}, {"expected", given(outcome->expected)},
			{"came", given(outcome->came)});
		return;
	}
	(void)printf(
		"%-7s %s: %s\n", outcome->ok ? "ok" : "FAILED", outcome->area, outcome->sentence);
	if (!outcome->ok)
		(void)printf("        %s\n        expected: %s\n        came:     %s\n",
			outcome->what, outcome->expected, outcome->came);
	(void)fflush(stdout);
}

static void print_end(const struct ss_plugin *plugin, struct report *report)
{
	size_t count = report->passed + report->failed;
	if (!report->json) {
		(void)printf("%zu case%s: %zu ok, %zu failed\n", count, count == 1 ? "" : "s",
			report->passed, report->failed);
		return;
	}
	struct ss_value *all = value_map_make({"plugin", value_text(plugin->name)},
		{"version", value_text(plugin->version)},
		{"cases", value_list(report->cases, count)},
		{"passed", value_int((int64_t)report->passed)},
		{"failed", value_int((int64_t)report->failed)});
	char *text = json_text(all);
	(void)puts(text);
	free(text);
	value_unref(all);
	free(report->cases);
}

/* Runs the suite on PLUGIN with OPTIONS, a value for each of its rows. Returns the exit code. */
static int run_suite(const struct arguments *arguments, const struct ss_plugin *plugin,
	struct ss_value *const *options)
{
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct host host;
	struct report report = {.json = arguments->json};
	host_init(&host, plugin->name, &log, NULL);
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &host.table,
		.name = plugin->name,
		.options = (const struct ss_value *const *)options,
	};
	const struct conformance_run run = {
		.plugin = plugin,
		.setup = &setup,
		.timeout_s = arguments->timeout_s,
		.only = arguments->only,
	};
	arguments->suite->run(&run, on_outcome, &report);
	print_end(plugin, &report);
	return report.failed == 0 ? 0 : 1;
}

static const struct ss_plugin *load(const struct arguments *arguments, struct ss_error *err)
{
	/* With a slash in it, which keeps it from being looked for where the system has its libraries. */
	char *path = file_absolute(arguments->file);
	const struct ss_plugin *plugin = plugin_load(path, err);
	if (plugin != NULL && plugin->kind != arguments->suite->kind) {
		(void)ss_fail(err, "%s: is the %s plugin \"%s\", but --%s takes a %s", path,
			plugin_kind_name(plugin->kind), plugin->name, arguments->suite->option,
			plugin_kind_name(arguments->suite->kind));
		plugin = NULL;
	}
	free(path);
	return plugin;
}

/* Reads what --options says and runs the suite. Returns the exit code; mistakes go to DIAGNOSTICS. */
static int read_and_run(const struct arguments *arguments, const struct ss_plugin *plugin,
	struct diagnostics *diagnostics)
{
	char what[120];
	int code = 1;
	const char *text = arguments->options != NULL ? arguments->options : "{}";
	struct yaml_document *document =
		yaml_parse("--options", 1, text, strlen(text), diagnostics);
	if (document == NULL)
		return 1;
	static const struct yaml_node beginning = {.kind = YAML_MAPPING, .line = 1, .column = 1};
	const struct yaml_node *place = document->root != NULL ? document->root : &beginning;
	size_t count = options_count(plugin->options);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	(void)snprintf(
		what, sizeof what, "the %s %s", plugin_kind_name(plugin->kind), plugin->name);
	if (options_read(document, document->root, place, plugin->options, NULL, what, values,
		    diagnostics) == 0)
		code = run_suite(arguments, plugin, values);
	options_wipe_secrets(document->root, plugin->options, values);
	options_free(values, count);
	free(values);
	yaml_close(document);
	return code;
}

static int check(const struct arguments *arguments)
{
	struct diagnostics diagnostics = {0};
	struct ss_error err = {0};
	int code = 1;
	environment_load(".env", &diagnostics);
	const struct ss_plugin *plugin = diagnostics.count == 0 ? load(arguments, &err) : NULL;
	if (plugin != NULL)
		code = read_and_run(arguments, plugin, &diagnostics);
	else if (diagnostics.count == 0)
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	return code;
}

/* Takes FILE for the suite whose option is NAME. -1 when another one was named. */
static int choose(struct arguments *arguments, const char *name, const char *file)
{
	if (arguments->suite != NULL)
		return -1;
	for (size_t i = 0; i < array_length(suites); i++) {
		if (strcmp(suites[i].option, name) == 0)
			arguments->suite = &suites[i];
	}
	arguments->file = file;
	return 0;
}

/* -1 when TEXT is no number of seconds. */
static int read_timeout(struct arguments *arguments, const char *text)
{
	enum { DAY_S = 86400 };
	char *end = NULL;
	long seconds = strtol(text, &end, 10);
	if (end == text || *end != '\0' || seconds < 1 || seconds > DAY_S)
		return -1;
	arguments->timeout_s = (unsigned)seconds;
	return 0;
}

int plugin_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"storage", required_argument, NULL, 's'},
		{"options", required_argument, NULL, 'o'},
		{"case", required_argument, NULL, 'c'},
		{"timeout", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arguments arguments = {.timeout_s = 300};
	int option;
	while ((option = getopt_long(argc, argv, "s:o:c:t:jh", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'j')
			arguments.json = true;
		else if (option == 'o')
			arguments.options = optarg;
		else if (option == 'c')
			arguments.only = optarg;
		else if (option == 't' && read_timeout(&arguments, optarg) == 0)
			continue;
		else if (option != 's' || choose(&arguments, "storage", optarg) < 0)
			break;
	}
	if (option != -1 || optind < argc || arguments.suite == NULL) {
		(void)fputs(help, stderr);
		return 2;
	}
	return check(&arguments);
}
