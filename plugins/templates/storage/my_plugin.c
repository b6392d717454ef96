/*
 * The storage my_plugin, which is still to be written: it opens nothing, and each operation says so. Read it from the
 * bottom; <smartsupport/storage.h> tells what each of them must do, and
 * `smartsupport plugin check --storage` tries all of it.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

/* The rows of the table below. */
enum { OPTION_PATH };

/* One connection to the store. */
struct my_plugin {
	char *path;
};

/* An operation with COUNT results has as many errors; the first one says why all of it failed. */
static int not_written(struct ss_error *err, const char *operation)
{
	return ss_fail_as(err, SS_INTERNAL, "%s() is not written yet", operation);
}

static void destroy(void *instance)
{
	struct my_plugin *my_plugin = instance;
	free(my_plugin->path);
	free(my_plugin);
}

/* To be written: opens the store, creates it where it is not there, and brings its schema up to date. */
static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct my_plugin *my_plugin = calloc(1, sizeof *my_plugin);
	if (my_plugin == NULL)
		return ss_fail(err, "out of memory");
	my_plugin->path = strdup(values->as_string(setup->options[OPTION_PATH], NULL));
	if (my_plugin->path == NULL) {
		destroy(my_plugin);
		return ss_fail(err, "out of memory");
	}
	*instance = my_plugin;
	return 0;
}

/* All that follow are called on a store thread and may block. */

static int turn_context(void *instance, const struct ss_turn_key *key, struct ss_value **context,
	struct ss_error *err)
{
	(void)instance;
	(void)key;
	(void)context;
	return not_written(err, "turn_context");
}

static int commit_turns(
	void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)turns;
	(void)count;
	return not_written(errors, "commit_turns");
}

static int stats(void *instance, struct ss_value **stats, struct ss_error *err)
{
	(void)instance;
	(void)stats;
	return not_written(err, "stats");
}

static int check(void *instance, struct ss_error *err)
{
	(void)instance;
	return not_written(err, "check");
}

static int write_journals(void *instance, const struct ss_journal_write *writes, size_t count,
	struct ss_error *errors)
{
	(void)instance;
	(void)writes;
	(void)count;
	return not_written(errors, "write_journals");
}

static int read_journal(void *instance, const struct ss_journal_key *key, struct ss_value **journal,
	struct ss_error *err)
{
	(void)instance;
	(void)key;
	(void)journal;
	return not_written(err, "read_journal");
}

static int list_journals(void *instance, const struct ss_journal_filter *filter,
	struct ss_value **journals, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)journals;
	return not_written(err, "list_journals");
}

static int delete_journal(void *instance, const char *turn_id, struct ss_error *err)
{
	(void)instance;
	(void)turn_id;
	return not_written(err, "delete_journal");
}

static int store_feedback(
	void *instance, const struct ss_feedback *feedback, size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)feedback;
	(void)count;
	return not_written(errors, "store_feedback");
}

static int list_unanswered(void *instance, const struct ss_unanswered_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_unanswered");
}

static int article_counts(void *instance, const struct ss_article_range *range,
	struct ss_value **counts, struct ss_error *err)
{
	(void)instance;
	(void)range;
	(void)counts;
	return not_written(err, "article_counts");
}

static int list_conversations(void *instance, const struct ss_conversation_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_conversations");
}

static int read_conversation(void *instance, const char *conversation_id,
	struct ss_value **conversation, struct ss_error *err)
{
	(void)instance;
	(void)conversation_id;
	(void)conversation;
	return not_written(err, "read_conversation");
}

static int list_messages(void *instance, const struct ss_message_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_messages");
}

static int change_conversation(void *instance, const struct ss_conversation_change *change,
	struct ss_value **conversation, struct ss_error *err)
{
	(void)instance;
	(void)change;
	(void)conversation;
	return not_written(err, "change_conversation");
}

static int delete_conversation(void *instance, const char *conversation_id, struct ss_error *err)
{
	(void)instance;
	(void)conversation_id;
	return not_written(err, "delete_conversation");
}

static int list_users(void *instance, const struct ss_user_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_users");
}

static int read_user(
	void *instance, const char *user_id, struct ss_value **user, struct ss_error *err)
{
	(void)instance;
	(void)user_id;
	(void)user;
	return not_written(err, "read_user");
}

static int store_user(
	void *instance, const struct ss_user *user, struct ss_value **stored, struct ss_error *err)
{
	(void)instance;
	(void)user;
	(void)stored;
	return not_written(err, "store_user");
}

static int erase_user(void *instance, const struct ss_erasure *erasure, struct ss_value **erased,
	struct ss_error *err)
{
	(void)instance;
	(void)erasure;
	(void)erased;
	return not_written(err, "erase_user");
}

static int read_analytics(void *instance, const struct ss_analytics_range *range,
	struct ss_value **series, struct ss_error *err)
{
	(void)instance;
	(void)range;
	(void)series;
	return not_written(err, "read_analytics");
}

static int store_documents(
	void *instance, const struct ss_document *documents, size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)documents;
	(void)count;
	return not_written(errors, "store_documents");
}

static int read_documents(void *instance, const struct ss_document_filter *filter,
	struct ss_value **found, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)found;
	return not_written(err, "read_documents");
}

static int list_events(void *instance, const struct ss_event_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_events");
}

static int claim_deliveries(void *instance, const struct ss_delivery_claim *claim,
	struct ss_value **claimed, struct ss_error *err)
{
	(void)instance;
	(void)claim;
	(void)claimed;
	return not_written(err, "claim_deliveries");
}

static int finish_deliveries(void *instance, const struct ss_delivery_attempt *attempts,
	size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)attempts;
	(void)count;
	return not_written(errors, "finish_deliveries");
}

static int list_deliveries(void *instance, const struct ss_delivery_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_deliveries");
}

static int redeliver(void *instance, const struct ss_delivery_filter *filter, size_t *count,
	struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)count;
	return not_written(err, "redeliver");
}

static int delivery_counts(void *instance, struct ss_value **counts, struct ss_error *err)
{
	(void)instance;
	(void)counts;
	return not_written(err, "delivery_counts");
}

static int claim_request(void *instance, const struct ss_request_key *key, struct ss_value **claim,
	struct ss_error *err)
{
	(void)instance;
	(void)key;
	(void)claim;
	return not_written(err, "claim_request");
}

static int finish_request(
	void *instance, const struct ss_request_result *result, struct ss_error *err)
{
	(void)instance;
	(void)result;
	return not_written(err, "finish_request");
}

static int list_requests(void *instance, const struct ss_request_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_requests");
}

static int purge(void *instance, const struct ss_purge *purge, size_t *count, struct ss_error *err)
{
	(void)instance;
	(void)purge;
	(void)count;
	return not_written(err, "purge");
}

static int watch(
	void *instance, const struct ss_watch *watch, struct ss_value **seen, struct ss_error *err)
{
	(void)instance;
	(void)watch;
	(void)seen;
	return not_written(err, "watch");
}

/* Any thread. To be written: lets the watch() that is under way return. */
static void interrupt_watch(void *instance)
{
	(void)instance;
}

/* What the configuration may have in the storage's `options`. */
static const struct ss_option options[] = {
	[OPTION_PATH] = {.name = "path", .type = SS_OPTION_PATH, .help = "Where the store is."},
	{.name = NULL},
};

/* migrate, backup and verify may be left out. */
static const struct ss_storage_operations operations = {
	.create = create,
	.destroy = destroy,
	.turn_context = turn_context,
	.commit_turns = commit_turns,
	.stats = stats,
	.check = check,
	.write_journals = write_journals,
	.read_journal = read_journal,
	.list_journals = list_journals,
	.delete_journal = delete_journal,
	.store_feedback = store_feedback,
	.list_unanswered = list_unanswered,
	.article_counts = article_counts,
	.list_conversations = list_conversations,
	.read_conversation = read_conversation,
	.list_messages = list_messages,
	.change_conversation = change_conversation,
	.delete_conversation = delete_conversation,
	.list_users = list_users,
	.read_user = read_user,
	.store_user = store_user,
	.erase_user = erase_user,
	.read_analytics = read_analytics,
	.store_documents = store_documents,
	.read_documents = read_documents,
	.list_events = list_events,
	.claim_deliveries = claim_deliveries,
	.finish_deliveries = finish_deliveries,
	.list_deliveries = list_deliveries,
	.redeliver = redeliver,
	.delivery_counts = delivery_counts,
	.claim_request = claim_request,
	.finish_request = finish_request,
	.list_requests = list_requests,
	.purge = purge,
	.watch = watch,
	.interrupt_watch = interrupt_watch,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_STORAGE,
	.name = "my_plugin",
	.version = "0.1.0",
	.licence = "MIT",
	.summary = "Keeps conversations.",
	.options = options,
	.storage = &operations,
};
