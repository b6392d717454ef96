/* GET /api/v1/conversations/{id}/events: what is said in a conversation and what becomes of it, as an event stream. */
#include "api/conversation.h"

#include "api/caller.h"
#include "api/follow.h"
#include "base/memory.h"
#include "value/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 50 };

struct watched {
	char *id;
	char *users; /* what the ids of the users begin with whose conversations the client may see */
	int64_t seq; /* of the last message that was told; -1: those that are there are passed over */
	char *after;  /* the page that it is in begins behind this; NULL: the first one */
	char *status; /* that was told; NULL: none was */
};

/* {conversation, messages}, a page of these. */
static int read(const struct ss_storage_operations *storage, void *instance, void *state,
	struct ss_value **found, struct ss_error *err)
{
	const struct watched *watched = state;
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter,
		.conversation_id = watched->id,
		.after = watched->after,
		.limit = PAGE,
	};
	struct ss_value *conversation = NULL, *page = NULL;
	if (storage->read_conversation(instance, watched->id, &conversation, err) < 0)
		return -1;
	const char *user = value_as_string(value_get(conversation, "user_id"), NULL);
	if (strncmp(user, watched->users, strlen(watched->users)) != 0) {
		value_unref(conversation);
		return ss_fail_as(
			err, SS_NOT_FOUND, "there is no conversation with the id %s", watched->id);
	}
	if (storage->list_messages(instance, &filter, &page, err) < 0) {
		value_unref(conversation);
		return -1;
	}
	*found = value_map_make({"conversation", conversation}, {"messages", page});
	return 0;
}

static void tell_status(
	struct watched *watched, struct events *events, const struct ss_value *conversation)
{
	const struct ss_value *status = value_get(conversation, "status");
	const char *name = value_as_string(status, NULL);
	if (watched->status != NULL && strcmp(watched->status, name) == 0)
		return;
	free(watched->status);
	watched->status = memory_string(name);
	struct ss_value *told = value_map_make(
		{"conversation_id", value_text(watched->id)}, {"status", value_ref(status)});
	events_send_numbered(events, "status", NULL, told);
	value_unref(told);
}

static void tell_message(
	struct watched *watched, struct events *events, const struct ss_value *message)
{
	char id[24];
	int64_t seq = value_as_int(value_get(message, "seq"));
	if (seq <= watched->seq)
		return;
	watched->seq = seq;
	(void)snprintf(id, sizeof id, "%lld", (long long)seq);
	struct ss_value *told = conversation_message(message, false);
	events_send_numbered(events, "message", id, told);
	value_unref(told);
}

/* A page that has no next one may get more messages: it is read again when there is news. */
static bool tell(void *state, struct events *events, const struct ss_value *found)
{
	struct watched *watched = state;
	const struct ss_value *conversation = value_get(found, "conversation");
	const struct ss_value *page = value_get(found, "messages");
	const struct ss_value *items = value_get(page, "items");
	const struct ss_value *next = value_get(page, "next");
	if (watched->seq < 0)
		watched->seq = value_as_int(value_get(conversation, "message_count"));
	for (size_t i = 0; i < value_count(items); i++)
		tell_message(watched, events, value_at(items, i));
	tell_status(watched, events, conversation);
	if (next == NULL)
		return false;
	free(watched->after);
	watched->after = memory_string(value_as_string(next, NULL));
	return true;
}

static void tell_gone(void *state, struct events *events)
{
	const struct watched *watched = state;
	struct ss_value *told = value_map_make({"conversation_id", value_text(watched->id)});
	events_send_numbered(events, "deleted", NULL, told);
	value_unref(told);
}

static void free_watched(void *state)
{
	struct watched *watched = state;
	free(watched->id);
	free(watched->users);
	free(watched->after);
	free(watched->status);
	free(watched);
}

/* The number of the message that the client has seen last: of Last-Event-ID, else of the parameter, else -1. False when it
 * is none. */
static bool read_seen(const struct http_request *request, int64_t *seq)
{
	const char *last = http_request_header(request, "Last-Event-ID");
	const struct ss_value *after = api_parameter(request, "after");
	char *end = NULL;
	*seq = after != NULL ? value_as_int(after) : -1;
	if (last == NULL || last[0] == '\0')
		return true;
	errno = 0;
	*seq = strtoll(last, &end, 10);
	return *end == '\0' && errno == 0 && *seq >= 0 && last[0] >= '0' && last[0] <= '9';
}

void api_conversation_events(struct http_request *request)
{
	static const struct follow_kind kind = {read, tell, free_watched, tell_gone};
	int64_t seq;
	if (!read_seen(request, &seq)) {
		http_reply_problem(request, 422,
			"Last-Event-ID must be the id of an event of this stream, the number of a "
			"message",
			NULL);
		return;
	}
	struct watched *watched = memory_make(struct watched);
	*watched = (struct watched){.id = memory_string(api_parameter_text(request, "id")),
		.users = api_stored_user(request, ""),
		.seq = seq};
	follow(request, &kind, watched, watched->id);
}
