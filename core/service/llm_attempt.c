/* Attempts: a model that is asked, what it says meanwhile, and what that does to its figures. */
#include "base/clock.h"
#include "base/log_scope.h"
#include "base/memory.h"
#include "service/failure.h"
#include "service/llm_parts.h"
#include "value/value.h"

#include <stdlib.h>

/* The bytes of a text that make a token, about; only to guess what nobody has counted. */
enum { BYTES_OF_A_TOKEN = 4 };

bool llm_is_local(const struct llm_row *row)
{
	return !row->model.stops;
}

int64_t llm_estimate(const struct llm_call *call)
{
	const struct ss_prompt *prompt = &call->prompt;
	size_t bytes = prompt->question.length + prompt->instructions.length;
	if (prompt->instructions.length == 0)
		bytes += value_size(prompt->articles);
	bytes += value_size(prompt->history);
	return (int64_t)(bytes / BYTES_OF_A_TOKEN) + 1;
}

static enum model_metric outcome_of(const struct ss_generation *generation)
{
	if (generation->err.status == SS_OK)
		return MODEL_ANSWERED;
	return generation->err.status == SS_NOT_FOUND ? MODEL_NO_ANSWER : MODEL_FAILED;
}

static void count_cost(const struct ss_generation *generation)
{
	const struct llm_row *row = generation->row;
	int64_t input = generation->input_tokens, output = generation->output_tokens;
	double cost = 0;
	if (input >= 0) {
		metrics_model_observe(&row->metrics, MODEL_INPUT_TOKENS, (uint64_t)input);
		cost += (double)input * row->model.price.input;
	}
	if (output >= 0) {
		metrics_model_observe(&row->metrics, MODEL_OUTPUT_TOKENS, (uint64_t)output);
		cost += (double)output * row->model.price.output;
	}
	/* Millionths of the price to billionths of the currency. */
	metrics_model_add(&row->metrics, MODEL_COST, (uint64_t)(cost * 1e3 + 0.5));
}

/* What was reserved of the budget becomes what was used, as far as anybody knows. */
static void settle_budget(const struct ss_generation *generation, int64_t now_ns)
{
	int64_t input = generation->input_tokens, output = generation->output_tokens;
	int64_t guess = (int64_t)(generation->said / BYTES_OF_A_TOKEN);
	int64_t used = (input >= 0 ? input : generation->reserved) + (output >= 0 ? output : guess);
	budget_take(&generation->row->budget, used - generation->reserved, now_ns);
}

static void settle_breaker(
	struct ss_generation *generation, enum model_metric outcome, int64_t now_ns)
{
	struct llm_row *row = generation->row;
	const struct log *log = row->llm->options.log;
	bool failed = outcome == MODEL_FAILED && !generation->works;
	if (outcome == MODEL_STOPPED) {
		breaker_forget(&row->breaker, generation->tries);
	} else if (breaker_end(&row->breaker, generation->tries, failed, now_ns)) {
		if (failed)
			log_warning(log,
				"the model %s keeps failing and is not asked for %g s; the last "
				"failure: %s",
				row->model.name, (double)row->model.policy.breaker.open_ns / 1e9,
				generation->err.text);
		else
			log_info(log, "the model %s answers again", row->model.name);
	}
	metrics_model_set(&row->metrics, MODEL_BREAKER_OPEN, row->breaker.state != BREAKER_CLOSED);
}

/* GENERATION is over for who asked. */
static void settle(struct ss_generation *generation, enum model_metric outcome)
{
	int64_t now_ns = clock_monotonic_ns();
	const struct metrics_model *metrics = &generation->row->metrics;
	metrics_model_add(metrics, outcome, 1);
	if (outcome != MODEL_STOPPED)
		metrics_model_observe(
			metrics, MODEL_DURATION, (uint64_t)(now_ns - generation->began_ns));
	if (generation->first_token_ns > 0)
		metrics_model_observe(metrics, MODEL_FIRST_TOKEN,
			(uint64_t)(generation->first_token_ns - generation->began_ns));
	count_cost(generation);
	settle_budget(generation, now_ns);
	settle_breaker(generation, outcome, now_ns);
}

/* A call of ROW's model has ended. */
static void release(struct llm_row *row)
{
	row->in_flight--;
	metrics_model_set(&row->metrics, MODEL_IN_FLIGHT, row->in_flight);
	llm_wake(row);
}

static void deliver(struct later_call *call)
{
	struct ss_generation *generation = queue_entry(call, struct ss_generation, over);
	release(generation->row);
	settle(generation, outcome_of(generation));
	llm_attempted(generation->call, generation);
}

/* Calls the plugin. What it logs, and what it asks other servers, belongs to who asks. */
static int ask(struct llm_call *call, struct ss_generation *generation)
{
	const struct llm_model *model = &generation->row->model;
	const struct log *before = log_enter(&call->log);
	int result = model->operations->generate(
		model->instance, generation, &call->prompt, &generation->err);
	log_leave(&call->log, before);
	return result;
}

struct ss_generation *llm_attempt(struct llm_call *call, struct llm_row *row, struct ss_error *err)
{
	struct ss_generation *generation = memory_make(struct ss_generation);
	*generation = (struct ss_generation){
		.row = row,
		.call = call,
		.over.call = deliver,
		.tries = breaker_begin(&row->breaker),
		.reserved = llm_estimate(call),
		.began_ns = clock_monotonic_ns(),
		.retry_after_seconds = -1,
		.input_tokens = -1,
		.output_tokens = -1,
	};
	budget_take(&row->budget, generation->reserved, generation->began_ns);
	row->in_flight++;
	metrics_model_set(&row->metrics, MODEL_IN_FLIGHT, row->in_flight);
	if (ask(call, generation) == 0)
		return generation;
	failure_complete(&generation->err, "the model");
	*err = generation->err;
	llm_note_attempt(call, generation);
	release(row);
	settle(generation, outcome_of(generation));
	llm_generation_free(generation);
	return NULL;
}

static void forget(struct ss_generation *generation)
{
	struct ss_generation **first = &generation->row->llm->forgotten;
	generation->next = *first;
	if (*first != NULL)
		(*first)->before = generation;
	*first = generation;
}

static void end_forgotten(struct ss_generation *generation)
{
	if (generation->next != NULL)
		generation->next->before = generation->before;
	if (generation->before != NULL)
		generation->before->next = generation->next;
	else
		generation->row->llm->forgotten = generation->next;
	release(generation->row);
	llm_generation_free(generation);
}

void llm_stop(struct ss_generation *generation, bool failed)
{
	struct llm_row *row = generation->row;
	if (generation->ended)
		later_cancel(row->llm->options.later, &generation->over);
	settle(generation, generation->ended ? outcome_of(generation)
			   : failed          ? MODEL_FAILED
					     : MODEL_STOPPED);
	generation->call = NULL;
	if (!generation->ended && !row->model.stops) {
		forget(generation);
		return;
	}
	if (!generation->ended)
		row->model.operations->cancel(row->model.instance, generation);
	release(row);
	llm_generation_free(generation);
}

void llm_generation_free(struct ss_generation *generation)
{
	value_unref(generation->sources);
	free(generation->answer);
	free(generation);
}

void llm_hand_on(struct ss_generation *generation, struct ss_text text)
{
	struct llm_call *call = generation->call;
	if (call == NULL || generation->ended || text.length == 0)
		return;
	if (generation->first_token_ns == 0)
		generation->first_token_ns = clock_monotonic_ns();
	generation->said += text.length;
	if (call->prompt.use == SS_PROMPT_TASK)
		return;
	if (generation->row->model.stops)
		buffer_add(&call->said, text.data, text.length);
	if (call->piece != NULL)
		call->piece(call->context, call->tries, text);
}

void llm_conclude(struct ss_generation *generation, const struct ss_conclusion *conclusion)
{
	if (generation->call == NULL) {
		end_forgotten(generation);
		return;
	}
	if (conclusion->err != NULL) {
		generation->err = *conclusion->err;
		failure_complete(&generation->err, "the model");
		generation->works = SS_HAS(conclusion, works) && conclusion->works;
	}
	generation->ended = true;
	generation->retry_after_seconds = conclusion->retry_after_seconds;
	generation->input_tokens = conclusion->input_tokens;
	generation->output_tokens = conclusion->output_tokens;
	generation->answer = memory_text(conclusion->answer.data, conclusion->answer.length);
	generation->length = conclusion->answer.length;
	generation->sources =
		conclusion->sources != NULL ? value_ref(conclusion->sources) : value_list(NULL, 0);
	later_add(generation->row->llm->options.later, &generation->over);
}

void llm_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *sources, const struct ss_error *err)
{
	const struct ss_conclusion conclusion = {
		.struct_size = sizeof conclusion,
		.err = err,
		.retry_after_seconds = -1,
		.answer = answer,
		.sources = sources,
		.input_tokens = -1,
		.output_tokens = -1,
	};
	llm_conclude(generation, &conclusion);
}
