/*
 * Storage in a PostgreSQL database, which any number of servers share: users, conversations and messages, the figures
 * that statistics read, feedback, and the journals of turns.
 */
#include "storage/postgresql/database.h"

enum {
	OPTION_URL,
	OPTION_CONNECT_TIMEOUT,
	OPTION_STATEMENT_TIMEOUT,
	OPTION_ACTIVE_WINDOW,
};

struct database_settings database_settings_of(const struct ss_setup *setup)
{
	const struct ss_value_functions *values = setup->host->values;
	return (struct database_settings){
		.url = values->as_string(setup->options[OPTION_URL], NULL),
		.connect_timeout_s = values->as_number(setup->options[OPTION_CONNECT_TIMEOUT]),
		.statement_timeout_s = values->as_number(setup->options[OPTION_STATEMENT_TIMEOUT]),
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
	[OPTION_URL] = {.name = "url",
		.type = SS_OPTION_SECRET,
		.fallback = "",
		.help = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, as "
			"libpq "
			"reads it."},
	[OPTION_CONNECT_TIMEOUT] = {.name = "connect_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "5s",
		.min = 2,
		.max = 60,
		.help = "How long to wait for each address of the database, where the url has no "
			"connect_timeout."},
	[OPTION_STATEMENT_TIMEOUT] = {.name = "statement_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "10s",
		.min = 0.1,
		.max = 600,
		.help = "How long a statement may take, and how long a server that stands still "
			"may "
			"hold others up."},
	[OPTION_ACTIVE_WINDOW] = {.name = "active_window",
		.type = SS_OPTION_DURATION,
		.fallback = "24h",
		.min = 60,
		.max = 31536000,
		.help = "How long after its last message a conversation counts as active."},
	{.name = NULL},
};

static const struct ss_storage_operations operations = {
	.create = create,
	.destroy = destroy,
#include "common/sql/operations.inc"
	.migrate = database_migrate,
	.verify = database_verify,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_STORAGE,
	.name = "postgresql",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Keeps everything in a PostgreSQL database, which any number of servers share.",
	.options = options,
	.storage = &operations,
};
