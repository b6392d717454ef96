/* `smartsupport plugin check`: tries whether a plugin does all that its contract says. */
#include "app/plugin_command.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/environment.h"
#include "config/options.h"
#include "conformance/plugin.h"
#include "plugin/plugin.h"
#include "service/host.h"
#include "value/json.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STORAGE_TIMEOUT_S = 300,
	TIMEOUT_S = 30,
	DAY_S = 86400,
	MEMORY_LIMIT_MIB = 1024 * 1024,
	VALUES_LIMIT = 64
};

static const char help[] =
	"Usage: smartsupport plugin check [--storage] FILE.so [OPTION…]\n\n"
	"Loads a plugin as the server does, and tries whether it keeps its contract: that it fits\n"
	"this server and exports nothing else, and that it bears good, odd and hostile input, and\n"
	"leaves nothing behind. Of a storage it tries all that smartsupport/storage.h says; with\n"
	"--storage only that. Prints a line for each case, and what was expected and what came\n"
	"where they differ. Exits with 1 when there is such a case.\n\n"
	"A store may hold data already; what is tried has ids of its own. Nobody else may write "
	"to\n"
	"it meanwhile. What is tried stays in it, but for journals: name a store to throw away.\n\n"
	"  -s, --storage FILE  the plugin, a storage\n"
	"  -o, --options YAML  its options as the configuration has them, as YAML or JSON: "
	"'path: try.db'\n"
	"  -v, --values YAML   of an agent: the fields that are enums in the workflow, with their "
	"values:\n"
	"                      'category: [Technical, Billing]'\n"
	"  -c, --case TEXT     only the cases whose sentence has this in it\n"
	"  -t, --timeout N     how many seconds a case may take, by default 300; 30 of other "
	"kinds\n"
	"                      than storages\n"
	"  -m, --memory N      how many MiB a case may take, by default 4096\n"
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
	const char *values;
	const char *only;   /* NULL: all cases */
	unsigned timeout_s; /* 0: as the kind of plugin has it */
	unsigned memory_mib;
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
	struct ss_value *all =
		value_map_make({"plugin", value_text(plugin != NULL ? plugin->name : NULL)},
			{"version", value_text(plugin != NULL ? plugin->version : NULL)},
			{"cases", value_list(report->cases, count)},
			{"passed", value_int((int64_t)report->passed)},
			{"failed", value_int((int64_t)report->failed)});
	char *text = json_text(all);
	(void)puts(text);
	free(text);
	value_unref(all);
	free(report->cases);
}

/* Runs the suite on PLUGIN with OPTIONS, a value for each of its rows. */
static void run_suite(const struct arguments *arguments, const struct ss_plugin *plugin,
	struct ss_value *const *options, struct report *report)
{
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct host host;
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
		.timeout_s = arguments->timeout_s > 0 ? arguments->timeout_s : STORAGE_TIMEOUT_S,
		.only = arguments->only,
	};
	arguments->suite->run(&run, on_outcome, report);
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

/* Reads what --options says and runs the suite. -1 and DIAGNOSTICS when the options are wrong. */
static int read_and_run(const struct arguments *arguments, const struct ss_plugin *plugin,
	struct report *report, struct diagnostics *diagnostics)
{
	char what[120];
	int result = -1;
	struct yaml_document *document = yaml_parse(
		"--options", 1, arguments->options, strlen(arguments->options), diagnostics);
	if (document == NULL)
		return -1;
	static const struct yaml_node beginning = {.kind = YAML_MAPPING, .line = 1, .column = 1};
	const struct yaml_node *place = document->root != NULL ? document->root : &beginning;
	size_t count = options_count(plugin->options);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	(void)snprintf(
		what, sizeof what, "the %s %s", plugin_kind_name(plugin->kind), plugin->name);
	if (options_read(document, document->root, place, plugin->options, NULL, what, values,
		    diagnostics) == 0) {
		run_suite(arguments, plugin, values, report);
		result = 0;
	}
	options_wipe_secrets(document->root, plugin->options, values);
	options_free(values, count);
	free(values);
	yaml_close(document);
	return result;
}

/* What is wrong with LIST, given as the values of a field; NULL: nothing. */
static const char *wrong_with(const struct ss_value *list)
{
	if (value_type(list) != SS_LIST || value_count(list) == 0 ||
		value_count(list) > VALUES_LIMIT)
		return "must be a list of 1 to 64 values";
	for (size_t i = 0; i < value_count(list); i++) {
		const char *word = value_as_string(value_at(list, i), NULL);
		if (word[0] == '\0' || strpbrk(word, " \t\n") != NULL)
			return "has a value that is no word";
	}
	return NULL;
}

/* What --values says, a new map. NULL and DIAGNOSTICS when it is wrong. */
static struct ss_value *read_values(
	const struct arguments *arguments, struct diagnostics *diagnostics)
{
	struct yaml_document *document = yaml_parse(
		"--values", 1, arguments->values, strlen(arguments->values), diagnostics);
	if (document == NULL)
		return NULL;
	struct ss_value *values = options_value(document->root);
	size_t before = diagnostics->count;
	if (value_type(values) != SS_MAP && document->root != NULL)
		diagnostics_add(diagnostics, "--values", 1, 1,
			"must be a mapping from fields to lists of values");
	for (size_t i = 0; i < value_count(values) && value_type(values) == SS_MAP; i++) {
		const char *wrong = wrong_with(value_at(values, i));
		if (wrong != NULL)
			diagnostics_add(diagnostics, "--values", 1, 1, "the field %s %s",
				value_key_at(values, i), wrong);
	}
	yaml_close(document);
	if (diagnostics->count == before)
		return values;
	value_unref(values);
	return NULL;
}

/* What any plugin is tried with. NULL when it cannot be loaded. */
static const struct ss_plugin *check_any(
	const struct arguments *arguments, const struct ss_value *values, struct report *report)
{
	char *path = file_absolute(arguments->file);
	const struct plugin_trial trial = {
		.file = path,
		.options = arguments->options,
		.values = values,
		.timeout_s = arguments->timeout_s > 0 ? arguments->timeout_s : TIMEOUT_S,
		.memory_mib = arguments->memory_mib,
		.only = arguments->only,
	};
	const struct ss_plugin *plugin = conformance_plugin(&trial, on_outcome, report);
	free(path);
	return plugin;
}

/* All of it, into REPORT. -1 and DIAGNOSTICS or a message when it could not be tried. */
static int check_all(struct arguments *arguments, const struct ss_plugin **plugin,
	struct report *report, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	if (arguments->suite != NULL) {
		*plugin = load(arguments, &err);
		if (*plugin == NULL) {
			(void)fprintf(stderr, "smartsupport: %s\n", err.text);
			return -1;
		}
		return read_and_run(arguments, *plugin, report, diagnostics);
	}
	struct ss_value *values = read_values(arguments, diagnostics);
	if (values == NULL)
		return -1;
	*plugin = check_any(arguments, values, report);
	value_unref(values);
	for (size_t i = 0; *plugin != NULL && i < array_length(suites); i++) {
		if (suites[i].kind == (*plugin)->kind)
			arguments->suite = &suites[i];
	}
	if (arguments->suite == NULL || report->failed > 0)
		return 0;
	return read_and_run(arguments, *plugin, report, diagnostics);
}

static int check(struct arguments *arguments)
{
	struct diagnostics diagnostics = {0};
	const struct ss_plugin *plugin = NULL;
	struct report report = {.json = arguments->json};
	int result = -1;
	environment_load(".env", &diagnostics);
	if (diagnostics.count == 0)
		result = check_all(arguments, &plugin, &report, &diagnostics);
	bool none = report.passed + report.failed == 0;
	if (result == 0)
		print_end(plugin, &report);
	if (result == 0 && none)
		(void)fprintf(stderr, "smartsupport: no case has \"%s\" in its sentence\n",
			arguments->only);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	return result == 0 && report.failed == 0 && !none ? 0 : 1;
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

/* Reads TEXT, a number from 1 to LIMIT. -1 when it is none. */
static int read_number(const char *text, long limit, unsigned *number)
{
	char *end = NULL;
	long value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || value < 1 || value > limit)
		return -1;
	*number = (unsigned)value;
	return 0;
}

/* Takes TEXT for OPTION, when that is a limit. -1 when it is none, or no such number. */
static int read_limit(struct arguments *arguments, int option, const char *text)
{
	if (option == 't')
		return read_number(text, DAY_S, &arguments->timeout_s);
	if (option == 'm')
		return read_number(text, MEMORY_LIMIT_MIB, &arguments->memory_mib);
	return -1;
}

int plugin_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"storage", required_argument, NULL, 's'},
		{"options", required_argument, NULL, 'o'},
		{"values", required_argument, NULL, 'v'},
		{"case", required_argument, NULL, 'c'},
		{"timeout", required_argument, NULL, 't'},
		{"memory", required_argument, NULL, 'm'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arguments arguments = {.options = "{}", .values = "{}", .memory_mib = 4096};
	int option;
	while ((option = getopt_long(argc, argv, "s:o:v:c:t:m:jh", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'j')
			arguments.json = true;
		else if (option == 'o')
			arguments.options = optarg;
		else if (option == 'v')
			arguments.values = optarg;
		else if (option == 'c')
			arguments.only = optarg;
		else if (read_limit(&arguments, option, optarg) == 0)
			continue;
		else if (option != 's' || choose(&arguments, "storage", optarg) < 0)
			break;
	}
	if (arguments.suite == NULL && optind + 1 == argc)
		arguments.file = argv[optind++];
	if (option != -1 || optind < argc || arguments.file == NULL) {
		(void)fputs(help, stderr);
		return 2;
	}
	return check(&arguments);
}
