/* Questions to models: what they come to, and what happens to them when their run is over or nobody waits. */
#include "base/memory.h"
#include "engine/turn.h"
#include "service/llm.h"
#include "value/value.h"

#include <stdlib.h>

/* A question that is under way for a run. */
struct generation {
	struct generation *next;
	struct ss_run *run;
	ss_generated *done;
	struct llm_call *call;
};

/* Notes MODELS (NULL: nothing), what became of those that were asked for TASK. */
static void note_models(struct task *task, const struct ss_value *models)
{
	if (models == NULL)
		return;
	if (task->models == NULL)
		task->models = value_ref(models);
	else
		task->models = value_list_append(task->models, models);
}

static void leave_run(struct generation *generation)
{
	struct generation **at = &generation->run->generations;
	while (*at != generation)
		at = &(*at)->next;
	*at = generation->next;
}

static void on_generated(void *context, const struct llm_result *result)
{
	struct generation *generation = context;
	struct ss_run *run = generation->run;
	leave_run(generation);
	note_models(run->task, result->models);
	const struct run_scope scope = run_enter(run, CALL_GENERATED);
	generation->done(run_instance(run), run, result->answer, result->sources, result->model,
		result->err);
	run_leave(&scope);
	free(generation);
	run_unref(run);
}

static void on_piece(void *context, unsigned number, struct ss_text text)
{
	const struct generation *generation = context;
	const struct ss_run *run = generation->run;
	/* An attempt that is held back has said already what it came to. */
	if (run_is_running(run) && !run->copy->held)
		event_token(run->copy, number, text);
}

int generation_start(struct ss_run *run, const struct ss_prompt *prompt, ss_generated *done,
	struct ss_error *err)
{
	struct llm *llm = run->task->turn->engine->options.llm;
	if (host_check_use(run, SS_USES_MODEL, "model", "generate", err) < 0)
		return -1;
	if (llm == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no model is configured");
	struct generation *generation = memory_make(struct generation);
	*generation = (struct generation){.run = run, .done = done};
	const struct llm_question question = {
		.prompt = prompt,
		.piece = on_piece,
		.done = on_generated,
		.context = generation,
		.hurried = run->task->turn->outermost->hurried,
		.log = &run->task->turn->log,
	};
	generation->call = llm_generate(llm, &question, err);
	if (generation->call == NULL) {
		free(generation);
		return -1;
	}
	(void)run_ref(run);
	generation->next = run->generations;
	run->generations = generation;
	/* Whoever was shown the first piece may have gone at once. */
	if (run->task->turn->outermost->hurried)
		llm_hurry(generation->call);
	return 0;
}

void run_end_generations(struct ss_run *run)
{
	while (run->generations != NULL) {
		struct generation *generation = run->generations;
		run->generations = generation->next;
		struct ss_value *models = llm_cancel(generation->call);
		note_models(run->task, models);
		value_unref(models);
		const struct run_scope scope = run_enter(run, CALL_GENERATED);
		generation->done(
			run_instance(run), run, (struct ss_text){"", 0}, NULL, "", &run_is_over);
		run_leave(&scope);
		free(generation);
		run_unref(run);
	}
}

void turn_hurry(struct turn *turn)
{
	struct turn *outermost = turn->outermost;
	outermost->hurried = true;
	for (const struct turn *at = turn->engine->turns; at != NULL; at = at->next) {
		if (at->outermost != outermost)
			continue;
		for (const struct ss_run *run = at->runs; run != NULL; run = run->next_made) {
			for (const struct generation *generation = run->generations;
				generation != NULL; generation = generation->next)
				llm_hurry(generation->call);
		}
	}
}
