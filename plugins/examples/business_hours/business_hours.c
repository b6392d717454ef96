/* The agent business_hours: whether somebody is there, so that a workflow can say when a human will answer. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strptime() and timegm() */
#endif
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPTION_DAYS, OPTION_OPENS, OPTION_CLOSES, OPTION_UTC_OFFSET, OPTION_HOLIDAYS };
enum { FIELD_ASKED_AT, FIELD_OPEN, FIELD_OPENS_AT };
enum { MINUTE_S = 60, DAY_S = 86400, SEARCH_DAYS = 366, DATE_SIZE = sizeof "2026-01-31" };

/* One node of a workflow. Times of a day are seconds since midnight there. */
struct business_hours {
	const struct ss_host *host;
	bool days[7]; /* from Sunday */
	int64_t opens_s, closes_s;
	int64_t utc_offset_s;
	struct ss_value *holidays; /* a list of dates */
};

static void destroy(void *instance)
{
	struct business_hours *agent = instance;
	agent->host->values->unref(agent->holidays);
	free(agent);
}

/* Reads DAYS, as in [mon, tue], to the agent. */
static int read_days(
	struct business_hours *agent, const struct ss_value *days, struct ss_error *err)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	const struct ss_value_functions *values = agent->host->values;
	for (size_t i = 0; i < values->count(days); i++) {
		const char *name = values->as_string(values->at(days, i), NULL);
		size_t day = 0;
		while (day < 7 && strcmp(names[day], name) != 0)
			day++;
		if (day == 7)
			return ss_fail_as(err, SS_INVALID,
				"days: \"%s\" is none of sun, mon, tue, wed, thu, fri, sat", name);
		agent->days[day] = true;
	}
	if (values->count(days) == 0)
		return ss_fail_as(err, SS_INVALID, "days: name one day at least");
	return 0;
}

/* Reads TEXT, as 08:30, to *SECONDS. OPTION says where it is written. */
static int read_time(const char *text, const char *option, int64_t *seconds, struct ss_error *err)
{
	struct tm parts = {0};
	const char *end = strptime(text, "%H:%M", &parts);
	if (end == NULL || *end != '\0')
		return ss_fail_as(err, SS_INVALID,
			"%s: \"%s\" is no time of a day; write it as 08:30", option, text);
	*seconds = parts.tm_hour * 3600 + parts.tm_min * MINUTE_S;
	return 0;
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct business_hours *agent = calloc(1, sizeof *agent);
	if (agent == NULL)
		return ss_fail(err, "out of memory");
	agent->host = setup->host;
	agent->holidays = values->ref(setup->options[OPTION_HOLIDAYS]);
	agent->utc_offset_s = values->as_int(setup->options[OPTION_UTC_OFFSET]) * MINUTE_S;
	const char *opens = values->as_string(setup->options[OPTION_OPENS], NULL);
	const char *closes = values->as_string(setup->options[OPTION_CLOSES], NULL);
	if (read_days(agent, setup->options[OPTION_DAYS], err) < 0 ||
		read_time(opens, "opens", &agent->opens_s, err) < 0 ||
		read_time(closes, "closes", &agent->closes_s, err) < 0)
		goto fail;
	if (agent->closes_s <= agent->opens_s) {
		(void)ss_fail_as(
			err, SS_INVALID, "closes: %s is not later than opens, %s", closes, opens);
		goto fail;
	}
	*instance = agent;
	return 0;
fail:
	destroy(agent);
	return -1;
}

/* Whether the day that begins at MIDNIGHT_S, in the time there, is one on which somebody is there. */
static bool is_open_on(const struct business_hours *agent, int64_t midnight_s)
{
	const struct ss_value_functions *values = agent->host->values;
	char date[DATE_SIZE];
	struct tm parts;
	time_t time = midnight_s;
	if (gmtime_r(&time, &parts) == NULL || strftime(date, sizeof date, "%Y-%m-%d", &parts) == 0)
		return false;
	for (size_t i = 0; i < values->count(agent->holidays); i++) {
		if (strcmp(values->as_string(values->at(agent->holidays, i), NULL), date) == 0)
			return false;
	}
	return agent->days[parts.tm_wday];
}

/* When somebody is there next, from NOW_S on, all in the time there; -1: not within a year. */
static int64_t next_opening(const struct business_hours *agent, int64_t now_s)
{
	int64_t midnight_s = now_s - now_s % DAY_S;
	for (int day = 0; day < SEARCH_DAYS; day++, midnight_s += DAY_S) {
		if (now_s < midnight_s + agent->closes_s && is_open_on(agent, midnight_s)) {
			int64_t opens_s = midnight_s + agent->opens_s;
			return opens_s > now_s ? opens_s : now_s;
		}
	}
	return -1;
}

/* Seconds since 1970 of TEXT, an RFC 3339 time in UTC; -1 when it is none. */
static int64_t seconds_of(const char *text)
{
	struct tm parts = {0};
	return strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) != NULL ? (int64_t)timegm(&parts) : -1;
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct business_hours *agent = instance;
	const struct ss_host *host = agent->host;
	const char *asked_at = host->values->as_string(host->read(run, FIELD_ASKED_AT), NULL);
	int64_t asked_s = seconds_of(asked_at);
	char text[sizeof "2026-01-31T08:30:00Z"] = "";
	struct tm parts;
	if (asked_s < 0) {
		(void)ss_fail_as(
			err, SS_INVALID, "asked_at: \"%.40s\" is no RFC 3339 time", asked_at);
		return SS_FAILED;
	}
	int64_t now_s = asked_s + agent->utc_offset_s;
	int64_t opens_s = next_opening(agent, now_s);
	time_t at = opens_s - agent->utc_offset_s;
	if (opens_s > now_s && gmtime_r(&at, &parts) != NULL)
		(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	if (host->write(run, FIELD_OPEN, host->values->boolean(opens_s == now_s), err) < 0 ||
		host->write(run, FIELD_OPENS_AT, host->values->string(text, strlen(text)), err) < 0)
		return SS_FAILED;
	return SS_DONE;
}

static const struct ss_option options[] = {
	[OPTION_DAYS] = {.name = "days",
		.type = SS_OPTION_STRINGS,
		.fallback = "[mon, tue, wed, thu, fri]",
		.help = "The days of the week on which somebody is there."},
	[OPTION_OPENS] = {.name = "opens",
		.type = SS_OPTION_STRING,
		.fallback = "08:00",
		.help = "From when on, in the time there."},
	[OPTION_CLOSES] = {.name = "closes",
		.type = SS_OPTION_STRING,
		.fallback = "20:00",
		.help = "Until when, in the time there."},
	[OPTION_UTC_OFFSET] = {.name = "utc_offset",
		.type = SS_OPTION_INT,
		.fallback = "0",
		.min = -840,
		.max = 840,
		.help = "How many minutes the time there is ahead of UTC."},
	[OPTION_HOLIDAYS] = {.name = "holidays",
		.type = SS_OPTION_STRINGS,
		.fallback = "[]",
		.help = "Dates on which nobody is there, as \"2026-12-25\"."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_ASKED_AT] = {"asked_at", SS_STRING, SS_READS,
		"When the message was written, RFC 3339 in UTC."},
	[FIELD_OPEN] = {"open", SS_BOOL, SS_WRITES, "Whether somebody is there then."},
	[FIELD_OPENS_AT] = {"opens_at", SS_STRING, SS_WRITES | SS_OPTIONAL,
		"When somebody is there next, RFC 3339 in UTC; nothing when somebody is, or "
		"nobody within a year."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = destroy,
	.run = run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "business_hours",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Tells whether somebody is there, and when next.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
