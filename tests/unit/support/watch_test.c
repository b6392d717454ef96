#include "support/watch.h"

#include "base/buffer.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* What was told, as lines; and what the pieces since the last replace come to. */
static struct buffer told;
static struct buffer shown;

static void tell_json(const char *name, const struct ss_value *value)
{
	buffer_add_format(&told, "%s ", name);
	json_print(&told, value);
	buffer_add_char(&told, '\n');
}

static void on_analysis(void *context, const struct ss_value *analysis)
{
	(void)context;
	tell_json("analysis", analysis);
}

static void on_articles(void *context, const struct ss_value *articles)
{
	(void)context;
	tell_json("articles", articles);
}

static void on_token(void *context, struct ss_text text)
{
	(void)context;
	buffer_add_string(&told, "token ");
	buffer_add(&told, text.data, text.length);
	buffer_add_char(&told, '\n');
	buffer_add(&shown, text.data, text.length);
}

static void on_replace(void *context)
{
	(void)context;
	buffer_add_string(&told, "replace\n");
	shown.length = 0;
}

static const struct support_listener listener = {
	.analysis = on_analysis,
	.articles = on_articles,
	.token = on_token,
	.replace = on_replace,
};

static struct watch *watch;

static void begin(void)
{
	watch = watch_new(&listener, NULL);
}

static void end(void)
{
	watch_free(watch);
	buffer_free(&told);
	buffer_free(&shown);
}

TestSuite(support_watch, .init = begin, .fini = end);

static void event(const char *json)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(json, strlen(json), &err);
	cr_assert_not_null(value, "%s: %s", err.text, json);
	watch_event(watch, value);
	value_unref(value);
}

/* A piece of the attempt ATTEMPT of ID, which has the try TRY. */
static void piece(const char *id, int attempt, int try, const char *text)
{
	struct buffer json = {0};
	buffer_add_format(&json,
		"{\"event\":\"token\",\"node\":\"n\",\"id\":\"%s\",\"attempt\":%d,\"try\":%d,"
		"\"text\":\"%s\"}",
		id, attempt, try, text);
	event(buffer_text(&json));
	buffer_free(&json);
}

static void finished(const char *id, const char *status)
{
	struct buffer json = {0};
	buffer_add_format(&json,
		"{\"event\":\"node.finished\",\"node\":\"n\",\"id\":\"%s\",\"status\":\"%s\","
		"\"writes\":{}}",
		id, status);
	event(buffer_text(&json));
	buffer_free(&json);
}

static void reply(const char *response)
{
	struct ss_value *value = value_map_make({"response", value_text(response)},
		{"category", value_text("General")}, {"sentiment", value_text("Neutral")},
		{"priority", value_int(5)},
		{"metadata", value_map_make({"kb_results", value_list(NULL, 0)})});
	watch_end(watch, value);
	value_unref(value);
	cr_expect_str_eq(buffer_text(&shown), response);
}

#define REST                                                                                       \
	"analysis {\"category\":\"General\",\"priority\":5,\"sentiment\":\"Neutral\"}\n"           \
	"articles []\n"

static void expect(const char *lines)
{
	cr_expect_str_eq(buffer_text(&told), lines);
}

Test(support_watch, tells_the_whole_response_when_nothing_came_before)
{
	reply("Hello.");
	expect(REST "token Hello.\n");
}

Test(support_watch, tells_pieces_as_they_come_and_then_what_is_missing)
{
	piece("1", 1, 1, "Hel");
	piece("1", 1, 1, "lo.");
	finished("1", "done");
	expect("token Hel\ntoken lo.\n");
	reply("Hello. Bye.");
	expect("token Hel\ntoken lo.\n" REST "token  Bye.\n");
}

Test(support_watch, tells_nothing_more_when_all_was_told)
{
	piece("1", 1, 1, "Hello.");
	reply("Hello.");
	expect("token Hello.\n" REST);
}

Test(support_watch, puts_what_one_node_says_behind_what_another_has_said)
{
	piece("1", 1, 0, "Sorry. ");
	piece("1", 1, 1, "Do this.");
	finished("1", "done");
	piece("2", 1, 0, " Source: x");
	finished("2", "done");
	reply("Sorry. Do this. Source: x");
	expect("token Sorry. \ntoken Do this.\ntoken  Source: x\n" REST);
}

Test(support_watch, takes_back_what_is_not_the_response)
{
	piece("1", 1, 1, "A draft");
	finished("1", "done");
	reply("Another.");
	expect("token A draft\n" REST "replace\ntoken Another.\n");
}

Test(support_watch, takes_back_what_is_longer_than_the_response)
{
	piece("1", 1, 1, "Hello. And more");
	reply("Hello.");
	expect("token Hello. And more\n" REST "replace\ntoken Hello.\n");
}

Test(support_watch, takes_back_an_earlier_try_but_not_the_agents_own_words)
{
	piece("1", 1, 0, "Sorry. ");
	piece("1", 1, 1, "Do th");
	piece("1", 1, 2, "Try ");
	piece("1", 1, 2, "this.");
	reply("Sorry. Try this.");
	expect("token Sorry. \ntoken Do th\nreplace\ntoken Sorry. Try \ntoken this.\n" REST);
}

Test(support_watch, goes_on_when_an_agent_asks_its_model_again)
{
	piece("1", 1, 2, "One. ");
	piece("1", 1, 1, "Two. ");
	piece("1", 1, 3, "Three.");
	reply("One. Three.");
	expect("token One. \ntoken Two. \nreplace\ntoken One. Three.\n" REST);
}

Test(support_watch, takes_back_an_attempt_when_another_one_speaks)
{
	piece("1", 1, 0, "Sorry. ");
	piece("1", 1, 1, "Do th");
	piece("1", 2, 0, "Sorry. ");
	piece("1", 2, 1, "Do this.");
	reply("Sorry. Do this.");
	expect("token Sorry. \ntoken Do th\nreplace\ntoken Sorry. \ntoken Do this.\n" REST);
}

Test(support_watch, takes_back_what_a_node_said_that_failed)
{
	piece("1", 1, 1, "Do th");
	finished("1", "degraded");
	expect("token Do th\nreplace\n");
	piece("2", 1, 1, "Hello.");
	reply("Hello.");
	expect("token Do th\nreplace\ntoken Hello.\n" REST);
}

Test(support_watch, keeps_what_was_said_before_a_node_that_failed)
{
	piece("1", 1, 1, "Hello.");
	finished("1", "done");
	piece("2", 1, 1, " By");
	finished("2", "failed");
	expect("token Hello.\ntoken  By\nreplace\n");
	reply("Hello.");
	expect("token Hello.\ntoken  By\nreplace\n" REST "token Hello.\n");
}

Test(support_watch, waits_for_the_end_when_two_speak_at_once)
{
	piece("1", 1, 1, "One");
	piece("2", 1, 1, "Two");
	piece("1", 1, 1, " more");
	finished("1", "done");
	piece("2", 1, 1, " more");
	expect("token One\n");
	reply("One and two.");
	expect("token One\n" REST "token  and two.\n");
}

Test(support_watch, tells_whole_characters_only)
{
	static const char *const parts[] = {"caf\xc3", "\xa9 \xf0\x9f", "\x98", "\x80!"};
	for (size_t i = 0; i < 4; i++) {
		struct ss_value *token =
			value_map_make({"event", value_text("token")}, {"id", value_text("1")},
				{"attempt", value_int(1)}, {"text", value_text(parts[i])});
		watch_event(watch, token);
		value_unref(token);
	}
	expect("token caf\ntoken \xc3\xa9 \ntoken \xf0\x9f\x98\x80!\n");
	reply("caf\xc3\xa9 \xf0\x9f\x98\x80!");
}

Test(support_watch, does_not_wait_for_what_is_no_character)
{
	struct ss_value *token =
		value_map_make({"event", value_text("token")}, {"id", value_text("1")},
			{"attempt", value_int(1)}, {"text", value_text("\x80\x80\x80\x80\x80")});
	watch_event(watch, token);
	value_unref(token);
	expect("token \x80\x80\x80\x80\x80\n");
}

#define WROTE(node, writes)                                                                        \
	"{\"event\":\"node.finished\",\"node\":\"" node                                            \
	"\",\"id\":\"9\",\"status\":\"done\",\"writes\":" writes "}"

Test(support_watch, tells_the_decisions_once_all_are_known)
{
	event(WROTE("a", "{\"category\":\"Billing\"}"));
	event(WROTE("b", "{\"sentiment\":\"Angry\",\"other\":1}"));
	expect("");
	event(WROTE("c", "{\"priority\":9}"));
	expect("analysis {\"category\":\"Billing\",\"priority\":9,\"sentiment\":\"Angry\"}\n");
	event(WROTE("d", "{\"priority\":10}"));
	reply("x");
	expect("analysis {\"category\":\"Billing\",\"priority\":9,\"sentiment\":\"Angry\"}\n"
	       "articles []\ntoken x\n");
}

Test(support_watch, tells_the_articles_without_their_contents)
{
	event(WROTE("r", "{\"kb_results\":[{\"id\":\"a\",\"title\":\"A\",\"category\":\"Billing\","
			 "\"score\":0.5,\"content\":\"long\",\"scores\":{}}]}"));
	expect("articles "
	       "[{\"category\":\"Billing\",\"id\":\"a\",\"score\":0.5,\"title\":\"A\"}]\n");
}

Test(support_watch, passes_over_the_fields_of_inner_workflows)
{
	event(WROTE("outer/r", "{\"kb_results\":[{\"id\":\"a\"}],\"category\":\"x\","
			       "\"sentiment\":\"y\",\"priority\":1}"));
	expect("");
	reply("x");
	expect(REST "token x\n");
}
