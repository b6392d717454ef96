/* Journals as they are written, read, listed and deleted. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <string.h>

static struct ss_journal_entry entry(int64_t task, const char *data)
{
	return (struct ss_journal_entry){task, text_of(data)};
}

/* One more write to the journal of the turn ID by its first owner, "me". */
static struct ss_journal_write more(const char *id)
{
	return (struct ss_journal_write){.turn_id = id, .fence = 1, .owner = "me"};
}

/* The entries of JOURNAL, as "1 {}|2 {}". */
static const char *entries_of(struct probe *probe, const struct ss_value *journal)
{
	const char *all = "";
	const struct ss_value *entries = value_get(journal, "entries");
	for (size_t i = 0; i < value_count(entries); i++) {
		const struct ss_value *one = value_at(entries, i);
		all = probe_format(probe, "%s%s%lld %s", all, i > 0 ? "|" : "",
			(long long)value_as_int(value_get(one, "task")), probe_string(one, "data"));
	}
	return all;
}

static void expect_entries(struct probe *probe, const char *id, const char *expected)
{
	const struct ss_value *journal = probe_journal(probe, id);
	probe_expect(probe, "the entries of a journal", expected, entries_of(probe, journal));
}

static void reads_what_was_written(struct probe *probe)
{
	const struct ss_journal_entry entries[] = {
		entry(-1, "{\"writes\": []}"), entry(INT64_MIN, "{\"ask\":\"\\u0000 é 😀\"}")};
	const char *id = probe_name(probe, "turn");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.workflow_text = text_of("{ \"b\":1,\n\"a\": 1.0, \"a\\u0000\":\"\\u0000\" }");
	write.start = text_of("{\"input\" : {\"z\":1,\"a\":2}}");
	write.entries = entries;
	write.entry_count = array_length(entries);
	probe_write(probe, write);
	const struct ss_value *journal = probe_journal(probe, id);
	probe_expect(probe, "id", id, probe_string(journal, "id"));
	probe_expect(probe, "workflow", write.workflow, probe_string(journal, "workflow"));
	probe_expect_text(
		probe, "workflow_text", write.workflow_text, value_get(journal, "workflow_text"));
	probe_expect_text(probe, "start", write.start, value_get(journal, "start"));
	probe_expect(probe, "status", "running", probe_string(journal, "status"));
	probe_expect(probe, "owner", "me", probe_string(journal, "owner"));
	probe_expect_int(probe, "fence", 1, value_as_int(value_get(journal, "fence")));
	probe_expect(probe, "entries",
		"-1 {\"writes\": []}|-9223372036854775808 {\"ask\":\"\\u0000 é 😀\"}",
		entries_of(probe, journal));
	if (!probe->failed && value_get(journal, "error") != NULL)
		probe_fail(probe, "a journal without an error", "no \"error\"", "one");
	static const char *const times[] = {"lease_until", "created_at", "updated_at"};
	for (size_t i = 0; i < array_length(times) && !probe->failed; i++) {
		const char *time = probe_string(journal, times[i]);
		if (strlen(time) != strlen("2026-01-31T09:05:00.123456Z") ||
			time[strlen(time) - 1] != 'Z')
			probe_fail(probe, times[i], "a time as 2026-01-31T09:05:00.123456Z",
				"\"%s\"", time);
	}
}

static void keeps_the_order(struct probe *probe)
{
	enum { ENTRIES = 120 };
	struct ss_journal_entry entries[ENTRIES];
	const char *id = probe_name(probe, "turn");
	const char *expected = "";
	for (size_t i = 0; i < ENTRIES; i++) {
		entries[i] = entry(
			(int64_t)(i * 7 % 11), probe_format(probe, "{\"n\":%zu}", ENTRIES - i));
		expected = probe_format(probe, "%s%s%zu {\"n\":%zu}", expected, i > 0 ? "|" : "",
			i * 7 % 11, ENTRIES - i);
	}
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.entries = entries;
	write.entry_count = 5;
	probe_write(probe, write);
	for (size_t at = 5; at < ENTRIES; at += 23) {
		write = more(id);
		write.entries = &entries[at];
		write.entry_count = at + 23 < ENTRIES ? 23 : ENTRIES - at;
		write.first = (int64_t)at + 1;
		probe_write(probe, write);
	}
	expect_entries(probe, id, expected);
}

static void begins_once(struct probe *probe)
{
	const struct ss_journal_entry mine = entry(1, "{\"mine\":1}");
	const char *id = probe_name(probe, "turn");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.entries = &mine;
	write.entry_count = 1;
	probe_write(probe, write);
	write.owner = "other";
	write.start = text_of("{\"input\":{\"other\":1}}");
	probe_refuse_write(probe, "beginning a journal that is there", write, SS_CONFLICT);
	const struct ss_value *journal = probe_journal(probe, id);
	probe_expect(probe, "its owner", "me", probe_string(journal, "owner"));
	probe_expect(probe, "its start", "{\"input\":{}}", probe_string(journal, "start"));
	expect_entries(probe, id, "1 {\"mine\":1}");
	write.turn_id = "";
	probe_refuse_write(probe, "beginning a journal without an id", write, SS_INVALID);
}

static void numbers_entries_once(struct probe *probe)
{
	const struct ss_journal_entry entries[] = {
		entry(1, "{\"n\":1}"), entry(2, "{\"n\":2}"), entry(3, "{\"n\":3}")};
	const char *id = probe_name(probe, "turn");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.entries = entries;
	write.entry_count = 2;
	probe_write(probe, write);
	struct ss_journal_write again = more(id);
	again.status = "interrupted";
	again.entries = &entries[2];
	again.entry_count = 1;
	again.first = 2;
	probe_refuse_write(
		probe, "writing another entry with a number that is there", again, SS_INVALID);
	expect_entries(probe, id, "1 {\"n\":1}|2 {\"n\":2}");
	probe_expect(probe, "the status, which came with the refused entry", "running",
		probe_string(probe_journal(probe, id), "status"));
}

static void knows_what_is_not_there(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	const char *id = probe_name(probe, "unknown");
	probe_refuse_taking(
		probe, "reading a journal that is not there", id, NULL, NULL, SS_NOT_FOUND);
	probe_refuse_taking(probe, "taking the lease of a journal that is not there", id, "me",
		NULL, SS_NOT_FOUND);
	probe_refuse_write(probe, "writing to a journal that is not there", more(id), SS_CONFLICT);
	if (probe->failed)
		return;
	int result = probe->storage->delete_journal(probe->instance, id, &err);
	probe_expect_refusal(
		probe, "deleting a journal that is not there", SS_NOT_FOUND, result, &err);
}

static void keeps_long_texts(struct probe *probe)
{
	const char *id = probe_name(probe, "turn");
	const struct ss_text words = probe_long_text(probe, "long é 😀 ", 65536);
	const char *data = probe_format(probe, "{\"text\":\"%s\"}", words.data);
	const struct ss_journal_entry one = entry(1, data);
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.start = text_of(data);
	write.entries = &one;
	write.entry_count = 1;
	probe_write(probe, write);
	const struct ss_value *journal = probe_journal(probe, id);
	const struct ss_value *read = value_at(value_get(journal, "entries"), 0);
	probe_expect_text(probe, "start", write.start, value_get(journal, "start"));
	probe_expect_text(probe, "the data of an entry", one.data, value_get(read, "data"));
}

/* Lists. */

/* The probe's journals that fit FILTER, whose size need not be filled in, as "c b a". */
static const char *list_filtered(struct probe *probe, struct ss_journal_filter filter)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *journals = NULL;
	const char *ids = "";
	filter.struct_size = sizeof filter;
	if (probe->failed)
		return "";
	int result = probe->storage->list_journals(probe->instance, &filter, &journals, &err);
	probe_expect_success(probe, "listing with list_journals()", result, &err);
	const struct ss_value *kept = probe_keep(probe, result == 0 ? journals : NULL);
	for (size_t i = 0; i < value_count(kept); i++) {
		const char *id = probe_string(value_at(kept, i), "id");
		const char *unique = strstr(id, probe->run);
		if (unique != NULL)
			ids = probe_format(probe, "%s%s%.*s", ids, ids[0] != '\0' ? " " : "",
				(int)(unique - id - 1), id);
	}
	return ids;
}

static const char *list(struct probe *probe, const char *status, const char *before, size_t limit)
{
	return list_filtered(probe,
		(struct ss_journal_filter){.status = status, .before = before, .limit = limit});
}

/* Six journals: d and b are done, c has failed, e is interrupted. */
static void add_journals(struct probe *probe)
{
	static const struct {
		const char *name, *status;
	} rows[] = {{"a", NULL}, {"b", "done"}, {"c", "failed"}, {"d", "done"},
		{"e", "interrupted"}, {"f", NULL}};
	for (size_t i = 0; i < array_length(rows); i++)
		probe_write(probe, probe_beginning(probe, probe_name(probe, rows[i].name), "me"));
	/* When one changed does not matter to the order. */
	for (size_t i = array_length(rows); i-- > 0;) {
		struct ss_journal_write write = more(probe_name(probe, rows[i].name));
		write.status = rows[i].status;
		write.owner = rows[i].status != NULL ? NULL : "me";
		write.error = i == 2 ? "it is wrong" : NULL;
		probe_write(probe, write);
	}
}

static void lists_journals(struct probe *probe)
{
	static const struct {
		const char *status, *before;
		size_t limit;
		const char *expected;
	} rows[] = {
		{NULL, NULL, 6, "f e d c b a"},
		{NULL, NULL, 2, "f e"},
		{NULL, "e", 2, "d c"},
		{NULL, "c", 2, "b a"},
		{"running", NULL, 1, "f"},
		{"done", NULL, 2, "d b"},
		{"done", NULL, 1, "d"},
		{"done", "d", 1, "b"},
		{"failed", NULL, 1, "c"},
		{"interrupted", "f", 1, "e"},
	};
	add_journals(probe);
	for (size_t i = 0; i < array_length(rows); i++)
		probe_expect(probe,
			probe_format(probe, "a list of %zu journals that are %s, before %s",
				rows[i].limit, rows[i].status != NULL ? rows[i].status : "there",
				rows[i].before != NULL ? rows[i].before : "none"),
			rows[i].expected,
			list(probe, rows[i].status,
				rows[i].before != NULL ? probe_name(probe, rows[i].before) : NULL,
				rows[i].limit));
	probe_expect(probe, "the whole list of those that have failed", "c",
		list(probe, "failed", NULL, SIZE_MAX));
}

/* Of ann: a, which is held, b, which is done, and d, which nobody holds; c is another one's, and nobody holds it either. */
static void lists_of_one_user(struct probe *probe)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	const char *ann = probe_name(probe, "ann"), *bob = probe_name(probe, "bob");
	for (size_t i = 0; i < array_length(names); i++) {
		struct ss_journal_write write =
			probe_beginning(probe, probe_name(probe, names[i]), "me");
		write.user_id = i == 2 ? bob : ann;
		probe_write(probe, write);
		struct ss_journal_write next = more(probe_name(probe, names[i]));
		next.owner = i == 0 ? "me" : NULL;
		next.status = i == 1 ? "done" : NULL;
		probe_write(probe, next);
	}
	const struct {
		const char *what;
		struct ss_journal_filter filter;
		const char *expected;
	} rows[] = {
		{"a user's journals", {.user_id = ann, .limit = 9}, "d b a"},
		{"another user's", {.user_id = bob, .limit = 9}, "c"},
		{"a user's that are done", {.user_id = ann, .status = "done", .limit = 9}, "b"},
		{"a user's before one",
			{.user_id = ann, .before = probe_name(probe, "d"), .limit = 9}, "b a"},
		{"a user's that nobody holds", {.user_id = ann, .lease_over = true, .limit = 9},
			"d b"},
		{"those of a status that nobody holds",
			{.status = "running", .lease_over = true, .limit = 2}, "d c"},
	};
	probe_write(probe, probe_beginning(probe, probe_name(probe, "e"), "me"));
	for (size_t i = 0; i < array_length(rows); i++)
		probe_expect(probe, rows[i].what, rows[i].expected,
			list_filtered(probe, rows[i].filter));
}

static void lists_without_texts(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *journals = NULL;
	const char *id = probe_name(probe, "turn");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	probe_write(probe, write);
	struct ss_journal_write failed = more(id);
	failed.owner = NULL;
	failed.status = "failed";
	failed.error = "it is wrong";
	probe_write(probe, failed);
	const struct ss_value *journal = probe_journal(probe, id);
	const struct ss_journal_filter filter = {.struct_size = sizeof filter, .limit = 1};
	if (probe->failed)
		return;
	int result = probe->storage->list_journals(probe->instance, &filter, &journals, &err);
	probe_expect_success(probe, "listing with list_journals()", result, &err);
	const char *expected = probe_format(probe,
		"[{\"created_at\":\"%s\",\"error\":\"it is wrong\",\"fence\":1,\"id\":\"%s\","
		"\"status\":\"failed\",\"updated_at\":\"%s\",\"workflow\":\"%s\"}]",
		probe_string(journal, "created_at"), id, probe_string(journal, "updated_at"),
		write.workflow);
	probe_expect_json(probe, "a list of one journal, which has failed", expected,
		probe_keep(probe, result == 0 ? journals : NULL));
}

static void deletes_journals(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_journal_entry old = entry(1, "{\"old\":1}");
	const char *id = probe_name(probe, "turn");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.entries = &old;
	write.entry_count = 1;
	probe_write(probe, write);
	if (probe->failed)
		return;
	int result = probe->storage->delete_journal(probe->instance, id, &err);
	probe_expect_refusal(
		probe, "deleting a journal whose lease somebody holds", SS_CONFLICT, result, &err);
	expect_entries(probe, id, "1 {\"old\":1}");
	struct ss_journal_write back = more(id);
	back.owner = NULL;
	probe_write(probe, back);
	if (probe->failed)
		return;
	err = (struct ss_error){.status = SS_OK};
	result = probe->storage->delete_journal(probe->instance, id, &err);
	probe_expect_success(probe, "deleting a journal whose lease was given back", result, &err);
	probe_refuse_taking(
		probe, "reading a journal that was deleted", id, NULL, NULL, SS_NOT_FOUND);
	probe_refuse_write(probe, "writing to a journal that was deleted", more(id), SS_CONFLICT);
	write.entry_count = 0;
	probe_write(probe, write);
	expect_entries(probe, id, "");
}

static const struct probe_case cases[] = {
	{"a journal is read as it was written, byte by byte", reads_what_was_written},
	{"entries are read in the order of their numbers, of whatever writes they are",
		keeps_the_order},
	{"a journal begins once", begins_once},
	{"an entry's number is written once, and with it all that its write says",
		numbers_entries_once},
	{"a journal that is not there is told from one that is held", knows_what_is_not_there},
	{"texts of a megabyte come back whole", keeps_long_texts},
	{"a list has the journals of a status that began before one, the newest first",
		lists_journals},
	{"a list has the journals of one user, or those that nobody holds", lists_of_one_user},
	{"a list has neither texts nor entries", lists_without_texts},
	{"a journal is deleted with its entries, unless somebody holds its lease",
		deletes_journals},
};

const struct probe_area journals_area = {"journals", cases, array_length(cases)};
