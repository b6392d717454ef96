/* What cases do with a store: documents, events and deliveries. */
#include "base/buffer.h"
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { CLAIM_S = 60 };

/* Documents. */

static int put(struct probe *probe, const struct ss_document *document, struct ss_error *err)
{
	struct ss_document whole = *document;
	*err = (struct ss_error){.status = SS_OK};
	whole.struct_size = sizeof whole;
	return probe->storage->store_documents(probe->instance, &whole, 1, err);
}

void probe_put(struct probe *probe, enum ss_document_kind kind, const char *id, const char *data,
	int64_t expected)
{
	struct ss_error err;
	const struct ss_document document = {
		.kind = kind,
		.id = id,
		.data = data != NULL ? text_of(data) : (struct ss_text){0},
		.expected = expected,
		.at_ns = probe->now_ns,
	};
	if (probe->failed)
		return;
	int result = put(probe, &document, &err);
	probe_expect_success(probe, "storing with store_documents()", result, &err);
}

void probe_refuse_putting(struct probe *probe, const char *what, const struct ss_document *document,
	enum ss_status status)
{
	struct ss_error err;
	if (probe->failed)
		return;
	int result = put(probe, document, &err);
	if (result != 0)
		probe_fail(probe, what,
			"0 of store_documents(), as one document is wrong, not the store", "%d: %s",
			result, err.text);
	probe_expect_refusal(probe, what, status, err.status == SS_OK ? 0 : -1, &err);
}

const struct ss_value *probe_documents(struct probe *probe, struct ss_document_filter filter)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *found = NULL;
	filter.struct_size = sizeof filter;
	if (probe->failed)
		return NULL;
	int result = probe->storage->read_documents(probe->instance, &filter, &found, &err);
	probe_expect_success(probe, "reading with read_documents()", result, &err);
	return probe_keep(probe, result == 0 ? found : NULL);
}

int64_t probe_version(struct probe *probe, enum ss_document_kind kind)
{
	const struct ss_value *found =
		probe_documents(probe, (struct ss_document_filter){.kind = kind, .id = "none"});
	return value_as_int(value_get(found, "version"));
}

const char *probe_webhook(struct probe *probe)
{
	const char *id = probe_id(probe, "hook_");
	probe_put(probe, SS_WEBHOOKS, id, "{\"url\":\"http://127.0.0.1/\"}", 0);
	return id;
}

/* Events. */

const char *probe_event(
	struct probe *probe, const char *user, const char *type, const char *webhook, int64_t at_ns)
{
	struct ss_turn turn = probe_first(probe, user);
	const struct ss_event event = {
		.id = probe_id(probe, "evt_"),
		.type = type,
		.data = text_of("{\"n\": 1}"),
		.webhooks = &webhook,
		.webhook_count = webhook != NULL ? 1 : 0,
	};
	turn.asked_at_ns = at_ns;
	turn.answered_at_ns = at_ns;
	turn.events = (struct ss_events){.items = &event, .count = 1};
	probe_store(probe, &turn);
	return event.id;
}

const struct ss_value *probe_events(struct probe *probe, struct ss_event_filter filter)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	filter.struct_size = sizeof filter;
	if (probe->failed)
		return NULL;
	int result = probe->storage->list_events(probe->instance, &filter, &page, &err);
	probe_expect_success(probe, "reading with list_events()", result, &err);
	return probe_keep(probe, result == 0 ? page : NULL);
}

const char *probe_column(
	struct probe *probe, const struct ss_value *list, const char *key, const char *prefix)
{
	struct buffer texts = {0};
	size_t length = strlen(prefix);
	for (size_t i = 0; i < value_count(list); i++) {
		const char *text = probe_string(value_at(list, i), key);
		if (strncmp(text, prefix, length) == 0)
			buffer_add_format(
				&texts, "%s%s", texts.length > 0 ? "|" : "", text + length);
	}
	const char *kept = arena_string(&probe->memory, buffer_text(&texts));
	buffer_free(&texts);
	return kept;
}

/* Deliveries. */

/* Adds to MINE those of CLAIMED (taken) that are WEBHOOK's; how many there were at all. */
static size_t sift(
	struct ss_value *claimed, const char *webhook, struct ss_value ***mine, size_t *count)
{
	size_t all = value_count(claimed);
	for (size_t i = 0; i < all; i++) {
		const struct ss_value *one = value_at(claimed, i);
		if (strcmp(probe_string(one, "webhook_id"), webhook) != 0)
			continue;
		*mine = memory_resize(*mine, *count + 1, sizeof(struct ss_value *));
		(*mine)[(*count)++] = value_ref(one);
	}
	value_unref(claimed);
	return all;
}

const struct ss_value *probe_claim(
	struct probe *probe, const char *owner, const char *gone, const char *webhook, size_t limit)
{
	struct ss_value **mine = NULL;
	size_t count = 0, all = 1;
	struct ss_delivery_claim claim = {
		.struct_size = sizeof claim,
		.owner = owner,
		.lease_ns = CLAIM_S * PROBE_SECOND_NS,
		.gone = gone,
		.limit = limit,
	};
	while (!probe->failed && all > 0) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *claimed = NULL;
		int result =
			probe->storage->claim_deliveries(probe->instance, &claim, &claimed, &err);
		probe_expect_success(probe, "claiming with claim_deliveries()", result, &err);
		if (result != 0)
			break;
		all = sift(claimed, webhook, &mine, &count);
		if (all > limit)
			probe_fail(probe, "claim_deliveries()", "no more than its limit",
				"%zu with the limit %zu", all, limit);
		claim.gone = NULL;
	}
	struct ss_value *list = value_list(mine, count);
	free(mine);
	return probe_keep(probe, list);
}

const struct ss_value *probe_deliveries(struct probe *probe, struct ss_delivery_filter filter)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	filter.struct_size = sizeof filter;
	if (probe->failed)
		return NULL;
	int result = probe->storage->list_deliveries(probe->instance, &filter, &page, &err);
	probe_expect_success(probe, "reading with list_deliveries()", result, &err);
	return probe_keep(probe, result == 0 ? page : NULL);
}

enum ss_status probe_finish(struct probe *probe, const struct ss_value *claimed, const char *owner,
	const char *status, int64_t retry_ns)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_delivery_attempt attempt = {
		.struct_size = sizeof attempt,
		.delivery_id = probe_string(claimed, "id"),
		.owner = owner,
		.fence = value_as_int(value_get(claimed, "fence")),
		.at_ns = probe->now_ns,
		.duration_ns = PROBE_SECOND_NS / 10,
		.code = 503,
		.error = "it is asleep",
		.body = text_of("later"),
		.status = status,
		.retry_ns = retry_ns,
	};
	if (probe->failed)
		return SS_OK;
	int result = probe->storage->finish_deliveries(probe->instance, &attempt, 1, &err);
	if (result != 0)
		probe_fail(probe, "finish_deliveries() of one delivery", "0", "%d: %s", result,
			err.text);
	return err.status;
}
