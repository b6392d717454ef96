/*
 * The model service: the one model that is configured, asked by agents. Loop thread; answers come back
 * as calls on the loop, never before llm_generate() has returned.
 */
#ifndef SERVICE_LLM_H
#define SERVICE_LLM_H

#include <smartsupport/plugin.h>

struct later;
struct llm;

/* The answer's text and the ids of the articles that it uses, borrowed for the call; or an error. */
typedef void llm_answered(void *context, struct ss_text answer, const struct ss_value *sources,
	const char *model, const struct ss_error *err);

/* A piece of the answer that is being made, borrowed for the call. Also called before llm_generate() has returned. */
typedef void llm_piece(void *context, struct ss_text text);

/* The model INSTANCE with the name NAME; all are borrowed until llm_free(). */
struct llm *llm_new(struct later *later, const struct ss_llm_operations *operations, void *instance,
	const char *name);

/* Asks PROMPT, which is borrowed for the call. PIECE gets what there is of the answer meanwhile; NULL: nobody does. */
int llm_generate(struct llm *llm, const struct ss_prompt *prompt, llm_piece *piece,
	llm_answered *done, void *context, struct ss_error *err);

/* What the plugin calls: hands on a piece of GENERATION's answer. */
void llm_hand_on(struct ss_generation *generation, struct ss_text text);

/* What the plugin calls: ends GENERATION. */
void llm_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *sources, const struct ss_error *err);

void llm_free(struct llm *llm);

#endif
