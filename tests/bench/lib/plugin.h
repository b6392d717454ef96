/* A plugin that a benchmark calls without a server: loaded as the server does, with options in YAML. */
#ifndef BENCH_PLUGIN_H
#define BENCH_PLUGIN_H

#include "plugin/plugin.h"

struct bench_plugin {
	const struct ss_plugin *plugin;
	void *instance;
};

/* Makes an instance of the storage, embedder or index plugin at PATH with OPTIONS, a map in YAML. Paths in
 * it are absolute. */
int bench_plugin_load(
	struct bench_plugin *plugin, const char *path, const char *options, struct ss_error *err);

void bench_plugin_free(struct bench_plugin *plugin);

#endif
