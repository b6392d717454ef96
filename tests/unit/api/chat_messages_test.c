#include "api/chat_messages.h"

#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ss_value *json(const char *text)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(text, strlen(text), &err);
	cr_assert_not_null(value, "%s: %s", err.text, text);
	return value;
}

/* The key of EARLIER (JSON) and, if they are given, a question and its answer. */
static const char *thread(
	const char *who, const char *earlier, const char *message, const char *response, char *key)
{
	struct ss_value *list = json(earlier);
	struct ss_value *question = message != NULL ? value_text(message) : NULL;
	const struct ss_text answer = text_of(response != NULL ? response : "");
	(void)chat_thread(who, list, question, response != NULL ? &answer : NULL, key);
	value_unref(list);
	value_unref(question);
	return key;
}

static void expect_same(bool same, const char *one, const char *other)
{
	char keys[2][HASH_SIZE];
	bool equal = strcmp(thread("a", one, NULL, NULL, keys[0]),
			     thread("a", other, NULL, NULL, keys[1])) == 0;
	cr_expect_eq(equal, same, "%s %s", one, other);
}

#define USER(text)      "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"

Test(chat_thread, of_an_answer_is_that_of_the_messages_that_a_client_sends_next)
{
	char keys[2][HASH_SIZE];
	cr_expect_str_eq(thread("a", "[]", "How?", "So.", keys[0]),
		thread("a", "[" USER("How?") "," ASSISTANT("So.") "]", NULL, NULL, keys[1]));
	cr_expect_str_eq(
		thread("a", "[" USER("How?") "," ASSISTANT("So.") "]", "And?", "No.", keys[0]),
		thread("a",
			"[" USER("How?") "," ASSISTANT("So.") "," USER("And?") "," ASSISTANT(
				"No.") "]",
			NULL, NULL, keys[1]));
}

Test(chat_thread, does_not_look_at_white_space)
{
	expect_same(true, "[" USER("a  b\\n") "]", "[" USER(" a b") "]");
}

Test(chat_thread, differs_by_who_says_what_in_which_order)
{
	expect_same(false, "[" USER("a") "]", "[" USER("b") "]");
	expect_same(false, "[" USER("a") "]", "[" ASSISTANT("a") "]");
	expect_same(false, "[" USER("a") "," USER("b") "]", "[" USER("b") "," USER("a") "]");
	expect_same(false, "[" USER("a") "," USER("b") "]", "[" USER("auser 1 b") "]");
	char keys[2][HASH_SIZE];
	cr_expect_str_neq(
		thread("a", "[]", NULL, NULL, keys[0]), thread("b", "[]", NULL, NULL, keys[1]));
}

static void expect_refused(const char *body, const char *parameter)
{
	struct chat_question question;
	struct openai_error error = {0};
	struct ss_value *value = json(body);
	cr_expect_eq(chat_question_read(&question, value, &error), -1, "%s", body);
	cr_expect_str_eq(error.parameter, parameter, "%s", error.message);
	value_unref(value);
}

#define BODY(rest) "{\"model\":\"smartsupport\"" rest "}"

Test(chat_question, is_the_last_message_and_the_others_are_its_history)
{
	struct chat_question question;
	struct openai_error error = {0};
	struct ss_value *body = json(
		BODY(",\"user\":\"ann\",\"messages\":[{\"role\":\"system\",\"content\":\"x\"}"
		     "," USER("a") "," ASSISTANT(
			     " ") ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]},"
				  "{\"role\":\"tool\",\"content\":\"y\"}," ASSISTANT(
					  "b") ","
					       "{\"role\":\"user\",\"content\":[{\"type\":\"text\","
					       "\"text\":\"c\"},{\"type\":\"text\",\"text\":\"d\"}]"
					       "}]"));
	cr_assert_eq(chat_question_read(&question, body, &error), 0, "%s", error.message);
	cr_expect_str_eq(value_as_string(question.message, NULL), "cd");
	cr_expect_str_eq(question.user_id, "ann");
	struct ss_value *expected = json("[" USER("a") "," ASSISTANT("b") "]");
	cr_expect(value_equal(question.earlier, expected));
	value_unref(expected);
	chat_question_free(&question);
	value_unref(body);
}

Test(chat_question, leaves_nothing_behind_when_it_is_refused)
{
	expect_refused(
		BODY(",\"stream_options\":5,\"messages\":[" USER("a") "]"), "stream_options");
	expect_refused(BODY(""), "messages");
	expect_refused(BODY(",\"messages\":[" USER("a") "," ASSISTANT("b") "]"), "messages");
	expect_refused(BODY(",\"messages\":[" USER("a") ",{\"role\":\"x\"}]"), "messages[1].role");
	expect_refused(BODY(",\"messages\":[" USER("a") ",{\"role\":\"user\",\"content\":[{"
							"\"type\":\"text\",\"text\":\"b\"},7]}]"),
		"messages[1].content[1]");
}
