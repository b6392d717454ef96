/* Plugins and hosts of different minor versions. This program is built twice: unit_abi with the headers as they are, and
 * unit_abi_later, whose host is built with headers of the next minor version, in which all that may grow has grown. */
#include "base/memory.h"
#include "plugin/plugin.h"

#include <criterion/criterion.h>
#include <smartsupport/testing.h>
#include <stdlib.h>
#include <string.h>

static char *fixture(const char *version)
{
	return memory_format(SS_BUILD_DIR "/tests/fixtures/abi/%s/agents/agent.so", version);
}

/* The agent that is built with the headers of VERSION runs on this host, and nothing is read behind the end of what it gave. */
static void runs(const char *version, unsigned says_minor, bool is_longer)
{
	struct ss_error err = {0};
	char *path = fixture(version);
	const struct ss_plugin *plugin = plugin_load(path, &err);
	free(path);
	cr_assert_not_null(plugin, "%s", err.text);
	cr_assert_eq(plugin->abi_minor, says_minor);
	cr_assert_eq(plugin->struct_size > sizeof(struct ss_plugin), is_longer);
	struct ss_test_host *host = ss_test_host_new(plugin);
	cr_assert_eq(ss_test_create(host, "{word: brief}", &err), 0, "%s", err.text);
	ss_test_set_text(host, "message", "a question");
	ss_test_articles(host, "[{\"id\": \"a\"}]");
	ss_test_answer(host, "because", "[]", "model");
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	cr_expect_str_eq(ss_test_written_text(host, "found"), "because");
	cr_expect_str_eq(ss_test_asked(host, SS_TEST_SEARCH), "a question");
	cr_expect_eq(ss_test_last_search(host)->top_k, 3);
	cr_expect_eq(ss_test_last_search(host)->min_score, 0.25);
	cr_expect_eq(ss_test_last_prompt(host)->instructions.length, 5);
	cr_expect_eq(
		ss_test_last_prompt(host)->use, SS_PROMPT_ANSWER, "what it did not say is zero");
	cr_expect_null(ss_test_last_prompt(host)->schema);
	ss_test_host_free(host);
}

Test(abi, of_the_first_version_runs_on_this_host)
{
	runs("1.0", 0, false);
}

#ifndef LATER_HOST

Test(abi, of_this_version_runs_on_this_host)
{
	runs("this", SS_ABI_MINOR, false);
}

Test(abi, of_a_later_version_is_refused_by_this_host)
{
	struct ss_error err = {0};
	char *path = fixture("later");
	char *why = memory_format("%s: built for plugin ABI %u.%u, this server has %u.%u", path,
		SS_ABI_MAJOR, SS_ABI_MINOR + 1, SS_ABI_MAJOR, SS_ABI_MINOR);
	cr_assert_null(plugin_load(path, &err));
	cr_expect_str_eq(err.text, why);
	free(why);
	free(path);
}

Test(abi, of_a_later_header_runs_on_this_host_when_it_says_that_it_serves_it)
{
	runs("later_serving_this", SS_ABI_MINOR, true);
}

#else

Test(abi, of_the_version_before_runs_on_a_later_host)
{
	runs("this", SS_ABI_MINOR - 1, false);
}

Test(abi, of_the_same_version_runs_on_a_later_host)
{
	runs("later", SS_ABI_MINOR, false);
}

#endif
