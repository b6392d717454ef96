/* Deleting what is old. What the cases make is of 1970, so that nothing else in the store is older. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <string.h>

/* Before this is old. */
static const int64_t line_ns = 5000 * PROBE_SECOND_NS;

static int64_t purge(struct probe *probe, enum ss_purged what, int64_t before_ns, size_t limit)
{
	struct ss_error err = {.status = SS_OK};
	size_t count = 0;
	const struct ss_purge wanted = {
		.struct_size = sizeof wanted, .what = what, .before_ns = before_ns, .limit = limit};
	if (probe->failed)
		return 0;
	int result = probe->storage->purge(probe->instance, &wanted, &count, &err);
	probe_expect_success(probe, "purge()", result, &err);
	return (int64_t)count;
}

/* Purges until no more is there, LIMIT at once. */
static void purge_all(struct probe *probe, enum ss_purged what, int64_t before_ns, size_t limit)
{
	while (!probe->failed && purge(probe, what, before_ns, limit) == (int64_t)limit)
		;
}

static int64_t events_of(struct probe *probe, const char *user)
{
	const struct ss_value *page = probe_events(
		probe, (struct ss_event_filter){.user_id = probe_name(probe, user), .limit = 100});
	return (int64_t)value_count(value_get(page, "items"));
}

static void deletes_events(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	for (int64_t i = 1; i <= 5; i++)
		(void)probe_event(probe, "ann", "a", NULL, i * 1000 * PROBE_SECOND_NS);
	const char *held = probe_event(probe, "ann", "a", webhook, PROBE_SECOND_NS);
	probe_expect_int(probe, "purge() of events with the limit 3", 3,
		purge(probe, SS_PURGE_EVENTS, line_ns, 3));
	probe_expect_int(probe, "what is left", 3, events_of(probe, "ann"));
	purge_all(probe, SS_PURGE_EVENTS, line_ns, 3);
	probe_expect_int(probe,
		"one that happened at the time itself, and one whose delivery is pending", 2,
		events_of(probe, "ann"));
	const struct ss_value *claimed = probe_claim(probe, "me", NULL, webhook, 100);
	(void)probe_finish(probe, value_at(claimed, 0), "me", "failed", 0);
	purge_all(probe, SS_PURGE_EVENTS, line_ns, 3);
	probe_expect_int(probe, "the events when that was finished", 1, events_of(probe, "ann"));
	const struct ss_value *page =
		probe_deliveries(probe, (struct ss_delivery_filter){.event_id = held, .limit = 9});
	probe_expect_int(probe, "the deliveries of an event that was deleted", 0,
		(int64_t)value_count(value_get(page, "items")));
	probe_put(probe, SS_WEBHOOKS, webhook, NULL, -1);
}

static void deletes_deliveries(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	for (int64_t i = 1; i <= 4; i++)
		(void)probe_event(probe, "ann", "a", webhook, i * PROBE_SECOND_NS);
	(void)probe_event(probe, "ann", "a", webhook, line_ns);
	const struct ss_value *claimed = probe_claim(probe, "me", NULL, webhook, 100);
	for (size_t i = 0; i < value_count(claimed); i++)
		(void)probe_finish(probe, value_at(claimed, i), "me",
			i == 1 ? "pending" : "delivered", PROBE_HOUR_NS);
	purge_all(probe, SS_PURGE_DELIVERIES, line_ns, 2);
	const struct ss_value *page = probe_deliveries(
		probe, (struct ss_delivery_filter){.webhook_id = webhook, .limit = 9});
	probe_expect(probe, "the deliveries that are left: of an event of later, and a pending one",
		"delivered|pending", probe_column(probe, value_get(page, "items"), "status", ""));
	probe_expect_int(probe, "their events", 5, events_of(probe, "ann"));
	claimed = probe_claim(probe, "me", NULL, webhook, 100);
	probe_put(probe, SS_WEBHOOKS, webhook, NULL, -1);
}

static void deletes_conversations(struct probe *probe)
{
	struct ss_turn old = probe_first(probe, "ann");
	const struct ss_event event = {
		.id = probe_id(probe, "evt_"), .type = "a", .data = text_of("{}")};
	old.asked_at_ns = PROBE_SECOND_NS;
	old.answered_at_ns = PROBE_SECOND_NS;
	old.events = (struct ss_events){.items = &event, .count = 1};
	struct ss_turn late = probe_first(probe, "ann");
	probe_store(probe, &old);
	probe_store(probe, &late);
	purge_all(probe, SS_PURGE_CONVERSATIONS, line_ns, 1);
	const struct ss_turn_key key = {.user_id = old.user_id, .recent_limit = 10};
	probe_expect(probe, "what the user wrote in conversations that are left", late.message.data,
		probe_texts(probe, value_get(probe_context(probe, &key), "recent")));
	probe_expect_int(
		probe, "the events of a conversation that was deleted", 0, events_of(probe, "ann"));
	old.turn_id = probe_id(probe, "");
	old.new_conversation = false;
	probe_refuse(probe, "going on with it", &old, SS_NOT_FOUND);
}

static void leaves_journals(struct probe *probe)
{
	const char *id = probe_id(probe, "");
	probe_write(probe, probe_beginning(probe, id, NULL));
	purge_all(probe, SS_PURGE_JOURNALS, line_ns, 10);
	probe_expect(probe, "a journal that was written to just now", id,
		probe_string(probe_journal(probe, id), "id"));
}

static const char *claim_of(struct probe *probe, const char *name, int64_t keep_ns)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *claim = NULL;
	const struct ss_request_key key = {.struct_size = sizeof key,
		.scope = "tests",
		.key = probe_name(probe, name),
		.fingerprint = "a",
		.subject = "b",
		.owner = "me",
		.lease_ns = PROBE_HOUR_NS,
		.keep_ns = keep_ns};
	if (probe->failed)
		return "";
	int result = probe->storage->claim_request(probe->instance, &key, &claim, &err);
	probe_expect_success(probe, "claiming with claim_request()", result, &err);
	return probe_string(probe_keep(probe, result == 0 ? claim : NULL), "state");
}

static void deletes_requests(struct probe *probe)
{
	(void)claim_of(probe, "short", PROBE_SECOND_NS);
	(void)claim_of(probe, "long", 2 * PROBE_HOUR_NS);
	/* Ten minutes and an hour from now. */
	int64_t before_ns = probe->now_ns + 600 * PROBE_SECOND_NS + PROBE_HOUR_NS;
	if (purge(probe, SS_PURGE_REQUESTS, before_ns, 1000) < 1)
		probe_fail(probe, "requests whose time is over by then", "1 at least", "none");
	probe_expect(probe, "a request that was forgotten", "claimed",
		claim_of(probe, "short", PROBE_SECOND_NS));
	probe_expect(probe, "a request whose time is not over", "in_flight",
		claim_of(probe, "long", PROBE_HOUR_NS));
}

static void deletes_documents(struct probe *probe)
{
	const char *ids[] = {probe_name(probe, "old"), probe_name(probe, "there")};
	int64_t now_ns = probe->now_ns;
	probe->now_ns = PROBE_SECOND_NS;
	for (size_t i = 0; i < 2; i++)
		probe_put(probe, SS_ARTICLES, ids[i], "{}", 0);
	const struct ss_value *found = probe_documents(
		probe, (struct ss_document_filter){.kind = SS_ARTICLES, .id = ids[0]});
	int64_t since = value_as_int(value_get(value_at(value_get(found, "items"), 0), "version"));
	probe_put(probe, SS_ARTICLES, ids[0], NULL, -1);
	const struct ss_document_filter filter = {.kind = SS_ARTICLES, .since = since, .limit = 10};
	probe_expect(probe, "changed documents", probe_format(probe, "%s|%s", ids[1], ids[0]),
		probe_column(probe, value_get(probe_documents(probe, filter), "items"), "id", ""));
	purge_all(probe, SS_PURGE_DOCUMENTS, line_ns, 10);
	probe_expect(probe, "the same when those that were removed are forgotten", ids[1],
		probe_column(probe, value_get(probe_documents(probe, filter), "items"), "id", ""));
	probe->now_ns = now_ns;
	probe_put(probe, SS_ARTICLES, ids[1], NULL, -1);
}

static const struct probe_case cases[] = {
	{"old events are deleted with their deliveries, unless one is pending", deletes_events},
	{"old deliveries are deleted, unless they are pending", deletes_deliveries},
	{"old conversations are deleted with what is of them", deletes_conversations},
	{"journals that were written to later are left", leaves_journals},
	{"requests whose time is over are deleted", deletes_requests},
	{"what is left of documents that were removed is deleted", deletes_documents},
};

const struct probe_area retention_area = {"retention", cases, array_length(cases)};
