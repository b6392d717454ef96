/*
 * Storage in one SQLite file: users, conversations and messages, the figures that statistics
 * read, feedback, and the journals of turns. Any number of worker processes on one machine open the same file.
 */
#include "storage/sqlite/database.h"

#include <string.h>

enum {
	OPTION_PATH,
	OPTION_SYNCHRONOUS,
	OPTION_BUSY_TIMEOUT,
	OPTION_ACTIVE_WINDOW,
};

struct database_settings database_settings_of(const struct ss_setup *setup)
{
	const struct ss_value_functions *values = setup->host->values;
	return (struct database_settings){
		.path = values->as_string(setup->options[OPTION_PATH], NULL),
		.synchronous_full =
			strcmp(values->as_string(setup->options[OPTION_SYNCHRONOUS], NULL),
				"full") == 0,
		.busy_timeout_s = values->as_number(setup->options[OPTION_BUSY_TIMEOUT]),
		.active_window_s = values->as_number(setup->options[OPTION_ACTIVE_WINDOW]),
	};
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct database_settings settings = database_settings_of(setup);
	struct database *db = database_open(setup->host, &settings, err);
	if (db == NULL)
		return -1;
	*instance = db;
	return 0;
}

static void destroy(void *instance)
{
	database_close(instance);
}

static const struct ss_option options[] = {
	[OPTION_PATH] = {.name = "path",
		.type = SS_OPTION_PATH,
		.fallback = "smartsupport.db",
		.help = "The database file, on a local disk; its folder must exist and be "
			"writable."},
	[OPTION_SYNCHRONOUS] = {.name = "synchronous",
		.type = SS_OPTION_CHOICE,
		.fallback = "full",
		.choices = "full normal",
		.help = "full: a stored turn survives a power failure; normal: the last ones may "
			"not, "
			"but a crash of the server still loses none."},
	[OPTION_BUSY_TIMEOUT] = {.name = "busy_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "5s",
		.max = 3600,
		.help = "How long to wait for a lock that another process holds."},
	[OPTION_ACTIVE_WINDOW] = {.name = "active_window",
		.type = SS_OPTION_DURATION,
		.fallback = "24h",
		.max = 10 * 366 * 86400.0,
		.help = "Statistics count a conversation as active for this long after its last "
			"message."},
	{.name = NULL},
};

static const struct ss_storage_operations operations = {
	.create = create,
	.destroy = destroy,
#include "common/sql/operations.inc"
	.migrate = database_migrate,
	.backup = database_backup,
	.verify = database_verify,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_STORAGE,
	.name = "sqlite",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Keeps users, conversations and messages in one SQLite file.",
	.options = options,
	.storage = &operations,
};
