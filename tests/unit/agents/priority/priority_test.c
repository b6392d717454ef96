#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <string.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_values(host, "category", "Technical Billing Account General");
	ss_test_values(host, "sentiment", "Positive Neutral Negative Angry");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(priority, .init = begin, .fini = end);

static void create(const char *options)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, options, &err), 0, "%s", err.text);
}

static void refused(const char *options, const char *why)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, options, &err), -1);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

static int64_t priority_of(
	const char *category, const char *sentiment, const char *attempts, const char *vip)
{
	struct ss_error err = {0};
	ss_test_set_text(host, "category", category);
	ss_test_set_text(host, "sentiment", sentiment);
	ss_test_set(host, "attempts", attempts);
	ss_test_set(host, "vip", vip);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_table(host)->values->as_int(ss_test_written(host, "priority"));
}

Test(priority, adds_up_the_published_points)
{
	create("");
	cr_expect_eq(priority_of("Account", "Neutral", "1", "false"), 5);
	cr_expect_eq(priority_of("Technical", "Negative", "1", "false"), 7);
	cr_expect_eq(priority_of("Billing", "Angry", "1", "false"), 9);
	cr_expect_eq(priority_of("General", "Positive", "1", "false"), 4);
	cr_expect_eq(priority_of("General", "Neutral", "2", "false"), 7);
	cr_expect_eq(priority_of("General", "Neutral", "1", "true"), 7);
	cr_expect_eq(priority_of("General", "Positive", "3", "true"), 8);
}

Test(priority, counts_a_repetition_once_however_often_it_was_asked)
{
	create("");
	cr_expect_eq(priority_of("General", "Neutral", "9", "false"), 7);
}

Test(priority, explains_the_sum_factor_by_factor)
{
	create("{category_weights: {Billing: 1}}");
	cr_expect_eq(priority_of("Billing", "Negative", "2", "false"), 10);
	cr_expect_str_eq(ss_test_written_json(host, "priority_factors"),
		"[{\"factor\":\"base\",\"value\":5,\"weight\":5},"
		"{\"factor\":\"sentiment\",\"value\":\"Negative\",\"weight\":2},"
		"{\"factor\":\"category\",\"value\":\"Billing\",\"weight\":1},"
		"{\"factor\":\"repeat\",\"value\":2,\"weight\":2},"
		"{\"factor\":\"vip\",\"value\":false,\"weight\":0}]");
}

Test(priority, says_that_the_sum_was_clamped)
{
	create("");
	cr_expect_eq(priority_of("Billing", "Angry", "2", "true"), 10);
	cr_expect_not_null(strstr(ss_test_written_json(host, "priority_factors"),
		",{\"factor\":\"clamped\",\"value\":10,\"weight\":-3}]"));
}

Test(priority, clamps_at_the_lower_end_as_well)
{
	create("{base: 1, min: 1}");
	cr_expect_eq(priority_of("General", "Positive", "1", "false"), 1);
	cr_expect_not_null(strstr(ss_test_written_json(host, "priority_factors"),
		",{\"factor\":\"clamped\",\"value\":1,\"weight\":1}]"));
}

Test(priority, rounds_a_sum_of_fractions_and_says_so)
{
	create("{vip_weight: 0.5}");
	cr_expect_eq(priority_of("General", "Neutral", "1", "true"), 6);
	cr_expect_not_null(strstr(ss_test_written_json(host, "priority_factors"),
		"{\"factor\":\"vip\",\"value\":true,\"weight\":0.5},"
		"{\"factor\":\"rounded\",\"value\":6,\"weight\":0.5}]"));
}

Test(priority, gives_no_points_for_a_label_without_a_weight)
{
	create("{sentiment_weights: {Angry: 1}}");
	cr_expect_eq(priority_of("General", "Negative", "1", "false"), 5);
	cr_expect_eq(priority_of("General", "Angry", "1", "false"), 6);
}

Test(priority, does_without_the_optional_fields)
{
	struct ss_error err = {0};
	ss_test_leave_out(host, "attempts");
	ss_test_leave_out(host, "vip");
	ss_test_leave_out(host, "priority_factors");
	create("");
	ss_test_set_text(host, "category", "Billing");
	ss_test_set_text(host, "sentiment", "Angry");
	cr_assert_eq(ss_test_run(host, &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "priority"), "9");
	cr_expect_null(ss_test_written(host, "priority_factors"));
}

Test(priority, refuses_a_weight_for_a_sentiment_that_the_workflow_does_not_have)
{
	refused("{sentiment_weights: {Furious: 4}}",
		"sentiment_weights has a weight for \"Furious\", which the field sentiment does "
		"not "
		"have; its values are Positive, Neutral, Negative, Angry");
}

Test(priority, refuses_a_weight_for_a_category_that_the_workflow_does_not_have)
{
	refused("{category_weights: {Shipping: 1}}",
		"category_weights has a weight for \"Shipping\", which the field category does not "
		"have; its values are Technical, Billing, Account, General");
}

Test(priority, takes_any_label_where_the_fields_are_plain_strings)
{
	ss_test_host_free(host);
	host = ss_test_host_new(&smartsupport_plugin);
	create("{category_weights: {Shipping: 1}}");
	cr_expect_eq(priority_of("Shipping", "Neutral", "1", "false"), 6);
}

Test(priority, refuses_bounds_that_leave_nothing)
{
	refused("{min: 8, max: 3}", "min (8) is above max (3)");
}
