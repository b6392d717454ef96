#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <string.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_set_text(host, "sentiment", "Neutral");
	ss_test_set(host, "history", "[]");
	ss_test_set(host, "kb_results", "[]");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(technical, .init = begin, .fini = end);

static const char *abstention(const char *message)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, "", &err), 0, "%s", err.text);
	ss_test_set_text(host, "message", message);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_text(host, "answer");
}

Test(technical, asks_for_the_error_text_when_it_abstains)
{
	const char *text = abstention("It does not start");
	cr_expect_not_null(strstr(text, "human agent"));
	cr_expect_not_null(strstr(text, "exact text of any error message"));
}

Test(technical, does_not_ask_for_the_code_that_the_customer_gave)
{
	const char *text = abstention("It says TB-9999, help");
	cr_expect_not_null(strstr(text, "before TB-9999 appeared"));
	cr_expect_null(strstr(text, "exact text"));
}

Test(technical, takes_no_ordinary_word_for_a_code)
{
	cr_expect_not_null(strstr(abstention("HELP ME in 2026"), "exact text"));
}
