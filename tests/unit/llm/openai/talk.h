/* A host without a network: what the plugin asks is kept here, and a test says what comes back. One in a process. */
#ifndef LLM_OPENAI_TALK_H
#define LLM_OPENAI_TALK_H

#include <smartsupport/smartsupport.h>

/* Options for an endpoint that any test may name. */
#define LOCAL "{base_url: 'http://127.0.0.1:9', model: m, api_key: sk-secret}"

struct talk {
	void *instance; /* NULL: there is none */
	size_t started, cancelled, concluded;
	bool refuses, works;
	char url[200];
	char headers[1000]; /* each with a line feed behind */
	struct ss_value *body;
	char text[8000]; /* of the body */
	struct ss_http_request request;
	const char *reply_headers[8]; /* names and values by turns */
	char pieces[2000];
	struct ss_error err;
	double retry_after;
	char answer[2000];
	char sources[200];
	int64_t input_tokens, output_tokens;
	char log[1000];
};

extern struct talk talk;

/* Before and after each test. */
void talk_begin(void);
void talk_end(void);

/* Makes the plugin's instance with options in YAML, and frees it. */
int talk_try_create(const char *yaml, struct ss_error *err);
void talk_create(const char *yaml);
void talk_drop(void);

struct ss_value *talk_parse(const char *json);

/* Asks by PROMPT, with a question and an article. */
int talk_try_ask(struct ss_prompt prompt, struct ss_error *err);
void talk_ask(struct ss_prompt prompt);

/* A part of the reply, its end, its type, and a whole one to a question. */
void talk_bring(int status, const char *part);
void talk_done(int status, const struct ss_error *err);
void talk_set_type(const char *type);
void talk_reply(const char *type, int status, const char *body);

/* The text KEY of what is at INDEX in the list FIRST of the request. */
const char *talk_text_at(const char *first, size_t index, const char *key);

/* The question failed with STATUS and a sentence that has PART in it, and no key. */
void talk_expect_failure(enum ss_status status, const char *part);

#endif
