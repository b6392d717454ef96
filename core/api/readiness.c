/* GET /livez and GET /readyz: for what starts, watches and balances servers. */
#include "api/api.h"
#include "base/clock.h"
#include "base/text.h"
#include "service/articles.h"
#include "service/catalogue.h"
#include "service/compute.h"
#include "service/llm.h"
#include "service/store.h"
#include "value/value.h"

void api_livez(struct http_request *request)
{
	http_reply_text(request, 200, "application/json", text_of("{\"status\":\"alive\"}"));
}

static struct ss_value *state(bool good, const char *yes, const char *no)
{
	return value_text(good ? yes : no);
}

/* Why no question can be answered, without the names of files, which are for the log; NULL: they can. */
static const char *trouble(const struct api *api, bool stores)
{
	if (api->leaving)
		return "this server finishes what it has and ends";
	if (!stores)
		return "conversations cannot be stored now; the log says why";
	if (llm_rest_ns(api->llm) > 0)
		return "no model can be asked now; the log says why";
	return NULL;
}

static void on_checked(void *context, const struct ss_value *nothing, const struct ss_error *err)
{
	struct http_request *request = context;
	const struct api *api = http_request_context(request);
	char since[CLOCK_TEXT_SIZE];
	(void)nothing;
	if (err != NULL)
		log_error(http_request_log(request), "nothing can be stored: %s", err->text);
	const char *detail = trouble(api, err == NULL);
	struct ss_value *store = value_map_make({"state", state(err == NULL, "ok", "unavailable")});
	struct ss_value *base = value_map_make(
		{"state", state(compute_is_complete(api->compute), "ok", "incomplete")},
		{"articles", value_int((int64_t)catalogue_count(api->catalogue))});
	struct ss_value *workflow = value_map_make({"generation", value_text(api->workflow)},
		{"since", value_text(clock_format(api->started_at_s * 1000000000, since))});
	struct ss_value *readiness = value_map_make(
		{"status", state(detail == NULL, "ready", "not_ready")}, {"store", store},
		{"models", llm_states(api->llm)}, {"knowledge_base", base}, {"workflow", workflow},
		{"detail", detail != NULL ? value_text(detail) : NULL});
	http_reply_json(request, detail == NULL ? 200 : 503, readiness);
	value_unref(readiness);
}

void api_readyz(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	if (store_check(api->store, on_checked, request, &err) < 0)
		on_checked(request, NULL, &err);
}
