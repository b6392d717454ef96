/* A model's generation: what it hands on, and how it ends. */
#include "testing/private.h"

#include "base/memory.h"
#include "value/value.h"

#include <string.h>

void testing_generation_forget(struct ss_test_host *host)
{
	free(host->generation.answer);
	value_unref(host->generation.sources);
	host->generation = (struct ss_generation){0};
	buffer_free(&host->emitted);
}

static void check_going_on(const struct ss_generation *generation, const char *function)
{
	must(generation != NULL && generation->goes_on && !generation->ended,
		"%s() for a generation that is over or was never asked for", function);
}

void testing_piece(struct ss_generation *generation, struct ss_text text)
{
	check_going_on(generation, "piece");
	buffer_add(&generation->host->emitted, text.data, text.length);
}

void testing_conclude(struct ss_generation *generation, const struct ss_conclusion *conclusion)
{
	check_going_on(generation, "conclude");
	must(SS_HAS(conclusion, output_tokens), "conclude() without a struct_size");
	must(conclusion->err == NULL || conclusion->err->text[0] != '\0',
		"a generation failed without saying why");
	generation->ended = true;
	memory_copy_known(&generation->conclusion, sizeof generation->conclusion, conclusion,
		conclusion->struct_size);
	generation->answer =
		memory_text(conclusion->answer.length > 0 ? conclusion->answer.data : "",
			conclusion->answer.length);
	generation->conclusion.answer.data = generation->answer;
	generation->sources = value_ref(conclusion->sources);
	generation->conclusion.sources = generation->sources;
	if (conclusion->err != NULL) {
		generation->err = *conclusion->err;
		generation->conclusion.err = &generation->err;
	}
}

void testing_answer(struct ss_generation *generation, struct ss_text answer,
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
	testing_conclude(generation, &conclusion);
}

int ss_test_generate(
	struct ss_test_host *host, const struct ss_prompt *prompt, struct ss_error *err)
{
	struct ss_generation *generation = &host->generation;
	struct ss_error failure = {0};
	must(host->plugin->kind == SS_LLM && host->instance != NULL,
		"%s is no model that was created", host->plugin->name);
	testing_generation_forget(host);
	generation->host = host;
	generation->goes_on = true;
	if (host->plugin->llm->generate(host->instance, generation, prompt, &failure) < 0) {
		must(!generation->ended, "generate() returned -1 and has concluded");
		must(failure.text[0] != '\0', "generate() failed without saying why");
		generation->goes_on = false;
		if (err != NULL)
			*err = failure;
		return -1;
	}
	while (host->first != NULL)
		testing_call_back_next(host);
	must(generation->ended, "the generation goes on and waits for nothing");
	generation->goes_on = false;
	if (generation->err.status != SS_OK && err != NULL)
		*err = generation->err;
	return generation->err.status == SS_OK ? 0 : -1;
}

const struct ss_conclusion *ss_test_conclusion(const struct ss_test_host *host)
{
	return &host->generation.conclusion;
}
