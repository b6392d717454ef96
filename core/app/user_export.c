#include "app/user_export.h"

#include "api/event_stream.h"
#include "base/clock.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 100 };

struct user_export {
	struct stored *stored;
	const char *user_id;
	FILE *out;
};

/* One page that is asked for. */
struct request {
	const char *id; /* what it is about */
	char *after;    /* NULL: the first one */
	struct ss_value *page;
};

/* What is asked on the store's thread. */

static int call_user(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct request *request = context;
	return storage->read_user(instance, request->id, &request->page, err);
}

static int call_conversations(const struct ss_storage_operations *storage, void *instance,
	void *context, struct ss_error *err)
{
	struct request *request = context;
	const struct ss_conversation_filter filter = {.struct_size = sizeof filter,
		.user_id = request->id,
		.after = request->after,
		.limit = PAGE};
	return storage->list_conversations(instance, &filter, &request->page, err);
}

static int call_messages(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct request *request = context;
	const struct ss_message_filter filter = {.struct_size = sizeof filter,
		.conversation_id = request->id,
		.after = request->after,
		.limit = PAGE};
	return storage->list_messages(instance, &filter, &request->page, err);
}

static int call_events(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct request *request = context;
	const struct ss_event_filter filter = {.struct_size = sizeof filter,
		.user_id = request->id,
		.after = request->after,
		.limit = PAGE};
	return storage->list_events(instance, &filter, &request->page, err);
}

static int call_requests(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct request *request = context;
	const struct ss_request_filter filter = {.struct_size = sizeof filter,
		.user_id = request->id,
		.after = request->after,
		.limit = PAGE};
	return storage->list_requests(instance, &filter, &request->page, err);
}

static int call_questions(const struct ss_storage_operations *storage, void *instance,
	void *context, struct ss_error *err)
{
	struct request *request = context;
	const struct ss_unanswered_filter filter = {.struct_size = sizeof filter,
		.after = request->after,
		.limit = PAGE,
		.user_id = request->id};
	return storage->list_unanswered(instance, &filter, &request->page, err);
}

/* As a page, which a list of journals is not. */
static int call_journals(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct request *request = context;
	struct ss_value *list = NULL;
	const struct ss_journal_filter filter = {.struct_size = sizeof filter,
		.user_id = request->id,
		.before = request->after,
		.limit = PAGE};
	if (storage->list_journals(instance, &filter, &list, err) < 0)
		return -1;
	size_t count = value_count(list);
	const struct ss_value *last = count == PAGE ? value_at(list, count - 1) : NULL;
	const struct ss_value *next = last != NULL ? value_get(last, "id") : NULL;
	request->page = value_map_make(
		{"items", list}, {"next", next != NULL ? value_ref(next) : value_null()});
	return 0;
}

static int call_journal(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct request *request = context;
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = request->id};
	return storage->read_journal(instance, &key, &request->page, err);
}

/* Writing. */

static void write_value(const struct user_export *export, const struct ss_value *value)
{
	char *text = json_text(value);
	(void)fputs(text, export->out);
	free(text);
}

/* Writes the members of MAP but the one named LEFT_OUT, without the braces. */
static void write_members(
	const struct user_export *export, const struct ss_value *map, const char *left_out)
{
	bool first = true;
	for (size_t i = 0; i < value_count(map); i++) {
		const char *key = value_key_at(map, i);
		if (left_out != NULL && strcmp(key, left_out) == 0)
			continue;
		struct ss_value *name = value_text(key);
		(void)fputs(first ? "" : ",", export->out);
		write_value(export, name);
		(void)fputs(":", export->out);
		write_value(export, value_at(map, i));
		value_unref(name);
		first = false;
	}
}

/* Writes one item of a page. It returns false when that fails, which was printed. */
typedef bool write_item(const struct user_export *export, const struct ss_value *item);

static bool write_plainly(const struct user_export *export, const struct ss_value *item)
{
	write_value(export, item);
	return true;
}

/* As the API gives it. */
static bool write_event(const struct user_export *export, const struct ss_value *event)
{
	struct ss_value *told = event_value(event);
	write_value(export, told);
	value_unref(told);
	return true;
}

/* Writes all that CALL gives of ID, page after page, as the list NAME. */
static bool write_pages(const struct user_export *export, const char *name, store_call *call,
	const char *id, write_item *write)
{
	bool good = true, first = true;
	struct request request = {.id = id};
	(void)fprintf(export->out, ",\n\"%s\":[", name);
	do {
		good = stored_run(export->stored, call, &request, NULL);
		const struct ss_value *items = value_get(request.page, "items");
		for (size_t i = 0; good && i < value_count(items); i++) {
			(void)fputs(first ? "\n" : ",\n", export->out);
			first = false;
			good = write(export, value_at(items, i));
		}
		const struct ss_value *next = value_get(request.page, "next");
		free(request.after);
		request.after = value_type(next) == SS_STRING
					? memory_string(value_as_string(next, NULL))
					: NULL;
		value_unref(request.page);
		request.page = NULL;
	} while (good && request.after != NULL && ferror(export->out) == 0);
	free(request.after);
	/* What is not whole is no JSON. */
	(void)fputs(good ? "]" : "", export->out);
	return good;
}

static bool write_conversation(
	const struct user_export *export, const struct ss_value *conversation)
{
	const char *id = value_as_string(value_get(conversation, "id"), NULL);
	(void)fputs("{", export->out);
	write_members(export, conversation, NULL);
	bool good = write_pages(export, "messages", call_messages, id, write_plainly);
	(void)fputs(good ? "}" : "", export->out);
	return good;
}

/* With what the list leaves out, but without the text of the workflow, in which nothing is the user's. */
static bool write_journal(const struct user_export *export, const struct ss_value *journal)
{
	struct ss_error err = {0};
	struct request request = {.id = value_as_string(value_get(journal, "id"), NULL)};
	bool good = stored_run(export->stored, call_journal, &request, &err);
	(void)fputs("{", export->out);
	write_members(export, good ? request.page : journal, "workflow_text");
	(void)fputs("}", export->out);
	value_unref(request.page);
	/* It may have been deleted since it was listed. */
	return good || err.status == SS_NOT_FOUND || stored_fail(&err) == 0;
}

/* The profile into *USER; NULL for one who has none. */
static bool read_user(const struct user_export *export, struct ss_value **user)
{
	struct ss_error err = {0};
	struct request request = {.id = export->user_id};
	bool good = stored_run(export->stored, call_user, &request, &err);
	*user = request.page;
	return good || err.status == SS_NOT_FOUND || stored_fail(&err) == 0;
}

/* Whether CALL gives anything. */
static bool gives_any(const struct user_export *export, store_call *call)
{
	struct request request = {.id = export->user_id};
	bool good = stored_run(export->stored, call, &request, NULL);
	size_t count = value_count(value_get(request.page, "items"));
	value_unref(request.page);
	return good && count > 0;
}

/* What is stored of a user beside the profile. */
static const struct part {
	const char *name;
	store_call *call;
	write_item *write;
} parts[] = {
	{"conversations", call_conversations, write_conversation},
	{"journals", call_journals, write_journal},
	{"events", call_events, write_event},
	{"requests", call_requests, write_plainly},
	{"questions", call_questions, write_plainly},
};

static bool write_all(const struct user_export *export, const struct ss_value *user)
{
	char now[CLOCK_TEXT_SIZE];
	struct ss_value *id = value_text(export->user_id);
	(void)fputs("{\"user_id\":", export->out);
	write_value(export, id);
	(void)fprintf(export->out,
		",\n\"exported_at\":\"%s\",\n\"user\":", clock_format(clock_utc_ns(), now));
	if (user != NULL)
		write_value(export, user);
	else
		(void)fputs("null", export->out);
	value_unref(id);
	bool good = true;
	for (size_t i = 0; good && i < array_length(parts); i++)
		good = write_pages(
			export, parts[i].name, parts[i].call, export->user_id, parts[i].write);
	(void)fputs(good ? "}\n" : "\n", export->out);
	return good;
}

bool user_export(struct stored *stored, const char *user_id, FILE *out)
{
	const struct user_export export = {.stored = stored, .user_id = user_id, .out = out};
	struct ss_value *user = NULL;
	if (!read_user(&export, &user))
		return false;
	/* Of one without a profile there may be other things, as the journal of a turn that failed. */
	bool known = user != NULL;
	for (size_t i = 0; !known && i < array_length(parts); i++)
		known = gives_any(&export, parts[i].call);
	if (!known)
		(void)fprintf(stderr, "smartsupport: nothing is stored of the user %s\n", user_id);
	bool good = known && write_all(&export, user);
	value_unref(user);
	return good;
}
