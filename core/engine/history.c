#include "engine/history.h"

#include "base/memory.h"
#include "graph/graph.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Whether the node of ENTRY has finished, so that the turn went on behind it. */
static bool has_finished(const struct ss_value *entry)
{
	const char *status = value_as_string(value_get(entry, "status"), NULL);
	return strcmp(status, "done") == 0 || strcmp(status, "degraded") == 0;
}

struct ss_value *history_list(const struct ss_value *trace)
{
	static const char *const shown[] = {"id", "node", "step", "status", "writes", "error"};
	struct ss_value **items = memory_array(value_count(trace), sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = 0; i < value_count(trace); i++) {
		const struct ss_value *entry = value_at(trace, i);
		struct value_entry members[array_length(shown) + 1];
		if (!has_finished(entry))
			continue;
		for (size_t j = 0; j < array_length(shown); j++) {
			const struct ss_value *value = value_get(entry, shown[j]);
			members[j] = (struct value_entry){
				shown[j], value != NULL ? value_ref(value) : NULL};
		}
		members[array_length(shown)] =
			(struct value_entry){"checkpoint", value_int((int64_t)count + 1)};
		items[count++] = value_map_of(members, array_length(members));
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

/* Ids that are collected. */
struct ids {
	uint64_t *items;
	size_t count, capacity;
};

static void add(struct ids *ids, const struct ss_value *entry)
{
	if (ids->count == ids->capacity) {
		ids->capacity = ids->capacity * 2 + 16;
		ids->items = memory_resize(ids->items, ids->capacity, sizeof *ids->items);
	}
	const char *id = value_as_string(value_get(entry, "id"), NULL);
	ids->items[ids->count++] = strtoull(id, NULL, 16);
}

/* All tasks of an inner workflow, or of a list of them, one for each copy. */
static void add_inner(struct ids *ids, const struct ss_value *trace)
{
	for (size_t i = 0; i < value_count(trace); i++) {
		const struct ss_value *item = value_at(trace, i);
		if (value_type(item) == SS_LIST) {
			add_inner(ids, item);
			continue;
		}
		add_inner(ids, value_get(item, "inner"));
		add(ids, item);
	}
}

uint64_t *history_tasks(
	const struct ss_value *trace, size_t checkpoint, size_t *count, struct ss_error *err)
{
	struct ids ids = {0};
	size_t passed = 0;
	for (size_t i = 0; i < value_count(trace) && passed < checkpoint; i++) {
		const struct ss_value *entry = value_at(trace, i);
		if (!has_finished(entry))
			continue;
		passed++;
		add_inner(&ids, value_get(entry, "inner"));
		add(&ids, entry);
	}
	if (passed < checkpoint) {
		(void)ss_fail_as(err, SS_NOT_FOUND,
			"there is no checkpoint %zu; the turn has those from 0 to %zu", checkpoint,
			passed);
		free(ids.items);
		return NULL;
	}
	*count = ids.count;
	return ids.items != NULL ? ids.items : memory_array(1, sizeof(uint64_t));
}

/* A fork on its way to the store. */
struct storing {
	struct ss_journal_write write;
	struct record_entry *copied;
	struct ss_journal_entry *entries;
	size_t count;
	char *id, *workflow, *source, *start;
	char *user_id, *conversation_id; /* as of the forked one */
	history_forked *done;
	void *context;
};

static void storing_free(struct storing *storing)
{
	for (size_t i = 0; i < storing->count; i++)
		free(storing->copied[i].data);
	free(storing->copied);
	free(storing->entries);
	free(storing->user_id);
	free(storing->conversation_id);
	free(storing->id);
	free(storing->workflow);
	free(storing->source);
	free(storing->start);
	free(storing);
}

static void on_stored(void *context, const struct ss_error *err)
{
	struct storing *storing = context;
	storing->done(storing->context, err);
	storing_free(storing);
}

/* The INPUT with CHANGES. */
static struct ss_value *merge(const struct ss_value *input, const struct ss_value *changes)
{
	size_t count = value_count(input), more = value_count(changes);
	struct value_entry *entries = memory_array(count + more, sizeof *entries);
	for (size_t i = 0; i < count + more; i++) {
		const struct ss_value *map = i < count ? input : changes;
		size_t at = i < count ? i : i - count;
		entries[i] =
			(struct value_entry){value_key_at(map, at), value_ref(value_at(map, at))};
	}
	struct ss_value *merged = value_map_of(entries, count + more);
	free(entries);
	return merged;
}

static char *make_start(const struct history_fork *fork)
{
	const struct ss_value *input = record_input(fork->record);
	struct ss_value *start = value_map_make(
		{"input", merge(input, fork->checkpoint == 0 ? fork->changes : NULL)},
		{"parent", value_map_make({"turn", value_text(record_id(fork->record))},
				   {"checkpoint", value_int((int64_t)fork->checkpoint)})});
	char *text = json_text(start);
	value_unref(start);
	return text;
}

static int check_changes(
	const struct graph *graph, const struct ss_value *changes, struct ss_error *err)
{
	for (size_t i = 0; i < value_count(changes); i++) {
		const char *name = value_key_at(changes, i);
		size_t slot = graph_slot(graph, name);
		if (slot == GRAPH_NO_SLOT)
			return ss_fail_as(
				err, SS_INVALID, "the state has no field \"%.60s\"", name);
		struct ss_value *value =
			graph_fit_value(&graph->fields[slot], value_ref(value_at(changes, i)), err);
		if (value == NULL)
			return -1;
		value_unref(value);
	}
	return 0;
}

static struct ss_text whole(const char *text)
{
	return (struct ss_text){text, strlen(text)};
}

int history_store_fork(struct store *store, const struct history_fork *fork, history_forked *done,
	void *context, struct ss_error *err)
{
	size_t count = 0;
	if (check_changes(fork->graph, fork->changes, err) < 0)
		return -1;
	uint64_t *tasks = history_tasks(fork->trace, fork->checkpoint, &count, err);
	if (tasks == NULL)
		return -1;
	struct storing *storing = memory_make(struct storing);
	storing->done = done;
	storing->context = context;
	storing->copied = record_copy(fork->record, tasks, count, fork->changes, &storing->count);
	storing->entries = memory_array(storing->count, sizeof *storing->entries);
	for (size_t i = 0; i < storing->count; i++)
		storing->entries[i] = (struct ss_journal_entry){
			(int64_t)storing->copied[i].task, whole(storing->copied[i].data)};
	storing->id = memory_string(fork->id);
	storing->workflow = memory_string(record_workflow(fork->record));
	storing->source = json_text(record_source(fork->record));
	storing->start = make_start(fork);
	storing->user_id = memory_string(record_user(fork->record));
	storing->conversation_id = memory_string(record_conversation(fork->record));
	storing->write = (struct ss_journal_write){
		.struct_size = sizeof storing->write,
		.turn_id = storing->id,
		.workflow = storing->workflow,
		.workflow_text = whole(storing->source),
		.start = whole(storing->start),
		.fence = 1,
		.status = "running",
		.entries = storing->entries,
		.entry_count = storing->count,
		.first = 1,
		.user_id = storing->user_id,
		.conversation_id = storing->conversation_id,
	};
	free(tasks);
	if (store_write_journal(store, &storing->write, on_stored, storing, err) == 0)
		return 0;
	storing_free(storing);
	return -1;
}
