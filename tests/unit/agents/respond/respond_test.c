#include <smartsupport/testing.h>

#include <criterion/criterion.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_set_text(host, "answer", "Click **Forgot**.");
	ss_test_set(host, "answered", "true");
	ss_test_set(host, "sources", "[{\"id\": \"a\", \"title\": \"How?\"}]");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(respond, .init = begin, .fini = end);

static const char *response(const char *options)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, options, &err), 0, "%s", err.text);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_text(host, "response");
}

Test(respond, names_the_article_and_closes)
{
	cr_expect_str_eq(response("{closing: Bye.}"), "Click **Forgot**.\n\nSource: How?\n\nBye.");
}

Test(respond, names_all_articles)
{
	ss_test_set(host, "sources", "[{\"title\": \"A?\"}, {\"title\": \"B?\"}]");
	cr_expect_str_eq(response("{closing: ''}"), "Click **Forgot**.\n\nSources: A?; B?");
}

Test(respond, adds_nothing_to_what_is_no_answer)
{
	ss_test_set(host, "answered", "false");
	cr_expect_str_eq(response(""), "Click **Forgot**.");
}

Test(respond, shows_only_what_it_adds)
{
	(void)response("{closing: Bye.}");
	cr_expect_str_eq(ss_test_emitted(host), "\n\nSource: How?\n\nBye.");
}
