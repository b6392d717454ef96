/*
 * Plugins: finding, loading and checking shared objects. Used while a configuration is loaded, on
 * the loop thread.
 *
 * A plugin named NAME of a kind is the file FOLDER/KIND/NAME.so, as in plugins/agents/billing.so. What
 * was loaded stays loaded until the process ends, so no pointer into a plugin ever dangles.
 */
#ifndef PLUGIN_PLUGIN_H
#define PLUGIN_PLUGIN_H

#include "base/hash.h"

#include <smartsupport/plugin.h>

struct plugins;

/* The rows of an options or a fields table that a plugin may have. */
enum { PLUGIN_ROWS_LIMIT = 100 };

/* A plugin that was loaded. */
struct plugin_file {
	const struct ss_plugin *plugin; /* valid until the process ends */
	char *path;                     /* where it was found */
	char hash[HASH_SIZE];           /* the SHA-256 of its bytes */
};

/* Plugins in the COUNT FOLDERS (copied); the first folder that has a file wins. They are loaded from copies in the folder COPIES (copied),
 * so that what is written over a file in place changes nothing that runs; NULL: from the files themselves. */
struct plugins *plugins_new(const char *const *folders, size_t count, const char *copies);
void plugins_free(struct plugins *plugins);

/* The descriptor of the plugin NAME of KIND, loaded and checked, valid until the process ends. The same one each time, whatever
 * becomes of its file. NULL and ERR, which names the file, when there is none or it does not fit this server. */
const struct ss_plugin *plugins_get(
	struct plugins *plugins, enum ss_plugin_kind kind, const char *name, struct ss_error *err);

/* What plugins_get() has loaded, in that order: *COUNT of them, borrowed until the next is loaded. */
const struct plugin_file *plugins_loaded(const struct plugins *plugins, size_t *count);

/* Why plugins were loaded from their files themselves, although there is a folder for copies; NULL: none was. Borrowed. */
const char *plugins_trouble(const struct plugins *plugins);

/* The hash of the file of PLUGIN, which plugins_get() gave. Borrowed as above. */
const char *plugins_hash(const struct plugins *plugins, const struct ss_plugin *plugin);

/* The names of the plugins of KIND that are in the folders, sorted: a new list. */
struct ss_value *plugins_list(const struct plugins *plugins, enum ss_plugin_kind kind);

/* Loads and checks the shared object at PATH. As above, without a search. */
const struct ss_plugin *plugin_load(const char *path, struct ss_error *err);

/* How an agent runs, of enum ss_running. */
unsigned plugin_running(const struct ss_plugin *plugin);

/* Whether what the index PLUGIN builds can be saved and loaded. */
bool plugin_index_saves(const struct ss_plugin *plugin);

/* Whether what the model PLUGIN generates can be stopped, whether it is left out when create() gives INSTANCE, and who
 * answers with INSTANCE. */
bool plugin_llm_stops(const struct ss_plugin *plugin);
bool plugin_llm_is_left_out(const struct ss_plugin *plugin, const void *instance);
const char *plugin_llm_name(const struct ss_plugin *plugin, const void *instance);

/* Whether NAME may be a plugin's: 1 to 64 of a-z, 0-9 and _. */
bool plugin_name_is_good(const char *name);

/* "agents", "llm", …: the folder of a kind; "agent", "llm", …: what one is called. */
const char *plugin_kind_folder(enum ss_plugin_kind kind);
const char *plugin_kind_name(enum ss_plugin_kind kind);

#endif
