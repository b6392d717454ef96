#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <string.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_values(host, "sentiment", "Positive Neutral Negative Angry");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(escalation_check, .init = begin, .fini = end);

/* The reason, which is empty when nothing is escalated. */
static const char *reason(
	const char *options, const char *message, const char *sentiment, const char *numbers)
{
	struct ss_error err = {0};
	char priority[8] = "5";
	char attempts[8] = "1";
	cr_assert_eq(ss_test_create(host, options, &err), 0, "%s", err.text);
	if (numbers != NULL)
		cr_assert_eq(sscanf(numbers, "%7s %7s", priority, attempts), 2);
	ss_test_set_text(host, "message", message);
	ss_test_set_text(host, "sentiment", sentiment);
	ss_test_set(host, "priority", priority);
	ss_test_set(host, "attempts", attempts);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	const char *text = ss_test_written_text(host, "escalation_reason");
	cr_assert_str_eq(
		ss_test_written_json(host, "escalated"), text[0] != '\0' ? "true" : "false");
	return text;
}

Test(escalation_check, leaves_an_ordinary_question_alone)
{
	cr_expect_str_eq(reason("", "How do I export my data?", "Neutral", NULL), "");
}

Test(escalation_check, names_every_rule_that_fired_with_its_value)
{
	cr_expect_str_eq(reason("", "My lawyer will hear of this", "Angry", "9 3"),
		"priority 9 >= 8; attempts 3 >= 3; sentiment Angry; keyword \"lawyer\"");
}

Test(escalation_check, takes_the_bounds_from_its_options)
{
	cr_expect_str_eq(reason("{min_priority: 6, min_attempts: 2, sentiments: [Negative]}",
				 "It is broken", "Negative", "6 2"),
		"priority 6 >= 6; attempts 2 >= 2; sentiment Negative");
}

Test(escalation_check, finds_keywords_as_whole_words_in_any_case)
{
	cr_expect_str_eq(reason("", "I will SUE you", "Neutral", NULL), "keyword \"sue\"");
}

Test(escalation_check, does_not_find_a_keyword_inside_a_word)
{
	cr_expect_str_eq(reason("", "Another issue with the tissue box", "Neutral", NULL), "");
}

Test(escalation_check, finds_a_phrase_over_any_white_space_and_punctuation)
{
	cr_expect_str_eq(reason("", "Get me a human\n  agent, please", "Neutral", NULL),
		"keyword \"human agent\"");
}

Test(escalation_check, does_not_take_a_password_manager_for_a_manager)
{
	cr_expect_str_eq(reason("", "Does it work with my password manager?", "Neutral", NULL), "");
}

Test(escalation_check, still_finds_a_manager_beside_a_password_manager)
{
	cr_expect_str_eq(
		reason("", "The password manager is broken, get your manager", "Neutral", NULL),
		"keyword \"manager\"");
}

/* Whether MESSAGE is escalated for its words; by an instance of its own. */
static bool asks(const char *options, const char *message)
{
	bool asked = reason(options, message, "Neutral", NULL)[0] != '\0';
	end();
	begin();
	return asked;
}

Test(escalation_check, tells_who_the_manager_is_from_a_wish_to_speak_to_one)
{
	cr_expect_not(asks("", "I am the manager of our team, how do I add members?"));
	cr_expect(asks("", "I want to speak to the manager"));
	cr_expect(asks("", "Get me the manager of our account"));
	cr_expect(asks("", "Manager, now"));
	cr_expect(asks("", "I am the manager of our team and want to speak to your manager"));
}

Test(escalation_check, tells_a_name_from_a_threat)
{
	cr_expect_not(asks("", "Sue from accounting cannot log in"));
	cr_expect(asks("", "I will sue if this goes on"));
	cr_expect(asks("", "Sue from accounting says that we will sue"));
}

Test(escalation_check, tells_a_question_about_the_assistant_from_a_wish)
{
	cr_expect_not(asks("", "Am I talking to a computer or to a human?"));
	cr_expect(asks("", "Let me talk to a human"));
}

Test(escalation_check, hears_a_refusal)
{
	cr_expect_not(asks("", "Do not connect me to a human agent"));
	cr_expect_not(asks("", "No need to connect me to a human agent, a link is enough"));
	cr_expect(asks("", "I will not go on without a human"), "no refusal");
}

Test(escalation_check, ends_a_refusal_with_its_clause)
{
	cr_expect(asks("", "I don't need a link. A human agent, please"));
	cr_expect(asks("", "I do not need articles but a human"));
	cr_expect(asks("", "I don't need your articles I want a human"));
	cr_expect(asks(
		"", "No need to send me the same tired old article about it again human agent"));
}

Test(escalation_check, is_not_put_off_by_words_that_refuse_nothing)
{
	cr_expect(asks("", "Don't you have a real person there?"));
	cr_expect(asks("", "It does not work, I need a human"));
	cr_expect(asks("", "Don't make me call my lawyer"));
}

Test(escalation_check, takes_refusals_from_its_options)
{
	cr_expect(asks("{refusals: []}", "Do not connect me to a human agent"));
	cr_expect_not(asks("{refusals: [keine]}", "Bitte keine Weiterleitung an einen manager"));
	cr_expect(asks("{refusals: [keine], refusal_reach: 2}",
		"Bitte keine Weiterleitung an einen manager"));
}

Test(escalation_check, works_without_attempts_in_the_workflow)
{
	ss_test_leave_out(host, "attempts");
	cr_expect_str_eq(reason("", "Hello", "Neutral", NULL), "");
}

Test(escalation_check, refuses_a_sentiment_that_never_occurs)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, "{sentiments: [Furious]}", &err), -1);
	cr_expect_not_null(strstr(err.text, "\"Furious\" is no value of the field sentiment"));
}
