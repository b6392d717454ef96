#include "service/llm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/llm_parts.h"
#include "value/value.h"

#include <stdlib.h>

/* The longest that a model can ask for patience, so that one that means something else is asked again some day. */
static const double patience_seconds = 3600;

/* Room for the reason why a model is left out. */
enum { WHY_SIZE = 160 };

static const char nobody_waits[] = "nobody could wait for it any more";

static struct llm_row *row_of(const struct llm_call *call)
{
	return &call->llm->rows[call->at];
}

static bool is_task(const struct llm_call *call)
{
	return call->prompt.use == SS_PROMPT_TASK;
}

static bool is_last(const struct llm_call *call)
{
	return call->at + 1 == call->llm->count;
}

/* Whether nobody would ask CALL's model this anyway. */
static bool is_out_of_question(const struct llm_call *call)
{
	if (is_task(call))
		return call->hurried || llm_is_local(row_of(call));
	return call->hurried && !is_last(call);
}

static void stop_timers(struct llm_call *call)
{
	if (call->limit != NULL)
		(void)event_del(call->limit);
	if (call->again != NULL)
		(void)event_del(call->again);
}

/* Takes CALL out of its model's queue. */
static void leave_queue(struct llm_call *call)
{
	struct llm_row *row = row_of(call);
	struct llm_call **at = &row->first;
	struct llm_call *before = NULL;
	while (*at != call) {
		before = *at;
		at = &(*at)->next_waiting;
	}
	*at = call->next_waiting;
	if (row->last == call)
		row->last = before;
	call->next_waiting = NULL;
	row->waiting--;
	metrics_model_set(&row->metrics, MODEL_QUEUE, row->waiting);
}

static void call_free(struct llm_call *call)
{
	if (call->hurrying)
		later_cancel(call->llm->options.later, &call->hurry);
	if (call->next != NULL)
		call->next->before = call->before;
	if (call->before != NULL)
		call->before->next = call->next;
	else
		call->llm->calls = call->next;
	if (call->limit != NULL)
		event_free(call->limit);
	if (call->again != NULL)
		event_free(call->again);
	value_unref(call->articles);
	value_unref(call->history);
	value_unref(call->schema);
	value_unref(call->sources);
	llm_entries_free(call);
	buffer_free(&call->said);
	free(call->question);
	free(call->instructions);
	free(call->answer);
	free(call);
}

static void deliver(struct later_call *over)
{
	struct llm_call *call = queue_entry(over, struct llm_call, over);
	struct ss_value *models = llm_report(call);
	const struct llm_result result = {
		.answer = {call->answer != NULL ? call->answer : "", call->length},
		.sources = call->sources,
		.model = call->model,
		.err = call->err.status != SS_OK ? &call->err : NULL,
		.models = models,
	};
	call->done(call->context, &result);
	value_unref(models);
	call_free(call);
}

/* CALL is over, as its answer and its error say. */
static void finish(struct llm_call *call)
{
	stop_timers(call);
	call->state = LLM_ENDED;
	call->over.call = deliver;
	later_add(call->llm->options.later, &call->over);
}

/* What is there to say when no model was asked. */
static void explain(struct llm_call *call)
{
	const struct llm_entry *last =
		call->entry_count > 0 ? &call->entries[call->entry_count - 1] : NULL;
	if (call->err.status != SS_OK)
		return;
	if (last != NULL)
		(void)ss_fail_as(&call->err, SS_UNAVAILABLE, "no model can be asked now: %s: %s",
			last->row->model.name, last->error != NULL ? last->error : "");
	else if (call->hurried)
		(void)ss_fail_as(&call->err, SS_UNAVAILABLE, "%s", nobody_waits);
	else
		(void)ss_fail_as(&call->err, SS_UNAVAILABLE,
			"no language model is configured that could be given a task");
}

/* CALL is done with its model, and comes to the next one. */
static void leave(struct llm_call *call)
{
	if (call->entered) {
		log_warning(&call->log, "the model %s did not answer: %s", row_of(call)->model.name,
			call->err.text);
		llm_close_entry(call, LLM_FAILED, call->err.text);
	}
	stop_timers(call);
	call->attempts = 0;
	call->until_ns = 0;
	call->at++;
	call->state = LLM_WALKS;
}

/* The model is not asked, or not again, because of WHY. */
static void skip(struct llm_call *call, const char *why)
{
	if (call->entered)
		return; /* why it failed says more */
	llm_close_entry(call, LLM_SKIPPED, why);
	metrics_model_add(&row_of(call)->metrics, MODEL_SKIPPED, 1);
}

/* Whether the model has asked for a longer wait than there may be. */
static bool is_too_patient(const struct llm_row *row, int64_t now_ns)
{
	return row->not_before_ns - now_ns > row->model.policy.max_backoff_ns;
}

/* Whether the model can be asked, now or after a wait; else WHY not. */
static bool can_be_asked(const struct llm_call *call, int64_t now_ns, char why[WHY_SIZE])
{
	const struct llm_row *row = row_of(call);
	const struct model_policy *policy = &row->model.policy;
	if (!breaker_allows(&row->breaker, now_ns)) {
		(void)snprintf(why, WHY_SIZE, "it kept failing and is not asked for now");
		return false;
	}
	if (is_too_patient(row, now_ns)) {
		(void)snprintf(why, WHY_SIZE, "it asked not to be called for another %.1f s",
			(double)(row->not_before_ns - now_ns) / 1e9);
		return false;
	}
	if (!budget_allows(&row->budget, llm_estimate(call), now_ns)) {
		(void)snprintf(why, WHY_SIZE, "its budget of %lld tokens a minute is used up",
			(long long)policy->tokens_per_minute);
		return false;
	}
	if (row->in_flight >= (size_t)policy->in_flight && row->waiting >= (size_t)policy->queue) {
		(void)snprintf(why, WHY_SIZE,
			"%zu calls of it are under way and %zu wait, and no more may",
			row->in_flight, row->waiting);
		return false;
	}
	return true;
}

static void start_timer(
	struct llm_call *call, struct event **timer, event_callback_fn on_time, int64_t ns)
{
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	if (*timer == NULL)
		*timer = evtimer_new(call->llm->options.base, on_time, call);
	if (*timer == NULL || evtimer_add(*timer, &after) < 0)
		abort(); /* only for want of memory */
}

static void on_limit(evutil_socket_t fd, short what, void *context);
static void on_again(evutil_socket_t fd, short what, void *context);

/* From now on the model's time can be up. */
static void start_limit(struct llm_call *call, int64_t now_ns)
{
	if (call->limit == NULL || !evtimer_pending(call->limit, NULL))
		start_timer(call, &call->limit, on_limit,
			call->until_ns > now_ns ? call->until_ns - now_ns : 0);
}

/* CALL goes on after NS. */
static void pause_for(struct llm_call *call, int64_t ns, int64_t now_ns)
{
	call->state = LLM_WAITS;
	start_limit(call, now_ns);
	start_timer(call, &call->again, on_again, ns);
}

static void line_up(struct llm_call *call, int64_t now_ns)
{
	struct llm_row *row = row_of(call);
	call->state = LLM_QUEUES;
	if (row->last != NULL)
		row->last->next_waiting = call;
	else
		row->first = call;
	row->last = call;
	row->waiting++;
	metrics_model_set(&row->metrics, MODEL_QUEUE, row->waiting);
	start_limit(call, now_ns);
}

/* The wait before the next attempt: twice as long each time, and half of it by chance, so that calls which failed
 * together do not come back together. */
static int64_t backoff(const struct llm_call *call)
{
	enum { CHANCES = 1 << 20 };
	const struct model_policy *policy = &row_of(call)->model.policy;
	double wait = (double)policy->backoff_ns;
	for (int64_t i = 1; i < call->attempts; i++)
		wait *= 2;
	if (wait > (double)policy->max_backoff_ns)
		wait = (double)policy->max_backoff_ns;
	return (int64_t)(wait * (1 - 0.5 * (double)arc4random_uniform(CHANCES) / CHANCES));
}

static bool passes(enum ss_status status)
{
	return status == SS_UNAVAILABLE || status == SS_TIMEOUT || status == SS_LIMIT;
}

/* An attempt has failed by CALL's error. Whether there will be another one. */
static bool try_again(struct llm_call *call)
{
	int64_t now_ns = clock_monotonic_ns();
	struct llm_row *row = row_of(call);
	if (!passes(call->err.status) || call->attempts >= row->model.policy.attempts ||
		call->hurried || !breaker_allows(&row->breaker, now_ns))
		return false;
	int64_t wait_ns = backoff(call);
	if (now_ns + wait_ns < row->not_before_ns)
		wait_ns = row->not_before_ns - now_ns;
	if (now_ns + wait_ns >= call->until_ns || is_too_patient(row, now_ns))
		return false;
	log_warning(&call->log, "the model %s is asked again in %.3g s: %s", row->model.name,
		(double)wait_ns / 1e9, call->err.text);
	pause_for(call, wait_ns, now_ns);
	return true;
}

static void ask_for_patience(struct llm_row *row, double seconds)
{
	if (!(seconds > 0))
		return;
	int64_t until_ns =
		clock_monotonic_ns() +
		(int64_t)((seconds < patience_seconds ? seconds : patience_seconds) * 1e9);
	if (until_ns > row->not_before_ns)
		row->not_before_ns = until_ns;
}

/* Makes an attempt. False when it failed at once, for good. */
static bool start(struct llm_call *call, int64_t now_ns)
{
	struct ss_error err = {0};
	struct llm_row *row = row_of(call);
	call->state = LLM_ASKS;
	call->model = row->model.name;
	call->said.length = 0;
	call->attempts++;
	call->tries++;
	(void)llm_entry(call);
	call->generation = llm_attempt(call, row, &err);
	if (call->generation == NULL) {
		call->err = err;
		return err.status == SS_NOT_FOUND || try_again(call);
	}
	if (!call->generation->ended)
		start_limit(call, now_ns);
	return true;
}

/* Asks the model that CALL has come to, or lets it wait. False when CALL goes on to the next one. */
static bool ask(struct llm_call *call)
{
	char why[WHY_SIZE];
	struct llm_row *row = row_of(call);
	int64_t now_ns = clock_monotonic_ns();
	if (is_out_of_question(call))
		return false;
	if (!can_be_asked(call, now_ns, why)) {
		skip(call, why);
		return false;
	}
	if (call->until_ns == 0)
		call->until_ns = now_ns + row->model.policy.timeout_ns;
	if (row->not_before_ns > now_ns) {
		pause_for(call, row->not_before_ns - now_ns, now_ns);
		return true;
	}
	if (row->in_flight >= (size_t)row->model.policy.in_flight) {
		line_up(call, now_ns);
		return true;
	}
	return start(call, now_ns);
}

/* Goes on with CALL at the model that it has come to. */
static void walk(struct llm_call *call)
{
	while (call->at < call->llm->count) {
		if (!ask(call)) {
			leave(call);
			continue;
		}
		if (call->state == LLM_ASKS && call->generation == NULL) {
			/* It said at once that the articles have no answer. */
			llm_close_entry(call, LLM_NO_ANSWER, call->err.text);
			finish(call);
		}
		return;
	}
	explain(call);
	finish(call);
}

void llm_attempted(struct llm_call *call, struct ss_generation *generation)
{
	enum ss_status status = generation->err.status;
	call->generation = NULL;
	call->err = generation->err;
	llm_note_attempt(call, generation);
	ask_for_patience(generation->row, status != SS_OK ? generation->retry_after_seconds : -1);
	if (status == SS_OK || status == SS_NOT_FOUND) {
		call->answer = generation->answer;
		call->length = generation->length;
		call->sources = generation->sources;
		generation->answer = NULL;
		generation->sources = NULL;
		llm_close_entry(call, status == SS_OK ? LLM_ANSWERED : LLM_NO_ANSWER,
			status == SS_OK ? NULL : call->err.text);
		finish(call);
	} else if (!try_again(call)) {
		leave(call);
		walk(call);
	}
	llm_generation_free(generation);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
	struct llm_call *call = context;
	(void)fd;
	(void)what;
	call->state = LLM_WALKS;
	walk(call);
}

/* The model's time is up. */
static void on_limit(evutil_socket_t fd, short what, void *context)
{
	struct llm_call *call = context;
	char why[WHY_SIZE];
	double seconds = (double)row_of(call)->model.policy.timeout_ns / 1e9;
	(void)fd;
	(void)what;
	if (call->state == LLM_ASKS) {
		struct ss_generation *generation = call->generation;
		if (generation->ended)
			return; /* just in time */
		(void)ss_fail_as(
			&call->err, SS_TIMEOUT, "it took longer than %g s (its timeout)", seconds);
		generation->err = call->err;
		call->generation = NULL;
		llm_note_attempt(call, generation);
		llm_stop(generation, true);
	} else {
		if (call->state == LLM_QUEUES)
			leave_queue(call);
		(void)snprintf(why, sizeof why, "it could not be called within %g s (its timeout)",
			seconds);
		skip(call, why);
	}
	leave(call);
	walk(call);
}

static void on_wake(struct later_call *later)
{
	struct llm_row *row = queue_entry(later, struct llm_row, wake);
	row->waking = false;
	while (row->first != NULL && row->in_flight < (size_t)row->model.policy.in_flight) {
		struct llm_call *call = row->first;
		leave_queue(call);
		call->state = LLM_WALKS;
		walk(call);
	}
}

void llm_wake(struct llm_row *row)
{
	if (row->first == NULL || row->waking)
		return;
	row->waking = true;
	later_add(row->llm->options.later, &row->wake);
}

/* What the model has said so far is the answer. */
static void cut(struct llm_call *call)
{
	struct ss_generation *generation = call->generation;
	call->generation = NULL;
	llm_note_attempt(call, generation);
	llm_stop(generation, false);
	call->length = call->said.length;
	call->answer = buffer_take(&call->said);
	call->sources = value_list(NULL, 0);
	call->err = (struct ss_error){0};
	llm_entry(call)->cut = true;
	llm_close_entry(call, LLM_ANSWERED, NULL);
	finish(call);
}

/* Stops whatever CALL does at its model. */
static void stop_here(struct llm_call *call)
{
	struct ss_generation *generation = call->generation;
	if (call->state == LLM_QUEUES)
		leave_queue(call);
	if (generation != NULL) {
		call->generation = NULL;
		llm_note_attempt(call, generation);
		llm_stop(generation, false);
	}
	if (call->state == LLM_WAITS && call->attempts > 0)
		llm_close_entry(call, LLM_FAILED, call->err.text);
	else if (call->state != LLM_ENDED)
		llm_close_entry(call, LLM_STOPPED, nobody_waits);
}

static void on_hurry(struct later_call *later)
{
	struct llm_call *call = queue_entry(later, struct llm_call, hurry);
	call->hurrying = false;
	call->hurried = true;
	/* What has ended counts: nothing was waited for. */
	if (call->state == LLM_ENDED || (call->state == LLM_ASKS && call->generation->ended))
		return;
	if (!is_task(call) && call->state == LLM_ASKS && call->said.length > 0) {
		cut(call);
		return;
	}
	if (!is_task(call) && is_last(call))
		return;
	stop_here(call);
	leave(call);
	walk(call);
}

void llm_hurry(struct llm_call *call)
{
	if (call->hurried || call->hurrying)
		return;
	call->hurrying = true;
	call->hurry.call = on_hurry;
	later_add(call->llm->options.later, &call->hurry);
}

struct ss_value *llm_cancel(struct llm_call *call)
{
	stop_here(call);
	if (call->state == LLM_ENDED)
		later_cancel(call->llm->options.later, &call->over);
	struct ss_value *models = llm_report(call);
	call_free(call);
	return models;
}

/* Copies PROMPT, which may be one of an older agent. */
static void copy_prompt(struct llm_call *call, const struct ss_prompt *prompt)
{
	call->question = memory_text(prompt->question.data, prompt->question.length);
	call->instructions = memory_text(prompt->instructions.data, prompt->instructions.length);
	call->articles = value_ref(prompt->articles);
	call->history = value_ref(prompt->history);
	call->prompt = (struct ss_prompt){
		.struct_size = sizeof call->prompt,
		.question = {call->question, prompt->question.length},
		.instructions = {call->instructions, prompt->instructions.length},
		.articles = call->articles,
		.history = call->history,
	};
	if (!SS_HAS(prompt, max_tokens))
		return; /* before ABI 1.3 */
	call->prompt.use = prompt->use;
	call->schema = value_ref(prompt->schema);
	call->prompt.schema = call->schema;
	call->prompt.max_tokens = prompt->max_tokens;
}

struct llm_call *llm_generate(
	struct llm *llm, const struct llm_question *question, struct ss_error *err)
{
	struct llm_call *call = memory_make(struct llm_call);
	call->llm = llm;
	call->piece = question->piece;
	call->done = question->done;
	call->context = question->context;
	call->hurried = question->hurried;
	call->log = question->log != NULL ? *question->log : *llm->options.log;
	call->model = "";
	copy_prompt(call, question->prompt);
	call->next = llm->calls;
	if (call->next != NULL)
		call->next->before = call;
	llm->calls = call;
	walk(call);
	if (call->state != LLM_ENDED || call->err.status == SS_OK)
		return call;
	struct ss_value *models = llm_report(call);
	if (models != NULL) {
		value_unref(models); /* which done() tells */
		return call;
	}
	if (err != NULL)
		*err = call->err;
	(void)llm_cancel(call);
	return NULL;
}

/* The budget of ROW: that of a row before it, if they share one. */
static struct budget find_budget(const struct llm *llm, struct llm_row *row)
{
	const struct model_policy *policy = &row->model.policy;
	for (const struct llm_row *other = llm->rows; policy->budget != 0 && other < row; other++) {
		if (other->model.policy.budget == policy->budget)
			return other->budget;
	}
	atomic_llong *shared = metrics_model_budget(&row->metrics);
	return budget_new(shared != NULL ? shared : &row->own_budget, policy->tokens_per_minute);
}

struct llm *llm_new(const struct llm_options *options)
{
	struct llm *llm = memory_make(struct llm);
	llm->options = *options;
	llm->count = options->count;
	llm->rows = memory_array(options->count, sizeof *llm->rows);
	for (size_t i = 0; i < llm->count; i++) {
		struct llm_row *row = &llm->rows[i];
		row->llm = llm;
		row->model = options->models[i];
		row->breaker = breaker_new(&row->model.policy.breaker);
		row->wake.call = on_wake;
		row->metrics = metrics_model(options->metrics, row->model.name);
		row->budget = find_budget(llm, row);
	}
	llm->options.models = NULL; /* they are copied */
	return llm;
}

int64_t llm_row_rest_ns(const struct llm_row *row, int64_t now_ns)
{
	int64_t rest = breaker_rest_ns(&row->breaker, now_ns);
	if (is_too_patient(row, now_ns) && row->not_before_ns - now_ns > rest)
		rest = row->not_before_ns - now_ns;
	return rest;
}

int64_t llm_rest_ns(const struct llm *llm)
{
	int64_t now_ns = clock_monotonic_ns(), least = INT64_MAX;
	for (size_t i = 0; i < llm->count; i++) {
		int64_t rest = llm_row_rest_ns(&llm->rows[i], now_ns);
		least = rest < least ? rest : least;
	}
	return least;
}

void llm_free(struct llm *llm)
{
	if (llm == NULL)
		return;
	while (llm->calls != NULL)
		value_unref(llm_cancel(llm->calls));
	while (llm->forgotten != NULL) {
		struct ss_generation *generation = llm->forgotten;
		llm->forgotten = generation->next;
		llm_generation_free(generation);
	}
	for (size_t i = 0; i < llm->count; i++) {
		if (llm->rows[i].waking)
			later_cancel(llm->options.later, &llm->rows[i].wake);
	}
	free(llm->rows);
	free(llm);
}
