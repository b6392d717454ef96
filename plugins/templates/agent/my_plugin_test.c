/* The agent my_plugin, tried without a server. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>

/* What the agent with OPTIONS finds in MESSAGE. */
static void finds(const char *options, const char *message, const char *found)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, options, &err) == 0);
	ss_test_set_text(host, "message", message);
	assert(ss_test_run(host, &err) == SS_DONE);
	assert(strcmp(ss_test_written_text(host, "found"), found) == 0);
	ss_test_host_free(host);
}

/* OPTIONS are refused with a sentence that has WHY in it. */
static void refuses(const char *options, const char *why)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, options, &err) == -1);
	assert(strstr(err.text, why) != NULL);
	ss_test_host_free(host);
}

int main(void)
{
	finds("", "This is URGENT, please!", "urgent");
	finds("", "Take your time.", "");
	finds("{words: [refund]}", "I want a refund, it is urgent", "refund");
	refuses("{words: []}", "words is empty");
	refuses("{wrods: [refund]}", "wrods");
	return 0;
}
