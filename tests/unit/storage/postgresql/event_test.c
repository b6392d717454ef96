/* Events of transactions that overtake each other, and watching while connections are cut. */
#include "schema.h"

#include "base/memory.h"
#include "storage/postgresql/database.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(postgresql_event, .init = store_begin, .fini = store_end);

extern const struct ss_plugin smartsupport_plugin;

#define SECOND_NS INT64_C(1000000000)

/* Another server's connection. */
static void run(PGconn *handle, const char *sql)
{
	PGresult *result = PQexec(handle, sql);
	cr_assert_eq(
		PQresultStatus(result), PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(handle));
	PQclear(result);
}

static void add_event(void *store, const char *id)
{
	const struct ss_event event = {.id = id, .type = "query.created", .data = {"{}", 2}};
	struct ss_turn turn = store_first_turn(id, id);
	turn.events = (struct ss_events){.items = &event, .count = 1};
	store_add(store, turn);
}

/* Adds to *IDS those of the oldest events behind *AFTER, each with a bar behind it; both are new texts. */
static void read_on(void *store, char **after, char **ids)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	const struct ss_event_filter filter = {
		.struct_size = sizeof filter, .oldest_first = true, .after = *after, .limit = 10};
	cr_assert_eq(smartsupport_plugin.storage->list_events(store, &filter, &page, &err), 0, "%s",
		err.text);
	const struct ss_value *items = value_get(page, "items");
	for (size_t i = 0; i < value_count(items); i++) {
		char *longer = memory_format(
			"%s%s|", *ids, value_as_string(value_get(value_at(items, i), "id"), NULL));
		free(*ids);
		*ids = longer;
	}
	free(*after);
	*after = memory_string(value_as_string(value_get(page, "next"), NULL));
	value_unref(page);
}

/* The events behind *AFTER become EXPECTED. Transactions of other tests on the server may hold them up. */
static void expect_on(void *store, char **after, const char *expected)
{
	char *ids = memory_string("");
	read_on(store, after, &ids);
	for (int i = 0; i < 100000 && strlen(ids) < strlen(expected); i++)
		read_on(store, after, &ids);
	cr_expect_str_eq(ids, expected);
	free(ids);
}

/* What watch() tells of events, with or without waiting for them. */
static bool watch_events(void *store, int64_t timeout_ns)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *seen = NULL;
	const struct ss_watch watch = {.struct_size = sizeof watch,
		.articles = -1,
		.heads = -1,
		.webhooks = -1,
		.api_keys = -1,
		.events = true,
		.timeout_ns = timeout_ns};
	cr_assert_eq(
		smartsupport_plugin.storage->watch(store, &watch, &seen, &err), 0, "%s", err.text);
	bool events = value_as_bool(value_get(seen, "events"));
	value_unref(seen);
	return events;
}

Test(postgresql_event, an_event_that_is_committed_later_is_not_passed_over)
{
	char *after = NULL;
	void *store = store_open();
	PGconn *slow = PQconnectdb(schema_url());
	cr_assert_eq(PQstatus(slow), CONNECTION_OK);
	add_event(store, "first");
	expect_on(store, &after, "first|");
	run(slow, "BEGIN");
	run(slow, "INSERT INTO events (id, type, data, created_at) VALUES ('slow', 't', '{}', 1)");
	/* This one has a higher number, and is there before the other. */
	add_event(store, "fast");
	cr_expect_eq(store_number("SELECT count(*) FROM events AS fast, events AS first"
				  " WHERE fast.id = 'fast' AND first.id = 'first'"
				  " AND fast.number = first.number + 2"),
		1);
	expect_on(store, &after, "");
	run(slow, "COMMIT");
	expect_on(store, &after, "slow|fast|");
	expect_on(store, &after, "");
	free(after);
	PQfinish(slow);
	store_close(store);
}

Test(postgresql_event, who_watches_is_told_of_an_event_that_was_overtaken)
{
	void *store = store_open();
	PGconn *slow = PQconnectdb(schema_url());
	cr_assert_eq(PQstatus(slow), CONNECTION_OK);
	run(slow, "BEGIN");
	run(slow, "INSERT INTO events (id, type, data, created_at) VALUES ('slow', 't', '{}', 1)");
	add_event(store, "fast");
	cr_expect(watch_events(store, 3600 * SECOND_NS));
	cr_expect(!watch_events(store, 0));
	run(slow, "COMMIT");
	cr_expect(watch_events(store, 3600 * SECOND_NS));
	PQfinish(slow);
	store_close(store);
}

/* The other server was at transactions that this one comes to in years. */
Test(postgresql_event, events_that_another_server_has_numbered_come_before_those_of_this_one)
{
	char *after = NULL;
	void *store = store_open();
	add_event(store, "first");
	add_event(store, "second");
	store_close(store);
	store_execute("UPDATE events SET transaction = 1000000000000000 - number");
	store = store_open();
	expect_on(store, &after, "first|second|");
	add_event(store, "third");
	expect_on(store, &after, "third|");
	cr_expect_not_null(strstr(store_log(), "was restored from another server"));
	free(after);
	store_close(store);
}

static int64_t watch_articles(void *store, int64_t version)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *seen = NULL;
	const struct ss_watch watch = {.struct_size = sizeof watch,
		.articles = version,
		.heads = -1,
		.webhooks = -1,
		.api_keys = -1,
		.timeout_ns = 3600 * SECOND_NS};
	cr_assert_eq(
		smartsupport_plugin.storage->watch(store, &watch, &seen, &err), 0, "%s", err.text);
	int64_t now = value_as_int(value_get(seen, "articles"));
	value_unref(seen);
	return now;
}

Test(postgresql_event, who_watches_misses_nothing_when_the_connection_is_cut)
{
	struct ss_error err = {.status = SS_OK};
	void *watching = store_open(), *store = store_open();
	struct ss_document article = {.struct_size = sizeof article,
		.kind = SS_ARTICLES,
		.id = "a",
		.data = {"{}", 2},
		.expected = -1};
	for (int64_t version = 0; version < 3; version++) {
		cr_assert_eq(
			smartsupport_plugin.storage->store_documents(store, &article, 1, &err), 0);
		cr_assert_eq(err.status, SS_OK, "%s", err.text);
		cr_expect_eq(watch_articles(watching, version), version + 1);
		schema_cut();
	}
	store_close(watching);
	store_close(store);
}
