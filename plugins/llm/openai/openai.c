/*
 * The model openai: any API that is compatible with OpenAI's chat completions, as those of Groq, OpenAI, Ollama, vLLM
 * and llama.cpp. docs/models.md tells how each is used.
 *
 * A question is one request. Its answer streams in; what cites an article gets a number, and what cites none that was
 * given is taken out (citations.h). An answer that ends for its length counts, with an ellipsis. Nothing is tried
 * again here: that is up to who asked, who is told whether it may help and when.
 */
#include "common/openai_failure.h"
#include "reply.h"
#include "request.h"
#include "sse.h"

#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	OPTION_TEMPERATURE = OPENAI_OPTIONS,
	OPTION_MAX_TOKENS,
	OPTION_STOP,
	OPTION_SEED,
	OPTION_STREAM,
	OPTION_JSON_SCHEMA,
	OPTION_CONNECT_TIMEOUT,
	OPTION_FIRST_TOKEN_TIMEOUT,
	OPTION_IDLE_TIMEOUT,
	OPTION_TIMEOUT,
	OPTION_MAX_REPLY,
};

/* Of a reply that is no answer, for its message. */
enum { ERROR_BODY_LIMIT = 16 * 1024 };

struct question;

struct openai {
	const struct ss_host *host;
	struct openai_endpoint endpoint;
	struct request_settings settings;
	struct ss_value *stop;
	double connect_timeout, first_token_timeout, idle_timeout, timeout;
	size_t max_reply; /* bytes */
	struct question *questions;
};

/* One question that is under way. */
struct question {
	struct openai *openai;
	struct question *next, **link;
	struct ss_generation *generation;     /* NULL: it has ended, and only its call has not */
	struct ss_http_call *call;            /* NULL: it is over */
	bool done;                            /* the stream says so */
	double asked_at;                      /* seconds of the monotonic clock */
	enum { UNKNOWN, STREAM, WHOLE } kind; /* of the reply */
	struct sse sse;
	struct text body; /* of a reply that is no stream */
	struct reply reply;
	size_t told; /* bytes of the answer that were handed on */
};

static enum request_schema schema_of(const char *word, const struct openai_provider *provider)
{
	if (strcmp(word, "auto") == 0)
		return provider->schemas ? REQUEST_SCHEMA : REQUEST_OBJECT;
	if (strcmp(word, "schema") == 0)
		return REQUEST_SCHEMA;
	return strcmp(word, "object") == 0 ? REQUEST_OBJECT : REQUEST_FREE;
}

static void read_settings(struct openai *openai, const struct ss_value *const *options)
{
	const struct ss_value_functions *values = openai->host->values;
	openai->stop = values->ref(options[OPTION_STOP]);
	openai->settings = (struct request_settings){
		.values = values,
		.model = openai->endpoint.model,
		.max_tokens_name = openai->endpoint.provider->max_tokens,
		.temperature = values->as_number(options[OPTION_TEMPERATURE]),
		.max_tokens = values->as_int(options[OPTION_MAX_TOKENS]),
		.seed = values->as_int(options[OPTION_SEED]),
		.stop = openai->stop,
		.stream = values->as_bool(options[OPTION_STREAM]),
		.schema = schema_of(values->as_string(options[OPTION_JSON_SCHEMA], NULL),
			openai->endpoint.provider),
	};
	openai->connect_timeout = values->as_number(options[OPTION_CONNECT_TIMEOUT]);
	openai->first_token_timeout = values->as_number(options[OPTION_FIRST_TOKEN_TIMEOUT]);
	openai->idle_timeout = values->as_number(options[OPTION_IDLE_TIMEOUT]);
	openai->timeout = values->as_number(options[OPTION_TIMEOUT]);
	openai->max_reply = (size_t)values->as_int(options[OPTION_MAX_REPLY]) * 1024;
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	bool found = false;
	struct openai *openai = calloc(1, sizeof *openai);
	*instance = NULL;
	if (openai == NULL)
		return ss_fail(err, "out of memory");
	openai->host = setup->host;
	if (openai_endpoint_find(&openai->endpoint, setup, false, &found, err) < 0) {
		free(openai);
		return -1;
	}
	if (!found) {
		free(openai);
		return 0;
	}
	read_settings(openai, setup->options);
	*instance = openai;
	return 0;
}

static void free_question(struct question *question)
{
	*question->link = question->next;
	if (question->next != NULL)
		question->next->link = question->link;
	sse_end(&question->sse);
	text_end(&question->body);
	reply_end(&question->reply);
	free(question);
}

static void destroy(void *instance)
{
	struct openai *openai = instance;
	while (openai->questions != NULL) {
		openai->host->http_cancel(openai->questions->call);
		free_question(openai->questions);
	}
	openai->host->values->unref(openai->stop);
	openai_endpoint_end(&openai->endpoint);
	free(openai);
}

static const char *name(const void *instance)
{
	const struct openai *openai = instance;
	return openai->endpoint.name;
}

/* Hands on what there is of the answer and was not handed on yet. */
static void hand_on(struct question *question)
{
	const struct text *text = &question->reply.answer.text;
	if (question->reply.answer.task || text->failed || text->length == question->told)
		return;
	question->openai->host->piece(question->generation,
		(struct ss_text){text->data + question->told, text->length - question->told});
	question->told = text->length;
}

/* Ends QUESTION. A call that has brought all and is not over stays until then: so its connection can be used again,
 * and a server that does not end it keeps nobody waiting. */
static void end(struct question *question, const struct ss_conclusion *conclusion)
{
	question->openai->host->conclude(question->generation, conclusion);
	question->generation = NULL;
	if (question->call == NULL)
		free_question(question);
}

/* Whether the model works and has only this to say: it refuses, or has not ended within its tokens. */
static bool works(const struct reply *reply)
{
	return reply->finished && (reply->refusal.length > 0 || reply->filtered || reply->cut);
}

/* Ends QUESTION with ERR. */
static void fail(struct question *question, const struct ss_error *err, double retry_after)
{
	const struct ss_conclusion conclusion = {
		.struct_size = sizeof conclusion,
		.err = err,
		.retry_after_seconds = retry_after,
		.input_tokens = question->reply.input_tokens,
		.output_tokens = question->reply.output_tokens,
		.works = works(&question->reply),
	};
	end(question, &conclusion);
}

/* Whether the reply is an answer, which ERR says why not. */
static int check_reply(const struct question *question, struct ss_error *err)
{
	const struct reply *reply = &question->reply;
	const struct openai_endpoint *endpoint = &question->openai->endpoint;
	const char *who = endpoint->name;
	char refusal[200];
	if (!reply->chosen)
		return ss_fail_as(err, SS_UNAVAILABLE, "%s sends a reply without any choice", who);
	if (!reply->finished && question->kind == STREAM)
		return ss_fail_as(err, SS_UNAVAILABLE, "%s ends its reply before it is whole", who);
	openai_tidy(endpoint, (struct ss_text){reply->refusal.data, reply->refusal.length}, refusal,
		sizeof refusal);
	if (refusal[0] != '\0')
		return ss_fail_as(err, SS_INVALID, "%s refuses to answer: %s", who, refusal);
	if (reply->filtered)
		return ss_fail_as(
			err, SS_INVALID, "%s refuses to answer: its content filter objects", who);
	if (reply->cut && reply->answer.task)
		return ss_fail_as(err, SS_INVALID,
			"%s has not ended within max_tokens, so its result is not whole", who);
	return 0;
}

/* Completes the answer, when it is one. */
static int finish_answer(struct question *question, struct ss_error *err)
{
	struct reply *reply = &question->reply;
	const char *who = question->openai->endpoint.name;
	bool given = answer_finish(&reply->answer, reply->cut);
	if (reply->answer.text.failed)
		return ss_fail(err, "out of memory");
	if (!given)
		return ss_fail_as(err, SS_NOT_FOUND, "%s finds no answer in the articles", who);
	if (reply->answer.text.length > 0)
		return 0;
	if (reply->cut)
		return ss_fail_as(err, SS_INVALID,
			"%s has not begun its answer within max_tokens; a model that thinks needs "
			"more",
			who);
	return ss_fail_as(err, SS_UNAVAILABLE, "%s gives an empty answer", who);
}

/* The model has said all that it says. */
static void conclude(struct question *question)
{
	struct ss_error err = {0};
	struct reply *reply = &question->reply;
	const struct ss_host *host = question->openai->host;
	if (check_reply(question, &err) < 0 || finish_answer(question, &err) < 0) {
		fail(question, &err, -1);
		return;
	}
	hand_on(question);
	struct ss_value *sources = citations_sources(&reply->answer.citations);
	const struct ss_conclusion conclusion = {
		.struct_size = sizeof conclusion,
		.retry_after_seconds = -1,
		.answer = {reply->answer.text.data, reply->answer.text.length},
		.sources = sources,
		.input_tokens = reply->input_tokens,
		.output_tokens = reply->output_tokens,
	};
	end(question, &conclusion);
	host->values->unref(sources);
}

/* Takes the JSON text of a completion, or of a part of one. */
static int read_json(struct question *question, struct ss_text text, struct ss_error *err)
{
	const struct openai *openai = question->openai;
	const struct ss_value_functions *values = openai->host->values;
	const struct ss_value *error = NULL;
	struct ss_error failure = {0};
	struct ss_value *json = values->from_json(text.data, text.length, &failure);
	int result = 0;
	if (values->type(json) != SS_MAP)
		result = ss_fail_as(err, SS_UNAVAILABLE, "%s sends a reply that cannot be read: %s",
			openai->endpoint.name,
			json == NULL ? failure.text : "it is no JSON object");
	else
		reply_read(&question->reply, json, &error);
	if (error != NULL)
		result = openai_failure_in(&openai->endpoint, values, error, err);
	values->unref(json);
	return result;
}

static int on_event(void *context, struct ss_text data, struct ss_error *err)
{
	struct question *question = context;
	question->done |= data.length == 6 && memcmp(data.data, "[DONE]", 6) == 0;
	return question->done ? 0 : read_json(question, data, err);
}

/* Whether the reply is a stream, by its type; a server may not know of streams. */
static int find_kind(struct question *question, struct ss_error *err)
{
	const struct openai_endpoint *endpoint = &question->openai->endpoint;
	const char *type = question->openai->host->http_header(question->call, "Content-Type");
	char shown[64];
	type = type != NULL ? type : "";
	if (strncasecmp(type, "text/event-stream", 17) == 0)
		question->kind = STREAM;
	else if (strncasecmp(type, "application/json", 16) == 0)
		question->kind = WHOLE;
	if (question->kind != UNKNOWN)
		return 0;
	openai_tidy(endpoint, (struct ss_text){type, strlen(type)}, shown, sizeof shown);
	return ss_fail_as(err, SS_INVALID,
		"%s answers with the type \"%s\", not with JSON; is the base URL right?",
		endpoint->name, shown);
}

static double now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Signs of life, and the role, are no answer: they do not put off when it must begin. */
static int check_begun(const struct question *question, struct ss_error *err)
{
	const struct openai *openai = question->openai;
	if (question->reply.begun || question->done ||
		now() - question->asked_at <= openai->first_token_timeout)
		return 0;
	return ss_fail_as(err, SS_TIMEOUT, "%s: the answer has not begun within %g s",
		openai->endpoint.name, openai->first_token_timeout);
}

static int read_part(
	struct question *question, int status, struct ss_text part, struct ss_error *err)
{
	if (status / 100 != 2) {
		size_t room = ERROR_BODY_LIMIT - question->body.length;
		text_add(&question->body, part.data, part.length < room ? part.length : room);
		return 0;
	}
	if (question->kind == UNKNOWN && find_kind(question, err) < 0)
		return -1;
	if (question->kind == STREAM)
		return sse_read(&question->sse, part, on_event, question, err) < 0
			       ? -1
			       : check_begun(question, err);
	text_add(&question->body, part.data, part.length);
	return 0;
}

static void on_received(void *context, struct ss_http_call *call, int status, struct ss_text part)
{
	struct question *question = context;
	struct ss_error err = {0};
	if (question->generation == NULL)
		return;
	int result = read_part(question, status, part, &err);
	if (result == 0 || question->done)
		hand_on(question);
	if (question->done) {
		conclude(question);
	} else if (result < 0) {
		question->openai->host->http_cancel(call);
		question->call = NULL;
		fail(question, &err, -1);
	}
}

/* When the server wants to be asked again. */
static double retry_after(const struct ss_host *host, const struct ss_http_call *call)
{
	const char *ms = host->http_header(call, "retry-after-ms");
	double seconds = openai_retry_after(ms, 0);
	if (ms != NULL && seconds >= 0)
		return seconds / 1000;
	return openai_retry_after(host->http_header(call, "Retry-After"), time(NULL));
}

static void on_done(
	void *context, struct ss_http_call *call, int status, const struct ss_error *err)
{
	struct question *question = context;
	struct openai *openai = question->openai;
	const struct ss_text body = {question->body.data, question->body.length};
	struct ss_error failure = {0};
	int result = 0;
	question->call = NULL;
	if (question->generation == NULL) {
		free_question(question);
		return;
	}
	if (err != NULL && !question->reply.finished) {
		/* More of the same would be as long. */
		(void)ss_fail_as(&failure, err->status == SS_LIMIT ? SS_INVALID : err->status,
			"%s: %s", openai->endpoint.name, err->text);
		fail(question, &failure, -1);
		return;
	}
	if (status / 100 != 2) {
		(void)openai_failure(&openai->endpoint, openai->host->values, status, body,
			openai->host->http_header(call, "Location"), &failure);
		fail(question, &failure, retry_after(openai->host, call));
		return;
	}
	if (question->kind == STREAM)
		result = sse_finish(&question->sse, on_event, question, &failure);
	else if (question->kind == UNKNOWN)
		result = ss_fail_as(
			&failure, SS_UNAVAILABLE, "%s sends an empty reply", openai->endpoint.name);
	else
		result = read_json(question, body, &failure);
	/* A part after the reason for its end can be broken off, as the count of the tokens. */
	if (result < 0 && !question->reply.finished)
		fail(question, &failure, -1);
	else
		conclude(question);
}

static struct question *make_question(
	struct openai *openai, struct ss_generation *generation, const struct ss_prompt *prompt)
{
	struct question *question = calloc(1, sizeof *question);
	bool task = prompt->use == SS_PROMPT_TASK;
	if (question == NULL ||
		reply_begin(&question->reply, openai->host->values, prompt->articles, task) < 0) {
		free(question);
		return NULL;
	}
	question->openai = openai;
	question->generation = generation;
	question->asked_at = now();
	question->sse.who = openai->endpoint.name;
	question->next = openai->questions;
	question->link = &openai->questions;
	if (question->next != NULL)
		question->next->link = &question->next;
	openai->questions = question;
	return question;
}

static int generate(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	struct openai *openai = instance;
	bool stream = openai->settings.stream;
	struct question *question = make_question(openai, generation, prompt);
	char *body = question != NULL ? request_body(&openai->settings, prompt) : NULL;
	if (body == NULL) {
		if (question != NULL)
			free_question(question);
		return ss_fail(err, "out of memory");
	}
	const struct ss_http_request request = {
		.struct_size = sizeof request,
		.method = "POST",
		.url = openai->endpoint.url,
		.headers = openai->endpoint.headers,
		.body = {body, strlen(body)},
		.connect_timeout = openai->connect_timeout,
		/* What is no stream begins when all of it is made. */
		.first_byte_timeout = stream ? openai->first_token_timeout : 0,
		.idle_timeout = openai->idle_timeout,
		.timeout = openai->timeout,
		.body_limit = openai->max_reply,
		.received = on_received,
		.done = on_done,
		.context = question,
	};
	question->call = openai->host->http_start(openai->host, &request, err);
	free(body);
	if (question->call == NULL) {
		free_question(question);
		return -1;
	}
	return 0;
}

static void cancel(void *instance, struct ss_generation *generation)
{
	struct openai *openai = instance;
	for (struct question *question = openai->questions; question != NULL;
		question = question->next) {
		if (question->generation != generation)
			continue;
		openai->host->http_cancel(question->call);
		free_question(question);
		return;
	}
}

static const struct ss_option options[] = {
	[OPENAI_PROVIDER] = {.name = "provider",
		.type = SS_OPTION_CHOICE,
		.fallback = "auto",
		.choices = "auto groq openai ollama vllm llamacpp custom",
		.help = "Whose API it is, which says where it is, its usual model and the variable "
			"with its key; "
			"auto: as LLM_BASE_URL, GROQ_API_KEY or OPENAI_API_KEY say, none of them: "
			"the model is left out."},
	[OPENAI_BASE_URL] = OPENAI_BASE_URL_ROW,
	[OPENAI_MODEL] = OPENAI_MODEL_ROW,
	[OPENAI_API_KEY] = OPENAI_API_KEY_ROW,
	[OPENAI_HEADERS] = OPENAI_HEADERS_ROW,
	[OPTION_TEMPERATURE] = {.name = "temperature",
		.type = SS_OPTION_NUMBER,
		.fallback = "0.2",
		.min = -1,
		.max = 2,
		.help = "How freely it chooses its words; -1 leaves it to the server, as some "
			"models ask for."},
	[OPTION_MAX_TOKENS] = {.name = "max_tokens",
		.type = SS_OPTION_INT,
		.fallback = "800",
		.min = 0,
		.max = 1000000,
		.help = "Tokens that an answer may have; 0 leaves it to the server."},
	[OPTION_STOP] = {.name = "stop",
		.type = SS_OPTION_STRINGS,
		.fallback = "[]",
		.help = "Texts that end an answer."},
	[OPTION_SEED] = {.name = "seed",
		.type = SS_OPTION_INT,
		.fallback = "-1",
		.min = -1,
		.max = 2147483647,
		.help = "Makes answers repeat where the server can do that; -1: they need not."},
	[OPTION_STREAM] = {.name = "stream",
		.type = SS_OPTION_BOOL,
		.fallback = "true",
		.help = "Whether answers are taken while they are made."},
	[OPTION_JSON_SCHEMA] = {.name = "json_schema",
		.type = SS_OPTION_CHOICE,
		.fallback = "auto",
		.choices = "auto schema object none",
		.help = "How decisions are asked for: by a schema that the server makes the model "
			"follow, as any JSON object, or in words alone; auto: as the provider "
			"can."},
	[OPTION_CONNECT_TIMEOUT] = {.name = "connect_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "5s",
		.min = 0.01,
		.max = 600,
		.help = "How long the connection may take."},
	[OPTION_FIRST_TOKEN_TIMEOUT] = {.name = "first_token_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "15s",
		.min = 0.01,
		.max = 3600,
		.help = "How long an answer that streams may take to begin."},
	[OPTION_IDLE_TIMEOUT] = {.name = "idle_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "10s",
		.min = 0.01,
		.max = 3600,
		.help = "How long an answer may pause."},
	[OPTION_TIMEOUT] = {.name = "timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "60s",
		.min = 0.01,
		.max = 3600,
		.help = "How long one request may take."},
	[OPTION_MAX_REPLY] = {.name = "max_reply_kib",
		.type = SS_OPTION_INT,
		.fallback = "4096",
		.min = 1,
		.max = 1048576,
		.help = "How long a reply may be, with all that goes around its words."},
	{.name = NULL},
};

static const struct ss_llm_operations operations = {
	.create = create,
	.destroy = destroy,
	.generate = generate,
	.cancel = cancel,
	.name = name,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_LLM,
	.name = "openai",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Answers with a model behind any API that is compatible with OpenAI's.",
	.options = options,
	.llm = &operations,
};
