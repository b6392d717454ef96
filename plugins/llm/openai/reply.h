/* What a model replies: the JSON of a completion, or of one part of it in a stream. */
#ifndef OPENAI_REPLY_H
#define OPENAI_REPLY_H

#include "answer.h"

struct reply {
	const struct ss_value_functions *values;
	struct answer answer;
	struct text refusal;
	bool chosen;   /* it has had a choice */
	bool begun;    /* it has had a token of one, also of what a model thinks and does not say */
	bool finished; /* it has said why it ends */
	bool cut;      /* because it was long enough */
	bool filtered; /* because it must not say it */
	int64_t input_tokens, output_tokens; /* negative: not told */
};

int reply_begin(struct reply *reply, const struct ss_value_functions *values,
	const struct ss_value *articles, bool task);

/* Takes a whole completion, or a part of one. *ERROR is what it says went wrong, borrowed from JSON, or NULL. */
void reply_read(struct reply *reply, const struct ss_value *json, const struct ss_value **error);

void reply_end(struct reply *reply);

#endif
