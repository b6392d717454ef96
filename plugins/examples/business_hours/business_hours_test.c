/* The agent business_hours, tried without a server. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>

/* The agent with OPTIONS says OPEN of the time ASKED_AT, and that somebody is there next at OPENS_AT. */
static void tells(const char *options, const char *asked_at, const char *open, const char *opens_at)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, options, &err) == 0);
	ss_test_set_text(host, "asked_at", asked_at);
	assert(ss_test_run(host, &err) == SS_DONE);
	assert(strcmp(ss_test_written_json(host, "open"), open) == 0);
	assert(strcmp(ss_test_written_text(host, "opens_at"), opens_at) == 0);
	ss_test_host_free(host);
}

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
	/* 2026-01-30 is a Friday. */
	tells("", "2026-01-30T08:00:00Z", "true", "");
	tells("", "2026-01-30T07:59:59Z", "false", "2026-01-30T08:00:00Z");
	tells("", "2026-01-30T19:59:59.9Z", "true", "");
	tells("", "2026-01-30T20:00:00Z", "false", "2026-02-02T08:00:00Z");
	tells("{holidays: ['2026-02-02']}", "2026-01-31T12:00:00Z", "false",
		"2026-02-03T08:00:00Z");
	tells("{utc_offset: 330, opens: '09:00'}", "2026-01-30T03:29:00Z", "false",
		"2026-01-30T03:30:00Z");
	tells("{utc_offset: -480}", "2026-01-31T03:59:00Z", "true", ""); /* Friday there */
	refuses("{days: [monday]}", "\"monday\" is none of");
	refuses("{days: []}", "one day at least");
	refuses("{opens: '8.30'}", "is no time of a day");
	refuses("{opens: '20:00'}", "is not later than opens");
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	struct ss_error err = {0};
	assert(ss_test_create(host, "", &err) == 0);
	ss_test_set_text(host, "asked_at", "yesterday");
	assert(ss_test_run(host, &err) == SS_FAILED && strstr(err.text, "\"yesterday\"") != NULL);
	ss_test_host_free(host);
	return 0;
}
