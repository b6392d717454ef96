#include "lib/plugin.h"

#include "config/diagnostics.h"
#include "config/options.h"
#include "value/value.h"

#include <string.h>

__attribute__((format(printf, 3, 4))) static void host_log(
	const struct ss_host *host, enum ss_log_level level, const char *format, ...)
{
	(void)host;
	(void)level;
	(void)format;
}

static const struct ss_host host = {
	.struct_size = sizeof(struct ss_host),
	.values = &value_functions,
	.log = host_log,
};

static int create(struct bench_plugin *plugin, const struct ss_setup *setup, struct ss_error *err)
{
	switch (plugin->plugin->kind) {
	case SS_STORAGE:
		return plugin->plugin->storage->create(setup, &plugin->instance, err);
	case SS_EMBEDDER:
		return plugin->plugin->embedder->create(setup, &plugin->instance, err);
	case SS_INDEX:
		return plugin->plugin->index->create(setup, &plugin->instance, err);
	default:
		return ss_fail(err, "%s: a benchmark loads no such plugin", plugin->plugin->name);
	}
}

int bench_plugin_load(
	struct bench_plugin *plugin, const char *path, const char *options, struct ss_error *err)
{
	struct diagnostics diagnostics = {0};
	struct ss_value *values[PLUGIN_ROWS_LIMIT] = {NULL};
	plugin->plugin = plugin_load(path, err);
	if (plugin->plugin == NULL)
		return -1;
	struct yaml_document *document =
		yaml_parse("./bench.yaml", 1, options, strlen(options), &diagnostics);
	int result = document == NULL ? -1
				      : options_read(document, document->root, document->root,
						plugin->plugin->options, NULL, plugin->plugin->name,
						values, &diagnostics);
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &host,
		.name = plugin->plugin->name,
		.options = (const struct ss_value *const *)values,
	};
	if (result < 0)
		(void)ss_fail(
			err, "%s", diagnostics.count > 0 ? diagnostics.items[0].text : options);
	else
		result = create(plugin, &setup, err);
	options_free(values, options_count(plugin->plugin->options));
	yaml_close(document);
	diagnostics_free(&diagnostics);
	return result;
}

void bench_plugin_free(struct bench_plugin *plugin)
{
	switch (plugin->plugin->kind) {
	case SS_STORAGE:
		plugin->plugin->storage->destroy(plugin->instance);
		return;
	case SS_EMBEDDER:
		plugin->plugin->embedder->destroy(plugin->instance);
		return;
	case SS_INDEX:
		plugin->plugin->index->destroy(plugin->instance);
		return;
	default:
		return;
	}
}
