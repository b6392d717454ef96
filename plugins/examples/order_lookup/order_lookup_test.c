/* The agent order_lookup, tried without a server and without a shop. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>

#define URL "https://shop.example/orders/"

static struct ss_test_host *host;

/* Runs the agent on MESSAGE; the shop answers for the order 17 with STATUS and BODY. */
static enum ss_result run(const char *message, int status, const char *body, struct ss_error *err)
{
	ss_test_reply(host, URL "17", status, NULL, body);
	ss_test_set_text(host, "message", message);
	return ss_test_run(host, err);
}

int main(void)
{
	struct ss_error err = {0};
	host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{url: '" URL "'}", &err) == 0);

	assert(run("Where is #17?", 200, "{\"state\": \"sent\"}", &err) == SS_DONE);
	assert(strcmp(ss_test_written_json(host, "order"), "{\"state\":\"sent\"}") == 0);
	assert(ss_test_last_request(host)->timeout == 5);

	assert(run("Where is # 17, #x or #?", 200, "{}", &err) == SS_DONE);
	assert(ss_test_written(host, "order") == NULL);
	assert(ss_test_calls(host, SS_TEST_HTTP) == 1); /* no number, no request */

	assert(run("Where is #17?", 404, "no such order", &err) == SS_DONE);
	assert(ss_test_written(host, "order") == NULL);

	assert(run("Where is #17?", 500, "", &err) == SS_FAILED);
	assert(err.status == SS_UNAVAILABLE && strstr(err.text, "500") != NULL);
	assert(run("Where is #17?", 200, "[1]", &err) == SS_FAILED);
	assert(strstr(err.text, "no JSON object") != NULL);
	assert(run("Where is #17?", 200, "<html>", &err) == SS_FAILED);

	ss_test_fail(host, SS_TEST_HTTP, SS_TIMEOUT, "too late");
	assert(run("Where is #17?", 200, "{}", &err) == SS_FAILED);
	assert(err.status == SS_TIMEOUT);
	ss_test_host_free(host);
	return 0;
}
