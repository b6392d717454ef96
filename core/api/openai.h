/*
 * What the routes under /v1 share, which speak as OpenAI's API does, so that its clients can talk to this server: the
 * name of the model, and errors. Loop thread.
 */
#ifndef API_OPENAI_H
#define API_OPENAI_H

#include "api/api.h"
#include "http/head.h"

/* The model that answers, and that embeds. */
#define OPENAI_MODEL "smartsupport"

/* Why a request is refused. */
struct openai_error {
	int status;
	const char *code;   /* as in "model_not_found"; NULL: none */
	char parameter[64]; /* the member that is wrong, as in "messages[2].content"; "": none */
	char message[240];
};

/* Fills ERROR for a request whose member PARAMETER (NULL: none) is wrong. Always returns -1. */
__attribute__((format(printf, 3, 4))) int openai_refuse(
	struct openai_error *error, const char *parameter, const char *format, ...);

/* Fills ERROR with what a service says. */
void openai_take_error(struct openai_error *error, const struct ss_error *err);

/* ERROR as the API has it, {error: {message, type, param, code}}, new. */
struct ss_value *openai_error_value(const struct openai_error *error);

void openai_reply_error(struct http_request *request, const struct openai_error *error);

/* The same for a question: Retry-After says how long no model can be asked. */
void openai_reply_unanswered(struct http_request *request, const struct openai_error *error);

/* The body of REQUEST, a map, new; NULL when an error has been replied. */
struct ss_value *openai_read_body(struct http_request *request);

/* Whether the text NAME is the model's name. */
int openai_check_model(const struct ss_value *name, struct openai_error *error);

#endif
