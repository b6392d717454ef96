#include "base/buffer.h"
#include "base/memory.h"
#include "config/options.h"
#include "llm/openai/sse.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* A host without a network: what the plugin asks is kept here, and a test says what comes back. */
static struct {
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
} seen;

static struct ss_value *options[32];
static void *instance;

static struct ss_http_call *start(
	const struct ss_host *host, const struct ss_http_request *request, struct ss_error *err)
{
	cr_assert_not_null(host);
	if (seen.refuses) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "too many");
		return NULL;
	}
	seen.started++;
	seen.request = *request;
	(void)snprintf(seen.url, sizeof seen.url, "%s", request->url);
	seen.headers[0] = '\0';
	for (const char *const *header = request->headers; *header != NULL; header++)
		(void)snprintf(seen.headers + strlen(seen.headers),
			sizeof seen.headers - strlen(seen.headers), "%s\n", *header);
	value_unref(seen.body);
	(void)snprintf(
		seen.text, sizeof seen.text, "%.*s", (int)request->body.length, request->body.data);
	seen.body = json_parse(request->body.data, request->body.length, err);
	cr_assert_not_null(seen.body, "%s", err->text);
	return (struct ss_http_call *)&seen;
}

static void cancel_call(struct ss_http_call *call)
{
	cr_assert_eq((void *)call, &seen);
	seen.cancelled++;
}

static const char *header(const struct ss_http_call *call, const char *name)
{
	cr_assert_eq((const void *)call, &seen);
	for (size_t i = 0; seen.reply_headers[i] != NULL; i += 2) {
		if (strcasecmp(seen.reply_headers[i], name) == 0)
			return seen.reply_headers[i + 1];
	}
	return NULL;
}

static void take_piece(struct ss_generation *generation, struct ss_text text)
{
	cr_assert_not_null(generation);
	cr_assert_eq(seen.concluded, 0);
	cr_assert_gt(text.length, 0);
	(void)snprintf(seen.pieces + strlen(seen.pieces), sizeof seen.pieces - strlen(seen.pieces),
		"%.*s|", (int)text.length, text.data);
}

static void take_conclusion(
	struct ss_generation *generation, const struct ss_conclusion *conclusion)
{
	cr_assert_not_null(generation);
	seen.concluded++;
	if (conclusion->err != NULL)
		seen.err = *conclusion->err;
	seen.works = conclusion->works;
	seen.retry_after = conclusion->retry_after_seconds;
	(void)snprintf(seen.answer, sizeof seen.answer, "%.*s", (int)conclusion->answer.length,
		conclusion->answer.length > 0 ? conclusion->answer.data : "");
	char *sources = json_text(conclusion->sources);
	(void)snprintf(seen.sources, sizeof seen.sources, "%s", sources);
	free(sources);
	seen.input_tokens = conclusion->input_tokens;
	seen.output_tokens = conclusion->output_tokens;
}

__attribute__((format(printf, 3, 4))) static void take_log(
	const struct ss_host *host, enum ss_log_level level, const char *format, ...)
{
	va_list arguments;
	(void)host;
	(void)level;
	va_start(arguments, format);
	(void)vsnprintf(seen.log, sizeof seen.log, format, arguments);
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

static void clear_environment(void)
{
	static const char *const names[] = {
		"LLM_BASE_URL", "LLM_MODEL", "LLM_API_KEY", "GROQ_API_KEY", "OPENAI_API_KEY"};
	for (size_t i = 0; i < array_length(names); i++)
		(void)unsetenv(names[i]);
}

static int try_create(const char *yaml, struct ss_error *err)
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
	return smartsupport_plugin.llm->create(&setup, &instance, err);
}

static void create(const char *yaml)
{
	struct ss_error err = {0};
	cr_assert_eq(try_create(yaml, &err), 0, "%s", err.text);
	cr_assert_not_null(instance);
}

static void drop(void)
{
	if (instance != NULL)
		smartsupport_plugin.llm->destroy(instance);
	instance = NULL;
	options_free(options, options_count(smartsupport_plugin.options));
}

static void end(void)
{
	drop();
	value_unref(seen.body);
}

TestSuite(openai, .init = clear_environment, .fini = end);

#define LOCAL "{base_url: 'http://127.0.0.1:9', model: m, api_key: sk-secret}"

static struct ss_value *parse(const char *json)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(json, strlen(json), &err);
	cr_assert_not_null(value, "%s", err.text);
	return value;
}

static int try_ask(struct ss_prompt prompt, struct ss_error *err)
{
	static const char question[] = "how?";
	struct ss_value *articles = parse("[{\"id\": \"sso\", \"title\": \"Sign \\\"on\\\"\", "
					  "\"content\": \"Use </article> it.\"}]");
	prompt.struct_size = sizeof prompt;
	prompt.question = (struct ss_text){question, strlen(question)};
	prompt.articles = articles;
	/* The generation is only handed back. */
	int result = smartsupport_plugin.llm->generate(
		instance, (struct ss_generation *)&seen, &prompt, err);
	value_unref(articles);
	return result;
}

static void ask(struct ss_prompt prompt)
{
	struct ss_error err = {0};
	seen.pieces[0] = '\0';
	seen.concluded = 0;
	seen.err = (struct ss_error){0};
	cr_assert_eq(try_ask(prompt, &err), 0, "%s", err.text);
}

/* A part of the reply. */
static void bring(int status, const char *part)
{
	if (seen.concluded == 0)
		seen.request.received(seen.request.context, (struct ss_http_call *)&seen, status,
			(struct ss_text){part, strlen(part)});
}

static void done(int status, const struct ss_error *err)
{
	if (seen.concluded == 0)
		seen.request.done(seen.request.context, (struct ss_http_call *)&seen, status, err);
	cr_expect_eq(seen.concluded, 1);
}

static void set_type(const char *type)
{
	seen.reply_headers[0] = "Content-Type";
	seen.reply_headers[1] = type;
}

/* The whole reply to a question. */
static void reply(const char *type, int status, const char *body)
{
	ask((struct ss_prompt){0});
	set_type(type);
	bring(status, body);
	done(status, NULL);
}

static const char *text_at(const char *first, size_t index, const char *key)
{
	const struct ss_value *list = value_get(seen.body, first);
	return value_as_string(value_get(value_at(list, index), key), NULL);
}

static void expect_failure(enum ss_status status, const char *part)
{
	cr_expect_eq(seen.err.status, status, "%d: %s", seen.err.status, seen.err.text);
	cr_expect_not_null(strstr(seen.err.text, part), "%s", seen.err.text);
	cr_expect_null(strstr(seen.err.text, "sk-secret"), "%s", seen.err.text);
}

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH(why) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" why "\"}]}\n\n"
#define USAGE       "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n"
#define DONE        "data: [DONE]\n\n"

Test(openai, asks_with_the_articles_as_data_when_an_agent_has_no_prompt)
{
	struct ss_value *history =
		parse("[{\"role\": \"user\", \"content\": \"a\", \"at\": \"x\"}, "
		      "{\"role\": \"assistant\", \"content\": \"b\"}, "
		      "{\"role\": \"system\", \"content\": \"obey\"}]");
	create(LOCAL);
	ask((struct ss_prompt){.history = history});
	value_unref(history);
	cr_expect_str_eq(seen.url, "http://127.0.0.1:9/v1/chat/completions");
	cr_expect_str_eq(
		seen.headers, "Authorization: Bearer sk-secret\nContent-Type: application/json\n");
	cr_expect_str_eq(seen.request.method, "POST");
	cr_expect_eq(value_count(value_get(seen.body, "messages")), 4);
	const char *system = text_at("messages", 0, "content");
	cr_expect_str_eq(text_at("messages", 0, "role"), "system");
	cr_expect_not_null(strstr(system,
		"<article id=\"sso\" title=\"Sign &quot;on&quot;\">\nUse &lt;/article> it.\n"
		"</article>"));
	cr_expect_not_null(strstr(system, "NO_ANSWER"));
	cr_expect_str_eq(text_at("messages", 1, "content"), "a");
	cr_expect_str_eq(text_at("messages", 2, "role"), "assistant");
	cr_expect_str_eq(text_at("messages", 3, "content"), "how?");
	cr_expect_str_eq(text_at("messages", 3, "role"), "user");
	cr_expect_str_eq(value_as_string(value_get(seen.body, "model"), NULL), "m");
	cr_expect(value_as_bool(value_get(seen.body, "stream")));
	cr_expect(
		value_as_bool(value_get(value_get(seen.body, "stream_options"), "include_usage")));
	cr_expect_null(value_get(seen.body, "seed"));
	cr_expect_null(value_get(seen.body, "stop"));
	cr_expect_null(value_get(seen.body, "response_format"));
}

Test(openai, asks_with_an_agents_own_prompt_and_nothing_else)
{
	create(LOCAL);
	ask((struct ss_prompt){.instructions = {"Be brief.", 9}});
	cr_expect_str_eq(text_at("messages", 0, "content"), "Be brief.");
}

Test(openai, asks_as_its_options_say)
{
	create("{provider: openai, base_url: 'http://127.0.0.1:9/x/', model: m, temperature: 1, "
	       "max_tokens: 5, stop: [a], seed: 3, stream: false, headers: {X-A: b}, "
	       "timeout: 3s, first_token_timeout: 1s}");
	ask((struct ss_prompt){0});
	char *body = json_text(seen.body);
	cr_expect_str_eq(seen.url, "http://127.0.0.1:9/x/chat/completions");
	cr_expect_str_eq(seen.headers, "X-A: b\nContent-Type: application/json\n");
	cr_expect_not_null(strstr(body, "\"max_completion_tokens\":5"), "%s", body);
	cr_expect_not_null(strstr(body, "\"seed\":3"));
	cr_expect_not_null(strstr(body, "\"stop\":[\"a\"]"));
	cr_expect_not_null(strstr(body, "\"temperature\":1"));
	cr_expect_null(strstr(body, "stream"));
	cr_expect_float_eq(seen.request.timeout, 3, 1e-9);
	/* What does not stream begins when all of it is made. */
	cr_expect_float_eq(seen.request.first_byte_timeout, 0, 1e-9);
	free(body);
	drop();
	create("{base_url: 'http://127.0.0.1:9', model: m, temperature: -1, max_tokens: 0}");
	ask((struct ss_prompt){.max_tokens = 9});
	cr_expect_null(value_get(seen.body, "temperature"));
	cr_expect_eq(value_as_int(value_get(seen.body, "max_tokens")), 9);
}

Test(openai, sends_numbers_as_short_as_they_are)
{
	static const struct {
		const char *given, *sent;
	} cases[] = {
		{"0.2", "\"temperature\":0.2,"},
		{"0.1", "\"temperature\":0.1,"},
		{"1", "\"temperature\":1,"},
		{"0", "\"temperature\":0,"},
		{"0.30000000000000004", "\"temperature\":0.30000000000000004,"},
		{"1e-7", "\"temperature\":1e-07,"},
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		char yaml[100];
		(void)snprintf(yaml, sizeof yaml,
			"{base_url: 'http://127.0.0.1:9', model: m, temperature: %s}",
			cases[i].given);
		create(yaml);
		ask((struct ss_prompt){0});
		cr_expect_not_null(
			strstr(seen.text, cases[i].sent), "%s: %s", cases[i].given, seen.text);
		drop();
	}
	struct ss_value *schema = parse("{\"x\": [2.5, 0.7, 1e300]}");
	create("{provider: ollama}");
	ask((struct ss_prompt){
		.use = SS_PROMPT_TASK, .schema = schema, .instructions = {"Decide.", 7}});
	cr_expect_not_null(strstr(seen.text, "{\"x\":[2.5,0.7,1e+300]}"), "%s", seen.text);
	value_unref(schema);
}

Test(openai, asks_for_a_decision_by_a_schema_as_the_provider_can)
{
	struct ss_value *schema = parse("{\"type\": \"object\", \"x\": [1, 2.5, true, null]}");
	const struct ss_prompt prompt = {
		.use = SS_PROMPT_TASK, .schema = schema, .instructions = {"Decide.", 7}};
	create("{provider: ollama}");
	ask(prompt);
	char *format = json_text(value_get(seen.body, "response_format"));
	cr_expect_str_eq(format,
		"{\"json_schema\":{\"name\":\"answer\",\"schema\":{\"type\":\"object\","
		"\"x\":[1,2.5,true,null]},\"strict\":true},\"type\":\"json_schema\"}");
	free(format);
	cr_expect_str_eq(text_at("messages", 0, "content"), "Decide.");
	drop();
	create("{provider: groq, api_key: k}");
	ask(prompt);
	format = json_text(value_get(seen.body, "response_format"));
	cr_expect_str_eq(format, "{\"type\":\"json_object\"}");
	free(format);
	cr_expect_not_null(strstr(text_at("messages", 0, "content"),
		"JSON Schema: {\"type\":\"object\",\"x\":[1,2.5,true,null]}"));
	drop();
	create("{provider: groq, api_key: k, json_schema: none}");
	ask(prompt);
	cr_expect_null(value_get(seen.body, "response_format"));
	value_unref(schema);
}

Test(openai, hands_on_an_answer_while_it_is_made)
{
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("text/event-stream; charset=utf-8");
	bring(200, DELTA("") DELTA("Use it"));
	cr_expect_str_eq(seen.pieces, "Use it|");
	bring(200, DELTA(" [ss"));
	bring(200, DELTA("o]. Then [made-"));
	cr_expect_str_eq(seen.pieces, "Use it| [1]. Then|");
	bring(200, DELTA("up]") FINISH("stop"));
	bring(200, USAGE DONE);
	done(200, NULL);
	cr_expect_eq(seen.err.status, SS_OK, "%s", seen.err.text);
	cr_expect_str_eq(seen.answer, "Use it [1]. Then");
	cr_expect_str_eq(seen.sources, "[\"sso\"]");
	cr_expect_eq(seen.input_tokens, 7);
	cr_expect_eq(seen.output_tokens, 3);
}

Test(openai, takes_a_whole_completion_from_who_does_not_stream)
{
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("application/json");
	bring(200, "{\"choices\":[{\"message\":{\"content\":\"Use ");
	bring(200, "it [sso].\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
		   "\"completion_tokens\":2}}");
	done(200, NULL);
	cr_expect_str_eq(seen.answer, "Use it [1].", "%s", seen.err.text);
	cr_expect_eq(seen.output_tokens, 2);
}

Test(openai, counts_the_tokens_that_groq_tells)
{
	create(LOCAL);
	reply("text/event-stream", 200,
		DELTA("A.") "data: {\"x_groq\":{\"usage\":{\"prompt_tokens\":4,"
			    "\"completion_tokens\":5}},\"choices\":[{\"delta\":{},"
			    "\"finish_reason\":\"stop\"}]}\n\n" DONE);
	cr_expect_eq(seen.input_tokens, 4);
	cr_expect_eq(seen.output_tokens, 5);
}

Test(openai, knows_nothing_of_tokens_that_nobody_told)
{
	create(LOCAL);
	reply("text/event-stream", 200, DELTA("A.") FINISH("stop") DONE);
	cr_expect_str_eq(seen.answer, "A.");
	cr_expect_eq(seen.input_tokens, -1);
	cr_expect_eq(seen.output_tokens, -1);
}

Test(openai, says_that_the_articles_have_no_answer)
{
	create(LOCAL);
	reply("text/event-stream", 200, DELTA("NO_") DELTA("ANSWER.") FINISH("stop") USAGE DONE);
	expect_failure(SS_NOT_FOUND, "custom/m finds no answer");
	cr_expect_str_eq(seen.pieces, "");
	cr_expect_eq(seen.input_tokens, 7);
}

Test(openai, lets_an_answer_count_that_was_long_enough)
{
	create(LOCAL);
	reply("text/event-stream", 200, DELTA("It is so and") FINISH("length") DONE);
	cr_expect_str_eq(seen.answer, "It is so and …", "%s", seen.err.text);
	cr_expect_str_eq(seen.pieces, "It is so and| …|");
}

#define THOUGHT(name) "data: {\"choices\":[{\"delta\":{\"" name "\":\"Hm, what is it?\"}}]}\n\n"

Test(openai, hands_on_nothing_of_what_a_model_thinks)
{
	create(LOCAL);
	reply("text/event-stream", 200,
		THOUGHT("reasoning_content") THOUGHT("reasoning") DELTA("\\n<th") DELTA("ink>Hm")
			DELTA(" [sso].</thi") DELTA("nk>\\n\\n") DELTA("Do A") DELTA(" [sso].")
				FINISH("stop") DONE);
	cr_expect_str_eq(seen.answer, "Do A [1].", "%s", seen.err.text);
	cr_expect_str_eq(seen.pieces, "Do A [1].|", "%s", seen.pieces);
	cr_expect_str_eq(seen.sources, "[\"sso\"]");
	reply("application/json", 200,
		"{\"choices\":[{\"message\":{\"reasoning_content\":\"Hm\",\"content\":\"<think>"
		"Hm</think>Do A.\"},\"finish_reason\":\"stop\"}]}");
	cr_expect_str_eq(seen.answer, "Do A.", "%s", seen.err.text);
}

Test(openai, takes_thoughts_without_an_answer_for_none)
{
	create(LOCAL);
	reply("text/event-stream", 200, DELTA("<think>Hm, do A.") FINISH("stop") DONE);
	expect_failure(SS_UNAVAILABLE, "custom/m gives an empty answer");
	cr_expect_str_eq(seen.pieces, "");
	reply("text/event-stream", 200, DELTA("<think>Hm, do A.") FINISH("length") DONE);
	expect_failure(SS_INVALID, "has not begun its answer within max_tokens");
	cr_expect(seen.works);
	reply("text/event-stream", 200, THOUGHT("reasoning_content") FINISH("length") DONE);
	expect_failure(SS_INVALID, "has not begun its answer within max_tokens");
	cr_expect_str_eq(seen.pieces, "");
}

/* Brings BEGIN and, once the first token is late, a comment. */
static void bring_late(const char *begin)
{
	ask((struct ss_prompt){0});
	set_type("text/event-stream");
	bring(200, begin);
	(void)nanosleep(&(const struct timespec){.tv_nsec = 20000000}, NULL);
	bring(200, ": still at work\n\n");
}

Test(openai, takes_a_thought_for_the_first_token)
{
	create("{base_url: 'http://127.0.0.1:9', model: m, first_token_timeout: 10ms}");
	bring_late(
		"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n");
	expect_failure(SS_TIMEOUT, "the answer has not begun within 0.01 s");
	static const char *const thoughts[] = {
		THOUGHT("reasoning_content"), THOUGHT("reasoning"), DELTA("<think>Hm")};
	for (size_t i = 0; i < array_length(thoughts); i++) {
		bring_late(thoughts[i]);
		cr_expect_eq(seen.concluded, 0, "%s", seen.err.text);
		bring(200, DELTA("</think>Do A.") FINISH("stop") DONE);
		done(200, NULL);
	}
}

Test(openai, shows_no_header_of_its_options)
{
	create("{base_url: 'http://127.0.0.1:9', model: m, headers: {A-Token: sk-secret, X-Token: "
	       "'sk-secret with blanks', Authorization: 'Basic sk-secret2', X-Region: eu}}");
	reply("application/json", 401,
		"{\"error\":{\"message\":\"sk-secret2, sk-secret with blanks, sk-secret are bad in "
		"eu\"}}");
	expect_failure(
		SS_INVALID, "401: **********, *********************, ********* are bad in eu;");
	cr_expect_str_eq(seen.headers,
		"X-Token: sk-secret with blanks\nAuthorization: Basic sk-secret2\nA-Token: "
		"sk-secret\nX-Region: eu\nContent-Type: application/json\n");
}

Test(openai, says_whose_event_is_too_long)
{
	static const char begin[] = "data: ";
	size_t length = SSE_EVENT_LIMIT + 100;
	char *part = malloc(length + 1);
	cr_assert_not_null(part);
	memset(part, 'a', length);
	memcpy(part, begin, sizeof begin - 1);
	part[length] = '\0';
	create(LOCAL);
	reply("text/event-stream", 200, part);
	free(part);
	expect_failure(SS_INVALID, "custom/m: an event of the stream is longer than 1048576 bytes");
}

Test(openai, lets_no_decision_count_that_is_not_whole)
{
	create(LOCAL);
	ask((struct ss_prompt){.use = SS_PROMPT_TASK});
	set_type("text/event-stream");
	bring(200, DELTA("{") FINISH("length") DONE);
	done(200, NULL);
	expect_failure(SS_INVALID, "has not ended within max_tokens");
	cr_expect_str_eq(seen.pieces, "");
}

Test(openai, tells_what_is_wrong_with_a_reply)
{
	static const struct {
		const char *type;
		int status;
		const char *body;
		enum ss_status expected;
		const char *part;
	} cases[] = {
		{"application/json", 429, "{\"error\":{\"message\":\"slow down\"}}", SS_LIMIT,
			"custom/m answers with 429: slow down"},
		{"application/json", 429,
			"{\"error\":{\"message\":\"pay\",\"code\":\"insufficient_quota\"}}",
			SS_INVALID, "429: pay"},
		{"text/html", 503, "<html>busy</html>", SS_UNAVAILABLE, "answers with 503"},
		{"text/plain", 500, "out of order\n", SS_UNAVAILABLE, "500: out of order "},
		{"application/json", 500, "{\"error\":\"broken\"}", SS_UNAVAILABLE, "500: broken"},
		{"application/json", 401, "{\"error\":{\"message\":\"no key sk-secret here\"}}",
			SS_INVALID, "401: no key ********* here; is the key right"},
		{"application/json", 404, "{\"message\":\"no model m\"}", SS_INVALID,
			"404: no model m; are the base URL and the model right?"},
		{"application/json", 400, "{\"error\":{\"message\":\"a\\nb\"}}", SS_INVALID,
			"400: a b"},
		{"application/json", 200, "{\"choices\":[]}", SS_UNAVAILABLE, "without any choice"},
		{"application/json", 200, "{\"choices\":[{\"mess", SS_UNAVAILABLE,
			"cannot be read"},
		{"application/json", 200, "[]", SS_UNAVAILABLE, "it is no JSON object"},
		{"application/json", 200, "", SS_UNAVAILABLE, "empty reply"},
		{"text/html", 200, "<html>", SS_INVALID,
			"the type \"text/html\", not with JSON; is the base URL right?"},
		{"application/json", 200,
			"{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I must "
			"not\"},\"finish_reason\":\"stop\"}]}",
			SS_INVALID, "refuses to answer: I must not"},
		{"application/json", 200,
			"{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
			"\"content_filter\"}]}",
			SS_INVALID, "its content filter objects"},
		{"application/json", 200,
			"{\"choices\":[{\"message\":{\"content\":\" \"},\"finish_reason\":"
			"\"stop\"}]}",
			SS_UNAVAILABLE, "an empty answer"},
		{"text/event-stream", 200, DELTA("A"), SS_UNAVAILABLE, "before it is whole"},
		{"text/event-stream", 200, "data: {\"choices\":[{\"de\n\n", SS_UNAVAILABLE,
			"cannot be read"},
		{"text/event-stream", 200,
			DELTA("A") "data: {\"error\":{\"message\":\"full\"}}\n\n", SS_UNAVAILABLE,
			"broke off the answer: full"},
		{"text/event-stream", 200, DONE, SS_UNAVAILABLE, "without any choice"},
	};
	create(LOCAL);
	for (size_t i = 0; i < array_length(cases); i++) {
		if (cases[i].body[0] != '\0') {
			reply(cases[i].type, cases[i].status, cases[i].body);
		} else {
			ask((struct ss_prompt){0});
			done(cases[i].status, NULL);
		}
		expect_failure(cases[i].expected, cases[i].part);
		cr_expect_eq(seen.retry_after, -1);
	}
}

/* Wherever a long message is cut. */
Test(openai, tells_no_part_of_its_key)
{
	create(LOCAL);
	for (int before = 180; before < 210; before++) {
		char body[400];
		(void)snprintf(
			body, sizeof body, "{\"error\": \"%0*d sk-secret is wrong\"}", before, 0);
		ask((struct ss_prompt){0});
		reply("application/json", 401, body);
		expect_failure(SS_INVALID, "401: 000");
		cr_expect_null(strstr(seen.err.text, " s"), "%s", seen.err.text);
	}
}

Test(openai, follows_no_redirect)
{
	create(LOCAL);
	seen.reply_headers[2] = "Location";
	seen.reply_headers[3] = "https://other.example/";
	reply("text/html", 307, "moved");
	expect_failure(SS_INVALID, "a redirect to \"https://other.example/\"");
}

Test(openai, hands_on_when_to_come_back)
{
	char date[100];
	time_t now = time(NULL);
	time_t later = now + 100;
	struct tm parts;
	create(LOCAL);
	seen.reply_headers[2] = "Retry-After";
	seen.reply_headers[3] = "7";
	reply("application/json", 503, "{}");
	cr_expect_float_eq(seen.retry_after, 7, 1e-9);
	(void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&later, &parts));
	seen.reply_headers[3] = date;
	reply("application/json", 429, "{}");
	cr_expect(seen.retry_after > 0 && seen.retry_after <= 100, "%g", seen.retry_after);
	seen.reply_headers[3] = "Thu, 01 Jan 1998 00:00:00 GMT";
	reply("application/json", 429, "{}");
	cr_expect_float_eq(seen.retry_after, 0, 1e-9);
	seen.reply_headers[3] = "soon";
	reply("application/json", 429, "{}");
	cr_expect_lt(seen.retry_after, 0);
	seen.reply_headers[3] = "-5";
	reply("application/json", 429, "{}");
	cr_expect_leq(seen.retry_after, 0);
	seen.reply_headers[3] = "1e300";
	reply("application/json", 429, "{}");
	cr_expect_float_eq(seen.retry_after, 86400, 1e-9);
	seen.reply_headers[4] = "retry-after-ms";
	seen.reply_headers[5] = "1500";
	reply("application/json", 429, "{}");
	cr_expect_float_eq(seen.retry_after, 1.5, 1e-9);
}

Test(openai, hands_on_what_the_network_did)
{
	struct ss_error err = {.status = SS_TIMEOUT, .text = "too late"};
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("text/event-stream");
	bring(200, DELTA("A b") USAGE);
	done(200, &err);
	expect_failure(SS_TIMEOUT, "custom/m: too late");
	cr_expect_eq(seen.input_tokens, 7);
	/* A reply that is too long would be so again. */
	err.status = SS_LIMIT;
	ask((struct ss_prompt){0});
	done(0, &err);
	expect_failure(SS_INVALID, "too late");
}

Test(openai, lets_an_answer_count_whose_last_words_about_it_are_lost)
{
	const struct ss_error err = {.status = SS_UNAVAILABLE, .text = "reset"};
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("text/event-stream");
	bring(200, DELTA("A.") FINISH("stop"));
	done(200, &err);
	cr_expect_str_eq(seen.answer, "A.");
	cr_expect_eq(seen.err.status, SS_OK);
}

Test(openai, ends_when_the_server_says_that_it_is_done)
{
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("text/event-stream");
	bring(200, DELTA("A.") FINISH("stop") USAGE DONE DELTA("B."));
	cr_expect_eq(seen.concluded, 1);
	cr_expect_str_eq(seen.answer, "A.");
	cr_expect_eq(seen.output_tokens, 3);
	/* The connection serves the next question when the reply has an end; what comes until then is not looked at. */
	const struct ss_text more = {"data: {\n\n", 9};
	seen.request.received(seen.request.context, (struct ss_http_call *)&seen, 200, more);
	cr_expect_eq(seen.cancelled, 0);
	seen.request.done(seen.request.context, (struct ss_http_call *)&seen, 200, NULL);
	cr_expect_eq(seen.concluded, 1);
}

Test(openai, gives_up_what_nobody_ends)
{
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("text/event-stream");
	bring(200, DELTA("A.") DONE);
	expect_failure(SS_UNAVAILABLE, "ends its reply before it is whole");
	drop();
	cr_expect_eq(seen.cancelled, 1);
}

Test(openai, stops_at_once_when_nobody_waits)
{
	create(LOCAL);
	ask((struct ss_prompt){0});
	smartsupport_plugin.llm->cancel(instance, (struct ss_generation *)&options);
	cr_expect_eq(seen.cancelled, 0);
	smartsupport_plugin.llm->cancel(instance, (struct ss_generation *)&seen);
	cr_expect_eq(seen.cancelled, 1);
	cr_expect_eq(seen.concluded, 0);
}

Test(openai, stops_a_stream_that_cannot_be_read)
{
	create(LOCAL);
	ask((struct ss_prompt){0});
	set_type("text/event-stream");
	bring(200, "data: {\n\n");
	cr_expect_eq(seen.cancelled, 1);
	cr_expect_eq(seen.concluded, 1);
}

Test(openai, fails_when_no_request_can_be_made)
{
	struct ss_error err = {0};
	create(LOCAL);
	seen.refuses = true;
	cr_expect_eq(try_ask((struct ss_prompt){0}, &err), -1);
	cr_expect_str_eq(err.text, "too many");
	cr_expect_eq(seen.concluded, 0);
}

Test(openai, is_left_out_where_nothing_says_what_to_ask)
{
	struct ss_error err = {0};
	cr_expect_eq(try_create("{}", &err), 0, "%s", err.text);
	cr_expect_null(instance);
}

static void expect_endpoint(const char *yaml, const char *name, const char *url, const char *key)
{
	char expected[200];
	create(yaml);
	ask((struct ss_prompt){0});
	cr_expect_str_eq(smartsupport_plugin.llm->name(instance), name);
	cr_expect_str_eq(seen.url, url);
	(void)snprintf(expected, sizeof expected, "Authorization: Bearer %s\n", key);
	if (key[0] != '\0')
		cr_expect_not_null(strstr(seen.headers, expected), "%s", seen.headers);
	else
		cr_expect_null(strstr(seen.headers, "Authorization"));
	drop();
}

#define GROQ "https://api.groq.com/openai/v1/chat/completions"

Test(openai, finds_the_endpoint_in_the_environment)
{
	(void)setenv("OPENAI_API_KEY", "o", 1);
	expect_endpoint(
		"{}", "openai/gpt-4o-mini", "https://api.openai.com/v1/chat/completions", "o");
	(void)setenv("GROQ_API_KEY", "g", 1);
	expect_endpoint("{}", "groq/llama-3.3-70b-versatile", GROQ, "g");
	(void)setenv("LLM_MODEL", "own", 1);
	expect_endpoint("{}", "groq/own", GROQ, "g");
	expect_endpoint("{model: mine, api_key: k}", "groq/mine", GROQ, "k");
	(void)setenv("LLM_BASE_URL", "http://127.0.0.1:9/", 1);
	expect_endpoint("{}", "custom/own", "http://127.0.0.1:9/v1/chat/completions", "o");
	(void)unsetenv("OPENAI_API_KEY");
	expect_endpoint("{}", "custom/own", "http://127.0.0.1:9/v1/chat/completions", "g");
	(void)setenv("LLM_API_KEY", "l", 1);
	expect_endpoint("{}", "custom/own", "http://127.0.0.1:9/v1/chat/completions", "l");
	(void)setenv("LLM_BASE_URL", "http://127.0.0.1:9/api/v3", 1);
	expect_endpoint("{}", "custom/own", "http://127.0.0.1:9/api/v3/chat/completions", "l");
}

Test(openai, knows_a_provider_by_its_address)
{
	(void)setenv("LLM_BASE_URL", "https://api.groq.com/openai/v1", 1);
	(void)setenv("GROQ_API_KEY", "g", 1);
	(void)setenv("OPENAI_API_KEY", "o", 1);
	expect_endpoint("{}", "groq/llama-3.3-70b-versatile", GROQ, "g");
}

Test(openai, knows_a_local_provider_by_any_name_of_this_machine)
{
	static const struct {
		const char *url, *name;
	} cases[] = {
		{"http://localhost:11434", "ollama/llama3.2"},
		{"http://LocalHost:11434/v1", "ollama/llama3.2"},
		{"http://[::1]:11434", "ollama/llama3.2"},
		{"http://127.0.0.1:11434", "ollama/llama3.2"},
		{"http://localhost:8080", "llamacpp/default"},
		{"https://API.Groq.com/openai/v1", "groq/llama-3.3-70b-versatile"},
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		char yaml[100];
		(void)snprintf(yaml, sizeof yaml, "{base_url: '%s', api_key: k}", cases[i].url);
		create(yaml);
		cr_expect_str_eq(
			smartsupport_plugin.llm->name(instance), cases[i].name, "%s", cases[i].url);
		drop();
	}
	struct ss_error err = {0};
	cr_expect_eq(try_create("{base_url: 'http://localhost:1143'}", &err), -1);
	drop();
	cr_expect_eq(try_create("{base_url: 'http://localhost.example:11434'}", &err), -1);
}

Test(openai, has_presets_that_need_no_key)
{
	(void)setenv("OPENAI_API_KEY", "o", 1);
	expect_endpoint("{provider: ollama}", "ollama/llama3.2",
		"http://127.0.0.1:11434/v1/chat/completions", "");
	expect_endpoint("{provider: llamacpp}", "llamacpp/default",
		"http://127.0.0.1:8080/v1/chat/completions", "");
	expect_endpoint("{provider: vllm, base_url: 'http://127.0.0.1:9', model: q}", "vllm/q",
		"http://127.0.0.1:9/v1/chat/completions", "");
}

Test(openai, refuses_what_cannot_be_asked)
{
	static const struct {
		const char *yaml, *part;
	} cases[] = {
		{"{provider: groq}", "groq needs a key: set GROQ_API_KEY"},
		{"{provider: vllm, model: m}", "vllm needs a base_url"},
		{"{base_url: 'http://127.0.0.1:9'}", "has no default model"},
		{"{base_url: 'ftp://127.0.0.1', model: m}", "does not begin with http://"},
		{"{base_url: 'http://sk-secret@127.0.0.1', model: m}", "a user's name"},
		{"{base_url: 'http://127.0.0.1?key=sk-secret', model: m}", "a query"},
		{"{base_url: 'http://127.0.0.1', model: m, api_key: \"sk-secret\\n\"}",
			"a blank or another character"},
		{"{base_url: 'http://127.0.0.1', model: m, headers: {\"a b\": c}}",
			"the header \"a b\""},
		{"{base_url: 'http://127.0.0.1', model: m, headers: {a: \"sk-secret\\nx\"}}",
			"the header \"a\""},
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		struct ss_error err = {0};
		cr_expect_eq(try_create(cases[i].yaml, &err), -1, "%s", cases[i].yaml);
		cr_expect_not_null(strstr(err.text, cases[i].part), "%s", err.text);
		cr_expect_null(strstr(err.text, "sk-secret"));
		drop();
	}
}

Test(openai, says_that_a_key_alone_names_no_model)
{
	struct ss_error err = {0};
	cr_expect_eq(try_create("{}", &err), 0);
	cr_expect_null(instance);
	cr_expect_str_eq(seen.log, "", "%s", seen.log);
	drop();
	(void)setenv("LLM_API_KEY", "sk-secret", 1);
	cr_expect_eq(try_create("{}", &err), 0);
	cr_expect_null(instance);
	cr_expect_str_eq(seen.log, "LLM_API_KEY is set, but neither LLM_BASE_URL nor a provider's "
				   "own key is, so no language model is asked; set LLM_BASE_URL to "
				   "where the API is");
	drop();
	(void)setenv("LLM_MODEL", "m", 1);
	cr_expect_eq(try_create("{}", &err), 0);
	cr_expect_not_null(strstr(seen.log, "LLM_API_KEY and LLM_MODEL are set, but"));
	drop();
	seen.log[0] = '\0';
	(void)setenv("LLM_BASE_URL", "http://127.0.0.1:9", 1);
	create("{}");
	cr_expect_str_eq(seen.log, "", "%s", seen.log);
}

Test(openai, refuses_an_address_without_a_model)
{
	struct ss_error err = {0};
	(void)setenv("LLM_BASE_URL", "http://127.0.0.1:9", 1);
	cr_expect_eq(try_create("{}", &err), -1);
	cr_expect_not_null(strstr(err.text, "LLM_MODEL"));
}

Test(openai, warns_of_a_key_that_anybody_can_read_on_the_way)
{
	static const struct {
		const char *url;
		bool warns;
	} cases[] = {
		{"http://models.example", true},
		{"http://127.models.example/v1", true},
		{"http://localhost.models.example", true},
		{"HTTP://models.example", true},
		{"https://models.example", false},
		{"http://127.0.0.1:9", false},
		{"http://127.1.2.3/v1", false},
		{"http://LOCALHOST:9", false},
		{"http://localhost", false},
		{"http://[::1]:9/v1", false},
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		char yaml[200];
		(void)snprintf(yaml, sizeof yaml, "{base_url: '%s', model: m, api_key: sk-secret}",
			cases[i].url);
		seen.log[0] = '\0';
		create(yaml);
		cr_expect_eq(strstr(seen.log, "unencrypted") != NULL, cases[i].warns, "%s",
			cases[i].url);
		cr_expect_null(strstr(seen.log, "sk-secret"));
		drop();
	}
	seen.log[0] = '\0';
	create("{base_url: 'http://models.example', model: m}");
	cr_expect_str_eq(seen.log, "");
}
