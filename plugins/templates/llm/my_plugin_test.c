/* The model my_plugin, tried without a server. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>

/* Asks the model of HOST with ARTICLES, a JSON list. */
static int ask(struct ss_test_host *host, const char *articles, struct ss_error *err)
{
	const struct ss_value_functions *values = ss_test_table(host)->values;
	struct ss_value *list = values->from_json(articles, strlen(articles), err);
	const struct ss_prompt prompt = {
		.struct_size = sizeof prompt,
		.question = {"Where is it?", 12},
		.articles = list,
	};
	int result = ss_test_generate(host, &prompt, err);
	values->unref(list);
	return result;
}

int main(void)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{max_bytes: 8}", &err) == 0);
	assert(ask(host, "[{\"id\": \"a\", \"content\": \"At last\u00fc\"}]", &err) == 0);
	const struct ss_conclusion *conclusion = ss_test_conclusion(host);
	assert(strcmp(conclusion->answer.data, "At last") == 0); /* and half a character less */
	assert(strcmp(ss_test_emitted(host), "At last") == 0);
	const struct ss_value_functions *values = ss_test_table(host)->values;
	assert(strcmp(values->as_string(values->at(conclusion->sources, 0), NULL), "a") == 0);
	assert(ask(host, "[]", &err) == -1 && err.status == SS_NOT_FOUND);
	ss_test_host_free(host);
	return 0;
}
