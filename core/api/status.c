/* GET /api/v1/health and GET /api/v1/stats: how the server is, and what it has answered. */
#include "api/api.h"
#include "base/clock.h"
#include "service/metrics_models.h"
#include "service/store.h"
#include "value/value.h"

/* Without the names of files, which are for the log. */
static const char trouble[] =
	"conversations cannot be stored now, so no question is answered; the log says why";

static void on_health(void *context, const struct ss_value *nothing, const struct ss_error *err)
{
	struct http_request *request = context;
	const struct api *api = http_request_context(request);
	char now[CLOCK_TEXT_SIZE];
	double uptime = (double)(clock_monotonic_ns() - api->started_ns) / 1e9;
	/* Strangers are not told what they could look up the weaknesses of. */
	bool knows = api_caller(request)->role >= API_OPERATOR;
	(void)nothing;
	if (err != NULL)
		log_error(http_request_log(request), "nothing can be stored: %s", err->text);
	struct ss_value *health =
		value_map_make({"status", value_text(err == NULL ? "healthy" : "unhealthy")},
			{"store", value_text(err == NULL ? "ok" : "unavailable")},
			{"version", knows ? value_text(SS_VERSION) : NULL},
			{"uptime", value_number(uptime)},
			{"timestamp", value_text(clock_format(clock_utc_ns(), now))},
			{"detail", err != NULL ? value_text(trouble) : NULL});
	http_reply_json(request, err == NULL ? 200 : 503, health);
	value_unref(health);
}

void api_health(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	if (store_check(api->store, on_health, request, &err) < 0)
		on_health(request, NULL, &err);
}

static void on_stats(void *context, const struct ss_value *stats, const struct ss_error *err)
{
	const struct api *api = http_request_context(context);
	if (err != NULL) {
		api_reply_error(context, err);
		return;
	}
	struct ss_value *all = value_map_with(stats, "models", metrics_models(api->metrics));
	http_reply_json(context, 200, all);
	value_unref(all);
}

void api_stats(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	if (store_stats(api->store, on_stats, request, &err) < 0)
		api_reply_error(request, &err);
}
