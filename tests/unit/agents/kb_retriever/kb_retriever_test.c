#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <string.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_set_text(host, "message", "my card");
	ss_test_set_text(host, "category", "Billing");
	ss_test_articles(host, "[{\"id\": \"a\", \"score\": 0.5, \"scores\": {\"lexical\": 0.1}, "
			       "\"confidence\": 0.6}, {\"id\": \"b\", \"score\": 0.4}]");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(kb_retriever, .init = begin, .fini = end);

static enum ss_result retrieve(const char *options, struct ss_error *err)
{
	cr_assert_eq(ss_test_create(host, options, err), 0, "%s", err->text);
	return ss_test_run(host, err);
}

Test(kb_retriever, writes_what_the_search_found)
{
	struct ss_error err = {0};
	cr_assert_eq(retrieve("{top_k: 4, min_score: 0.25}", &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "kb_results"),
		"[{\"confidence\":0.6,\"id\":\"a\",\"score\":0.5,\"scores\":{\"lexical\":0.1}},"
		"{\"id\":\"b\",\"score\":0.4}]");
	const struct ss_search *search = ss_test_last_search(host);
	cr_expect_eq(search->top_k, 4);
	cr_expect_float_eq(search->min_score, 0.25, 1e-9);
	cr_expect_str_eq(search->prefer_category, "Billing");
	cr_expect_str_eq(ss_test_written_json(host, "retrieval"),
		"{\"abstained\":false,\"best\":\"a\",\"confidence\":0.6,\"reason\":\"\","
		"\"scores\":{\"lexical\":0.1}}");
}

Test(kb_retriever, abstains_when_the_best_article_is_not_likely_to_answer)
{
	struct ss_error err = {0};
	cr_assert_eq(retrieve("{min_confidence: 0.61}", &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "kb_results"), "[]");
	cr_expect_str_eq(ss_test_written_json(host, "retrieval"),
		"{\"abstained\":true,\"best\":\"a\",\"confidence\":0.6,\"reason\":"
		"\"low_confidence\",\"scores\":{\"lexical\":0.1}}");
}

Test(kb_retriever, passes_on_the_doubt_that_made_it_abstain)
{
	struct ss_error err = {0};
	ss_test_articles(host, "[{\"id\": \"a\", \"scores\": {}, \"confidence\": 0.0, "
			       "\"doubt\": \"unknown_code\"}]");
	cr_assert_eq(retrieve("", &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "kb_results"), "[]");
	cr_expect_not_null(
		strstr(ss_test_written_json(host, "retrieval"), "\"reason\":\"unknown_code\""));
}

Test(kb_retriever, says_that_no_article_was_found)
{
	struct ss_error err = {0};
	ss_test_articles(host, "[]");
	cr_assert_eq(retrieve("{min_confidence: 0}", &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "kb_results"), "[]");
	cr_expect_str_eq(ss_test_written_json(host, "retrieval"),
		"{\"abstained\":true,\"best\":\"\",\"confidence\":0.0,\"reason\":"
		"\"no_article\",\"scores\":{}}");
}

Test(kb_retriever, names_the_stages_that_did_not_run)
{
	struct ss_error err = {0};
	ss_test_missing(host, "{\"stages\": [\"question\", \"answer\"], \"error\": \"no model\"}");
	cr_assert_eq(retrieve("", &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "retrieval"),
		"{\"abstained\":false,\"best\":\"a\",\"confidence\":0.6,\"missing\":{\"error\":"
		"\"no model\",\"stages\":[\"question\",\"answer\"]},\"reason\":\"\","
		"\"scores\":{\"lexical\":0.1}}");
}

Test(kb_retriever, names_them_as_well_when_no_article_was_found)
{
	struct ss_error err = {0};
	ss_test_articles(host, "[]");
	ss_test_missing(host, "{\"stages\": [\"question\", \"answer\"], \"error\": \"no model\"}");
	cr_assert_eq(retrieve("", &err), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "retrieval"),
		"{\"abstained\":true,\"best\":\"\",\"confidence\":0.0,\"missing\":{\"error\":"
		"\"no model\",\"stages\":[\"question\",\"answer\"]},\"reason\":\"no_article\","
		"\"scores\":{}}");
}

Test(kb_retriever, works_without_retrieval_in_the_workflow)
{
	struct ss_error err = {0};
	ss_test_leave_out(host, "retrieval");
	cr_assert_eq(retrieve("", &err), SS_DONE);
}

Test(kb_retriever, prefers_no_category_when_told_so)
{
	struct ss_error err = {0};
	cr_assert_eq(retrieve("{prefer_category: false}", &err), SS_DONE);
	cr_expect_null(ss_test_last_search(host)->prefer_category);
}

Test(kb_retriever, works_without_a_category_in_the_workflow)
{
	struct ss_error err = {0};
	ss_test_leave_out(host, "category");
	cr_assert_eq(retrieve("", &err), SS_DONE);
	cr_expect_null(ss_test_last_search(host)->prefer_category);
}

Test(kb_retriever, fails_when_the_search_fails)
{
	struct ss_error err = {0};
	ss_test_fail(host, SS_TEST_SEARCH, SS_UNAVAILABLE, "no index");
	cr_assert_eq(retrieve("", &err), SS_FAILED);
	cr_expect_str_eq(err.text, "no index");
}
