/*
 * What clients are told of failures: that there was one and of what kind. What a plugin says of it may have addresses,
 * paths and names that are no customer's business; those who run the server read it in the log and in the trace.
 */
#ifndef SUPPORT_TOLD_H
#define SUPPORT_TOLD_H

struct ss_value;

/* What became of a model, as llm_result has it, with its reason in place of the plugin's words; new. */
struct ss_value *told_model(const struct ss_value *model);

/* RETRIEVAL as the agent kb_retriever writes it, with one sentence in place of the plugin's words; new. NULL for NULL. */
struct ss_value *told_retrieval(const struct ss_value *retrieval);

#endif
