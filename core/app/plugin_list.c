/* `smartsupport plugin list`: what a configuration loads. */
#include "app/plugin_command.h"

#include "app/command.h"
#include "app/play.h"
#include "app/runtime.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "config/diagnostics.h"
#include "graph/graph.h"
#include "plugin/plugin.h"
#include "support/support.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: smartsupport plugin list [--json]\n\n"
	"Lists the plugins that the configuration and its workflow use, as a server loads them.\n"
	"Exits with 1 when one of them cannot be loaded.\n\n"
	"  -j, --json         print {plugins: list of {kind, name, version, abi, licence, "
	"summary,\n"
	"                     file, sha256, reads, writes}} as JSON\n"
	"  -c, --config FILE  the configuration; by default config/smartsupport.yaml\n"
	"  -h, --help         this text\n";

/* Loads what a server loads. Mistakes are in DIAGNOSTICS. */
static void load(
	const struct config *config, struct plugins *plugins, struct diagnostics *diagnostics)
{
	const struct {
		enum ss_plugin_kind kind;
		const struct config_plugin *plugin;
	} parts[] = {{SS_STORAGE, &config->storage}, {SS_EMBEDDER, &config->embedder},
		{SS_INDEX, &config->index}};
	for (size_t i = 0; i < array_length(parts); i++)
		(void)runtime_find_plugin(
			config, plugins, parts[i].kind, parts[i].plugin, diagnostics);
	for (size_t i = 0; i < config->llm.count; i++)
		(void)runtime_find_plugin(
			config, plugins, SS_LLM, &config->llm.items[i].plugin, diagnostics);
	graph_free(graph_load(config->workflow, plugins, support_inputs, diagnostics));
}

/* The names of the fields that PLUGIN has ACCESS to: a new list. */
static struct ss_value *fields_with(const struct ss_plugin *plugin, enum ss_access access)
{
	struct ss_value *names[PLUGIN_ROWS_LIMIT];
	size_t count = 0;
	for (const struct ss_field *field = plugin->fields; field != NULL && field->name != NULL;
		field++) {
		if ((field->access & (unsigned)access) != 0)
			names[count++] = value_text(field->name);
	}
	return value_list(names, count);
}

static struct ss_value *describe(const struct plugin_file *file)
{
	const struct ss_plugin *plugin = file->plugin;
	char abi[32];
	(void)snprintf(abi, sizeof abi, "%u.%u", plugin->abi_major, plugin->abi_minor);
	return value_map_make({"kind", value_text(plugin_kind_name(plugin->kind))},
		{"name", value_text(plugin->name)}, {"version", value_text(plugin->version)},
		{"abi", value_text(abi)}, {"licence", value_text(plugin->licence)},
		{"summary", value_text(plugin->summary)}, {"file", value_text(file->path)},
		{"sha256", value_text(file->hash)}, {"reads", fields_with(plugin, SS_READS)},
		{"writes", fields_with(plugin, SS_WRITES)});
}

static const char *text_in(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

static void print_names(const char *title, const struct ss_value *names)
{
	if (value_count(names) == 0)
		return;
	(void)printf("    %-7s ", title);
	for (size_t i = 0; i < value_count(names); i++)
		(void)printf("%s%s", i > 0 ? ", " : "", value_as_string(value_at(names, i), NULL));
	(void)putchar('\n');
}

static void print(const struct ss_value *plugin)
{
	(void)printf("%s %s %s (ABI %s, %s)\n    %s\n    file    %s\n    sha256  %s\n",
		text_in(plugin, "kind"), text_in(plugin, "name"), text_in(plugin, "version"),
		text_in(plugin, "abi"), text_in(plugin, "licence"), text_in(plugin, "summary"),
		text_in(plugin, "file"), text_in(plugin, "sha256"));
	print_names("reads", value_get(plugin, "reads"));
	print_names("writes", value_get(plugin, "writes"));
}

static void print_all(const struct plugins *plugins, bool json)
{
	size_t count = 0;
	const struct plugin_file *files = plugins_loaded(plugins, &count);
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = describe(&files[i]);
	struct ss_value *all = value_map_make({"plugins", value_list(items, count)});
	for (size_t i = 0; !json && i < count; i++)
		print(items[i]);
	if (json)
		play_print_json(all);
	value_unref(all);
	free(items);
}

static int list(const struct config *config, bool json)
{
	struct diagnostics diagnostics = {0};
	struct plugins *plugins = runtime_plugins(config, false);
	load(config, plugins, &diagnostics);
	print_all(plugins, json);
	diagnostics_print(&diagnostics, stderr);
	int code = diagnostics.count == 0 ? 0 : 1;
	plugins_free(plugins);
	diagnostics_free(&diagnostics);
	return code;
}

int plugin_list(int argc, char **argv)
{
	struct command_arguments arguments = {0};
	int code = command_arguments(argc, argv, help, true, &arguments);
	if (code >= 0)
		return code;
	struct config *config = command_config(arguments.config);
	code = config != NULL ? list(config, arguments.json) : 1;
	config_free(config);
	return code;
}
