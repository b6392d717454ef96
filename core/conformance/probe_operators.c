/* What cases do with a store as operators do: conversations, users and ratings. */
#include "conformance/probe.h"
#include "value/value.h"

#include <string.h>

const struct ss_value *probe_conversation(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *conversation = NULL;
	if (probe->failed)
		return NULL;
	int result = probe->storage->read_conversation(probe->instance, id, &conversation, &err);
	probe_expect_success(probe, "reading with read_conversation()", result, &err);
	return probe_keep(probe, result == 0 ? conversation : NULL);
}

const struct ss_value *probe_messages(struct probe *probe, const struct ss_message_filter *filter)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	struct ss_message_filter whole = *filter;
	if (probe->failed)
		return NULL;
	whole.struct_size = sizeof whole;
	int result = probe->storage->list_messages(probe->instance, &whole, &page, &err);
	probe_expect_success(probe, "reading with list_messages()", result, &err);
	return probe_keep(probe, result == 0 ? page : NULL);
}

const char *probe_said(struct probe *probe, const char *conversation_id)
{
	const struct ss_message_filter filter = {.conversation_id = conversation_id, .limit = 1000};
	return probe_texts(probe, value_get(probe_messages(probe, &filter), "items"));
}

struct ss_conversation_change probe_changing(const struct ss_turn *turn)
{
	return (struct ss_conversation_change){
		.struct_size = sizeof(struct ss_conversation_change),
		.conversation_id = turn->conversation_id,
		.at_ns = turn->answered_at_ns,
	};
}

const struct ss_value *probe_change(struct probe *probe, struct ss_conversation_change change)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *conversation = NULL;
	if (probe->failed)
		return NULL;
	int result =
		probe->storage->change_conversation(probe->instance, &change, &conversation, &err);
	probe_expect_success(probe, "changing with change_conversation()", result, &err);
	return probe_keep(probe, result == 0 ? conversation : NULL);
}

void probe_refuse_change(struct probe *probe, const char *what,
	struct ss_conversation_change change, enum ss_status status)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *conversation = NULL;
	if (probe->failed)
		return;
	int result =
		probe->storage->change_conversation(probe->instance, &change, &conversation, &err);
	probe_expect_refusal(probe, what, status, result, &err);
	if (result == 0)
		value_unref(conversation);
}

void probe_delete_conversation(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	if (probe->failed)
		return;
	int result = probe->storage->delete_conversation(probe->instance, id, &err);
	probe_expect_success(probe, "deleting with delete_conversation()", result, &err);
}

void probe_expect_no_conversation(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *conversation = NULL;
	if (probe->failed)
		return;
	int result = probe->storage->read_conversation(probe->instance, id, &conversation, &err);
	probe_expect_refusal(
		probe, "reading a conversation that is not there", SS_NOT_FOUND, result, &err);
	if (result == 0)
		value_unref(conversation);
}

/* Users. */

const struct ss_value *probe_store_user(struct probe *probe, struct ss_user user)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *stored = NULL;
	user.struct_size = sizeof user;
	if (probe->failed)
		return NULL;
	int result = probe->storage->store_user(probe->instance, &user, &stored, &err);
	probe_expect_success(probe, "storing with store_user()", result, &err);
	return probe_keep(probe, result == 0 ? stored : NULL);
}

void probe_refuse_user(
	struct probe *probe, const char *what, struct ss_user user, enum ss_status status)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *stored = NULL;
	user.struct_size = sizeof user;
	if (probe->failed)
		return;
	int result = probe->storage->store_user(probe->instance, &user, &stored, &err);
	probe_expect_refusal(probe, what, status, result, &err);
	if (result == 0)
		value_unref(stored);
}

const struct ss_value *probe_user(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *user = NULL;
	if (probe->failed)
		return NULL;
	int result = probe->storage->read_user(probe->instance, id, &user, &err);
	probe_expect_success(probe, "reading with read_user()", result, &err);
	return probe_keep(probe, result == 0 ? user : NULL);
}

void probe_expect_no_user(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *user = NULL;
	if (probe->failed)
		return;
	int result = probe->storage->read_user(probe->instance, id, &user, &err);
	probe_expect_refusal(probe, "reading a user who is not there", SS_NOT_FOUND, result, &err);
	if (result == 0)
		value_unref(user);
}

void probe_rate(
	struct probe *probe, const struct ss_turn *turn, int64_t rating, int64_t given_at_ns)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_feedback feedback = {
		.struct_size = sizeof feedback,
		.turn_id = turn->turn_id,
		.was_helpful = -1,
		.rating = rating,
		.given_at_ns = given_at_ns,
	};
	if (probe->failed)
		return;
	int result = probe->storage->store_feedback(probe->instance, &feedback, 1, &err);
	probe_expect_success(probe, "rating with store_feedback()", result, &err);
}
