/* Deliveries of events, and what is old. */
#include "support/storage/store.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(storage_event, .init = store_begin, .fini = store_end);

extern const struct ss_plugin smartsupport_plugin;

#define SECOND_NS INT64_C(1000000000)

static void add_webhook(void *store)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_document webhook = {.struct_size = sizeof webhook,
		.kind = SS_WEBHOOKS,
		.id = "hook",
		.data = {"{}", 2},
		.expected = 0,
		.at_ns = SECOND_NS};
	cr_assert_eq(smartsupport_plugin.storage->store_documents(store, &webhook, 1, &err), 0);
	cr_assert_eq(err.status, SS_OK, "%s", err.text);
}

/* A turn that begins the conversation ID, with an event ID for the webhook. */
static void add_event(void *store, const char *id)
{
	static const char *const webhooks[] = {"hook"};
	const struct ss_event event = {.id = id,
		.type = "query.created",
		.data = {"{}", 2},
		.webhooks = webhooks,
		.webhook_count = 1};
	struct ss_turn turn = store_first_turn(id, id);
	turn.events = (struct ss_events){.items = &event, .count = 1};
	store_add(store, turn);
}

/* What is due, claimed by "me"; the caller gives it back. */
static struct ss_value *claim(void *store)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *claimed = NULL;
	const struct ss_delivery_claim wanted = {.struct_size = sizeof wanted,
		.owner = "me",
		.lease_ns = 3600 * SECOND_NS,
		.limit = 10};
	cr_assert_eq(smartsupport_plugin.storage->claim_deliveries(store, &wanted, &claimed, &err),
		0, "%s", err.text);
	return claimed;
}

static struct ss_delivery_attempt attempt_of(const struct ss_value *claimed, const char *status)
{
	return (struct ss_delivery_attempt){
		.struct_size = sizeof(struct ss_delivery_attempt),
		.delivery_id = value_as_string(value_get(claimed, "id"), NULL),
		.owner = "me",
		.fence = value_as_int(value_get(claimed, "fence")),
		.code = 500,
		.status = status,
	};
}

static void finish(void *store, const struct ss_delivery_attempt *attempt, enum ss_status status)
{
	struct ss_error err = {.status = SS_OK};
	cr_assert_eq(smartsupport_plugin.storage->finish_deliveries(store, attempt, 1, &err), 0,
		"%s", err.text);
	cr_expect_eq(err.status, status, "%d: %s", (int)err.status, err.text);
}

Test(storage_event, of_many_attempts_the_last_are_kept)
{
	void *store = store_open();
	add_webhook(store);
	add_event(store, "e1");
	for (int i = 1; i <= 53; i++) {
		struct ss_value *claimed = claim(store);
		struct ss_delivery_attempt attempt = attempt_of(value_at(claimed, 0), "pending");
		attempt.code = i;
		cr_assert_eq(value_as_int(value_get(value_at(claimed, 0), "attempt")), i);
		finish(store, &attempt, SS_OK);
		value_unref(claimed);
	}
	cr_expect_eq(store_number("SELECT count(*) FROM delivery_attempts"), 50);
	cr_expect_eq(store_number("SELECT min(code) FROM delivery_attempts"), 4);
	cr_expect_eq(store_number("SELECT max(seq) FROM delivery_attempts"), 53);
	store_close(store);
}

Test(storage_event, counts_go_with_the_deliveries)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *counts = NULL;
	void *store = store_open();
	add_webhook(store);
	add_event(store, "e1");
	add_event(store, "e2");
	struct ss_value *claimed = claim(store);
	struct ss_delivery_attempt attempt = attempt_of(value_at(claimed, 0), "failed");
	finish(store, &attempt, SS_OK);
	value_unref(claimed);
	cr_assert_eq(smartsupport_plugin.storage->delete_conversation(store, "e1", &err), 0, "%s",
		err.text);
	cr_assert_eq(smartsupport_plugin.storage->delivery_counts(store, &counts, &err), 0);
	char *json = json_text(counts);
	cr_expect_str_eq(
		json, "[{\"delivered\":0,\"failed\":0,\"pending\":1,\"webhook_id\":\"hook\"}]");
	free(json);
	value_unref(counts);
	cr_expect_eq(store_number("SELECT count(*) FROM delivery_attempts"), 0);
	store_close(store);
}

Test(storage_event, what_an_attempt_came_to_must_be_sound)
{
	void *store = store_open();
	add_webhook(store);
	add_event(store, "e1");
	struct ss_value *claimed = claim(store);
	struct ss_delivery_attempt attempt = attempt_of(value_at(claimed, 0), "lost");
	finish(store, &attempt, SS_INVALID);
	attempt.status = "delivered";
	attempt.duration_ns = -1;
	finish(store, &attempt, SS_INVALID);
	attempt.duration_ns = 0;
	attempt.delivery_id = "none";
	finish(store, &attempt, SS_NOT_FOUND);
	cr_expect_eq(store_number("SELECT count(*) FROM webhook_deliveries"
				  " WHERE status = 'pending' AND attempt = 0 AND owner = 'me'"),
		1);
	value_unref(claimed);
	store_close(store);
}

Test(storage_event, a_turn_whose_event_has_no_id_is_refused)
{
	struct ss_error err;
	const struct ss_event event = {.id = "", .type = "query.created", .data = {"{}", 2}};
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	void *store = store_open();
	turn.events = (struct ss_events){.items = &event, .count = 1};
	cr_assert_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_INVALID);
	cr_expect_not_null(strstr(err.text, "needs an id and a type"), "%s", err.text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 0);
	store_close(store);
}

/* The journal ID, whose lease OWNER holds for an hour. */
static void add_journal(void *store, const char *id, const char *owner)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_journal_entry entry = {.task = 1, .data = {"{}", 2}};
	const struct ss_journal_write write = {.struct_size = sizeof write,
		.turn_id = id,
		.workflow = "w",
		.workflow_text = {"{}", 2},
		.start = {"{}", 2},
		.fence = 1,
		.owner = owner,
		.lease_ns = 3600 * SECOND_NS,
		.entries = &entry,
		.entry_count = 1,
		.first = 1};
	cr_assert_eq(smartsupport_plugin.storage->write_journals(store, &write, 1, &err), 0);
	cr_assert_eq(err.status, SS_OK, "%s", err.text);
}

static size_t purge_journals(void *store, size_t limit)
{
	struct ss_error err = {.status = SS_OK};
	size_t count = 0;
	const struct ss_purge wanted = {.struct_size = sizeof wanted,
		.what = SS_PURGE_JOURNALS,
		.before_ns = 1000 * SECOND_NS,
		.limit = limit};
	cr_assert_eq(smartsupport_plugin.storage->purge(store, &wanted, &count, &err), 0, "%s",
		err.text);
	return count;
}

Test(storage_event, old_journals_are_deleted_unless_somebody_goes_on_with_them)
{
	static const char *const ids[] = {"a", "b", "held", "written", "c", "new"};
	void *store = store_open();
	for (size_t i = 0; i < array_length(ids); i++)
		add_journal(store, ids[i], strcmp(ids[i], "held") == 0 ? "me" : NULL);
	/* Microseconds; the line is at 1000 s. */
	store_execute("UPDATE turns SET created_at = 5, updated_at = 5 WHERE id <> 'new'");
	store_execute("UPDATE turns SET updated_at = 2000000000 WHERE id = 'written'");
	cr_expect_eq(purge_journals(store, 2), 2);
	cr_expect_eq(purge_journals(store, 2), 1);
	cr_expect_eq(purge_journals(store, 2), 0);
	cr_expect_eq(store_number("SELECT count(*) FROM turns"), 3);
	cr_expect_eq(
		store_number("SELECT count(*) FROM turns WHERE id IN ('held', 'written', 'new')"),
		3);
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 3);
	store_close(store);
}
