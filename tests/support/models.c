#include "support/models.h"

#include "base/text.h"
#include "value/value.h"

#include <criterion/criterion.h>

static void conclude(struct ss_generation *generation, const struct model_step *step)
{
	struct ss_error err = {.status = step->status};
	(void)snprintf(err.text, sizeof err.text, "%s", step->text);
	struct ss_value *id = value_text("kb-1");
	struct ss_value *sources = value_list(&id, 1);
	const struct ss_conclusion conclusion = {
		.struct_size = sizeof conclusion,
		.err = step->status != SS_OK ? &err : NULL,
		.retry_after_seconds = step->retry_after > 0 ? step->retry_after : -1,
		.answer = step->status == SS_OK ? text_of(step->text) : (struct ss_text){0},
		.sources = step->status == SS_OK ? sources : NULL,
		.input_tokens = step->input > 0 ? step->input : -1,
		.output_tokens = step->output > 0 ? step->output : -1,
	};
	llm_conclude(generation, &conclusion);
	value_unref(sources);
}

static int generate(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	struct scripted_model *model = instance;
	size_t at = model->asked < model->count ? model->asked : model->count - 1;
	const struct model_step *step = &model->steps[at];
	model->asked++;
	model->prompt = *prompt;
	(void)snprintf(model->question, sizeof model->question, "%.*s",
		(int)prompt->question.length, prompt->question.data);
	if (step->says != NULL)
		llm_hand_on(generation, text_of(step->says));
	if (step->refuses)
		return ss_fail_as(err, step->status, "%s", step->text);
	if (step->waits)
		model->waiting = generation;
	else
		conclude(generation, step);
	return 0;
}

static void cancel(void *instance, struct ss_generation *generation)
{
	struct scripted_model *model = instance;
	model->cancelled++;
	if (model->waiting == generation)
		model->waiting = NULL;
}

const struct ss_llm_operations scripted_operations = {.generate = generate, .cancel = cancel};
const struct ss_llm_operations local_operations = {.generate = generate};

struct llm_model scripted_row(struct scripted_model *model, const char *name, bool local)
{
	return (struct llm_model){
		.operations = local ? &local_operations : &scripted_operations,
		.instance = model,
		.name = name,
		.stops = !local,
		.policy =
			{
				.attempts = 2,
				.timeout_ns = INT64_C(60000000000),
				.in_flight = 8,
				.queue = 8,
			},
	};
}

void model_say(struct scripted_model *model, const char *text)
{
	cr_assert_not_null(model->waiting, "nothing waits");
	llm_hand_on(model->waiting, text_of(text));
}

void model_end(struct scripted_model *model, const struct model_step *step)
{
	struct ss_generation *generation = model->waiting;
	cr_assert_not_null(generation, "nothing waits");
	model->waiting = NULL;
	conclude(generation, step);
}
