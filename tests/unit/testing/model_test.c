#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A model that asks an address over HTTP and answers what comes back. */

struct asking {
	const struct ss_host *host;
	struct ss_generation *generation;
	struct ss_http_call *call;
	size_t limit;
	bool gives_up; /* at the first part */
	char body[256];
};

static struct asking model;

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	(void)err;
	model.host = setup->host;
	*instance = &model;
	return 0;
}

static void destroy(void *instance)
{
	cr_assert_eq(instance, &model);
}

static void received(void *context, struct ss_http_call *call, int status, struct ss_text part)
{
	struct asking *asking = context;
	cr_assert_eq(call, asking->call);
	cr_assert_eq(status, 200);
	cr_assert_str_eq(asking->host->http_header(call, "retry-after"), "3 s");
	cr_assert_null(asking->host->http_header(call, "Retry"));
	(void)strncat(asking->body, part.data, part.length);
	asking->host->piece(asking->generation, part);
	if (asking->gives_up) {
		const struct ss_error err = {.status = SS_INVALID, .text = "enough"};
		asking->host->http_cancel(call);
		asking->host->answer(asking->generation, (struct ss_text){0}, NULL, &err);
	}
}

static void done(void *context, struct ss_http_call *call, int status, const struct ss_error *err)
{
	struct asking *asking = context;
	const struct ss_conclusion conclusion = {
		.struct_size = sizeof conclusion,
		.err = err,
		.answer = {asking->body, strlen(asking->body)},
		.input_tokens = status,
		.output_tokens = 7,
	};
	cr_assert_eq(call, asking->call);
	asking->host->conclude(asking->generation, &conclusion);
}

static int generate(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	struct asking *asking = instance;
	static const char *const headers[] = {"Accept: text/plain", NULL};
	const struct ss_http_request request = {
		.struct_size = sizeof request,
		.method = "POST",
		.url = "http://model.example/",
		.headers = headers,
		.body = prompt->question,
		.body_limit = asking->limit,
		.received = received,
		.done = done,
		.context = asking,
	};
	asking->generation = generation;
	asking->call = asking->host->http_start(asking->host, &request, err);
	return asking->call != NULL ? 0 : -1;
}

static const struct ss_llm_operations operations = {
	.create = create, .destroy = destroy, .generate = generate};
static const struct ss_plugin plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_LLM,
	.name = "asking",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Asks an address.",
	.llm = &operations,
};

static struct ss_test_host *host;

static void begin(void)
{
	model = (struct asking){0};
	host = ss_test_host_new(&plugin);
	cr_assert_eq(ss_test_create(host, "", NULL), 0);
	ss_test_reply(host, "http://model.example/", 500, NULL, "broken");
	ss_test_reply(host, "http://model.example/", 200, "Server: x\nRetry-After: 3 s", "a reply");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(model, .init = begin, .fini = end);

static int ask(struct ss_error *err)
{
	const struct ss_prompt prompt = {.struct_size = sizeof prompt, .question = {"why?", 4}};
	return ss_test_generate(host, &prompt, err);
}

/* Asks; the model must fail with STATUS for the reason WHY. */
static void fails(enum ss_status status, const char *why)
{
	struct ss_error err = {0};
	cr_assert_eq(ask(&err), -1);
	cr_expect_eq(err.status, status);
	cr_expect(strstr(err.text, why) != NULL, "%s", err.text);
}

Test(model, is_answered_in_parts_by_the_last_reply_to_the_address)
{
	struct ss_error err = {0};
	cr_assert_eq(ask(&err), 0, "%s", err.text);
	const struct ss_conclusion *conclusion = ss_test_conclusion(host);
	cr_expect_str_eq(conclusion->answer.data, "a reply");
	cr_expect_eq(conclusion->input_tokens, 200);
	cr_expect_str_eq(ss_test_emitted(host), "a reply");
	const struct ss_http_request *request = ss_test_last_request(host);
	cr_expect_str_eq(request->method, "POST");
	cr_expect_str_eq(request->headers[0], "Accept: text/plain");
	cr_expect_str_eq(request->body.data, "why?");
	cr_expect_eq(ss_test_calls(host, SS_TEST_HTTP), 1);
	cr_expect_str_eq(ss_test_asked(host, SS_TEST_HTTP), "http://model.example/");
}

Test(model, fails_as_the_test_says)
{
	ss_test_fail(host, SS_TEST_HTTP, SS_TIMEOUT, "too late");
	fails(SS_TIMEOUT, "too late");
	ss_test_fail(host, SS_TEST_HTTP, SS_OK, "");
	ss_test_refuse(host, SS_TEST_HTTP, SS_LIMIT, "too many");
	fails(SS_LIMIT, "too many");
}

Test(model, gets_no_more_than_it_asked_for)
{
	model.limit = 6;
	fails(SS_LIMIT, "longer than 6 bytes");
	cr_expect_str_eq(model.body, "", "nothing of it came");
}

Test(model, hears_nothing_more_of_a_call_that_it_ends)
{
	model.gives_up = true;
	fails(SS_INVALID, "enough");
	cr_expect_str_eq(ss_test_emitted(host), "a r");
}

Test(model, ends_the_program_when_its_call_outlives_it, .signal = SIGABRT, .init = NULL,
	.fini = NULL)
{
	begin();
	const struct ss_http_request request = {
		.struct_size = sizeof request, .url = "http://model.example/", .done = done};
	(void)model.host->http_start(model.host, &request, NULL);
	end();
}
