#include "app/openness.h"

#include "app/listener.h"
#include "app/stored.h"
#include "config/config.h"
#include "config/yaml.h"
#include "value/value.h"

#include <event2/event.h>
#include <unistd.h>

void openness_refuse(const struct config *config, struct diagnostics *diagnostics)
{
	const struct yaml_node *server = yaml_get(config->document->root, "server");
	const struct yaml_node *host = yaml_get(server, "host");
	yaml_mistake(config->document, host != NULL ? host : server, diagnostics,
		"other machines can reach %s, and there is no API key: make one with smartsupport "
		"keys create --role admin --name NAME, listen on 127.0.0.1, or write "
		"open_to_everybody: true under server",
		config->host);
}

/* What a look at the store finds. */
enum finding {
	NOT_KNOWN,
	NO_KEYS,
	KEYS,
};

/* How the store stands without opening it: NO_KEYS when there is none, KEYS when it can be asked. */
static enum finding look(const struct config *config, const struct log *log)
{
	struct diagnostics diagnostics = {0};
	struct ss_error err = {0};
	struct ss_value *report = NULL;
	enum finding found = NOT_KNOWN;
	const struct ss_migrate dry = {.struct_size = sizeof dry, .dry_run = true};
	struct runtime *runtime = runtime_new_storage(config, log, &diagnostics);
	if (runtime != NULL && runtime_storage(runtime)->migrate != NULL &&
		runtime_migrate(runtime, &dry, &report, &err) == 0) {
		int64_t from = value_as_int(value_get(report, "from"));
		int64_t to = value_as_int(value_get(report, "to"));
		found = from == 0 ? NO_KEYS : from == to ? KEYS : NOT_KNOWN;
	}
	value_unref(report);
	runtime_free(runtime);
	diagnostics_free(&diagnostics);
	return found;
}

static int call_count(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	size_t *count = context;
	struct ss_value *found = NULL;
	const struct ss_document_filter filter = {
		.struct_size = sizeof filter, .kind = SS_API_KEYS, .limit = 1};
	if (storage->read_documents(instance, &filter, &found, err) < 0)
		return -1;
	*count = value_count(value_get(found, "items"));
	value_unref(found);
	return 0;
}

static enum finding count(struct config *config)
{
	size_t keys = 0;
	struct ss_error err = {0};
	struct stored stored = {.base = event_base_new(),
		.log = log_new(STDERR_FILENO, SS_LOG_ERROR, false),
		.config = config};
	stored.runtime =
		runtime_new_bare(config, stored.base, &stored.log, true, &stored.diagnostics);
	bool known = stored.runtime != NULL && stored_run(&stored, call_count, &keys, &err);
	runtime_free(stored.runtime);
	event_base_free(stored.base);
	diagnostics_free(&stored.diagnostics);
	return !known ? NOT_KNOWN : keys > 0 ? KEYS : NO_KEYS;
}

void openness_check(const struct config *config, struct diagnostics *diagnostics)
{
	const struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	if (config->access.open_to_everybody || listener_stays_here(config->host))
		return;
	enum finding found = look(config, &log);
	if (found == KEYS)
		found = count((struct config *)(uintptr_t)config);
	if (found == NO_KEYS)
		openness_refuse(config, diagnostics);
}
