#include "support/stored_answer.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

struct finding {
	store_read *done;
	void *context;
	char *turn_id;
	struct ss_value *reply;
};

/* What a reply says of how it came about: what is STORED, but not what is only for the human who takes over. */
static struct ss_value *read_metadata(struct ss_text stored)
{
	struct ss_value *all = json_parse(stored.data, stored.length, NULL);
	size_t count = value_count(all);
	const char **keys = memory_array(count, sizeof *keys);
	struct ss_value **values = memory_array(count, sizeof *values);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		const char *key = value_key_at(all, i);
		if (strcmp(key, "handover_summary") == 0)
			continue;
		keys[kept] = key;
		values[kept++] = value_ref(value_at(all, i));
	}
	struct ss_value *metadata = value_map(keys, values, kept);
	value_unref(all);
	free(keys);
	free(values);
	return metadata;
}

static struct ss_value *copy(const struct ss_value *message, const char *name)
{
	return value_ref(value_get(message, name));
}

static struct ss_value *reply_of(const struct ss_value *message)
{
	return value_map_make({"conversation_id", copy(message, "conversation_id")},
		{"response", copy(message, "content")}, {"category", copy(message, "category")},
		{"sentiment", copy(message, "sentiment")}, {"priority", copy(message, "priority")},
		{"timestamp", copy(message, "at")},
		{"metadata", read_metadata(value_as_text(value_get(message, "metadata")))});
}

static int call_find(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct finding *finding = context;
	struct ss_value *page = NULL;
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter, .turn_id = finding->turn_id, .limit = 2};
	if (storage->list_messages == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "this storage does not tell messages");
	if (storage->list_messages(instance, &filter, &page, err) < 0)
		return -1;
	const struct ss_value *items = value_get(page, "items");
	for (size_t i = 0; i < value_count(items); i++) {
		const struct ss_value *message = value_at(items, i);
		if (value_get(message, "turn_id") != NULL && finding->reply == NULL)
			finding->reply = reply_of(message);
	}
	value_unref(page);
	return finding->reply != NULL
		       ? 0
		       : ss_fail_as(err, SS_NOT_FOUND, "there is no stored turn with the id %s",
				 finding->turn_id);
}

static void free_finding(struct finding *finding)
{
	value_unref(finding->reply);
	free(finding->turn_id);
	free(finding);
}

static void on_found(void *context, const struct ss_error *err)
{
	struct finding *finding = context;
	finding->done(finding->context, finding->reply, err);
	free_finding(finding);
}

int stored_answer_find(struct store *store, const char *turn_id, store_read *done, void *context,
	struct ss_error *err)
{
	struct finding *finding = memory_make(struct finding);
	finding->done = done;
	finding->context = context;
	finding->turn_id = memory_string(turn_id);
	if (store_run(store, call_find, on_found, finding, err) == 0)
		return 0;
	free_finding(finding);
	return -1;
}
