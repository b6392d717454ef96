/* Deliveries: each is one claimer's, and what became of it. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those of WEBHOOK that are due, which "me" claims. */
static const struct ss_value *claim(struct probe *probe, const char *webhook)
{
	return probe_claim(probe, "me", NULL, webhook, 100);
}

/* Nothing is left of what the case has made. */
static void clean_up(struct probe *probe, const char *webhook)
{
	const struct ss_value *left = probe_claim(probe, "broom", "me", webhook, 100);
	for (size_t i = 0; i < value_count(left); i++)
		(void)probe_finish(probe, value_at(left, i), "broom", "failed", 0);
	probe_put(probe, SS_WEBHOOKS, webhook, NULL, -1);
}

static const char *statuses(struct probe *probe, const char *webhook)
{
	const struct ss_value *page = probe_deliveries(
		probe, (struct ss_delivery_filter){.webhook_id = webhook, .limit = 100});
	return probe_column(probe, value_get(page, "items"), "status", "");
}

static void expect_refusal(
	struct probe *probe, const char *what, enum ss_status expected, enum ss_status came)
{
	if (came != expected)
		probe_fail(probe, what, expected == SS_CONFLICT ? "SS_CONFLICT" : "SS_NOT_FOUND",
			"the status %d", (int)came);
}

static void come_with_events(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	const char *event = probe_event(probe, "ann", "query.created", webhook, probe->now_ns);
	(void)probe_event(
		probe, "ann", "query.created", probe_name(probe, "unknown"), probe->now_ns);
	(void)probe_event(probe, "ann", "query.created", NULL, probe->now_ns);
	const struct ss_value *claimed = claim(probe, webhook);
	const struct ss_value *one = value_at(claimed, 0);
	probe_expect_int(probe, "deliveries of an event to a webhook that is stored", 1,
		(int64_t)value_count(claimed));
	probe_expect_int(probe, "the attempt", 1, value_as_int(value_get(one, "attempt")));
	probe_expect_int(probe, "the fence", 1, value_as_int(value_get(one, "fence")));
	probe_expect_json(probe, "the event",
		probe_format(probe,
			"{\"at\":\"%s\",\"data\":\"{\\\"n\\\": "
			"1}\",\"id\":\"%s\",\"type\":\"query.created\"}",
			probe_time(probe, probe->now_ns), event),
		value_get(one, "event"));
	probe_put(probe, SS_WEBHOOKS, probe_name(probe, "removed"), "{}", 0);
	probe_put(probe, SS_WEBHOOKS, probe_name(probe, "removed"), NULL, -1);
	(void)probe_event(
		probe, "ann", "query.created", probe_name(probe, "removed"), probe->now_ns);
	probe_expect(probe, "the deliveries to a webhook that was removed before", "",
		statuses(probe, probe_name(probe, "removed")));
	clean_up(probe, webhook);
}

static void are_one_claimers(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	const struct ss_value *first = claim(probe, webhook);
	probe_expect_int(probe, "the first claim", 1, (int64_t)value_count(first));
	probe_expect_int(probe, "what another one claims then", 0,
		(int64_t)value_count(probe_claim(probe, "other", "third", webhook, 100)));
	const struct ss_value *second = probe_claim(probe, "other", "me", webhook, 100);
	probe_expect_int(probe, "what another one claims when the first is gone", 1,
		(int64_t)value_count(second));
	probe_expect_int(
		probe, "the fence then", 2, value_as_int(value_get(value_at(second, 0), "fence")));
	expect_refusal(probe, "finishing what somebody else has claimed meanwhile", SS_CONFLICT,
		probe_finish(probe, value_at(first, 0), "me", "delivered", 0));
	expect_refusal(probe, "finishing with another one's fence", SS_CONFLICT,
		probe_finish(probe, value_at(first, 0), "other", "delivered", 0));
	probe_expect(probe, "the status after that", "pending", statuses(probe, webhook));
	probe_expect_int(probe, "finishing one's own", SS_OK,
		probe_finish(probe, value_at(second, 0), "other", "delivered", 0));
	expect_refusal(probe, "finishing what is not pending any more", SS_CONFLICT,
		probe_finish(probe, value_at(second, 0), "other", "failed", 0));
	probe_expect(
		probe, "the status of what was delivered", "delivered", statuses(probe, webhook));
	clean_up(probe, webhook);
}

static void are_tried_again(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	const struct ss_value *first = claim(probe, webhook);
	probe_expect_int(probe, "finishing for an hour later", SS_OK,
		probe_finish(probe, value_at(first, 0), "me", "pending", PROBE_HOUR_NS));
	probe_expect_int(probe, "what is due before the hour is over", 0,
		(int64_t)value_count(claim(probe, webhook)));
	struct ss_delivery_filter filter = {.webhook_id = webhook, .limit = 1};
	const struct ss_value *item =
		value_at(value_get(probe_deliveries(probe, filter), "items"), 0);
	probe_expect_json(probe, "its attempts",
		probe_format(probe,
			"[{\"at\":\"%s\",\"body\":\"later\",\"code\":503,\"duration_ns\":100000000,"
			"\"error\":\"it is asleep\"}]",
			probe_time(probe, probe->now_ns)),
		value_get(item, "attempts"));
	if (!probe->failed && strcmp(probe_string(item, "next_at"),
				      probe_time(probe, probe->now_ns + PROBE_HOUR_NS)) <= 0)
		probe_fail(probe, "when it is due again", "more than an hour from now", "%s",
			probe_string(item, "next_at"));
	clean_up(probe, webhook);
	(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	webhook = probe_webhook(probe);
	(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	for (int64_t attempt = 1; attempt <= 3; attempt++) {
		const struct ss_value *again = claim(probe, webhook);
		probe_expect_int(probe, "the attempt after those that failed", attempt,
			value_as_int(value_get(value_at(again, 0), "attempt")));
		(void)probe_finish(
			probe, value_at(again, 0), "me", attempt < 3 ? "pending" : "failed", 0);
	}
	probe_expect_int(probe, "what is due when it has failed for good", 0,
		(int64_t)value_count(claim(probe, webhook)));
	clean_up(probe, webhook);
}

static void are_due_in_order(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	const char *ids[4];
	for (size_t i = 0; i < 4; i++)
		ids[i] = probe_event(probe, "ann", "a", webhook, probe->now_ns);
	const struct ss_value *claimed = probe_claim(probe, "me", NULL, webhook, 1);
	const char *order = "";
	for (size_t i = 0; i < value_count(claimed); i++)
		order = probe_format(probe, "%s%s|", order,
			probe_string(value_get(value_at(claimed, i), "event"), "id"));
	probe_expect(probe, "claims of one each",
		probe_format(probe, "%s|%s|%s|%s|", ids[0], ids[1], ids[2], ids[3]), order);
	clean_up(probe, webhook);
}

static void are_listed(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	const char *ids[5];
	/* A time as it is kept. */
	int64_t at_ns = probe->now_ns - probe->now_ns % 1000;
	for (size_t i = 0; i < 5; i++)
		ids[i] = probe_event(
			probe, "ann", "a", webhook, at_ns + (int64_t)i * PROBE_SECOND_NS);
	const struct ss_value *claimed = claim(probe, webhook);
	for (size_t i = 0; i < 3; i++)
		(void)probe_finish(
			probe, value_at(claimed, i), "me", i == 1 ? "failed" : "delivered", 0);
	struct ss_delivery_filter filter = {.webhook_id = webhook, .limit = 3};
	const struct ss_value *page = probe_deliveries(probe, filter);
	probe_expect(probe, "the first page of three",
		probe_format(probe, "%s|%s|%s", ids[4], ids[3], ids[2]),
		probe_column(probe, value_get(page, "items"), "event_id", ""));
	filter.after = value_as_string(value_get(page, "next"), NULL);
	page = probe_deliveries(probe, filter);
	probe_expect(probe, "the second one", probe_format(probe, "%s|%s", ids[1], ids[0]),
		probe_column(probe, value_get(page, "items"), "event_id", ""));
	probe_expect(probe, "its statuses", "failed|delivered",
		probe_column(probe, value_get(page, "items"), "status", ""));
	const struct ss_delivery_filter filters[] = {
		{.webhook_id = webhook, .status = "failed", .limit = 9},
		{.event_id = ids[1], .limit = 9},
		{.delivery_id = probe_string(value_at(claimed, 1), "id"), .limit = 9},
		{.webhook_id = webhook,
			.from_ns = at_ns + PROBE_SECOND_NS,
			.to_ns = at_ns + 2 * PROBE_SECOND_NS,
			.limit = 9},
	};
	for (size_t i = 0; i < array_length(filters); i++)
		probe_expect(probe, "the second delivery by its status, event, id and time", ids[1],
			probe_column(probe, value_get(probe_deliveries(probe, filters[i]), "items"),
				"event_id", ""));
	filter = (struct ss_delivery_filter){
		.webhook_id = webhook, .status = "delivered", .limit = 9};
	probe_expect(probe, "those that were delivered",
		probe_format(probe, "%s|%s", ids[2], ids[0]),
		probe_column(probe, value_get(probe_deliveries(probe, filter), "items"), "event_id",
			""));
	clean_up(probe, webhook);
}

static size_t redeliver(struct probe *probe, struct ss_delivery_filter filter)
{
	struct ss_error err = {.status = SS_OK};
	size_t count = 0;
	filter.struct_size = sizeof filter;
	if (probe->failed)
		return 0;
	int result = probe->storage->redeliver(probe->instance, &filter, &count, &err);
	probe_expect_success(probe, "redeliver()", result, &err);
	return count;
}

static void are_delivered_again(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	for (size_t i = 0; i < 4; i++)
		(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	const struct ss_value *claimed = claim(probe, webhook);
	for (size_t i = 0; i < 3; i++)
		(void)probe_finish(
			probe, value_at(claimed, i), "me", i == 0 ? "delivered" : "failed", 0);
	struct ss_delivery_filter filter = {.webhook_id = webhook, .status = "failed", .limit = 1};
	probe_expect_int(
		probe, "redeliver() with the limit 1", 1, (int64_t)redeliver(probe, filter));
	filter.limit = 10;
	probe_expect_int(
		probe, "redeliver() of the rest that failed", 1, (int64_t)redeliver(probe, filter));
	claimed = claim(probe, webhook);
	probe_expect_int(probe, "what is due then", 2, (int64_t)value_count(claimed));
	probe_expect_int(probe, "the attempt of one", 1,
		value_as_int(value_get(value_at(claimed, 0), "attempt")));
	filter.status = NULL;
	probe_expect_int(probe, "redeliver() of all but those that are pending", 1,
		(int64_t)redeliver(probe, filter));
	clean_up(probe, webhook);
}

/* The counts of WEBHOOK, as "pending 1, delivered 0, failed 0". */
static const char *counts_of(struct probe *probe, const char *webhook)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *counts = NULL;
	if (probe->failed)
		return "";
	int result = probe->storage->delivery_counts(probe->instance, &counts, &err);
	probe_expect_success(probe, "delivery_counts()", result, &err);
	(void)probe_keep(probe, result == 0 ? counts : NULL);
	for (size_t i = 0; result == 0 && i < value_count(counts); i++) {
		const struct ss_value *one = value_at(counts, i);
		if (strcmp(probe_string(one, "webhook_id"), webhook) == 0)
			return probe_format(probe, "pending %lld, delivered %lld, failed %lld",
				(long long)value_as_int(value_get(one, "pending")),
				(long long)value_as_int(value_get(one, "delivered")),
				(long long)value_as_int(value_get(one, "failed")));
	}
	return "nothing";
}

static void are_counted(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	probe_expect(probe, "a webhook without deliveries", "nothing", counts_of(probe, webhook));
	for (size_t i = 0; i < 4; i++)
		(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	const struct ss_value *claimed = claim(probe, webhook);
	(void)probe_finish(probe, value_at(claimed, 0), "me", "delivered", 0);
	(void)probe_finish(probe, value_at(claimed, 1), "me", "failed", 0);
	(void)probe_finish(probe, value_at(claimed, 2), "me", "pending", PROBE_HOUR_NS);
	probe_expect(probe, "one that was delivered, one that failed, and two",
		"pending 2, delivered 1, failed 1", counts_of(probe, webhook));
	(void)redeliver(probe,
		(struct ss_delivery_filter){.webhook_id = webhook, .status = "failed", .limit = 9});
	probe_expect(probe, "the same when what failed is delivered again",
		"pending 3, delivered 1, failed 0", counts_of(probe, webhook));
	clean_up(probe, webhook);
}

/* Several processes that claim at once. */

enum { CLAIMERS = 4, EVENTS = 80, NUMBER_BYTES = 4 };

/* Claims until nothing is due, finishes what is WEBHOOK's, and writes to FD a byte for each. */
static void claim_all(struct probe *probe, const char *webhook, int fd)
{
	const char *owner = probe_format(probe, "claimer-%d", (int)getpid());
	size_t count = 1;
	probe->instance = probe_open(probe);
	while (!probe->failed && count > 0) {
		const struct ss_value *claimed = probe_claim(probe, owner, NULL, webhook, 3);
		count = value_count(claimed);
		for (size_t i = 0; i < count; i++) {
			if (probe_finish(probe, value_at(claimed, i), owner, "delivered", 0) ==
					SS_OK &&
				write(fd, "+", 1) != 1)
				_exit(2);
		}
	}
	_exit(probe->failed ? 1 : 0);
}

/* Waits for the CHILDREN; whether all went well. */
static bool await_children(const pid_t *children)
{
	bool well = true;
	for (size_t i = 0; i < CLAIMERS; i++) {
		int status = 0;
		while (children[i] > 0 && waitpid(children[i], &status, 0) < 0 && errno == EINTR)
			;
		well = well && children[i] > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return well;
}

static void are_claimed_once(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	pid_t children[CLAIMERS];
	int ends[2];
	char bytes[EVENTS * 2];
	int64_t total = 0;
	ssize_t length;
	for (size_t i = 0; i < EVENTS; i++)
		(void)probe_event(probe, "ann", "a", webhook, probe->now_ns);
	if (probe->failed || pipe(ends) < 0)
		return;
	/* A connection does not survive a fork, so none is open. */
	probe->storage->destroy(probe->instance);
	probe->open = false;
	for (size_t i = 0; i < CLAIMERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			claim_all(probe, webhook, ends[1]);
	}
	(void)close(ends[1]);
	while ((length = read(ends[0], bytes, sizeof bytes)) > 0 || (length < 0 && errno == EINTR))
		total += length > 0 ? length : 0;
	(void)close(ends[0]);
	bool well = await_children(children);
	probe->instance = probe_open(probe);
	probe->open = !probe->failed;
	if (!well)
		probe_fail(probe, "claiming in four processes at once", "success",
			"one of them failed or crashed");
	probe_expect_int(
		probe, "deliveries that four processes have claimed and finished", EVENTS, total);
	probe_expect(probe, "the counts then", "pending 0, delivered 80, failed 0",
		counts_of(probe, webhook));
	const struct ss_value *page = probe_deliveries(
		probe, (struct ss_delivery_filter){.webhook_id = webhook, .limit = EVENTS});
	const struct ss_value *items = value_get(page, "items");
	for (size_t i = 0; i < value_count(items); i++)
		probe_expect_int(probe, "the attempts at one", 1,
			(int64_t)value_count(value_get(value_at(items, i), "attempts")));
	clean_up(probe, webhook);
}

static void refuse_other_places(struct probe *probe)
{
	static const char *const wrong[] = {"", "x", "-1", "1.2.3"};
	for (size_t i = 0; i < array_length(wrong) && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_delivery_filter filter = {
			.struct_size = sizeof filter, .after = wrong[i], .limit = 1};
		int result = probe->storage->list_deliveries(probe->instance, &filter, &page, &err);
		probe_expect_refusal(probe,
			probe_format(probe, "list_deliveries() after \"%s\"", wrong[i]), SS_INVALID,
			result, &err);
		if (result == 0)
			value_unref(page);
	}
}

/* One of two that are claimed is gone with its conversation before both are finished at once. */
static void fail_alone_when_gone(struct probe *probe)
{
	const char *webhook = probe_webhook(probe);
	const struct ss_event event = {.id = probe_id(probe, "evt_"),
		.type = "a",
		.data = text_of("{}"),
		.webhooks = &webhook,
		.webhook_count = 1};
	struct ss_turn turn = probe_first(probe, "ann");
	turn.events = (struct ss_events){.items = &event, .count = 1};
	probe_store(probe, &turn);
	const struct ss_value *gone = value_at(claim(probe, webhook), 0);
	(void)probe_event(probe, "bob", "a", webhook, probe->now_ns);
	const struct ss_value *there = value_at(claim(probe, webhook), 0);
	probe_delete_conversation(probe, turn.conversation_id);
	const struct ss_value *items[] = {gone, there};
	struct ss_delivery_attempt attempts[2];
	struct ss_error errors[2] = {{.status = SS_OK}, {.status = SS_OK}};
	for (size_t i = 0; i < array_length(items); i++)
		attempts[i] = (struct ss_delivery_attempt){.struct_size = sizeof attempts[i],
			.delivery_id = probe_string(items[i], "id"),
			.owner = "me",
			.fence = value_as_int(value_get(items[i], "fence")),
			.at_ns = probe->now_ns,
			.code = 200,
			.status = "delivered"};
	if (probe->failed)
		return;
	int result = probe->storage->finish_deliveries(probe->instance, attempts, 2, errors);
	probe_expect_int(probe, "finish_deliveries() of two", 0, result);
	expect_refusal(probe, "finishing a delivery that is gone", SS_NOT_FOUND, errors[0].status);
	probe_expect_int(probe, "finishing the other one", SS_OK, errors[1].status);
	probe_expect(probe, "the deliveries that are left", "delivered", statuses(probe, webhook));
	clean_up(probe, webhook);
}

static const struct probe_case cases[] = {
	{"an event has a delivery for each of its webhooks that is stored, due at once",
		come_with_events},
	{"a delivery is one claimer's, until that one is gone", are_one_claimers},
	{"a delivery that did not work is due again when it says so", are_tried_again},
	{"a delivery that is gone when it is finished fails alone", fail_alone_when_gone},
	{"those are claimed first that were due first", are_due_in_order},
	{"deliveries are listed by webhook, event, status and time, page by page", are_listed},
	{"a list of deliveries does not go on from a place that no list gave", refuse_other_places},
	{"deliveries that are not pending are made due again", are_delivered_again},
	{"deliveries are counted by webhook and status", are_counted},
	{"of many processes that claim at once each delivery is given to one", are_claimed_once},
};

const struct probe_area deliveries_area = {"deliveries", cases, array_length(cases)};
