#include "api/conversation.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* MAP (taken) without the entry KEY; new. */
static struct ss_value *without(struct ss_value *map, const char *key)
{
	size_t count = value_count(map), kept = 0;
	struct value_entry *entries = memory_array(count, sizeof *entries);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(value_key_at(map, i), key) != 0)
			entries[kept++] = (struct value_entry){
				value_key_at(map, i), value_ref(value_at(map, i))};
	}
	struct ss_value *rest = value_map_of(entries, kept);
	free(entries);
	value_unref(map);
	return rest;
}

static struct ss_value *metadata_value(const struct ss_value *message, bool handover)
{
	struct ss_error err = {0};
	struct ss_text text = value_as_text(value_get(message, "metadata"));
	struct ss_value *metadata =
		text.length > 0 ? json_parse(text.data, text.length, &err) : NULL;
	if (metadata == NULL || handover)
		return metadata;
	return without(metadata, "handover_summary");
}

struct ss_value *conversation_message(const struct ss_value *message, bool handover)
{
	if (value_get(message, "turn_id") == NULL)
		return value_ref(message);
	struct ss_value *rest = without(without(value_ref(message), "metadata"), "duration_ns");
	struct ss_value *metadata = metadata_value(message, handover);
	double seconds = (double)value_as_int(value_get(message, "duration_ns")) / 1e9;
	struct ss_value *timed = value_map_with(rest, "processing_time", value_number(seconds));
	value_unref(rest);
	if (metadata == NULL)
		return timed;
	struct ss_value *whole = value_map_with(timed, "metadata", metadata);
	value_unref(timed);
	return whole;
}

struct ss_value *conversation_messages(const struct ss_value *page, bool handover)
{
	const struct ss_value *items = value_get(page, "items");
	struct ss_value **messages = memory_array(value_count(items), sizeof(struct ss_value *));
	for (size_t i = 0; i < value_count(items); i++)
		messages[i] = conversation_message(value_at(items, i), handover);
	struct ss_value *list = value_list(messages, value_count(items));
	free(messages);
	return list;
}
