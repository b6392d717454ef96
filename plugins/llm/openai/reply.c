#include "reply.h"

#include <string.h>

int reply_begin(struct reply *reply, const struct ss_value_functions *values,
	const struct ss_value *articles, bool task)
{
	*reply = (struct reply){.values = values, .input_tokens = -1, .output_tokens = -1};
	return answer_begin(&reply->answer, values, articles, task);
}

static void read_count(
	const struct ss_value_functions *values, const struct ss_value *count, int64_t *tokens)
{
	if (values->type(count) == SS_INT && values->as_int(count) >= 0)
		*tokens = values->as_int(count);
}

static void read_usage(struct reply *reply, const struct ss_value *usage)
{
	const struct ss_value_functions *values = reply->values;
	read_count(values, values->get(usage, "prompt_tokens"), &reply->input_tokens);
	read_count(values, values->get(usage, "completion_tokens"), &reply->output_tokens);
}

/* A delta that tells the role alone, or nothing, is no token. */
static bool has_token(const struct ss_value_functions *values, const struct ss_value *message)
{
	for (size_t i = 0; i < values->count(message); i++) {
		size_t length = 0;
		(void)values->as_string(values->at(message, i), &length);
		if (length > 0 && strcmp(values->key_at(message, i), "role") != 0)
			return true;
	}
	return false;
}

static void read_words(struct reply *reply, const struct ss_value *message)
{
	const struct ss_value_functions *values = reply->values;
	struct ss_text words = {0};
	reply->begun = reply->begun || has_token(values, message);
	words.data = values->as_string(values->get(message, "content"), &words.length);
	answer_read(&reply->answer, words);
	words.data = values->as_string(values->get(message, "refusal"), &words.length);
	text_add(&reply->refusal, words.data, words.length);
}

static void read_finish(struct reply *reply, const char *reason)
{
	if (reason[0] == '\0')
		return;
	reply->finished = true;
	reply->cut = strcmp(reason, "length") == 0;
	reply->filtered = strcmp(reason, "content_filter") == 0;
}

void reply_read(struct reply *reply, const struct ss_value *json, const struct ss_value **error)
{
	const struct ss_value_functions *values = reply->values;
	const struct ss_value *choice = values->at(values->get(json, "choices"), 0);
	const struct ss_value *message = values->get(choice, "delta");
	*error = values->get(json, "error");
	if (values->type(*error) == SS_NULL)
		*error = NULL;
	read_usage(reply, values->get(json, "usage"));
	/* Groq tells it here. */
	read_usage(reply, values->get(values->get(json, "x_groq"), "usage"));
	if (values->type(choice) != SS_MAP)
		return;
	reply->chosen = true;
	read_words(reply, message != NULL ? message : values->get(choice, "message"));
	read_finish(reply, values->as_string(values->get(choice, "finish_reason"), NULL));
}

void reply_end(struct reply *reply)
{
	answer_end(&reply->answer);
	text_end(&reply->refusal);
}
