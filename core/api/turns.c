/*
 * GET /api/v1/turns and …/{id}: turns that are stored, and what happened in one.
 * POST /api/v1/turns/{id}/resume: answers for one that waits for them.
 */
#include "api/asked.h"
#include "api/conversation.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/record.h"
#include "graph/graph.h"
#include "support/support.h"
#include "support/versions.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static struct ss_value *copy(const struct ss_value *map, const char *name)
{
	return value_ref(value_get(map, name));
}

/* What JOURNAL says of its turn without what is in it. */
static struct ss_value *summary(const struct ss_value *journal)
{
	return value_map_make({"id", copy(journal, "id")}, {"status", copy(journal, "status")},
		{"error", copy(journal, "error")}, {"workflow", copy(journal, "workflow")},
		{"user_id", copy(journal, "user_id")},
		{"conversation_id", copy(journal, "conversation_id")},
		{"created_at", copy(journal, "created_at")},
		{"updated_at", copy(journal, "updated_at")});
}

/* The list. One more is read than is shown, to know whether there are more. */

static int list(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	const struct ss_journal_filter *filter = asked_question(asked);
	struct ss_value *journals = NULL;
	if (storage->list_journals(instance, filter, &journals, err) < 0)
		return -1;
	size_t count = value_count(journals);
	bool more = count == filter->limit;
	count -= more;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = summary(value_at(journals, i));
	asked->value = value_map_make({"items", value_list(items, count)},
		{"next", more ? copy(value_at(journals, count - 1), "id") : NULL});
	free(items);
	value_unref(journals);
	return 0;
}

void api_turns(struct http_request *request)
{
	struct asked *asked = asked_make(request, struct ss_journal_filter, asked_reply_page);
	struct ss_journal_filter *filter = asked_question(asked);
	*filter = (struct ss_journal_filter){
		.struct_size = sizeof *filter,
		.status = api_parameter_text(request, "state"),
		.user_id = api_parameter_text(request, "user_id"),
		.before = api_parameter_text(request, "cursor"),
		.limit = api_limit(request) + 1,
	};
	asked_run(asked, list);
}

/* One of them. */

/* A turn that is looked at. */
struct looking {
	struct http_request *request;
	struct ss_value *summary;
	struct record *record;
	const struct graph *graph;
};

static void looking_free(struct looking *looking)
{
	value_unref(looking->summary);
	record_unref(looking->record);
	free(looking);
}

/* Replies with the summary and MORE (taken, a map). */
static void reply_with(struct looking *looking, struct ss_value *more)
{
	struct ss_value *whole = value_ref(looking->summary);
	for (size_t i = 0; i < value_count(more); i++) {
		struct ss_value *next =
			value_map_with(whole, value_key_at(more, i), value_ref(value_at(more, i)));
		value_unref(whole);
		whole = next;
	}
	http_reply_json(looking->request, 200, whole);
	value_unref(whole);
	value_unref(more);
	looking_free(looking);
}

static bool ran(const struct ss_value *trace, const char *node)
{
	for (size_t i = 0; i < value_count(trace); i++) {
		const struct ss_value *name = value_get(value_at(trace, i), "node");
		if (strcmp(value_as_string(name, NULL), node) == 0)
			return true;
	}
	return false;
}

/* The names of the nodes that TRACE has not. */
static struct ss_value *skipped(const struct graph *graph, const struct ss_value *trace)
{
	struct ss_value **names = memory_array(graph->node_count, sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = 0; i < graph->node_count; i++) {
		if (!ran(trace, graph->nodes[i].name))
			names[count++] = value_text(graph->nodes[i].name);
	}
	struct ss_value *list = value_list(names, count);
	free(names);
	return list;
}

static void on_looked(void *context, struct turn *turn)
{
	struct looking *looking = context;
	struct ss_value *trace = turn_trace(turn);
	struct ss_value *more = value_map_make({"input", value_ref(record_input(looking->record))},
		{"state", turn_state(turn)}, {"trace", value_ref(trace)},
		{"skipped", skipped(looking->graph, trace)}, {"checkpoints", history_list(trace)},
		{"interrupts", turn_interrupts(turn)});
	value_unref(trace);
	turn_free(turn);
	reply_with(looking, more);
}

/* Brings the turn back as far as it is known; without its workflow only what it began with can be told. */
static void look(struct looking *looking)
{
	const struct api *api = http_request_context(looking->request);
	struct support *support = NULL;
	struct ss_error err = {0};
	const struct turn_options options = {
		.log = http_request_log(looking->request),
		.record = looking->record,
		.look = true,
		.over = on_looked,
		.context = looking,
	};
	bool made = versions_get(api->versions, looking->record, &support, &err) == 0;
	if (made && support != NULL) {
		looking->graph = support_graph(support);
		if (turn_start(support_engine(support), &options, &err) != NULL)
			return;
		made = false;
	}
	if (!made)
		log_warning(http_request_log(looking->request),
			"the turn %s cannot be looked at: %s", record_id(looking->record),
			err.text);
	reply_with(looking, value_map_make({"input", value_ref(record_input(looking->record))}));
}

static int read_message(const struct ss_storage_operations *storage, void *instance, const char *id,
	struct ss_value **message, struct ss_error *err)
{
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter, .turn_id = id, .limit = 2};
	struct ss_value *page = NULL;
	if (storage->list_messages(instance, &filter, &page, err) < 0)
		return -1;
	const struct ss_value *items = value_get(page, "items");
	const struct ss_value *question = value_at(items, 0), *answer = value_at(items, 1);
	struct ss_value *told = conversation_message(answer, true);
	*message = value_map_make({"id", value_text(id)}, {"status", value_text("done")},
		{"conversation_id", copy(answer, "conversation_id")},
		{"created_at", copy(question, "at")}, {"updated_at", copy(answer, "at")},
		{"question", copy(question, "content")}, {"answer", told});
	value_unref(page);
	return 0;
}

/* The journal; of a turn without one what is stored with its answer. */
static int read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	struct ss_error cause = {0};
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = asked_id(asked)};
	if (storage->read_journal(instance, &key, &asked->value, &cause) == 0)
		return 0;
	if (cause.status == SS_NOT_FOUND)
		return read_message(storage, instance, key.turn_id, &asked->value, err);
	*err = cause;
	return -1;
}

static void reply_turn(struct http_request *request, const struct ss_value *found)
{
	struct ss_error err = {0};
	if (value_get(found, "entries") == NULL) {
		http_reply_json(request, 200, found);
		return;
	}
	struct record *record = record_new(found, &err);
	if (record == NULL) {
		log_error(http_request_log(request), "the journal of a turn cannot be read: %s",
			err.text);
		api_reply_error(request, &err);
		return;
	}
	struct looking *looking = memory_make(struct looking);
	looking->request = request;
	looking->summary = summary(found);
	looking->record = record;
	look(looking);
}

void api_turn(struct http_request *request)
{
	asked_run_id(request, api_parameter_text(request, "id"), read, reply_turn);
}

/* Going on. */

/* DETAIL is taken. */
static void refuse(struct http_request *request, char *detail)
{
	http_reply_problem(request, 409, detail, NULL);
	free(detail);
}

static void on_resumed(void *context, const struct ss_value *reply, const struct ss_value *trace,
	const struct ss_error *err)
{
	struct http_request *request = context;
	(void)trace;
	api_note_answer(request, reply);
	if (err == NULL)
		http_reply_json(request, value_get(reply, "interrupts") != NULL ? 202 : 200, reply);
	else if (err->status == SS_INVALID)
		http_reply_field_problem(request, 422, "/answers", err->text);
	else
		api_reply_error(request, err);
}

/* What answers the question of RECORD; NULL when a problem was replied. */
static struct support *find_support(struct http_request *request, const struct record *record)
{
	const struct api *api = http_request_context(request);
	struct support *support = NULL;
	struct ss_error err = {0};
	if (versions_get(api->versions, record, &support, &err) < 0) {
		log_warning(http_request_log(request), "the turn %s cannot be gone on with: %s",
			record_id(record), err.text);
		refuse(request, memory_string("the workflow that the turn began with cannot be "
					      "made here any more; the log says why"));
		return NULL;
	}
	if (support == NULL) {
		(void)ss_fail_as(&err, SS_LIMIT, "turns of other workflows are under way");
		api_reply_error(request, &err);
	}
	return support;
}

static void on_taken(void *context, struct record *record, const struct ss_error *err)
{
	struct http_request *request = context;
	struct ss_error why = {0};
	if (err != NULL) {
		api_reply_error(request, err);
		return;
	}
	struct support *support = find_support(request, record);
	struct ss_value *answers = value_ref(value_get(api_body(request), "answers"));
	if (support == NULL)
		value_unref(answers);
	else if (support_resume(support, record, answers, http_request_log(request), on_resumed,
			 request, &why) == NULL)
		api_reply_error(request, &why);
	record_unref(record);
}

/* Nothing is taken that could not be gone on with. */
static void on_read(void *context, struct record *record, const struct ss_error *err)
{
	struct http_request *request = context;
	const struct api *api = http_request_context(request);
	struct ss_error why = {0};
	if (err != NULL)
		api_reply_error(request, err);
	else if (strcmp(record_status(record), "interrupted") != 0)
		refuse(request, memory_format("the turn is %s and waits for no answer",
					record_status(record)));
	else if (!support_is_question(record))
		refuse(request,
			memory_format("the turn is no question; smartsupport turns resume %s goes "
				      "on with it",
				record_id(record)));
	else if (find_support(request, record) != NULL &&
		 record_fetch(api->store, record_id(record), true, on_taken, request, &why) < 0)
		api_reply_error(request, &why);
	record_unref(record);
}

void api_turn_resume(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	if (record_fetch(api->store, api_parameter_text(request, "id"), false, on_read, request,
		    &err) < 0)
		api_reply_error(request, &err);
}
