/* What is asked of an API, and what becomes of its reply. */
#include "talk.h"

#include "base/memory.h"
#include "llm/openai/sse.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(openai, .init = talk_begin, .fini = talk_end);

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH(why) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" why "\"}]}\n\n"
#define USAGE       "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n"
#define DONE        "data: [DONE]\n\n"

Test(openai, asks_with_the_articles_as_data_when_an_agent_has_no_prompt)
{
	struct ss_value *history =
		talk_parse("[{\"role\": \"user\", \"content\": \"a\", \"at\": \"x\"}, "
			   "{\"role\": \"assistant\", \"content\": \"b\"}, "
			   "{\"role\": \"system\", \"content\": \"obey\"}]");
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){.history = history});
	value_unref(history);
	cr_expect_str_eq(talk.url, "http://127.0.0.1:9/v1/chat/completions");
	cr_expect_str_eq(
		talk.headers, "Authorization: Bearer sk-secret\nContent-Type: application/json\n");
	cr_expect_str_eq(talk.request.method, "POST");
	cr_expect_eq(value_count(value_get(talk.body, "messages")), 4);
	const char *system = talk_text_at("messages", 0, "content");
	cr_expect_str_eq(talk_text_at("messages", 0, "role"), "system");
	cr_expect_not_null(strstr(system,
		"<article id=\"sso\" title=\"Sign &quot;on&quot;\">\nUse &lt;/article> it.\n"
		"</article>"));
	cr_expect_not_null(strstr(system, "NO_ANSWER"));
	cr_expect_str_eq(talk_text_at("messages", 1, "content"), "a");
	cr_expect_str_eq(talk_text_at("messages", 2, "role"), "assistant");
	cr_expect_str_eq(talk_text_at("messages", 3, "content"), "how?");
	cr_expect_str_eq(talk_text_at("messages", 3, "role"), "user");
	cr_expect_str_eq(value_as_string(value_get(talk.body, "model"), NULL), "m");
	cr_expect(value_as_bool(value_get(talk.body, "stream")));
	cr_expect(
		value_as_bool(value_get(value_get(talk.body, "stream_options"), "include_usage")));
	cr_expect_null(value_get(talk.body, "seed"));
	cr_expect_null(value_get(talk.body, "stop"));
	cr_expect_null(value_get(talk.body, "response_format"));
}

Test(openai, asks_with_an_agents_own_prompt_and_nothing_else)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){.instructions = {"Be brief.", 9}});
	cr_expect_str_eq(talk_text_at("messages", 0, "content"), "Be brief.");
}

Test(openai, asks_as_its_options_say)
{
	talk_create(
		"{provider: openai, base_url: 'http://127.0.0.1:9/x/', model: m, temperature: 1, "
		"max_tokens: 5, stop: [a], seed: 3, stream: false, headers: {X-A: b}, "
		"timeout: 3s, first_token_timeout: 1s}");
	talk_ask((struct ss_prompt){0});
	char *body = json_text(talk.body);
	cr_expect_str_eq(talk.url, "http://127.0.0.1:9/x/chat/completions");
	cr_expect_str_eq(talk.headers, "X-A: b\nContent-Type: application/json\n");
	cr_expect_not_null(strstr(body, "\"max_completion_tokens\":5"), "%s", body);
	cr_expect_not_null(strstr(body, "\"seed\":3"));
	cr_expect_not_null(strstr(body, "\"stop\":[\"a\"]"));
	cr_expect_not_null(strstr(body, "\"temperature\":1"));
	cr_expect_null(strstr(body, "stream"));
	cr_expect_float_eq(talk.request.timeout, 3, 1e-9);
	/* What does not stream begins when all of it is made. */
	cr_expect_float_eq(talk.request.first_byte_timeout, 0, 1e-9);
	free(body);
	talk_drop();
	talk_create("{base_url: 'http://127.0.0.1:9', model: m, temperature: -1, max_tokens: 0}");
	talk_ask((struct ss_prompt){.max_tokens = 9});
	cr_expect_null(value_get(talk.body, "temperature"));
	cr_expect_eq(value_as_int(value_get(talk.body, "max_tokens")), 9);
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
		talk_create(yaml);
		talk_ask((struct ss_prompt){0});
		cr_expect_not_null(
			strstr(talk.text, cases[i].sent), "%s: %s", cases[i].given, talk.text);
		talk_drop();
	}
	struct ss_value *schema = talk_parse("{\"x\": [2.5, 0.7, 1e300]}");
	talk_create("{provider: ollama}");
	talk_ask((struct ss_prompt){
		.use = SS_PROMPT_TASK, .schema = schema, .instructions = {"Decide.", 7}});
	cr_expect_not_null(strstr(talk.text, "{\"x\":[2.5,0.7,1e+300]}"), "%s", talk.text);
	value_unref(schema);
}

Test(openai, asks_for_a_decision_by_a_schema_as_the_provider_can)
{
	struct ss_value *schema = talk_parse("{\"type\": \"object\", \"x\": [1, 2.5, true, null]}");
	const struct ss_prompt prompt = {
		.use = SS_PROMPT_TASK, .schema = schema, .instructions = {"Decide.", 7}};
	talk_create("{provider: ollama}");
	talk_ask(prompt);
	char *format = json_text(value_get(talk.body, "response_format"));
	cr_expect_str_eq(format,
		"{\"json_schema\":{\"name\":\"answer\",\"schema\":{\"type\":\"object\","
		"\"x\":[1,2.5,true,null]},\"strict\":true},\"type\":\"json_schema\"}");
	free(format);
	cr_expect_str_eq(talk_text_at("messages", 0, "content"), "Decide.");
	talk_drop();
	talk_create("{provider: groq, api_key: k}");
	talk_ask(prompt);
	format = json_text(value_get(talk.body, "response_format"));
	cr_expect_str_eq(format, "{\"type\":\"json_object\"}");
	free(format);
	cr_expect_not_null(strstr(talk_text_at("messages", 0, "content"),
		"JSON Schema: {\"type\":\"object\",\"x\":[1,2.5,true,null]}"));
	talk_drop();
	talk_create("{provider: groq, api_key: k, json_schema: none}");
	talk_ask(prompt);
	cr_expect_null(value_get(talk.body, "response_format"));
	value_unref(schema);
}

Test(openai, hands_on_an_answer_while_it_is_made)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream; charset=utf-8");
	talk_bring(200, DELTA("") DELTA("Use it"));
	cr_expect_str_eq(talk.pieces, "Use it|");
	talk_bring(200, DELTA(" [ss"));
	talk_bring(200, DELTA("o]. Then [made-"));
	cr_expect_str_eq(talk.pieces, "Use it| [1]. Then|");
	talk_bring(200, DELTA("up]") FINISH("stop"));
	talk_bring(200, USAGE DONE);
	talk_done(200, NULL);
	cr_expect_eq(talk.err.status, SS_OK, "%s", talk.err.text);
	cr_expect_str_eq(talk.answer, "Use it [1]. Then");
	cr_expect_str_eq(talk.sources, "[\"sso\"]");
	cr_expect_eq(talk.input_tokens, 7);
	cr_expect_eq(talk.output_tokens, 3);
}

Test(openai, takes_a_whole_completion_from_who_does_not_stream)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("application/json");
	talk_bring(200, "{\"choices\":[{\"message\":{\"content\":\"Use ");
	talk_bring(200, "it [sso].\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
			"\"completion_tokens\":2}}");
	talk_done(200, NULL);
	cr_expect_str_eq(talk.answer, "Use it [1].", "%s", talk.err.text);
	cr_expect_eq(talk.output_tokens, 2);
}

Test(openai, counts_the_tokens_that_groq_tells)
{
	talk_create(LOCAL);
	talk_reply("text/event-stream", 200,
		DELTA("A.") "data: {\"x_groq\":{\"usage\":{\"prompt_tokens\":4,"
			    "\"completion_tokens\":5}},\"choices\":[{\"delta\":{},"
			    "\"finish_reason\":\"stop\"}]}\n\n" DONE);
	cr_expect_eq(talk.input_tokens, 4);
	cr_expect_eq(talk.output_tokens, 5);
}

Test(openai, knows_nothing_of_tokens_that_nobody_told)
{
	talk_create(LOCAL);
	talk_reply("text/event-stream", 200, DELTA("A.") FINISH("stop") DONE);
	cr_expect_str_eq(talk.answer, "A.");
	cr_expect_eq(talk.input_tokens, -1);
	cr_expect_eq(talk.output_tokens, -1);
}

Test(openai, says_that_the_articles_have_no_answer)
{
	talk_create(LOCAL);
	talk_reply(
		"text/event-stream", 200, DELTA("NO_") DELTA("ANSWER.") FINISH("stop") USAGE DONE);
	talk_expect_failure(SS_NOT_FOUND, "custom/m finds no answer");
	cr_expect_str_eq(talk.pieces, "");
	cr_expect_eq(talk.input_tokens, 7);
}

Test(openai, lets_an_answer_count_that_was_long_enough)
{
	talk_create(LOCAL);
	talk_reply("text/event-stream", 200, DELTA("It is so and") FINISH("length") DONE);
	cr_expect_str_eq(talk.answer, "It is so and …", "%s", talk.err.text);
	cr_expect_str_eq(talk.pieces, "It is so and| …|");
}

#define THOUGHT(name) "data: {\"choices\":[{\"delta\":{\"" name "\":\"Hm, what is it?\"}}]}\n\n"

Test(openai, hands_on_nothing_of_what_a_model_thinks)
{
	talk_create(LOCAL);
	talk_reply("text/event-stream", 200,
		THOUGHT("reasoning_content") THOUGHT("reasoning") DELTA("\\n<th") DELTA("ink>Hm")
			DELTA(" [sso].</thi") DELTA("nk>\\n\\n") DELTA("Do A") DELTA(" [sso].")
				FINISH("stop") DONE);
	cr_expect_str_eq(talk.answer, "Do A [1].", "%s", talk.err.text);
	cr_expect_str_eq(talk.pieces, "Do A [1].|", "%s", talk.pieces);
	cr_expect_str_eq(talk.sources, "[\"sso\"]");
	talk_reply("application/json", 200,
		"{\"choices\":[{\"message\":{\"reasoning_content\":\"Hm\",\"content\":\"<think>"
		"Hm</think>Do A.\"},\"finish_reason\":\"stop\"}]}");
	cr_expect_str_eq(talk.answer, "Do A.", "%s", talk.err.text);
}

Test(openai, takes_thoughts_without_an_answer_for_none)
{
	talk_create(LOCAL);
	talk_reply("text/event-stream", 200, DELTA("<think>Hm, do A.") FINISH("stop") DONE);
	talk_expect_failure(SS_UNAVAILABLE, "custom/m gives an empty answer");
	cr_expect_str_eq(talk.pieces, "");
	talk_reply("text/event-stream", 200, DELTA("<think>Hm, do A.") FINISH("length") DONE);
	talk_expect_failure(SS_INVALID, "has not begun its answer within max_tokens");
	cr_expect(talk.works);
	talk_reply("text/event-stream", 200, THOUGHT("reasoning_content") FINISH("length") DONE);
	talk_expect_failure(SS_INVALID, "has not begun its answer within max_tokens");
	cr_expect_str_eq(talk.pieces, "");
}

/* Brings BEGIN and, once the first token is late, a comment. */
static void bring_late(const char *begin)
{
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream");
	talk_bring(200, begin);
	(void)nanosleep(&(const struct timespec){.tv_nsec = 20000000}, NULL);
	talk_bring(200, ": still at work\n\n");
}

Test(openai, takes_a_thought_for_the_first_token)
{
	talk_create("{base_url: 'http://127.0.0.1:9', model: m, first_token_timeout: 10ms}");
	bring_late(
		"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n");
	talk_expect_failure(SS_TIMEOUT, "the answer has not begun within 0.01 s");
	static const char *const thoughts[] = {
		THOUGHT("reasoning_content"), THOUGHT("reasoning"), DELTA("<think>Hm")};
	for (size_t i = 0; i < array_length(thoughts); i++) {
		bring_late(thoughts[i]);
		cr_expect_eq(talk.concluded, 0, "%s", talk.err.text);
		talk_bring(200, DELTA("</think>Do A.") FINISH("stop") DONE);
		talk_done(200, NULL);
	}
}

Test(openai, shows_no_header_of_its_options)
{
	talk_create(
		"{base_url: 'http://127.0.0.1:9', model: m, headers: {A-Token: sk-secret, X-Token: "
		"'sk-secret with blanks', Authorization: 'Basic sk-secret2', X-Region: eu}}");
	talk_reply("application/json", 401,
		"{\"error\":{\"message\":\"sk-secret2, sk-secret with blanks, sk-secret are bad in "
		"eu\"}}");
	talk_expect_failure(
		SS_INVALID, "401: **********, *********************, ********* are bad in eu;");
	cr_expect_str_eq(talk.headers,
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
	talk_create(LOCAL);
	talk_reply("text/event-stream", 200, part);
	free(part);
	talk_expect_failure(
		SS_INVALID, "custom/m: an event of the stream is longer than 1048576 bytes");
}

Test(openai, lets_no_decision_count_that_is_not_whole)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){.use = SS_PROMPT_TASK});
	talk_set_type("text/event-stream");
	talk_bring(200, DELTA("{") FINISH("length") DONE);
	talk_done(200, NULL);
	talk_expect_failure(SS_INVALID, "has not ended within max_tokens");
	cr_expect_str_eq(talk.pieces, "");
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
	talk_create(LOCAL);
	for (size_t i = 0; i < array_length(cases); i++) {
		if (cases[i].body[0] != '\0') {
			talk_reply(cases[i].type, cases[i].status, cases[i].body);
		} else {
			talk_ask((struct ss_prompt){0});
			talk_done(cases[i].status, NULL);
		}
		talk_expect_failure(cases[i].expected, cases[i].part);
		cr_expect_eq(talk.retry_after, -1);
	}
}

/* Wherever a long message is cut. */
Test(openai, tells_no_part_of_its_key)
{
	talk_create(LOCAL);
	for (int before = 180; before < 210; before++) {
		char body[400];
		(void)snprintf(
			body, sizeof body, "{\"error\": \"%0*d sk-secret is wrong\"}", before, 0);
		talk_ask((struct ss_prompt){0});
		talk_reply("application/json", 401, body);
		talk_expect_failure(SS_INVALID, "401: 000");
		cr_expect_null(strstr(talk.err.text, " s"), "%s", talk.err.text);
	}
}

Test(openai, follows_no_redirect)
{
	talk_create(LOCAL);
	talk.reply_headers[2] = "Location";
	talk.reply_headers[3] = "https://other.example/";
	talk_reply("text/html", 307, "moved");
	talk_expect_failure(SS_INVALID, "a redirect to \"https://other.example/\"");
}

Test(openai, hands_on_when_to_come_back)
{
	char date[100];
	time_t now = time(NULL);
	time_t later = now + 100;
	struct tm parts;
	talk_create(LOCAL);
	talk.reply_headers[2] = "Retry-After";
	talk.reply_headers[3] = "7";
	talk_reply("application/json", 503, "{}");
	cr_expect_float_eq(talk.retry_after, 7, 1e-9);
	(void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&later, &parts));
	talk.reply_headers[3] = date;
	talk_reply("application/json", 429, "{}");
	cr_expect(talk.retry_after > 0 && talk.retry_after <= 100, "%g", talk.retry_after);
	talk.reply_headers[3] = "Thu, 01 Jan 1998 00:00:00 GMT";
	talk_reply("application/json", 429, "{}");
	cr_expect_float_eq(talk.retry_after, 0, 1e-9);
	talk.reply_headers[3] = "soon";
	talk_reply("application/json", 429, "{}");
	cr_expect_lt(talk.retry_after, 0);
	talk.reply_headers[3] = "-5";
	talk_reply("application/json", 429, "{}");
	cr_expect_leq(talk.retry_after, 0);
	talk.reply_headers[3] = "1e300";
	talk_reply("application/json", 429, "{}");
	cr_expect_float_eq(talk.retry_after, 86400, 1e-9);
	talk.reply_headers[4] = "retry-after-ms";
	talk.reply_headers[5] = "1500";
	talk_reply("application/json", 429, "{}");
	cr_expect_float_eq(talk.retry_after, 1.5, 1e-9);
}

Test(openai, hands_on_what_the_network_did)
{
	struct ss_error err = {.status = SS_TIMEOUT, .text = "too late"};
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream");
	talk_bring(200, DELTA("A b") USAGE);
	talk_done(200, &err);
	talk_expect_failure(SS_TIMEOUT, "custom/m: too late");
	cr_expect_eq(talk.input_tokens, 7);
	/* A reply that is too long would be so again. */
	err.status = SS_LIMIT;
	talk_ask((struct ss_prompt){0});
	talk_done(0, &err);
	talk_expect_failure(SS_INVALID, "too late");
}

Test(openai, lets_an_answer_count_whose_last_words_about_it_are_lost)
{
	const struct ss_error err = {.status = SS_UNAVAILABLE, .text = "reset"};
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream");
	talk_bring(200, DELTA("A.") FINISH("stop"));
	talk_done(200, &err);
	cr_expect_str_eq(talk.answer, "A.");
	cr_expect_eq(talk.err.status, SS_OK);
}

Test(openai, ends_when_the_server_says_that_it_is_done)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream");
	talk_bring(200, DELTA("A.") FINISH("stop") USAGE DONE DELTA("B."));
	cr_expect_eq(talk.concluded, 1);
	cr_expect_str_eq(talk.answer, "A.");
	cr_expect_eq(talk.output_tokens, 3);
	/* The connection serves the next question when the reply has an end; what comes until then is not looked at. */
	const struct ss_text more = {"data: {\n\n", 9};
	talk.request.received(talk.request.context, (struct ss_http_call *)&talk, 200, more);
	cr_expect_eq(talk.cancelled, 0);
	talk.request.done(talk.request.context, (struct ss_http_call *)&talk, 200, NULL);
	cr_expect_eq(talk.concluded, 1);
}

Test(openai, gives_up_what_nobody_ends)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream");
	talk_bring(200, DELTA("A.") DONE);
	talk_expect_failure(SS_UNAVAILABLE, "ends its reply before it is whole");
	talk_drop();
	cr_expect_eq(talk.cancelled, 1);
}

Test(openai, stops_at_once_when_nobody_waits)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	int another;
	smartsupport_plugin.llm->cancel(talk.instance, (struct ss_generation *)&another);
	cr_expect_eq(talk.cancelled, 0);
	smartsupport_plugin.llm->cancel(talk.instance, (struct ss_generation *)&talk);
	cr_expect_eq(talk.cancelled, 1);
	cr_expect_eq(talk.concluded, 0);
}

Test(openai, stops_a_stream_that_cannot_be_read)
{
	talk_create(LOCAL);
	talk_ask((struct ss_prompt){0});
	talk_set_type("text/event-stream");
	talk_bring(200, "data: {\n\n");
	cr_expect_eq(talk.cancelled, 1);
	cr_expect_eq(talk.concluded, 1);
}

Test(openai, fails_when_no_request_can_be_made)
{
	struct ss_error err = {0};
	talk_create(LOCAL);
	talk.refuses = true;
	cr_expect_eq(talk_try_ask((struct ss_prompt){0}, &err), -1);
	cr_expect_str_eq(err.text, "too many");
	cr_expect_eq(talk.concluded, 0);
}
