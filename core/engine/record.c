#include "engine/record.h"

#include "base/memory.h"
#include "base/process.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levels of a state's values, and of the texts around them. */
enum { RECORD_DEPTH = 1024 };

struct entry {
	uint64_t task;
	size_t row; /* in the journal */
	struct ss_value *data;
};

struct record {
	size_t references;
	struct ss_value *journal; /* without the entries' texts */
	struct ss_value *start;
	struct ss_value *source;
	struct entry *entries; /* by task, then row */
	size_t count;
};

static struct ss_value *parse(const struct ss_value *text, struct ss_error *err)
{
	struct ss_text given = value_as_text(text);
	return json_parse_deep(given.data, given.length, RECORD_DEPTH, err);
}

static int compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	if (left->task != right->task)
		return left->task < right->task ? -1 : 1;
	return left->row < right->row ? -1 : left->row > right->row;
}

static int read_entries(struct record *record, struct ss_error *err)
{
	const struct ss_value *entries = value_get(record->journal, "entries");
	size_t count = value_count(entries);
	record->entries = memory_array(count, sizeof *record->entries);
	for (size_t i = 0; i < count; i++) {
		const struct ss_value *entry = value_at(entries, i);
		struct ss_value *data = parse(value_get(entry, "data"), err);
		if (data == NULL)
			return -1;
		record->entries[record->count++] =
			(struct entry){(uint64_t)value_as_int(value_get(entry, "task")), i, data};
	}
	if (count > 1)
		qsort(record->entries, count, sizeof *record->entries, compare);
	return 0;
}

struct record *record_new(const struct ss_value *journal, struct ss_error *err)
{
	struct ss_error cause = {0};
	struct record *record = memory_make(struct record);
	record->references = 1;
	record->journal = value_ref(journal);
	record->start = parse(value_get(journal, "start"), &cause);
	record->source =
		record->start != NULL ? parse(value_get(journal, "workflow_text"), &cause) : NULL;
	if (record->source != NULL && read_entries(record, &cause) == 0)
		return record;
	(void)ss_fail(err, "the journal of the turn %s is damaged: %s",
		value_as_string(value_get(journal, "id"), NULL), cause.text);
	record_unref(record);
	return NULL;
}

struct record *record_ref(struct record *record)
{
	record->references++;
	return record;
}

void record_unref(struct record *record)
{
	if (record == NULL || --record->references > 0)
		return;
	for (size_t i = 0; i < record->count; i++)
		value_unref(record->entries[i].data);
	free(record->entries);
	value_unref(record->source);
	value_unref(record->start);
	value_unref(record->journal);
	free(record);
}

const char *record_id(const struct record *record)
{
	return value_as_string(value_get(record->journal, "id"), NULL);
}

/* The member NAME of the journal; NULL when there is none. */
static const char *text_or_null(const struct record *record, const char *name)
{
	const struct ss_value *text = value_get(record->journal, name);
	return text != NULL ? value_as_string(text, NULL) : NULL;
}

const char *record_user(const struct record *record)
{
	return text_or_null(record, "user_id");
}

const char *record_conversation(const struct record *record)
{
	return text_or_null(record, "conversation_id");
}

const char *record_status(const struct record *record)
{
	return value_as_string(value_get(record->journal, "status"), NULL);
}

const char *record_error(const struct record *record)
{
	return text_or_null(record, "error");
}

const struct ss_value *record_input(const struct record *record)
{
	return value_get(record->start, "input");
}

const struct ss_value *record_about(const struct record *record)
{
	return value_get(record->start, "about");
}

const char *record_workflow(const struct record *record)
{
	return value_as_string(value_get(record->journal, "workflow"), NULL);
}

const struct ss_value *record_source(const struct record *record)
{
	return record->source;
}

int64_t record_fence(const struct record *record)
{
	return value_as_int(value_get(record->journal, "fence"));
}

size_t record_count(const struct record *record)
{
	return record->count;
}

/* The first entry of TASK; COUNT when there is none. */
static size_t find(const struct record *record, uint64_t task)
{
	size_t from = 0, to = record->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (record->entries[middle].task < task)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static const struct ss_value *entry_of(const struct record *record, uint64_t task, size_t row)
{
	bool is = row < record->count && record->entries[row].task == task;
	return is ? record->entries[row].data : NULL;
}

static int64_t copy_of(const struct ss_value *data)
{
	const struct ss_value *copy = value_get(data, "copy");
	return copy != NULL ? value_as_int(copy) : -1;
}

const struct ss_value *record_find(
	const struct record *record, uint64_t task, int64_t copy, const char *key)
{
	const struct ss_value *found = NULL;
	const struct ss_value *data;
	for (size_t row = find(record, task); (data = entry_of(record, task, row)) != NULL; row++) {
		if (copy_of(data) == copy && value_get(data, key) != NULL)
			found = data;
	}
	return found;
}

const struct ss_value *record_question(const struct record *record, uint64_t task, int64_t copy)
{
	const struct ss_value *question = NULL, *asked = NULL;
	const struct ss_value *data;
	for (size_t row = find(record, task); (data = entry_of(record, task, row)) != NULL; row++) {
		if (copy_of(data) == copy && value_get(data, "ask") != NULL)
			asked = question = value_get(data, "ask");
		if (copy_of(data) == copy && value_get(data, "answer") != NULL)
			question = NULL;
		if (copy_of(data) == copy && value_get(data, "rejected") != NULL)
			question = asked;
	}
	return question;
}

/* Whether DATA says what a node came to when it ran: it says nothing else. */
static bool is_outcome(const struct ss_value *data)
{
	static const char *const others[] = {"ask", "answer", "rejected", "before", "after",
		"error", "cached", "changes", "attempt"};
	for (size_t i = 0; i < array_length(others); i++) {
		if (value_get(data, others[i]) != NULL)
			return false;
	}
	return true;
}

bool record_is_result(const struct ss_value *data)
{
	return is_outcome(data) || value_get(data, "error") != NULL ||
	       value_get(data, "cached") != NULL;
}

const struct ss_value *record_outcome(const struct record *record, uint64_t task, int64_t copy)
{
	const struct ss_value *data;
	for (size_t row = find(record, task); (data = entry_of(record, task, row)) != NULL; row++) {
		if (copy_of(data) == copy && is_outcome(data))
			return data;
	}
	return NULL;
}

bool record_mentions(const struct record *record, uint64_t task)
{
	return entry_of(record, task, find(record, task)) != NULL;
}

bool record_knows(const struct record *record, uint64_t task)
{
	const struct ss_value *data;
	for (size_t row = find(record, task); (data = entry_of(record, task, row)) != NULL; row++) {
		if (record_is_result(data))
			return true;
	}
	return false;
}

static int compare_rows(const void *a, const void *b)
{
	const struct entry *left = *(const struct entry *const *)a;
	const struct entry *right = *(const struct entry *const *)b;
	return left->row < right->row ? -1 : left->row > right->row;
}

/* The answer that DATA has, if any. */
static const struct ss_value *answer_in(const struct ss_value *data)
{
	static const char *const keys[] = {"before", "answer", "after"};
	const struct ss_value *answer = NULL;
	for (size_t i = 0; answer == NULL && i < array_length(keys); i++)
		answer = value_get(data, keys[i]);
	return answer;
}

struct ss_value *record_answers(const struct record *record)
{
	const struct entry **found = memory_array(record->count, sizeof *found);
	struct ss_value **items = memory_array(record->count, sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = 0; i < record->count; i++) {
		if (answer_in(record->entries[i].data) != NULL)
			found[count++] = &record->entries[i];
	}
	if (count > 1)
		qsort(found, count, sizeof *found, compare_rows);
	for (size_t i = 0; i < count; i++) {
		char id[48];
		int64_t copy = copy_of(found[i]->data);
		(void)snprintf(id, sizeof id, copy >= 0 ? "%016" PRIx64 "-%" PRId64 : "%016" PRIx64,
			found[i]->task, copy);
		items[i] = value_map_make(
			{"id", value_text(id)}, {"value", value_ref(answer_in(found[i]->data))});
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	free(found);
	return list;
}

static bool is_among(uint64_t task, const uint64_t *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (tasks[i] == task)
			return true;
	}
	return false;
}

struct record *record_cut(const struct record *record, const uint64_t *tasks, size_t count)
{
	struct record *cut = memory_make(struct record);
	cut->references = 1;
	cut->journal = value_ref(record->journal);
	cut->start = value_ref(record->start);
	cut->source = value_ref(record->source);
	cut->entries = memory_array(record->count, sizeof *cut->entries);
	for (size_t i = 0; i < record->count; i++) {
		if (!is_among(record->entries[i].task, tasks, count))
			continue;
		cut->entries[cut->count] = record->entries[i];
		(void)value_ref(cut->entries[cut->count++].data);
	}
	return cut;
}

struct record_entry *record_copy(const struct record *record, const uint64_t *tasks, size_t count,
	const struct ss_value *changes, size_t *entries)
{
	struct record_entry *copy = memory_array(record->count + 1, sizeof *copy);
	*entries = 0;
	for (size_t i = 0; i < record->count; i++) {
		const struct entry *entry = &record->entries[i];
		if (is_among(entry->task, tasks, count))
			copy[(*entries)++] =
				(struct record_entry){entry->task, json_text(entry->data)};
	}
	if (count > 0 && value_count(changes) > 0) {
		struct ss_value *data = value_map_make({"changes", value_ref(changes)});
		copy[(*entries)++] = (struct record_entry){tasks[count - 1], json_text(data)};
		value_unref(data);
	}
	return copy;
}

/* A journal that is being read. */
struct fetch {
	struct store *store;
	char *id;
	bool claimed;
	record_read *done;
	void *context;
};

static void end_fetch(
	struct fetch *fetch, const struct ss_value *journal, const struct ss_error *err)
{
	struct ss_error damage = {0};
	struct record *record = err == NULL ? record_new(journal, &damage) : NULL;
	fetch->done(fetch->context, record, err != NULL || record != NULL ? err : &damage);
	free(fetch->id);
	free(fetch);
}

static void on_claimed(void *context, const struct ss_value *journal, const struct ss_error *err)
{
	end_fetch(context, journal, err);
}

/* Takes the lease; that of a process which is known to be gone need not run out. */
static int claim(struct fetch *fetch, const char *owner, struct ss_error *err)
{
	char self[PROCESS_NAME_SIZE];
	process_name(self);
	const struct ss_journal_key key = {
		.struct_size = sizeof key,
		.turn_id = fetch->id,
		.owner = self,
		.lease_ns = RECORD_LEASE_NS,
		.gone = owner != NULL && process_is_gone(owner) ? owner : NULL,
	};
	return store_read_journal(fetch->store, &key, on_claimed, fetch, err);
}

static void on_read(void *context, const struct ss_value *journal, const struct ss_error *err)
{
	struct fetch *fetch = context;
	struct ss_error cause;
	const struct ss_value *owner = value_get(journal, "owner");
	if (err != NULL || !fetch->claimed)
		end_fetch(fetch, journal, err);
	else if (claim(fetch, owner != NULL ? value_as_string(owner, NULL) : NULL, &cause) < 0)
		end_fetch(fetch, NULL, &cause);
}

int record_fetch(struct store *store, const char *id, bool claimed, record_read *done,
	void *context, struct ss_error *err)
{
	struct fetch *fetch = memory_make(struct fetch);
	*fetch = (struct fetch){store, memory_string(id), claimed, done, context};
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = fetch->id};
	if (store_read_journal(store, &key, on_read, fetch, err) == 0)
		return 0;
	free(fetch->id);
	free(fetch);
	return -1;
}
