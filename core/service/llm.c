#include "service/llm.h"

#include "base/memory.h"
#include "service/failure.h"
#include "service/later.h"
#include "value/value.h"

#include <stdlib.h>

struct llm {
	struct later *later;
	const struct ss_llm_operations *operations;
	void *instance;
	const char *name;
};

struct ss_generation {
	struct later_call call;
	struct llm *llm;
	llm_piece *piece;
	llm_answered *done;
	void *context;
	bool answered;
	char *answer;
	size_t length;
	struct ss_value *sources;
	struct ss_error err;
};

struct llm *llm_new(struct later *later, const struct ss_llm_operations *operations, void *instance,
	const char *name)
{
	struct llm *llm = memory_make(struct llm);
	*llm = (struct llm){later, operations, instance, name};
	return llm;
}

void llm_free(struct llm *llm)
{
	free(llm);
}

static void deliver(struct later_call *call)
{
	struct ss_generation *generation = queue_entry(call, struct ss_generation, call);
	bool failed = generation->err.status != SS_OK;
	const struct ss_text answer = {generation->answer, generation->length};
	generation->done(generation->context, answer, generation->sources, generation->llm->name,
		failed ? &generation->err : NULL);
	value_unref(generation->sources);
	free(generation->answer);
	free(generation);
}

int llm_generate(struct llm *llm, const struct ss_prompt *prompt, llm_piece *piece,
	llm_answered *done, void *context, struct ss_error *err)
{
	struct ss_error failure = {0};
	struct ss_generation *generation = memory_make(struct ss_generation);
	generation->call.call = deliver;
	generation->llm = llm;
	generation->piece = piece;
	generation->done = done;
	generation->context = context;
	if (llm->operations->generate(llm->instance, generation, prompt, &failure) < 0) {
		free(generation);
		failure_complete(&failure, "the model");
		return ss_fail_as(err, failure.status, "%s", failure.text);
	}
	return 0;
}

void llm_hand_on(struct ss_generation *generation, struct ss_text text)
{
	if (generation->piece != NULL && !generation->answered && text.length > 0)
		generation->piece(generation->context, text);
}

void llm_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *sources, const struct ss_error *err)
{
	if (err != NULL) {
		generation->err = *err;
		failure_complete(&generation->err, "the model");
	}
	generation->answered = true;
	generation->answer = memory_text(answer.data, answer.length);
	generation->length = answer.length;
	generation->sources = sources != NULL ? value_ref(sources) : value_list(NULL, 0);
	later_add(generation->llm->later, &generation->call);
}
