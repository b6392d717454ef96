#include "app/stored.h"

#include "app/command.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "service/erasures.h"
#include "support/support.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int stored_fail(const struct ss_error *err)
{
	(void)fprintf(stderr, "smartsupport: %s\n", err->text);
	return 1;
}

bool stored_open(struct stored *stored, const char *file)
{
	*stored = (struct stored){.base = event_base_new(),
		.log = log_new(STDERR_FILENO, SS_LOG_ERROR, false),
		.config = command_config(file)};
	if (stored->config == NULL)
		return false;
	stored->runtime = runtime_new_bare(
		stored->config, stored->base, &stored->log, true, &stored->diagnostics);
	return stored->runtime != NULL;
}

void stored_close(struct stored *stored)
{
	runtime_free(stored->runtime);
	event_base_free(stored->base);
	diagnostics_print(&stored->diagnostics, stderr);
	diagnostics_free(&stored->diagnostics);
	config_free(stored->config);
}

void stored_wait(struct stored *stored, const struct stored_wait *wait)
{
	while (!wait->over)
		(void)event_base_loop(stored->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

void stored_done(void *context, const struct ss_error *err)
{
	struct stored_wait *wait = context;
	wait->over = true;
	if (err != NULL)
		wait->err = *err;
}

static void on_read(void *context, const struct ss_value *value, const struct ss_error *err)
{
	struct stored_wait *wait = context;
	wait->value = value != NULL ? value_ref(value) : NULL;
	stored_done(wait, err);
}

static void on_record(void *context, struct record *record, const struct ss_error *err)
{
	struct stored_wait *wait = context;
	wait->record = record;
	stored_done(wait, err);
}

/* A call with its own context beside what waits for it. */
struct stored_call {
	store_call *call;
	void *context;
	struct stored_wait *wait;
};

static int call_stored(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	const struct stored_call *called = context;
	return called->call(storage, instance, called->context, err);
}

static void on_called(void *context, const struct ss_error *err)
{
	const struct stored_call *called = context;
	stored_done(called->wait, err);
}

/* Waits for what has begun as BEGUN says. Whether it went well. */
static bool await(struct stored *stored, struct stored_wait *wait, int begun)
{
	if (begun == 0)
		stored_wait(stored, wait);
	if (wait->err.status == SS_OK)
		return true;
	(void)stored_fail(&wait->err);
	return false;
}

struct record *stored_fetch(struct stored *stored, const char *id, bool claimed)
{
	struct stored_wait wait = {0};
	int begun = record_fetch(
		runtime_store(stored->runtime), id, claimed, on_record, &wait, &wait.err);
	return await(stored, &wait, begun) ? wait.record : NULL;
}

int stored_load(struct stored *stored, const struct record *record, bool look)
{
	const char **inputs = play_inputs(record_input(record));
	const struct runtime_workflow workflow = {
		.source = record_source(record),
		.inputs = support_is_question(record) ? support_inputs : inputs,
		.look = look,
	};
	int result = runtime_load(stored->runtime, &workflow, &stored->diagnostics);
	free(inputs);
	return result;
}

struct turn *stored_look(struct stored *stored, struct record *record, turn_event *event,
	unsigned events, void *context)
{
	struct ss_error err = {0};
	const struct play play = {
		.base = stored->base, .event = event, .events = events, .context = context};
	const struct turn_options options = {.log = &stored->log, .record = record, .look = true};
	struct turn *turn = play_silently(&play, runtime_engine(stored->runtime), &options, &err);
	if (turn == NULL)
		(void)stored_fail(&err);
	return turn;
}

struct ss_value *stored_list(struct stored *stored, const char *status, size_t limit)
{
	struct stored_wait wait = {0};
	const struct ss_journal_filter filter = {
		.struct_size = sizeof filter, .status = status, .limit = limit};
	int begun = store_list_journals(
		runtime_store(stored->runtime), &filter, on_read, &wait, &wait.err);
	return await(stored, &wait, begun) ? wait.value : NULL;
}

struct ss_value *stored_unanswered(struct stored *stored, const struct ss_unanswered_filter *filter)
{
	struct stored_wait wait = {0};
	int begun = store_list_unanswered(
		runtime_store(stored->runtime), filter, on_read, &wait, &wait.err);
	return await(stored, &wait, begun) ? wait.value : NULL;
}

bool stored_delete(struct stored *stored, const char *id)
{
	struct stored_wait wait = {0};
	int begun = store_delete_journal(
		runtime_store(stored->runtime), id, stored_done, &wait, &wait.err);
	return await(stored, &wait, begun);
}

struct ss_value *stored_erase(struct stored *stored, const char *user_id)
{
	struct stored_wait wait = {0};
	erasures_begin(runtime_erasures(stored->runtime), user_id, on_read, &wait);
	return await(stored, &wait, 0) ? wait.value : NULL;
}

bool stored_run(struct stored *stored, store_call *call, void *context, struct ss_error *err)
{
	struct stored_wait wait = {0};
	struct stored_call called = {.call = call, .context = context, .wait = &wait};
	int begun = store_run(
		runtime_store(stored->runtime), call_stored, on_called, &called, &wait.err);
	if (err == NULL)
		return await(stored, &wait, begun);
	if (begun == 0)
		stored_wait(stored, &wait);
	*err = wait.err;
	return wait.err.status == SS_OK;
}
