/* GET /api/v1/analytics: the figures over time, also of the steps in which nothing happened. */
#include "api/asked.h"
#include "base/clock.h"
#include "base/memory.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum {
	STEPS_LIMIT = 10000,
	USUAL_HOURS = 24, /* up to now */
	USUAL_DAYS = 30,
};

#define HOUR_NS INT64_C(3600000000000)
#define DAY_NS  (24 * HOUR_NS)

static int64_t up(int64_t at_ns, int64_t step_ns)
{
	return (at_ns + step_ns - 1) / step_ns * step_ns;
}

static struct ss_value *time_value(int64_t at_ns)
{
	char text[CLOCK_TEXT_SIZE];
	return value_text(clock_format(at_ns, text));
}

static struct ss_value *count_of(const struct ss_value *step, const char *name)
{
	return value_int(value_as_int(value_get(step, name)));
}

static struct ss_value *map_of(const struct ss_value *step, const char *name)
{
	const struct ss_value *map = value_get(step, name);
	return map != NULL ? value_ref(map) : value_map(NULL, NULL, 0);
}

static struct ss_value *number_of(const struct ss_value *map, const char *name)
{
	const struct ss_value *number = value_get(map, name);
	return number != NULL ? value_ref(number) : value_null();
}

/* The step at AT_NS, of which STEP tells; NULL: nothing happened in it. */
static struct ss_value *step_value(int64_t at_ns, const struct ss_value *step)
{
	const struct ss_value *ratings = value_get(step, "ratings");
	struct ss_value *rated = value_map_make(
		{"count", count_of(ratings, "count")}, {"average", number_of(ratings, "average")});
	return value_map_make({"at", time_value(at_ns)}, {"queries", count_of(step, "queries")},
		{"escalated", count_of(step, "escalated")},
		{"resolved", count_of(step, "resolved")},
		{"response_time", number_of(step, "response_time")},
		{"categories", map_of(step, "categories")},
		{"sentiments", map_of(step, "sentiments")}, {"ratings", rated});
}

/* SERIES, whose steps are in their order, with those between them. */
static struct ss_value *fill(const struct ss_analytics_range *range, const struct ss_value *series)
{
	size_t count = (size_t)((range->to_ns - range->from_ns) / range->step_ns), next = 0;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		char at[CLOCK_TEXT_SIZE];
		int64_t at_ns = range->from_ns + (int64_t)i * range->step_ns;
		const struct ss_value *step = value_at(series, next);
		(void)clock_format(at_ns, at);
		bool happened = step != NULL &&
				strcmp(value_as_string(value_get(step, "at"), NULL), at) == 0;
		items[i] = step_value(at_ns, happened ? step : NULL);
		next += happened;
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

static int read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	const struct ss_analytics_range *range = asked_question(asked);
	struct ss_value *series = NULL;
	if (storage->read_analytics(instance, range, &series, err) < 0)
		return -1;
	asked->value = value_map_make({"from", time_value(range->from_ns)},
		{"to", time_value(range->to_ns)},
		{"step", value_text(range->step_ns == DAY_NS ? "day" : "hour")},
		{"items", fill(range, series)});
	value_unref(series);
	return 0;
}

static void refuse(struct http_request *request, const char *parameter, const char *detail)
{
	struct ss_value *error = value_map_make(
		{"parameter", value_text(parameter)}, {"detail", value_text(detail)});
	http_reply_problem(request, 422, detail, value_list(&error, 1));
}

void api_analytics(struct http_request *request)
{
	const char *step = api_parameter_text(request, "step");
	bool days = step != NULL && strcmp(step, "day") == 0;
	int64_t step_ns = days ? DAY_NS : HOUR_NS;
	int64_t from_ns = asked_time(request, "from");
	int64_t to_ns = asked_time(request, "to");
	bool to_now = api_parameter(request, "to") == NULL;
	to_ns = up(to_now ? clock_utc_ns() : to_ns, step_ns);
	if (api_parameter(request, "from") == NULL)
		from_ns = to_ns - (days ? USUAL_DAYS : USUAL_HOURS) * step_ns;
	from_ns = from_ns > 0 ? from_ns / step_ns * step_ns : 0;
	if (to_now && to_ns - from_ns > STEPS_LIMIT * step_ns)
		to_ns = from_ns + STEPS_LIMIT * step_ns;
	if (from_ns >= to_ns) {
		refuse(request, "from", "from must be before to");
		return;
	}
	if ((to_ns - from_ns) / step_ns > STEPS_LIMIT) {
		refuse(request, "from",
			"this would be more than 10000 steps; ask for days, or for less time");
		return;
	}
	struct asked *asked = asked_make(request, struct ss_analytics_range, asked_reply_value);
	struct ss_analytics_range *range = asked_question(asked);
	*range = (struct ss_analytics_range){
		.struct_size = sizeof *range,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.step_ns = step_ns,
	};
	asked_run(asked, read);
}
