#include "support/support.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "service/compute.h"
#include "service/metrics.h"
#include "service/store.h"
#include "support/happened.h"
#include "support/outcome.h"
#include "support/vectors.h"
#include "support/watch.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

const char *const support_inputs[] = {"message", "user_id", "user_name", "vip", "conversation_id",
	"conversation_status", "history", "recent", "asked_at", NULL};

/* The fields that a reply is made of. */
static const struct {
	const char *name;
	enum ss_type type;
	bool needed;
} fields[] = {
	{"message", SS_STRING, true},
	{"response", SS_STRING, true},
	{"category", SS_STRING, true},
	{"sentiment", SS_STRING, true},
	{"priority", SS_INT, true},
	{"escalated", SS_BOOL, true},
	{"escalation_reason", SS_STRING, false},
	{"kb_results", SS_LIST, false},
	{"retrieval", SS_MAP, false},
	{"attempts", SS_INT, false},
	{"answered", SS_BOOL, false},
	{"answered_by", SS_STRING, false},
	{"sources", SS_LIST, false},
	{"unanswered", SS_BOOL, false},
	{"handover_summary", SS_STRING, false},
	{"user_id", SS_STRING, false},
	{"user_name", SS_STRING, false},
	{"vip", SS_BOOL, false},
	{"conversation_id", SS_STRING, false},
	{"conversation_status", SS_STRING, false},
	{"history", SS_LIST, false},
	{"recent", SS_LIST, false},
	{"asked_at", SS_STRING, false},
};

struct support {
	struct support_options options;
	const char *embedder; /* whose vectors are kept; NULL: none are */
	struct support_turn *turns;
	bool hurried;
};

/* The articles that one reply can show; more count for nothing. */
enum { SHOWN_LIMIT = 64 };

/* One question on its way to its answer. */
struct support_turn {
	struct support *support;
	struct support_turn *next, **link; /* all of them */
	struct log log;
	support_replied *replied;
	void *context;
	char *user_id;
	char *message;
	size_t message_length;
	bool new_conversation;
	char conversation_id[ID_SIZE];
	char turn_id[ID_SIZE];
	int64_t asked_at_ns;
	int64_t started_ns;
	struct ss_value *history;                /* in place of what is stored; NULL: that counts */
	const struct support_listener *listener; /* NULL: nobody listens */
	struct watch *watch;                     /* NULL: nothing is told */
	bool left;
	bool continued; /* another process began with it */
	const char *
		handover; /* why a human answers it in place of the workflow; NULL: it is as that says */
	bool waits;       /* who asks can be told that it waits for an answer from outside */
	struct ss_value *answers; /* that it is to get when it waits; NULL: none */
	struct turn *turn;
	struct ss_turn record;
	struct happened happened; /* when it is stored */
	const char *shown[SHOWN_LIMIT];
	char unanswered[HASH_SIZE];
	struct vectors earlier;
	unsigned char *vector; /* of the message */
	char *metadata;
	struct ss_value *reply;
	struct ss_value *trace;
};

int support_check(const struct graph *graph, struct diagnostics *diagnostics)
{
	size_t mistakes = diagnostics->count;
	for (size_t i = 0; i < array_length(fields); i++) {
		size_t slot = graph_slot(graph, fields[i].name);
		if (slot == GRAPH_NO_SLOT) {
			if (fields[i].needed)
				diagnostics_add(diagnostics, graph->file, 0, 0,
					"a support workflow needs the field %s, a %s; add it to "
					"state",
					fields[i].name, value_type_name(fields[i].type));
			continue;
		}
		const struct graph_field *field = &graph->fields[slot];
		if (field->type != fields[i].type)
			diagnostics_add(diagnostics, graph->file, field->line, field->column,
				"the field %s of a support workflow is a %s, not a %s", field->name,
				value_type_name(fields[i].type), value_type_name(field->type));
	}
	return diagnostics->count > mistakes ? -1 : 0;
}

struct support *support_new(const struct support_options *options)
{
	struct support *support = memory_make(struct support);
	support->options = *options;
	if (options->store != NULL && options->compute != NULL && vectors_are_used(options->graph))
		support->embedder = options->embedder;
	return support;
}

void support_free(struct support *support)
{
	free(support);
}

static void free_turn(struct support_turn *turn)
{
	*turn->link = turn->next;
	if (turn->next != NULL)
		turn->next->link = turn->link;
	turn_free(turn->turn);
	watch_free(turn->watch);
	value_unref(turn->history);
	value_unref(turn->answers);
	value_unref(turn->reply);
	value_unref(turn->trace);
	free(turn->user_id);
	free(turn->message);
	vectors_free(&turn->earlier);
	free(turn->vector);
	free(turn->metadata);
	happened_free(&turn->happened);
	free(turn);
}

/* Ends the question with an error. */
static void fail(struct support_turn *turn, const struct ss_error *err)
{
	metrics_add(turn->support->options.metrics, METRIC_FAILED, 1);
	log_error(&turn->log, "the question was not answered: %s", err->text);
	turn->replied(turn->context, NULL, turn->trace, err);
	free_turn(turn);
}

/* What TURN, which is over, comes to. */
static struct outcome outcome_of(const struct support_turn *turn)
{
	return (struct outcome){
		.turn_id = turn->turn_id,
		.turn = turn->turn,
		.trace = turn->trace,
		.handover = turn->handover,
		.candid = turn->support->options.candid,
	};
}

/* Notes the articles that the answer comes from. */
static void note_shown(struct support_turn *turn, const struct outcome *outcome)
{
	const struct ss_value *sources = outcome_sources(outcome);
	size_t count = 0;
	for (size_t i = 0; i < value_count(sources) && count < SHOWN_LIMIT; i++) {
		const char *id = value_as_string(value_get(value_at(sources, i), "id"), NULL);
		if (id[0] != '\0')
			turn->shown[count++] = id;
	}
	turn->record.shown = turn->shown;
	turn->record.shown_count = count;
}

/* Notes that the question has no answer, if the workflow says so, under the hash of what it says. */
static void note_unanswered(struct support_turn *turn, const struct outcome *outcome)
{
	size_t length = 0;
	if (!outcome_is_unanswered(outcome))
		return;
	char *folded = text_fold((struct ss_text){turn->message, turn->message_length}, &length);
	turn->record.unanswered = hash_sha256(folded, length, turn->unanswered);
	free(folded);
}

/* Notes the vector of the message if an agent had it made: later questions are compared with it. */
static void note_vector(struct support_turn *turn)
{
	const struct support *support = turn->support;
	const struct ss_text message = {turn->message, turn->message_length};
	if (support->embedder == NULL)
		return;
	size_t size = compute_vector_size(support->options.compute);
	turn->vector = memory_new(size);
	if (!compute_keep(support->options.compute, message, turn->vector))
		return;
	turn->record.embedder = support->embedder;
	turn->record.vector = (struct ss_bytes){turn->vector, size};
}

static const char *thread_of(const struct support_turn *turn, struct ss_text response)
{
	if (turn->listener == NULL || turn->listener->thread == NULL)
		return NULL;
	return turn->listener->thread(turn->context, response);
}

static void make_reply(struct support_turn *turn)
{
	char now[CLOCK_TEXT_SIZE];
	int64_t duration_ns = clock_monotonic_ns() - turn->started_ns;
	int64_t answered_at_ns = clock_utc_ns();
	const struct outcome outcome = outcome_of(turn);
	const struct ss_text response = outcome_response(&outcome);
	const struct ss_value *priority = outcome_field(&outcome, "priority");
	turn->reply = value_map_make({"conversation_id", value_text(turn->conversation_id)},
		{"response", value_string(response.data, response.length)},
		{"category", value_ref(outcome_field(&outcome, "category"))},
		{"sentiment", value_ref(outcome_field(&outcome, "sentiment"))},
		{"priority", value_ref(priority)},
		{"timestamp", value_text(clock_format(answered_at_ns, now))},
		{"metadata", outcome_metadata(&outcome, duration_ns)});
	const struct ss_value *metadata = value_get(turn->reply, "metadata");
	turn->metadata = outcome_stored_metadata(&outcome, metadata);
	if (turn->watch != NULL)
		watch_end(turn->watch, turn->reply);
	turn->record = (struct ss_turn){
		.struct_size = sizeof turn->record,
		.turn_id = turn->turn_id,
		.conversation_id = turn->conversation_id,
		.user_id = turn->user_id,
		.new_conversation = turn->new_conversation,
		.message = {turn->message, turn->message_length},
		.response = response,
		.category = outcome_text(&outcome, "category"),
		.sentiment = outcome_text(&outcome, "sentiment"),
		.priority = value_as_int(priority),
		.attempts = value_as_int(outcome_field(&outcome, "attempts")),
		.escalated = outcome_is_escalated(&outcome),
		.escalation_reason = outcome_escalation_reason(&outcome),
		.answered_by = outcome_answered_by(&outcome),
		.asked_at_ns = turn->asked_at_ns,
		.answered_at_ns = answered_at_ns,
		.duration_ns = duration_ns,
		.metadata = turn->metadata,
		.metadata_is_json = json_reads_back(metadata),
		.thread = thread_of(turn, response),
	};
	note_shown(turn, &outcome);
	note_unanswered(turn, &outcome);
	note_vector(turn);
	happened_turn(&turn->happened, &turn->record);
	turn->record.events = happened_events(&turn->happened);
}

static void count(const struct support_turn *turn)
{
	struct metrics_part *metrics = turn->support->options.metrics;
	const struct outcome outcome = outcome_of(turn);
	metrics_add(metrics,
		turn->record.escalated          ? METRIC_ESCALATED
		: outcome_is_answered(&outcome) ? METRIC_ANSWERED
						: METRIC_ABSTAINED,
		1);
	metrics_add(metrics, METRIC_UNANSWERED, turn->record.unanswered != NULL);
	metrics_observe(
		metrics, METRIC_DURATION, (uint64_t)(clock_monotonic_ns() - turn->started_ns));
}

static void reply(struct support_turn *turn)
{
	count(turn);
	log_info(&turn->log, "answered: category %s, sentiment %s, priority %lld%s in %.1f ms",
		turn->record.category, turn->record.sentiment, (long long)turn->record.priority,
		turn->record.escalated ? ", escalated" : "",
		(double)turn->record.duration_ns / 1e6);
	turn->replied(turn->context, turn->reply, turn->trace, NULL);
	free_turn(turn);
}

/* The process that began with it has stored an answer, and nobody heard of it again. */
static bool was_answered(const struct support_turn *turn, const struct ss_error *err)
{
	return turn->continued && err->status == SS_CONFLICT;
}

static void on_closed(void *context, struct turn *closed)
{
	(void)closed;
	reply(context);
}

static void on_committed(void *context, const struct ss_error *err)
{
	struct support_turn *turn = context;
	if (err == NULL || was_answered(turn, err)) {
		/* Who has the answer finds all of the turn. */
		if (turn_confirm(turn->turn, NULL, on_closed))
			reply(turn);
		return;
	}
	/* Whoever asked is told of it; a question that nobody waits for is tried again. */
	if (!turn->continued || err->status != SS_UNAVAILABLE)
		(void)turn_confirm(turn->turn, err, NULL);
	fail(turn, err);
}

/* Gives OVER, which waits, the answers that have come for it. */
static void give_answers(struct support_turn *turn, struct turn *over)
{
	struct ss_error err = {0};
	struct ss_value *answers = turn->answers;
	turn->answers = NULL;
	int result = turn_resume(over, answers, &err);
	value_unref(answers);
	if (result == 0)
		return;
	turn->replied(turn->context, NULL, NULL, &err);
	free_turn(turn);
}

/* OVER waits for an answer from outside. */
static void wait(struct support_turn *turn, struct turn *over)
{
	struct ss_error err = {0};
	if (turn->answers != NULL) {
		give_answers(turn, over);
		return;
	}
	turn->trace = turn_trace(over);
	if (!turn->waits || turn_id(over) == NULL) {
		(void)ss_fail_as(&err, SS_UNAVAILABLE,
			"the workflow waits for an answer from outside, which %s",
			turn->waits ? "needs the durability node or turn"
				    : "this question cannot get");
		fail(turn, &err);
		return;
	}
	log_info(&turn->log, "the question waits for an answer from outside");
	turn->reply = value_map_make({"conversation_id", value_text(turn->conversation_id)},
		{"turn_id", value_text(turn->turn_id)}, {"status", value_text("interrupted")},
		{"interrupts", turn_interrupts(over)});
	turn->replied(turn->context, turn->reply, turn->trace, NULL);
	free_turn(turn);
}

/* Has a human answer the question of TURN, over which processes have died, so that it is not lost. */
static void hand_over(struct support_turn *turn, const struct ss_error *err)
{
	turn->handover = "a part of the workflow is out of order, and this question needs it";
	log_error(&turn->log, "the question goes to a human: %s", err->text);
}

static void on_over(void *context, struct turn *over)
{
	struct support_turn *turn = context;
	struct ss_error err = {0};
	if (turn_status(over) == TURN_INTERRUPTED && turn->handover == NULL) {
		wait(turn, over);
		return;
	}
	turn->trace = turn_trace(over);
	if (turn_error(over) != NULL && turn_error(over)->status == SS_QUARANTINED)
		hand_over(turn, turn_error(over));
	if (turn_error(over) != NULL && turn->handover == NULL) {
		err = *turn_error(over);
		/* That nothing is there is a client's mistake only when it named it. */
		if (err.status == SS_NOT_FOUND)
			err.status = SS_INTERNAL;
		fail(turn, &err);
		return;
	}
	make_reply(turn);
	if (turn->support->options.store == NULL)
		reply(turn);
	else if (store_commit_turn(
			 turn->support->options.store, &turn->record, on_committed, turn, &err) < 0)
		fail(turn, &err);
}

/* VALUE (taken) if the workflow has a field NAME, else NULL. */
static struct ss_value *input(
	const struct support_turn *turn, const char *name, struct ss_value *value)
{
	if (graph_slot(turn->support->options.graph, name) != GRAPH_NO_SLOT)
		return value;
	value_unref(value);
	return NULL;
}

static struct ss_value *copy(const struct ss_value *map, const char *key)
{
	const struct ss_value *value = value_get(map, key);
	return value_type(value) != SS_NULL ? value_ref(value) : NULL;
}

static void on_event(void *context, struct turn *turn, const struct ss_value *event)
{
	const struct support_turn *asked = context;
	(void)turn;
	if (asked->watch != NULL)
		watch_event(asked->watch, event);
}

/* Runs the workflow as OPTIONS say. */
static int start(struct support_turn *turn, struct turn_options *options, struct ss_error *err)
{
	options->log = &turn->log;
	options->over = on_over;
	options->event = on_event;
	options->events = turn->watch != NULL ? watch_events : 0;
	options->context = turn;
	options->confirms = turn->support->options.store != NULL;
	turn->turn = turn_start(turn->support->options.engine, options, err);
	if (turn->turn != NULL && (turn->left || turn->support->hurried))
		turn_hurry(turn->turn);
	return turn->turn != NULL ? 0 : -1;
}

/* What support_continue() must know. */
static struct ss_value *about(const struct support_turn *turn)
{
	return value_map_make({"user_id", value_text(turn->user_id)},
		{"conversation_id", value_text(turn->conversation_id)},
		{"new_conversation", value_bool(turn->new_conversation)},
		{"asked_at_ns", value_int(turn->asked_at_ns)});
}

/* Runs the workflow with what is known of the customer (KNOWN, or NULL). */
static int run(struct support_turn *turn, const struct ss_value *known, struct ss_error *err)
{
	char asked_at[CLOCK_TEXT_SIZE];
	const struct ss_value *user = value_get(known, "user");
	struct ss_value *given = value_map_make(
		{"message", value_string(turn->message, turn->message_length)},
		{"user_id", input(turn, "user_id", value_text(turn->user_id))},
		{"user_name", input(turn, "user_name", copy(user, "name"))},
		{"vip", input(turn, "vip", copy(user, "vip"))},
		{"conversation_id",
			input(turn, "conversation_id", value_text(turn->conversation_id))},
		{"conversation_status", input(turn, "conversation_status", copy(known, "status"))},
		{"history", input(turn, "history",
				    turn->history != NULL ? value_ref(turn->history)
							  : copy(known, "history"))},
		{"recent", input(turn, "recent", copy(known, "recent"))},
		{"asked_at", input(turn, "asked_at",
				     value_text(clock_format(turn->asked_at_ns, asked_at)))});
	struct ss_value *known_elsewhere = about(turn);
	struct turn_options options = {
		.input = given,
		.id = turn->turn_id,
		.user_id = turn->user_id,
		.conversation_id = turn->conversation_id,
		.about = known_elsewhere,
	};
	int result = start(turn, &options, err);
	value_unref(known_elsewhere);
	value_unref(given);
	return result;
}

/* The question belongs to the conversation that has its thread. */
static void join_conversation(struct support_turn *turn, const struct ss_value *known)
{
	const char *id = value_as_string(value_get(known, "conversation_id"), NULL);
	if (!turn->new_conversation || id[0] == '\0')
		return;
	turn->new_conversation = false;
	(void)snprintf(turn->conversation_id, sizeof turn->conversation_id, "%s", id);
}

static void on_context(void *context, const struct ss_value *known, const struct ss_error *err)
{
	struct support_turn *turn = context;
	struct ss_error why = {0};
	if (err == NULL) {
		vectors_restore(&turn->earlier, turn->support->options.compute);
		join_conversation(turn, known);
		turn->log = log_with(&turn->log, "conversation_id", turn->conversation_id);
		if (run(turn, known, &why) < 0)
			fail(turn, &why);
		return;
	}
	if (err->status != SS_NOT_FOUND) {
		fail(turn, err);
		return;
	}
	/* The customer named a conversation that is not theirs: their mistake, not the server's. */
	turn->replied(turn->context, NULL, NULL, err);
	free_turn(turn);
}

/* Nothing is read that the workflow does not look at. */
static size_t recent_limit(const struct support *support)
{
	bool used = graph_slot(support->options.graph, "recent") != GRAPH_NO_SLOT;
	return used ? support->options.history_limit : 0;
}

/* The last COUNT items of LIST, new. */
static struct ss_value *last_items(const struct ss_value *list, size_t count)
{
	size_t all = value_count(list);
	size_t kept = all < count ? all : count;
	struct ss_value **items = memory_array(kept, sizeof(struct ss_value *));
	for (size_t i = 0; i < kept; i++)
		items[i] = value_ref(value_at(list, all - kept + i));
	struct ss_value *last = value_list(items, kept);
	free(items);
	return last;
}

static struct support_turn *turn_new(struct support *support,
	const struct support_question *question, const struct log *log, support_replied *replied,
	void *context)
{
	struct support_turn *turn = memory_make(struct support_turn);
	turn->support = support;
	turn->next = support->turns;
	turn->link = &support->turns;
	if (turn->next != NULL)
		turn->next->link = &turn->next;
	support->turns = turn;
	turn->replied = replied;
	turn->context = context;
	turn->waits = question->waits;
	turn->listener = question->listener;
	if (question->listener != NULL && question->listener->token != NULL)
		turn->watch = watch_new(question->listener, context);
	if (question->history != NULL)
		turn->history = last_items(question->history, support->options.history_limit);
	turn->log = *log;
	turn->user_id = memory_string(question->user_id);
	turn->message = memory_text(question->message.data, question->message.length);
	turn->message_length = question->message.length;
	turn->new_conversation = question->conversation_id == NULL;
	turn->asked_at_ns = clock_utc_ns();
	turn->started_ns = clock_monotonic_ns();
	if (question->turn_id != NULL)
		(void)snprintf(turn->turn_id, sizeof turn->turn_id, "%s", question->turn_id);
	else
		(void)id_new("turn_", turn->turn_id);
	const char *conversation =
		turn->new_conversation ? question->new_conversation_id : question->conversation_id;
	if (conversation != NULL)
		(void)snprintf(
			turn->conversation_id, sizeof turn->conversation_id, "%s", conversation);
	else
		(void)id_new("conv_", turn->conversation_id);
	return turn;
}

struct support_turn *support_ask(struct support *support, const struct support_question *question,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err)
{
	struct support_turn *turn = turn_new(support, question, log, replied, context);
	if (support->options.store == NULL) {
		turn->log = log_with(log, "conversation_id", turn->conversation_id);
		if (run(turn, NULL, err) == 0)
			return turn;
		free_turn(turn);
		return NULL;
	}
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = turn->user_id,
		.conversation_id = question->conversation_id,
		.thread = question->thread,
		/* Also when the question brings its own, for the vectors of what is in both. */
		.history_limit = support->options.history_limit,
		.recent_limit = question->anonymous ? 0 : recent_limit(support),
		.embedder = support->embedder,
		.vector_read = support->embedder != NULL ? vectors_add : NULL,
		.vector_context = &turn->earlier,
	};
	if (store_turn_context(support->options.store, &key, on_context, turn, err) < 0) {
		free_turn(turn);
		return NULL;
	}
	return turn;
}

bool support_is_question(const struct record *record)
{
	return value_type(value_get(record_about(record), "user_id")) == SS_STRING;
}

/* A turn that goes on with that of RECORD, new. */
static struct support_turn *turn_again(struct support *support, const struct record *record,
	const struct log *log, support_replied *replied, void *context)
{
	const struct ss_value *known = record_about(record);
	const struct support_question question = {
		.user_id = value_as_string(value_get(known, "user_id"), NULL),
		.conversation_id = value_as_string(value_get(known, "conversation_id"), NULL),
		.message = value_as_text(value_get(record_input(record), "message")),
		.waits = true,
	};
	struct support_turn *turn = turn_new(support, &question, log, replied, context);
	turn->continued = true;
	turn->new_conversation = value_as_bool(value_get(known, "new_conversation"));
	turn->asked_at_ns = value_as_int(value_get(known, "asked_at_ns"));
	(void)snprintf(turn->turn_id, sizeof turn->turn_id, "%s", record_id(record));
	turn->log = log_with(log, "conversation_id", turn->conversation_id);
	return turn;
}

/* Starts TURN, which is that of RECORD, or is just to be LOOKed at. */
static struct support_turn *go_on(
	struct support_turn *turn, struct record *record, bool look, struct ss_error *err)
{
	/* What it took is since it was asked, by whomever, or since it got what it waited for. */
	int64_t passed_ns = turn->answers == NULL ? clock_utc_ns() - turn->asked_at_ns : 0;
	turn->started_ns = clock_monotonic_ns() - (passed_ns > 0 ? passed_ns : 0);
	struct turn_options options = {.record = record, .look = look};
	if (start(turn, &options, err) == 0)
		return turn;
	free_turn(turn);
	return NULL;
}

struct support_turn *support_continue(struct support *support, struct record *record,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err)
{
	return go_on(turn_again(support, record, log, replied, context), record, false, err);
}

struct support_turn *support_resume(struct support *support, struct record *record,
	struct ss_value *answers, const struct log *log, support_replied *replied, void *context,
	struct ss_error *err)
{
	struct support_turn *turn = turn_again(support, record, log, replied, context);
	turn->answers = answers;
	return go_on(turn, record, false, err);
}

struct support_turn *support_hand_over(struct support *support, struct record *record,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err)
{
	struct support_turn *turn = turn_again(support, record, log, replied, context);
	turn->handover = "the server could not answer it";
	return go_on(turn, record, true, err);
}

const struct graph *support_graph(const struct support *support)
{
	return support->options.graph;
}

struct engine *support_engine(const struct support *support)
{
	return support->options.engine;
}

static void hurry(struct support_turn *turn)
{
	if (turn->turn != NULL && turn_status(turn->turn) == TURN_RUNNING)
		turn_hurry(turn->turn);
}

void support_leave(struct support_turn *turn)
{
	turn->left = true;
	watch_free(turn->watch);
	turn->watch = NULL;
	hurry(turn);
}

void support_hurry(struct support *support)
{
	support->hurried = true;
	for (struct support_turn *turn = support->turns; turn != NULL; turn = turn->next)
		hurry(turn);
}
