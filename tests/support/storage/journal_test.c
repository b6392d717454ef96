/* Journals of turns in the file. */
#include "support/storage/store.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(storage_journal, .init = store_begin, .fini = store_end);

#define HOUR_NS (INT64_C(3600) * 1000000000)

static struct ss_text whole(const char *text)
{
	return (struct ss_text){text, strlen(text)};
}

static int write_one(void *store, struct ss_journal_write write, struct ss_error *err)
{
	struct ss_error errors[1] = {{.status = SS_OK}};
	write.struct_size = sizeof write;
	int result = smartsupport_plugin.storage->write_journals(store, &write, 1, errors);
	*err = errors[0];
	return result == 0 && errors[0].status == SS_OK ? 0 : -1;
}

static void add(void *store, struct ss_journal_write write)
{
	struct ss_error err;
	cr_assert_eq(write_one(store, write, &err), 0, "%s", err.text);
}

/* The beginning of the journal of the turn ID, whose lease "me" holds. */
static struct ss_journal_write beginning(const char *id)
{
	return (struct ss_journal_write){
		.turn_id = id,
		.workflow = "hash",
		.workflow_text = whole("{\"file\":\"w.yaml\"}"),
		.start = whole("{\"input\":{}}"),
		.fence = 1,
		.owner = "me",
		.lease_ns = HOUR_NS,
	};
}

static struct ss_value *read_as(
	void *store, const char *id, const char *owner, const char *gone, struct ss_error *err)
{
	struct ss_value *journal = NULL;
	const struct ss_journal_key key = {
		.struct_size = sizeof key,
		.turn_id = id,
		.owner = owner,
		.lease_ns = HOUR_NS,
		.gone = gone,
	};
	int result = smartsupport_plugin.storage->read_journal(store, &key, &journal, err);
	cr_expect_eq(result == 0, journal != NULL);
	return journal;
}

static void expect_refused(
	void *store, const char *id, const char *owner, enum ss_status status, const char *words)
{
	struct ss_error err = {0};
	cr_assert_null(read_as(store, id, owner, NULL, &err));
	cr_expect_eq(err.status, status);
	cr_expect_not_null(strstr(err.text, words), "%s", err.text);
}

static const char *text(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

Test(storage_journal, is_read_as_it_was_written)
{
	static const struct ss_journal_entry entries[] = {
		{-1, {"{\"writes\":[]}", 13}}, {INT64_MIN, {"{\"ask\":\"é\"}", 12}}};
	struct ss_error err;
	void *store = store_open();
	struct ss_journal_write write = beginning("t1");
	write.entries = entries;
	write.entry_count = 1;
	write.first = 1;
	add(store, write);
	add(store, (struct ss_journal_write){.turn_id = "t1",
			   .fence = 1,
			   .owner = "me",
			   .entries = &entries[1],
			   .entry_count = 1,
			   .first = 2});
	struct ss_value *journal = read_as(store, "t1", NULL, NULL, &err);
	cr_assert_not_null(journal, "%s", err.text);
	cr_expect_str_eq(text(journal, "id"), "t1");
	cr_expect_str_eq(text(journal, "workflow"), "hash");
	cr_expect_str_eq(text(journal, "workflow_text"), "{\"file\":\"w.yaml\"}");
	cr_expect_str_eq(text(journal, "start"), "{\"input\":{}}");
	cr_expect_str_eq(text(journal, "status"), "running");
	cr_expect_str_eq(text(journal, "owner"), "me");
	cr_expect_eq(value_as_int(value_get(journal, "fence")), 1);
	const struct ss_value *read = value_get(journal, "entries");
	cr_assert_eq(value_count(read), (size_t)2);
	cr_expect_eq(value_as_int(value_get(value_at(read, 1), "task")), INT64_MIN);
	cr_expect_str_eq(text(value_at(read, 1), "data"), "{\"ask\":\"é\"}");
	value_unref(journal);
	store_close(store);
	store_check();
}

Test(storage_journal, survives_the_process_and_keeps_a_workflow_once)
{
	struct ss_error err;
	void *store = store_open();
	add(store, beginning("t1"));
	add(store, beginning("t2"));
	store_close(store);
	store = store_open();
	struct ss_value *journal = read_as(store, "t2", NULL, NULL, &err);
	cr_expect_not_null(journal);
	value_unref(journal);
	cr_expect_eq(store_number("SELECT count(*) FROM workflows"), 1);
	store_close(store);
}

Test(storage_journal, begins_once)
{
	struct ss_error err;
	void *store = store_open();
	add(store, beginning("t1"));
	cr_expect_eq(write_one(store, beginning("t1"), &err), -1);
	cr_expect_eq(err.status, SS_CONFLICT);
	cr_expect_str_eq(err.text, "turn t1: a turn with this id is stored already");
	cr_expect_eq(write_one(store, beginning(""), &err), -1);
	cr_expect_str_eq(err.text, "turn without an id: it needs the id of the turn");
	store_close(store);
}

Test(storage_journal, refuses_a_writer_whose_lease_was_taken_and_not_the_others_beside_it)
{
	static const struct ss_journal_entry entry = {1, {"{}", 2}};
	struct ss_error err, errors[2] = {{.status = SS_OK}, {.status = SS_OK}};
	void *store = store_open();
	add(store, beginning("t1"));
	add(store, beginning("t2"));
	struct ss_value *journal = read_as(store, "t1", "other", "me", &err);
	cr_assert_not_null(journal, "%s", err.text);
	cr_expect_eq(value_as_int(value_get(journal, "fence")), 2);
	cr_expect_str_eq(text(journal, "owner"), "other");
	value_unref(journal);
	struct ss_journal_write writes[2];
	for (size_t i = 0; i < 2; i++)
		writes[i] = (struct ss_journal_write){.struct_size = sizeof writes[i],
			.turn_id = i == 0 ? "t1" : "t2",
			.fence = 1,
			.owner = "me",
			.entries = &entry,
			.entry_count = 1,
			.first = 1};
	cr_expect_eq(smartsupport_plugin.storage->write_journals(store, writes, 2, errors), 0);
	cr_expect_eq(errors[0].status, SS_CONFLICT);
	cr_expect_str_eq(
		errors[0].text, "turn t1: somebody else goes on with the turn, or has deleted it");
	cr_expect_eq(errors[1].status, SS_OK);
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 1);
	store_close(store);
}

Test(storage_journal, looks_at_the_fence_whatever_is_written)
{
	static const struct ss_journal_entry entry = {1, {"{}", 2}};
	const struct ss_journal_write writes[] = {
		{.owner = "me"},
		{.owner = "me", .lease_ns = HOUR_NS},
		{.status = "done"},
		{.owner = "me", .entries = &entry, .entry_count = 1, .first = 1},
		{.status = "done", .entries = &entry, .entry_count = 1, .first = 1},
	};
	struct ss_error err;
	void *store = store_open();
	add(store, beginning("t1"));
	for (size_t i = 0; i < array_length(writes); i++) {
		struct ss_journal_write write = writes[i];
		for (int64_t fence = 0; fence < 3; fence += 2) {
			write.turn_id = "t1";
			write.fence = fence;
			cr_expect_eq(write_one(store, write, &err), -1);
			cr_expect_eq(err.status, SS_CONFLICT, "%s", err.text);
		}
		write.turn_id = "t2";
		write.fence = 1;
		cr_expect_eq(write_one(store, write, &err), -1);
		cr_expect_eq(err.status, SS_CONFLICT, "%s", err.text);
	}
	cr_expect_eq(store_number("SELECT count(*) FROM turns WHERE status = 'running'"), 1);
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 0);
	store_close(store);
}

/* The second entry is there already. */
Test(storage_journal, keeps_nothing_of_a_write_that_is_refused)
{
	static const struct ss_journal_entry entries[] = {{1, {"{}", 2}}, {2, {"{}", 2}}};
	struct ss_journal_write write = {
		.turn_id = "t1", .fence = 1, .owner = "me", .entries = entries, .entry_count = 1};
	struct ss_error err;
	void *store = store_open();
	add(store, beginning("t1"));
	write.first = 2;
	add(store, write);
	cr_expect_eq(write_one(store, write, &err), -1);
	write.status = "done";
	cr_expect_eq(write_one(store, write, &err), -1);
	write.first = 1;
	write.entry_count = 2;
	cr_expect_eq(write_one(store, write, &err), -1);
	cr_expect_eq(err.status, SS_INVALID, "%s", err.text);
	cr_expect_eq(store_number("SELECT count(*) FROM turns WHERE status = 'running'"), 1);
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 1);
	store_close(store);
}

Test(storage_journal, is_gone_on_with_by_one_at_a_time)
{
	struct ss_error err;
	void *store = store_open();
	add(store, beginning("t1"));
	expect_refused(
		store, "t1", "other", SS_CONFLICT, "the process me goes on with the turn t1");
	expect_refused(store, "t3", "other", SS_NOT_FOUND, "there is no turn t3");
	expect_refused(store, "t3", NULL, SS_NOT_FOUND, "there is no turn t3");
	/* A lease that ran out. */
	store_execute("UPDATE turns SET lease_until = 1");
	struct ss_value *journal = read_as(store, "t1", "other", NULL, &err);
	cr_assert_not_null(journal, "%s", err.text);
	value_unref(journal);
	expect_refused(store, "t1", "me", SS_CONFLICT, "the process other goes on");
	/* One that was given back, when the turn is done. */
	add(store, (struct ss_journal_write){.turn_id = "t1", .fence = 2, .status = "done"});
	expect_refused(store, "t1", "me", SS_CONFLICT, "the turn t1 is done");
	store_close(store);
}

Test(storage_journal, tells_a_failure_until_the_turn_goes_on)
{
	struct ss_error err;
	void *store = store_open();
	add(store, beginning("t1"));
	add(store, (struct ss_journal_write){
			   .turn_id = "t1", .fence = 1, .status = "failed", .error = "no"});
	struct ss_value *journal = read_as(store, "t1", NULL, NULL, &err);
	cr_expect_str_eq(text(journal, "status"), "failed");
	cr_expect_str_eq(text(journal, "error"), "no");
	cr_expect_null(value_get(journal, "owner"));
	value_unref(journal);
	journal = read_as(store, "t1", "me", NULL, &err);
	cr_expect_str_eq(text(journal, "status"), "running");
	cr_expect_null(value_get(journal, "error"));
	value_unref(journal);
	store_close(store);
}

Test(storage_journal, a_status_leaves_the_lease_as_it_is)
{
	void *store = store_open();
	add(store, beginning("t1"));
	int64_t end = store_number("SELECT lease_until FROM turns");
	add(store, (struct ss_journal_write){
			   .turn_id = "t1", .fence = 1, .owner = "me", .status = "interrupted"});
	cr_expect_eq(store_number("SELECT lease_until FROM turns"), end);
	expect_refused(
		store, "t1", "other", SS_CONFLICT, "the process me goes on with the turn t1");
	store_close(store);
}

static char *list(void *store, const char *status, const char *before, size_t limit)
{
	struct ss_error err;
	struct ss_value *journals = NULL;
	struct buffer ids = {0};
	const struct ss_journal_filter filter = {
		.struct_size = sizeof filter, .status = status, .before = before, .limit = limit};
	cr_assert_eq(
		smartsupport_plugin.storage->list_journals(store, &filter, &journals, &err), 0);
	for (size_t i = 0; i < value_count(journals); i++)
		buffer_add_format(&ids, "%s ", text(value_at(journals, i), "id"));
	value_unref(journals);
	return buffer_take(&ids);
}

Test(storage_journal, lists_the_newest_first)
{
	static const struct {
		const char *status, *before;
		size_t limit;
		const char *expected;
	} cases[] = {{NULL, NULL, 10, "c b a "}, {NULL, NULL, 2, "c b "}, {NULL, "b", 10, "a "},
		{"done", NULL, 10, "b "}, {"failed", NULL, 10, ""}};
	void *store = store_open();
	add(store, beginning("a"));
	add(store, beginning("b"));
	add(store, beginning("c"));
	add(store, (struct ss_journal_write){.turn_id = "b", .fence = 1, .status = "done"});
	for (size_t i = 0; i < array_length(cases); i++) {
		char *ids = list(store, cases[i].status, cases[i].before, cases[i].limit);
		cr_expect_str_eq(ids, cases[i].expected);
		free(ids);
	}
	store_close(store);
}

Test(storage_journal, is_deleted_with_its_entries_unless_somebody_goes_on_with_it)
{
	static const struct ss_journal_entry entry = {1, {"{}", 2}};
	const struct ss_storage_operations *storage = smartsupport_plugin.storage;
	struct ss_error err;
	void *store = store_open();
	struct ss_journal_write write = beginning("t1");
	write.entries = &entry;
	write.entry_count = 1;
	write.first = 1;
	add(store, write);
	cr_expect_eq(storage->delete_journal(store, "t1", &err), -1);
	cr_expect_str_eq(err.text, "the turn t1 is being gone on with, so it cannot be deleted");
	add(store, (struct ss_journal_write){.turn_id = "t1", .fence = 1, .status = "done"});
	cr_expect_eq(storage->delete_journal(store, "t1", &err), 0);
	cr_expect_eq(storage->delete_journal(store, "t1", &err), -1);
	cr_expect_str_eq(err.text, "there is no turn t1");
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 0);
	store_close(store);
}
