/* Which API is asked. */
#include "talk.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(openai_endpoint, .init = talk_begin, .fini = talk_end);

Test(openai_endpoint, is_left_out_where_nothing_says_what_to_ask)
{
	struct ss_error err = {0};
	cr_expect_eq(talk_try_create("{}", &err), 0, "%s", err.text);
	cr_expect_null(talk.instance);
}

static void expect_endpoint(const char *yaml, const char *name, const char *url, const char *key)
{
	char expected[200];
	talk_create(yaml);
	talk_ask((struct ss_prompt){0});
	cr_expect_str_eq(smartsupport_plugin.llm->name(talk.instance), name);
	cr_expect_str_eq(talk.url, url);
	(void)snprintf(expected, sizeof expected, "Authorization: Bearer %s\n", key);
	if (key[0] != '\0')
		cr_expect_not_null(strstr(talk.headers, expected), "%s", talk.headers);
	else
		cr_expect_null(strstr(talk.headers, "Authorization"));
	talk_drop();
}

#define GROQ "https://api.groq.com/openai/v1/chat/completions"

Test(openai_endpoint, finds_the_endpoint_in_the_environment)
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

Test(openai_endpoint, knows_a_provider_by_its_address)
{
	(void)setenv("LLM_BASE_URL", "https://api.groq.com/openai/v1", 1);
	(void)setenv("GROQ_API_KEY", "g", 1);
	(void)setenv("OPENAI_API_KEY", "o", 1);
	expect_endpoint("{}", "groq/llama-3.3-70b-versatile", GROQ, "g");
}

Test(openai_endpoint, knows_a_local_provider_by_any_name_of_this_machine)
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
		talk_create(yaml);
		cr_expect_str_eq(smartsupport_plugin.llm->name(talk.instance), cases[i].name, "%s",
			cases[i].url);
		talk_drop();
	}
	struct ss_error err = {0};
	cr_expect_eq(talk_try_create("{base_url: 'http://localhost:1143'}", &err), -1);
	talk_drop();
	cr_expect_eq(talk_try_create("{base_url: 'http://localhost.example:11434'}", &err), -1);
}

Test(openai_endpoint, has_presets_that_need_no_key)
{
	(void)setenv("OPENAI_API_KEY", "o", 1);
	expect_endpoint("{provider: ollama}", "ollama/llama3.2",
		"http://127.0.0.1:11434/v1/chat/completions", "");
	expect_endpoint("{provider: llamacpp}", "llamacpp/default",
		"http://127.0.0.1:8080/v1/chat/completions", "");
	expect_endpoint("{provider: vllm, base_url: 'http://127.0.0.1:9', model: q}", "vllm/q",
		"http://127.0.0.1:9/v1/chat/completions", "");
}

Test(openai_endpoint, refuses_what_cannot_be_asked)
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
		cr_expect_eq(talk_try_create(cases[i].yaml, &err), -1, "%s", cases[i].yaml);
		cr_expect_not_null(strstr(err.text, cases[i].part), "%s", err.text);
		cr_expect_null(strstr(err.text, "sk-secret"));
		talk_drop();
	}
}

Test(openai_endpoint, says_that_a_key_alone_names_no_model)
{
	struct ss_error err = {0};
	cr_expect_eq(talk_try_create("{}", &err), 0);
	cr_expect_null(talk.instance);
	cr_expect_str_eq(talk.log, "", "%s", talk.log);
	talk_drop();
	(void)setenv("LLM_API_KEY", "sk-secret", 1);
	cr_expect_eq(talk_try_create("{}", &err), 0);
	cr_expect_null(talk.instance);
	cr_expect_str_eq(talk.log, "LLM_API_KEY is set, but neither LLM_BASE_URL nor a provider's "
				   "own key is, so no language model is asked; set LLM_BASE_URL to "
				   "where the API is");
	talk_drop();
	(void)setenv("LLM_MODEL", "m", 1);
	cr_expect_eq(talk_try_create("{}", &err), 0);
	cr_expect_not_null(strstr(talk.log, "LLM_API_KEY and LLM_MODEL are set, but"));
	talk_drop();
	talk.log[0] = '\0';
	(void)setenv("LLM_BASE_URL", "http://127.0.0.1:9", 1);
	talk_create("{}");
	cr_expect_str_eq(talk.log, "", "%s", talk.log);
}

Test(openai_endpoint, refuses_an_address_without_a_model)
{
	struct ss_error err = {0};
	(void)setenv("LLM_BASE_URL", "http://127.0.0.1:9", 1);
	cr_expect_eq(talk_try_create("{}", &err), -1);
	cr_expect_not_null(strstr(err.text, "LLM_MODEL"));
}

Test(openai_endpoint, warns_of_a_key_that_anybody_can_read_on_the_way)
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
		talk.log[0] = '\0';
		talk_create(yaml);
		cr_expect_eq(strstr(talk.log, "unencrypted") != NULL, cases[i].warns, "%s",
			cases[i].url);
		cr_expect_null(strstr(talk.log, "sk-secret"));
		talk_drop();
	}
	talk.log[0] = '\0';
	talk_create("{base_url: 'http://models.example', model: m}");
	cr_expect_str_eq(talk.log, "");
}
