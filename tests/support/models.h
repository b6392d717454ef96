/* Models for the model service that do as a test says, call by call. */
#ifndef SUPPORT_MODELS_H
#define SUPPORT_MODELS_H

#include "service/llm.h"

/* What a model does when it is asked. */
struct model_step {
	bool waits;            /* until model_end(), or until it is stopped */
	bool refuses;          /* at once, with generate() */
	enum ss_status status; /* SS_OK: it answers */
	const char *text;      /* the answer, or why there is none */
	const char *says;      /* a piece before that; NULL: none */
	double retry_after;    /* 0: it says nothing of it */
	int64_t input, output; /* tokens; 0: not known */
};

enum { MODEL_STEPS = 8 };

struct scripted_model {
	struct model_step
		steps[MODEL_STEPS]; /* the one behind the last one is the last one again */
	size_t count;
	size_t asked, cancelled;
	struct ss_generation *waiting; /* the last one that waits; NULL: none */
	char question[64];             /* of the last call */
	struct ss_prompt prompt;       /* its members that are no texts */
};

/* Of a model that can be stopped, and of a local one. */
extern const struct ss_llm_operations scripted_operations, local_operations;

/* MODEL as NAME, patient and with nothing that limits it: 2 attempts without a wait, a minute, no breaker. */
struct llm_model scripted_row(struct scripted_model *model, const char *name, bool local);

/* MODEL hands on a piece, and ends what waits by STEP. */
void model_say(struct scripted_model *model, const char *text);
void model_end(struct scripted_model *model, const struct model_step *step);

#endif
