/* What agents may call: the state of their run, and the services. */
#include "base/buffer.h"
#include "base/log_scope.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/turn.h"
#include "service/compute.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

const struct ss_error run_is_over = {
	.status = SS_INTERNAL, .text = "the run is over; nothing waits for what it does now"};

/* A call to a service that is under way for a run. */
struct run_call {
	struct ss_run *run;
	ss_embedded *embedded;
	ss_found *found;
};

static const struct graph_node *node_of(const struct ss_run *run)
{
	return task_node(run->task);
}

static const struct call_site *site_of(const struct ss_run *run)
{
	return task_engine_node(run->task)->site;
}

static const struct engine_options *options_of(const struct ss_run *run)
{
	return &run->task->turn->engine->options;
}

/* Says that the run is over. */
static int refuse(struct ss_error *err)
{
	if (err != NULL)
		*err = run_is_over;
	return -1;
}

/* Whether what RUN does still counts. On its agent's thread. */
static bool counts(const struct ss_run *run)
{
	return run->offload != NULL ? !atomic_load(&run->offload->over) : run_is_running(run);
}

/* Refuses what would call back to the loop in a run that is not on it. */
static int check_loop(const struct ss_run *run, const char *function, struct ss_error *err)
{
	if (run->offload == NULL)
		return 0;
	return ss_fail_as(err, SS_INVALID,
		"the agent %s blocks, as its descriptor says: it may not call %s(), which calls "
		"back on "
		"the server's loop",
		node_of(run)->plugin->name, function);
}

int host_check_use(const struct ss_run *run, enum ss_services service, const char *name,
	const char *function, struct ss_error *err)
{
	if (check_loop(run, function, err) < 0)
		return -1;
	if (!run_is_running(run))
		return refuse(err);
	if ((node_of(run)->plugin->services & service) != 0)
		return 0;
	return ss_fail_as(err, SS_INVALID,
		"the agent %s does not declare in its descriptor that it uses the %s",
		node_of(run)->plugin->name, name);
}

static struct run_call *call_new(struct ss_run *run)
{
	struct run_call *call = memory_make(struct run_call);
	call->run = run_ref(run);
	return call;
}

static int call_end(struct run_call *call, int result)
{
	run_unref(call->run);
	free(call);
	return result;
}

static const struct ss_value *read_field(struct ss_run *run, size_t field)
{
	const struct graph_node *node = node_of(run);
	if (run->view == NULL || field >= node->field_count ||
		node->slots[field] == GRAPH_NO_SLOT ||
		(node->plugin->fields[field].access & SS_READS) == 0)
		return NULL;
	return run->view->values[node->slots[field]];
}

void host_make_room(struct ss_run *run)
{
	const struct graph_node *node = node_of(run);
	if (run->writes == NULL)
		run->writes = arena_array(&run->task->turn->arena,
			node->field_count + node->assignment_count, sizeof(struct write));
}

/* Notes that VALUE (taken) is to be written to SLOT; a later write takes the place of an earlier one. */
static void note_write(struct ss_run *run, size_t slot, struct ss_value *value, bool overwrites)
{
	size_t at = 0;
	host_make_room(run);
	while (at < run->write_count && run->writes[at].slot != slot)
		at++;
	if (at < run->write_count)
		value_unref(run->writes[at].value);
	else
		run->write_count++;
	run->writes[at] = (struct write){slot, value, overwrites};
}

/* Refuses a write to FIELD. The run fails over it, also when its agent does not look at what write() returns. */
static int refuse_field(struct ss_run *run, size_t field, struct ss_error *err)
{
	struct ss_error why;
	const struct graph_node *node = node_of(run);
	if (field < node->field_count)
		(void)ss_fail_as(&why, SS_INVALID,
			"the agent %s does not declare that it writes the field %s",
			node->plugin->name, node->plugin->fields[field].name);
	else
		(void)ss_fail_as(&why, SS_INVALID,
			"the agent %s writes the field in row %zu of its table, which has %zu",
			node->plugin->name, field, node->field_count);
	if (run->refused == NULL) {
		run->refused = memory_make(struct ss_error);
		*run->refused = why;
	}
	if (err != NULL)
		*err = why;
	return -1;
}

static int write_any(struct ss_run *run, size_t field, struct ss_value *value, bool overwrites,
	struct ss_error *err)
{
	const struct graph_node *node = node_of(run);
	if (!counts(run)) {
		value_unref(value);
		return refuse(err);
	}
	if (field >= node->field_count || (node->plugin->fields[field].access & SS_WRITES) == 0) {
		value_unref(value);
		return refuse_field(run, field, err);
	}
	if (node->slots[field] == GRAPH_NO_SLOT)
		value_unref(value);
	else
		note_write(run, node->slots[field], value, overwrites);
	return 0;
}

static int write_field(
	struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err)
{
	return write_any(run, field, value, false, err);
}

static int overwrite_field(
	struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err)
{
	return write_any(run, field, value, true, err);
}

static void *allocate(struct ss_run *run, size_t size)
{
	struct arena *arena = run->offload != NULL ? &run->offload->arena : &run->task->turn->arena;
	return arena_take(arena, size);
}

static struct ss_value *evaluate(struct ss_run *run, size_t option, struct ss_error *err)
{
	const struct graph_node *node = node_of(run);
	if (run->view == NULL) {
		(void)refuse(err);
		return NULL;
	}
	for (size_t i = 0; i < node->evaluation_count; i++) {
		if (node->evaluations[i].option == option)
			return expr_evaluate(
				node->evaluations[i].expr.expr, run->view->values, err);
	}
	(void)ss_fail_as(err, SS_NOT_FOUND, "the option is not given, or is no expression");
	return NULL;
}

static int render(struct ss_run *run, size_t option, struct ss_text *text, struct ss_error *err)
{
	const struct graph_node *node = node_of(run);
	if (run->view == NULL)
		return refuse(err);
	for (size_t i = 0; i < node->prompt_count; i++) {
		size_t length = 0;
		if (node->prompts[i].option != option)
			continue;
		char *rendered =
			mustache_render(node->prompts[i].mustache, run->view->values, &length, err);
		if (rendered == NULL)
			return -1;
		char *copy = allocate(run, length + 1);
		memcpy(copy, rendered, length + 1);
		free(rendered);
		*text = (struct ss_text){copy, length};
		return 0;
	}
	return ss_fail_as(err, SS_NOT_FOUND, "the option is not given, or is no prompt");
}

static int assign(struct ss_run *run, size_t option, struct ss_error *err)
{
	const struct graph_node *node = node_of(run);
	if (!counts(run))
		return refuse(err);
	for (size_t i = 0; i < node->assignment_count; i++) {
		const struct graph_assignment *assignment = &node->assignments[i];
		struct ss_error why = {0};
		if (assignment->option != option)
			continue;
		struct ss_value *value =
			expr_evaluate(assignment->expr.expr, run->view->values, &why);
		if (value == NULL)
			return ss_fail_as(err, why.status,
				"%s:%zu:%zu: the expression \"%.*s\": %s",
				run->task->turn->program->graph->file, assignment->expr.line,
				assignment->expr.column, text_fit(assignment->expr.text, 120),
				assignment->expr.text, why.text);
		note_write(run, assignment->slot, value, false);
	}
	return 0;
}

static int go_to(struct ss_run *run, const char *name, struct ss_error *err)
{
	const struct graph *graph = run->task->turn->program->graph;
	const struct graph_node *node = node_of(run);
	if (!counts(run))
		return refuse(err);
	if (node->command == GRAPH_NO_SLOT)
		return ss_fail_as(err, SS_INVALID,
			"the node %s has no goto, so its agent cannot choose what comes next",
			node->name);
	if (node->send.over.expr != NULL)
		return ss_fail_as(err, SS_INVALID,
			"the node %s runs once for each item, so no single run can choose what "
			"comes next",
			node->name);
	const struct graph_edge *edge = &graph->edges[node->command];
	for (size_t i = 0; i < edge->choice_count; i++) {
		if (strcmp(graph_node_name(graph, edge->choices[i].to), name) == 0) {
			run->way = i;
			return 0;
		}
	}
	return ss_fail_as(err, SS_INVALID, "\"%.*s\" is not in the goto of the node %s",
		text_fit(name, 60), name, node->name);
}

static int interrupt(struct ss_run *run, struct ss_value *payload, struct ss_error *err)
{
	if (!counts(run)) {
		value_unref(payload);
		return refuse(err);
	}
	value_unref(run->payload);
	run->payload = payload;
	return 0;
}

static const struct ss_value *answered(struct ss_run *run)
{
	if (run->offload != NULL)
		return run->offload->answer;
	return run->copy != NULL ? run->copy->answer : NULL;
}

static unsigned attempt(struct ss_run *run)
{
	if (run->offload != NULL)
		return run->offload->attempt;
	return run->copy != NULL ? (unsigned)run->copy->attempts : 0;
}

/* A wait() that is under way. */
struct wait {
	struct wait *next;
	struct ss_run *run;
	ss_waited *done;
	struct event *event;
	struct later_call call; /* in place of the event, when waits take no time */
};

struct run_scope run_enter(struct ss_run *run, enum call_operation operation)
{
	struct turn *turn = turn_ref(run->task->turn);
	calls_begin(site_of(run), operation);
	return (struct run_scope){turn, log_enter(&turn->log)};
}

void run_leave(const struct run_scope *scope)
{
	calls_end();
	log_leave(&scope->turn->log, scope->before);
	turn_unref(scope->turn);
}

/* Takes WAIT off its run's list and calls back. */
static void end_wait(struct wait *wait, const struct ss_error *err)
{
	struct ss_run *run = wait->run;
	struct wait **at = &run->waits;
	while (*at != NULL && *at != wait)
		at = &(*at)->next;
	if (*at != NULL) {
		*at = wait->next;
		const struct run_scope scope = run_enter(run, CALL_WAITED);
		wait->done(run_instance(run), run, err);
		run_leave(&scope);
	}
}

static void on_waited(evutil_socket_t fd, short what, void *context)
{
	struct wait *wait = context;
	struct ss_run *run = wait->run;
	(void)fd;
	(void)what;
	end_wait(wait, NULL);
	run_unref(run);
}

static void on_waited_later(struct later_call *call)
{
	on_waited(-1, 0, queue_entry(call, struct wait, call));
}

static int wait_for(struct ss_run *run, double seconds, ss_waited *done, struct ss_error *err)
{
	struct turn *turn = run->task->turn;
	if (check_loop(run, "wait", err) < 0)
		return -1;
	if (!run_is_running(run))
		return refuse(err);
	if (!(seconds >= 0 && seconds <= 86400))
		return ss_fail_as(
			err, SS_INVALID, "a wait is from 0 to 86400 seconds, not %g", seconds);
	struct wait *wait = arena_take(&turn->arena, sizeof *wait);
	wait->run = run_ref(run);
	wait->done = done;
	wait->next = run->waits;
	run->waits = wait;
	wait->call.call = on_waited_later;
	if (options_of(run)->shuffle != 0)
		later_add(options_of(run)->later, &wait->call);
	else
		wait->event = turn_timer(turn, (int64_t)(seconds * 1e9), on_waited, wait);
	return 0;
}

void run_end_waits(struct ss_run *run)
{
	while (run->waits != NULL) {
		struct wait *wait = run->waits;
		if (wait->event != NULL)
			(void)event_del(wait->event);
		end_wait(wait, &run_is_over);
		/* One that is made later finds itself off the list, and gives its reference back then. */
		if (wait->event != NULL)
			run_unref(run);
	}
}

static void on_embedded(void *context, const float *const *vectors, size_t count, size_t dimension,
	const struct ss_error *err)
{
	struct run_call *call = context;
	struct ss_run *run = call->run;
	bool over = !run_is_running(run);
	const struct run_scope scope = run_enter(run, CALL_EMBEDDED);
	call->embedded(run_instance(run), run, over ? NULL : vectors, over ? 0 : count, dimension,
		over ? &run_is_over : err);
	run_leave(&scope);
	(void)call_end(call, 0);
}

static int embed(struct ss_run *run, const struct ss_text *texts, size_t count, ss_embedded *done,
	struct ss_error *err)
{
	if (host_check_use(run, SS_USES_EMBEDDER, "embedder", "embed", err) < 0)
		return -1;
	if (count == 0)
		return ss_fail_as(err, SS_INVALID, "there is no text to embed");
	if (options_of(run)->compute == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no embedder is configured");
	struct run_call *call = call_new(run);
	call->embedded = done;
	if (compute_embed(options_of(run)->compute, texts, count, on_embedded, call, err) < 0)
		return call_end(call, -1);
	return 0;
}

/* Has a search of RUN done without MISSING, for its agent, the trace and the log. */
static void note_missing(struct ss_run *run, const struct ss_value *missing)
{
	struct task *task = run->task;
	const struct ss_value *stages = value_get(missing, "stages");
	struct buffer names = {0};
	for (size_t i = 0; i < value_count(stages); i++)
		buffer_add_format(&names, "%s%s", i > 0 ? ", " : "",
			value_as_string(value_at(stages, i), NULL));
	log_warning(&task->turn->log, "the node %s searched the knowledge base without %s: %s",
		node_of(run)->name, buffer_text(&names),
		value_as_string(value_get(missing, "error"), NULL));
	buffer_free(&names);
	value_unref(task->missing);
	task->missing = value_ref(missing);
	run->missing = missing;
}

static void on_found(void *context, const struct ss_value *articles, const struct ss_value *missing,
	const struct ss_error *err)
{
	struct run_call *call = context;
	struct ss_run *run = call->run;
	bool over = !run_is_running(run);
	if (missing != NULL && !over)
		note_missing(run, missing);
	const struct run_scope scope = run_enter(run, CALL_FOUND);
	call->found(run_instance(run), run, over ? NULL : articles, over ? &run_is_over : err);
	run_leave(&scope);
	run->missing = NULL;
	(void)call_end(call, 0);
}

static const struct ss_value *missing_of(struct ss_run *run)
{
	return run->missing;
}

static int search(
	struct ss_run *run, const struct ss_search *query, ss_found *done, struct ss_error *err)
{
	if (host_check_use(run, SS_USES_KNOWLEDGE, "knowledge base", "search", err) < 0)
		return -1;
	if (options_of(run)->compute == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no embedder is configured");
	struct run_call *call = call_new(run);
	call->found = done;
	if (compute_search(options_of(run)->compute, query, on_found, call, err) < 0)
		return call_end(call, -1);
	return 0;
}

/* The agent's own words, which stay whatever becomes of the model's. */
static void emit(struct ss_run *run, struct ss_text text)
{
	if (run->offload == NULL && run_is_running(run) && !run->copy->held && text.length > 0)
		event_token(run->copy, 0, text);
}

static void finish(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	if (run->offload != NULL)
		run->offload->finished = true; /* which is a mistake that its end tells of */
	else
		run_finish(run, result, err);
}

void engine_host_init(struct host *host)
{
	host->table.read = read_field;
	host->table.write = write_field;
	host->table.overwrite = overwrite_field;
	host->table.allocate = allocate;
	host->table.embed = embed;
	host->table.search = search;
	host->table.generate = generation_start;
	host->table.evaluate = evaluate;
	host->table.render = render;
	host->table.emit = emit;
	host->table.assign = assign;
	host->table.go_to = go_to;
	host->table.interrupt = interrupt;
	host->table.answered = answered;
	host->table.attempt = attempt;
	host->table.wait = wait_for;
	host->table.finish = finish;
	host->table.missing = missing_of;
}
