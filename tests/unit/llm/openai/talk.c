#include "talk.h"

#include "base/memory.h"
#include "config/options.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct talk talk;

static struct ss_value *options[32];

static struct ss_http_call *start(
	const struct ss_host *host, const struct ss_http_request *request, struct ss_error *err)
{
	cr_assert_not_null(host);
	if (talk.refuses) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "too many");
		return NULL;
	}
	talk.started++;
	talk.request = *request;
	(void)snprintf(talk.url, sizeof talk.url, "%s", request->url);
	talk.headers[0] = '\0';
	for (const char *const *header = request->headers; *header != NULL; header++)
		(void)snprintf(talk.headers + strlen(talk.headers),
			sizeof talk.headers - strlen(talk.headers), "%s\n", *header);
	value_unref(talk.body);
	(void)snprintf(
		talk.text, sizeof talk.text, "%.*s", (int)request->body.length, request->body.data);
	talk.body = json_parse(request->body.data, request->body.length, err);
	cr_assert_not_null(talk.body, "%s", err->text);
	return (struct ss_http_call *)&talk;
}

static void cancel_call(struct ss_http_call *call)
{
	cr_assert_eq((void *)call, &talk);
	talk.cancelled++;
}

static const char *header(const struct ss_http_call *call, const char *name)
{
	cr_assert_eq((const void *)call, &talk);
	for (size_t i = 0; talk.reply_headers[i] != NULL; i += 2) {
		if (strcasecmp(talk.reply_headers[i], name) == 0)
			return talk.reply_headers[i + 1];
	}
	return NULL;
}

static void take_piece(struct ss_generation *generation, struct ss_text text)
{
	cr_assert_not_null(generation);
	cr_assert_eq(talk.concluded, 0);
	cr_assert_gt(text.length, 0);
	(void)snprintf(talk.pieces + strlen(talk.pieces), sizeof talk.pieces - strlen(talk.pieces),
		"%.*s|", (int)text.length, text.data);
}

static void take_conclusion(
	struct ss_generation *generation, const struct ss_conclusion *conclusion)
{
	cr_assert_not_null(generation);
	talk.concluded++;
	if (conclusion->err != NULL)
		talk.err = *conclusion->err;
	talk.works = conclusion->works;
	talk.retry_after = conclusion->retry_after_seconds;
	(void)snprintf(talk.answer, sizeof talk.answer, "%.*s", (int)conclusion->answer.length,
		conclusion->answer.length > 0 ? conclusion->answer.data : "");
	char *sources = json_text(conclusion->sources);
	(void)snprintf(talk.sources, sizeof talk.sources, "%s", sources);
	free(sources);
	talk.input_tokens = conclusion->input_tokens;
	talk.output_tokens = conclusion->output_tokens;
}

__attribute__((format(printf, 3, 4))) static void take_log(
	const struct ss_host *host, enum ss_log_level level, const char *format, ...)
{
	va_list arguments;
	(void)host;
	(void)level;
	va_start(arguments, format);
	(void)vsnprintf(talk.log, sizeof talk.log, format, arguments);
	va_end(arguments);
}

static const struct ss_host host = {.struct_size = sizeof host,
	.values = &value_functions,
	.log = take_log,
	.piece = take_piece,
	.conclude = take_conclusion,
	.http_start = start,
	.http_cancel = cancel_call,
	.http_header = header};

void talk_begin(void)
{
	static const char *const names[] = {
		"LLM_BASE_URL", "LLM_MODEL", "LLM_API_KEY", "GROQ_API_KEY", "OPENAI_API_KEY"};
	for (size_t i = 0; i < array_length(names); i++)
		(void)unsetenv(names[i]);
}

int talk_try_create(const char *yaml, struct ss_error *err)
{
	struct diagnostics diagnostics = {0};
	struct yaml_document *document =
		yaml_parse("options.yaml", 1, yaml, strlen(yaml), &diagnostics);
	cr_assert_leq(options_count(smartsupport_plugin.options), array_length(options));
	cr_assert_eq(options_read(document, document->root, document->root,
			     smartsupport_plugin.options, NULL, "openai", options, &diagnostics),
		0);
	yaml_close(document);
	const struct ss_setup setup = {.struct_size = sizeof setup,
		.host = &host,
		.name = "openai",
		.options = (const struct ss_value *const *)options};
	return smartsupport_plugin.llm->create(&setup, &talk.instance, err);
}

void talk_create(const char *yaml)
{
	struct ss_error err = {0};
	cr_assert_eq(talk_try_create(yaml, &err), 0, "%s", err.text);
	cr_assert_not_null(talk.instance);
}

void talk_drop(void)
{
	if (talk.instance != NULL)
		smartsupport_plugin.llm->destroy(talk.instance);
	talk.instance = NULL;
	options_free(options, options_count(smartsupport_plugin.options));
}

void talk_end(void)
{
	talk_drop();
	value_unref(talk.body);
}

struct ss_value *talk_parse(const char *json)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(json, strlen(json), &err);
	cr_assert_not_null(value, "%s", err.text);
	return value;
}

int talk_try_ask(struct ss_prompt prompt, struct ss_error *err)
{
	static const char question[] = "how?";
	struct ss_value *articles = talk_parse("[{\"id\": \"sso\", \"title\": \"Sign \\\"on\\\"\", "
					       "\"content\": \"Use </article> it.\"}]");
	prompt.struct_size = sizeof prompt;
	prompt.question = (struct ss_text){question, strlen(question)};
	prompt.articles = articles;
	/* The generation is only handed back. */
	int result = smartsupport_plugin.llm->generate(
		talk.instance, (struct ss_generation *)&talk, &prompt, err);
	value_unref(articles);
	return result;
}

void talk_ask(struct ss_prompt prompt)
{
	struct ss_error err = {0};
	talk.pieces[0] = '\0';
	talk.concluded = 0;
	talk.err = (struct ss_error){0};
	cr_assert_eq(talk_try_ask(prompt, &err), 0, "%s", err.text);
}

void talk_bring(int status, const char *part)
{
	if (talk.concluded == 0)
		talk.request.received(talk.request.context, (struct ss_http_call *)&talk, status,
			(struct ss_text){part, strlen(part)});
}

void talk_done(int status, const struct ss_error *err)
{
	if (talk.concluded == 0)
		talk.request.done(talk.request.context, (struct ss_http_call *)&talk, status, err);
	cr_expect_eq(talk.concluded, 1);
}

void talk_set_type(const char *type)
{
	talk.reply_headers[0] = "Content-Type";
	talk.reply_headers[1] = type;
}

void talk_reply(const char *type, int status, const char *body)
{
	talk_ask((struct ss_prompt){0});
	talk_set_type(type);
	talk_bring(status, body);
	talk_done(status, NULL);
}

const char *talk_text_at(const char *first, size_t index, const char *key)
{
	const struct ss_value *list = value_get(talk.body, first);
	return value_as_string(value_get(value_at(list, index), key), NULL);
}

void talk_expect_failure(enum ss_status status, const char *part)
{
	cr_expect_eq(talk.err.status, status, "%d: %s", talk.err.status, talk.err.text);
	cr_expect_not_null(strstr(talk.err.text, part), "%s", talk.err.text);
	cr_expect_null(strstr(talk.err.text, "sk-secret"), "%s", talk.err.text);
}
