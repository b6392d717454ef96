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
	.turn_context = database_turn_context,
	.commit_turns = database_commit_turns,
	.stats = database_stats,
	.check = database_check,
	.write_journals = database_write_journals,
	.read_journal = database_read_journal,
	.list_journals = database_list_journals,
	.delete_journal = database_delete_journal,
	.store_feedback = database_store_feedback,
	.list_unanswered = database_list_unanswered,
	.article_counts = database_article_counts,
	.list_conversations = database_list_conversations,
	.read_conversation = database_read_conversation,
	.list_messages = database_list_messages,
	.change_conversation = database_change_conversation,
	.delete_conversation = database_delete_conversation,
	.list_users = database_list_users,
	.read_user = database_read_user,
	.store_user = database_store_user,
	.erase_user = database_erase_user,
	.read_analytics = database_read_analytics,
	.store_documents = database_store_documents,
	.read_documents = database_read_documents,
	.list_events = database_list_events,
	.claim_deliveries = database_claim_deliveries,
	.finish_deliveries = database_finish_deliveries,
	.list_deliveries = database_list_deliveries,
	.redeliver = database_redeliver,
	.delivery_counts = database_delivery_counts,
	.claim_request = database_claim_request,
	.finish_request = database_finish_request,
	.list_requests = database_list_requests,
	.purge = database_purge,
	.watch = database_watch,
	.interrupt_watch = database_interrupt_watch,
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
