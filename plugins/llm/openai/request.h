/* The question to a model as the body of a request. */
#ifndef OPENAI_REQUEST_H
#define OPENAI_REQUEST_H

#include <smartsupport/plugin.h>

/* How an answer is made to follow a schema. */
enum request_schema { REQUEST_SCHEMA, REQUEST_OBJECT, REQUEST_FREE };

/* What does not change from question to question. Borrowed. */
struct request_settings {
	const struct ss_value_functions *values;
	const char *model;
	const char *max_tokens_name;
	double temperature; /* negative: the server's own */
	int64_t max_tokens; /* 0: the server's own */
	int64_t seed;       /* negative: none */
	const struct ss_value *stop;
	bool stream;
	enum request_schema schema;
};

/* The JSON text of the request: new, or NULL for want of memory. */
char *request_body(const struct request_settings *settings, const struct ss_prompt *prompt);

#endif
