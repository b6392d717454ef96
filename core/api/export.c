/*
 * GET /api/v1/conversations/{id}/export and GET /api/v1/users/{id}/export: all that is stored of one, as a document to be
 * kept. It is read page by page and sent as fast as the client takes it, so that it may be longer than there is memory.
 */
#include "api/conversation.h"

#include "api/api.h"
#include "api/event_stream.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/stream.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAGE = 50,
	PIECE = 65536, /* bytes that wait for the client at most */
};

/* What is read next. */
enum stage {
	BEGINNING,
	CONVERSATIONS,
	MESSAGES,
	JOURNALS,
	EVENTS,
	REQUESTS,
	QUESTIONS,
	END,
};

struct exporting {
	struct http_request *request; /* NULL: the client has gone */
	char *user_id;                /* NULL: one conversation is exported */
	char *conversation_id;        /* whose messages are read */
	enum stage stage;
	char *after; /* the page goes on behind this; NULL: the first one */
	bool more;   /* the list that is being written has an item */
	/* Of a user. */
	struct ss_value *conversations; /* a page */
	size_t at;                      /* the next of them */
	char *conversations_after;
	struct buffer text; /* that was not sent yet */
	size_t sent;        /* of it */
	bool reading;
};

static void exporting_free(struct exporting *exporting)
{
	free(exporting->user_id);
	free(exporting->conversation_id);
	free(exporting->after);
	free(exporting->conversations_after);
	value_unref(exporting->conversations);
	buffer_free(&exporting->text);
	free(exporting);
}

/* What is done on a thread of the store. */

static void set(char **text, const struct ss_value *value)
{
	free(*text);
	*text = value_type(value) == SS_STRING ? memory_string(value_as_string(value, NULL)) : NULL;
}

static void write_item(struct exporting *exporting, const struct ss_value *item)
{
	buffer_add_string(&exporting->text, exporting->more ? ",\n" : "\n");
	exporting->more = true;
	json_print(&exporting->text, item);
}

static void begin_list(struct exporting *exporting, enum stage stage, const char *name)
{
	buffer_add_format(&exporting->text, ",\n\"%s\":[", name);
	exporting->stage = stage;
	exporting->more = false;
	set(&exporting->after, NULL);
}

/* Ends the list unless PAGE has a next one. Whether it has ended. */
static bool end_page(struct exporting *exporting, const struct ss_value *page)
{
	set(&exporting->after, value_get(page, "next"));
	if (exporting->after != NULL)
		return false;
	buffer_add_char(&exporting->text, ']');
	return true;
}

static void write_beginning(struct exporting *exporting, const char *name, const char *id)
{
	char now[CLOCK_TEXT_SIZE];
	struct ss_value *text = value_text(id);
	buffer_add_format(&exporting->text, "{\"%s\":", name);
	json_print(&exporting->text, text);
	buffer_add_format(
		&exporting->text, ",\n\"exported_at\":\"%s\"", clock_format(clock_utc_ns(), now));
	value_unref(text);
}

static int begin_conversation(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	struct ss_value *conversation = NULL;
	if (storage->read_conversation(instance, exporting->conversation_id, &conversation, err) <
		0)
		return -1;
	write_beginning(exporting, "conversation_id", exporting->conversation_id);
	buffer_add_string(&exporting->text, ",\n\"conversation\":");
	json_print(&exporting->text, conversation);
	value_unref(conversation);
	begin_list(exporting, MESSAGES, "messages");
	return 0;
}

static int list_journals(const struct ss_storage_operations *storage, void *instance,
	const struct exporting *exporting, struct ss_value **journals, struct ss_error *err)
{
	const struct ss_journal_filter filter = {
		.struct_size = sizeof filter,
		.user_id = exporting->user_id,
		.before = exporting->after,
		.limit = PAGE,
	};
	return storage->list_journals(instance, &filter, journals, err);
}

static int list_events(const struct ss_storage_operations *storage, void *instance,
	const struct exporting *exporting, struct ss_value **page, struct ss_error *err)
{
	const struct ss_event_filter filter = {
		.struct_size = sizeof filter,
		.user_id = exporting->user_id,
		.conversation_id = exporting->user_id == NULL ? exporting->conversation_id : NULL,
		.after = exporting->after,
		.limit = PAGE,
	};
	return storage->list_events(instance, &filter, page, err);
}

static int list_requests(const struct ss_storage_operations *storage, void *instance,
	const struct exporting *exporting, struct ss_value **page, struct ss_error *err)
{
	const struct ss_request_filter filter = {
		.struct_size = sizeof filter,
		.user_id = exporting->user_id,
		.after = exporting->after,
		.limit = PAGE,
	};
	return storage->list_requests(instance, &filter, page, err);
}

static int list_questions(const struct ss_storage_operations *storage, void *instance,
	const struct exporting *exporting, struct ss_value **page, struct ss_error *err)
{
	const struct ss_unanswered_filter filter = {
		.struct_size = sizeof filter,
		.user_id = exporting->user_id,
		.after = exporting->after,
		.limit = PAGE,
	};
	return storage->list_unanswered(instance, &filter, page, err);
}

/* The lists at the end, each of which begins when the one before has ended; of a conversation only the first. */
static const struct list {
	const char *name;
	int (*read)(const struct ss_storage_operations *storage, void *instance,
		const struct exporting *exporting, struct ss_value **page, struct ss_error *err);
} lists[] = {
	[EVENTS] = {"events", list_events},
	[REQUESTS] = {"requests", list_requests},
	[QUESTIONS] = {"questions", list_questions},
};

/* Whether there is anything of somebody without a profile, as a turn that has not ended or an event. */
static int check_trace(const struct ss_storage_operations *storage, void *instance,
	const struct exporting *exporting, struct ss_error *err)
{
	struct ss_value *journals = NULL;
	int result = list_journals(storage, instance, exporting, &journals, err);
	size_t count = value_count(journals);
	value_unref(journals);
	for (enum stage stage = EVENTS; stage < END && result == 0 && count == 0; stage++) {
		struct ss_value *page = NULL;
		result = lists[stage].read(storage, instance, exporting, &page, err);
		count = value_count(value_get(page, "items"));
		value_unref(page);
	}
	if (result == 0 && count == 0)
		return ss_fail_as(
			err, SS_NOT_FOUND, "there is no user with the id %s", exporting->user_id);
	return result;
}

static int begin_user(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	struct ss_value *user = NULL;
	struct ss_error cause = {0};
	if (storage->read_user(instance, exporting->user_id, &user, &cause) < 0) {
		if (cause.status != SS_NOT_FOUND) {
			*err = cause;
			return -1;
		}
		if (check_trace(storage, instance, exporting, err) < 0)
			return -1;
	}
	write_beginning(exporting, "user_id", exporting->user_id);
	buffer_add_string(&exporting->text, ",\n\"user\":");
	json_print(&exporting->text, user);
	value_unref(user);
	begin_list(exporting, CONVERSATIONS, "conversations");
	return 0;
}

/* Writes the conversation that is next but for its messages. */
static void write_conversation(struct exporting *exporting)
{
	const struct ss_value *items = value_get(exporting->conversations, "items");
	const struct ss_value *conversation = value_at(items, exporting->at++);
	set(&exporting->conversation_id, value_get(conversation, "id"));
	write_item(exporting, conversation);
	/* The brace comes back behind the messages. */
	exporting->text.length--;
	begin_list(exporting, MESSAGES, "messages");
}

static int next_conversation(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	const struct ss_conversation_filter filter = {
		.struct_size = sizeof filter,
		.user_id = exporting->user_id,
		.after = exporting->conversations_after,
		.limit = PAGE,
	};
	bool known = exporting->at < value_count(value_get(exporting->conversations, "items"));
	if (!known &&
		(exporting->conversations == NULL || exporting->conversations_after != NULL)) {
		value_unref(exporting->conversations);
		exporting->conversations = NULL;
		exporting->at = 0;
		if (storage->list_conversations(instance, &filter, &exporting->conversations, err) <
			0)
			return -1;
		set(&exporting->conversations_after, value_get(exporting->conversations, "next"));
		known = value_count(value_get(exporting->conversations, "items")) > 0;
	}
	if (known) {
		write_conversation(exporting);
		return 0;
	}
	buffer_add_char(&exporting->text, ']');
	begin_list(exporting, JOURNALS, "journals");
	return 0;
}

static void end_messages(struct exporting *exporting)
{
	if (exporting->user_id == NULL) {
		begin_list(exporting, EVENTS, "events");
		return;
	}
	buffer_add_char(&exporting->text, '}');
	exporting->stage = CONVERSATIONS;
	exporting->more = true;
}

static int next_messages(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter,
		.conversation_id = exporting->conversation_id,
		.after = exporting->after,
		.limit = PAGE,
	};
	struct ss_value *page = NULL;
	struct ss_error cause = {0};
	if (storage->list_messages(instance, &filter, &page, &cause) < 0 &&
		(cause.status != SS_NOT_FOUND || exporting->user_id == NULL)) {
		*err = cause;
		return -1;
	}
	/* One that is deleted meanwhile has none. */
	struct ss_value *messages = conversation_messages(page, true);
	for (size_t i = 0; i < value_count(messages); i++)
		write_item(exporting, value_at(messages, i));
	value_unref(messages);
	if (end_page(exporting, page))
		end_messages(exporting);
	value_unref(page);
	return 0;
}

/* Without the text of the workflow, in which nothing is the user's. */
static int write_journal(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, const char *id, struct ss_error *err)
{
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = id};
	struct ss_value *journal = NULL;
	struct ss_error cause = {0};
	if (storage->read_journal(instance, &key, &journal, &cause) < 0) {
		*err = cause;
		return cause.status == SS_NOT_FOUND ? 0 : -1; /* deleted since it was listed */
	}
	struct ss_value *told = value_map_with(journal, "workflow_text", value_null());
	write_item(exporting, told);
	value_unref(told);
	value_unref(journal);
	return 0;
}

static int next_journals(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	struct ss_value *journals = NULL;
	int result = list_journals(storage, instance, exporting, &journals, err);
	size_t count = value_count(journals);
	for (size_t i = 0; i < count && result == 0; i++)
		result = write_journal(storage, instance, exporting,
			value_as_string(value_get(value_at(journals, i), "id"), NULL), err);
	if (result == 0 && count == PAGE) {
		set(&exporting->after, value_get(value_at(journals, count - 1), "id"));
	} else if (result == 0) {
		buffer_add_char(&exporting->text, ']');
		begin_list(exporting, EVENTS, "events");
	}
	value_unref(journals);
	return result;
}

static int next_items(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	struct ss_value *page = NULL;
	if (lists[exporting->stage].read(storage, instance, exporting, &page, err) < 0)
		return -1;
	struct ss_value *items = exporting->stage == EVENTS ? event_items(page)
							    : value_ref(value_get(page, "items"));
	for (size_t i = 0; i < value_count(items); i++)
		write_item(exporting, value_at(items, i));
	value_unref(items);
	bool over = end_page(exporting, page);
	enum stage next = exporting->user_id != NULL ? exporting->stage + 1 : END;
	value_unref(page);
	if (over && next != END) {
		begin_list(exporting, next, lists[next].name);
	} else if (over) {
		buffer_add_string(&exporting->text, "}\n");
		exporting->stage = END;
	}
	return 0;
}

static int begin(const struct ss_storage_operations *storage, void *instance,
	struct exporting *exporting, struct ss_error *err)
{
	return exporting->user_id != NULL ? begin_user(storage, instance, exporting, err)
					  : begin_conversation(storage, instance, exporting, err);
}

static int read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	static int (*const stages[])(const struct ss_storage_operations *, void *,
		struct exporting *, struct ss_error *) = {
		[BEGINNING] = begin,
		[CONVERSATIONS] = next_conversation,
		[MESSAGES] = next_messages,
		[JOURNALS] = next_journals,
		[EVENTS] = next_items,
		[REQUESTS] = next_items,
		[QUESTIONS] = next_items,
	};
	struct exporting *exporting = context;
	return stages[exporting->stage](storage, instance, exporting, err);
}

/* Sending. */

static void read_on(struct exporting *exporting);

/* Sends what was read; then, or when all of it is taken, it goes on. */
static void send_on(void *context)
{
	struct exporting *exporting = context;
	struct http_request *request = exporting->request;
	size_t left = exporting->text.length - exporting->sent;
	if (left > 0) {
		const struct ss_text piece = {
			exporting->text.data + exporting->sent, left < PIECE ? left : PIECE};
		exporting->sent += piece.length;
		http_stream_send_paced(request, piece, send_on, exporting);
		return;
	}
	if (exporting->stage != END) {
		read_on(exporting);
		return;
	}
	http_on_cancel(request, NULL, NULL);
	http_stream_end(request);
	exporting_free(exporting);
}

static void on_gone(void *context)
{
	struct exporting *exporting = context;
	struct http_request *request = exporting->request;
	exporting->request = NULL;
	http_on_cancel(request, NULL, NULL);
	if (http_stream_begun(request))
		http_stream_end(request);
	else
		http_reply_empty(request, 204); /* to nobody */
	if (!exporting->reading)
		exporting_free(exporting);
}

static void fail(struct exporting *exporting, const struct ss_error *err)
{
	struct http_request *request = exporting->request;
	http_on_cancel(request, NULL, NULL);
	if (http_stream_begun(request)) {
		log_error(http_request_log(request), "an export was cut off: %s", err->text);
		http_stream_cut(request);
	} else {
		api_reply_error(request, err);
	}
	exporting_free(exporting);
}

/* The name that the document is kept under. The ids of users may have anything. */
static void name_file(const struct exporting *exporting)
{
	char *disposition = memory_format("attachment; filename=\"%s.json\"",
		exporting->user_id == NULL ? exporting->conversation_id : "user");
	http_reply_header(exporting->request, "Content-Disposition", disposition);
	free(disposition);
}

static void on_read(void *context, const struct ss_error *err)
{
	struct exporting *exporting = context;
	struct http_request *request = exporting->request;
	exporting->reading = false;
	if (request == NULL) {
		exporting_free(exporting);
		return;
	}
	if (err != NULL) {
		fail(exporting, err);
		return;
	}
	if (!http_stream_begun(request)) {
		name_file(exporting);
		if (strcmp(http_request_method(request), "HEAD") == 0) {
			http_on_cancel(request, NULL, NULL);
			http_reply_text(request, 200, "application/json", (struct ss_text){"", 0});
			exporting_free(exporting);
			return;
		}
		http_stream_begin(request, 200, "application/json");
	}
	send_on(exporting);
}

static void read_on(struct exporting *exporting)
{
	const struct api *api = http_request_context(exporting->request);
	struct ss_error err = {0};
	exporting->text.length = exporting->sent = 0;
	exporting->reading = true;
	if (store_run(api->store, read, on_read, exporting, &err) == 0)
		return;
	exporting->reading = false;
	fail(exporting, &err);
}

static void export(struct http_request *request, const char *user_id, const char *conversation_id)
{
	struct exporting *exporting = memory_make(struct exporting);
	exporting->request = request;
	exporting->user_id = memory_string(user_id);
	exporting->conversation_id = memory_string(conversation_id);
	/* Before it is known that the client is there: it is called at once when it is not. */
	exporting->reading = true;
	http_on_cancel(request, on_gone, exporting);
	exporting->reading = false;
	if (exporting->request == NULL) {
		exporting_free(exporting);
		return;
	}
	read_on(exporting);
}

void api_conversation_export(struct http_request *request)
{
	export(request, NULL, api_parameter_text(request, "id"));
}

void api_user_export(struct http_request *request)
{
	export(request, api_parameter_text(request, "id"), NULL);
}
