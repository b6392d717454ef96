/* GET /livez and GET /readyz: for what starts, watches and balances servers. */
#include "api/api.h"
#include "base/calls.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "service/articles.h"
#include "service/catalogue.h"
#include "service/compute.h"
#include "service/generations.h"
#include "service/llm.h"
#include "service/store.h"
#include "value/value.h"

#include <stdlib.h>

void api_livez(struct http_request *request)
{
	http_reply_text(request, 200, "application/json", text_of("{\"status\":\"alive\"}"));
}

/* {state} of a part, and a sentence when it is not OK. */
static struct ss_value *part(bool good, const char *otherwise, const char *detail)
{
	return value_map_make({"state", value_text(good ? "ok" : otherwise)},
		{"detail", good ? NULL : value_text(detail)});
}

/* PART (taken) with NAME: VALUE (taken). */
static struct ss_value *with(struct ss_value *part, const char *name, struct ss_value *value)
{
	struct ss_value *more = value_map_with(part, name, value);
	value_unref(part);
	return more;
}

/* The models with a sentence for each that rests; *RESTING is how many do. */
static struct ss_value *models_of(const struct llm *llm, size_t *resting)
{
	struct ss_value *states = llm_states(llm);
	size_t count = value_count(states);
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		items[i] = value_ref(value_at(states, i));
		if (value_get(items[i], "seconds") == NULL)
			continue;
		++*resting;
		items[i] = with(items[i], "detail",
			value_text("it keeps failing and is not asked for a while; the log says "
				   "why"));
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	value_unref(states);
	return list;
}

/* What a server that answers has to do without; NULL: nothing. */
static const char *lack(size_t resting, bool complete, size_t quarantined)
{
	if (resting > 0)
		return "a model rests, and the next one of the chain answers";
	if (quarantined > 0)
		return "nodes of the workflow are not called, since workers died over them";
	return complete ? NULL : "searches have to do without the embedder or the index";
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

static struct ss_value *suspect(const struct call_suspect *suspect)
{
	char since[CLOCK_TEXT_SIZE];
	return value_map_make({"workflow", value_text(suspect->name.workflow)},
		{"node", value_text(suspect->name.node)},
		{"agent", value_text(suspect->name.agent)}, {"deaths", value_int(suspect->deaths)},
		{"since", value_text(clock_format(suspect->since_ns, since))});
}

/* The COUNT nodes that are not called any more, in all workers. */
static struct ss_value *nodes_part(const struct call_suspect *suspects, size_t count)
{
	struct ss_value *items[CALLS_ROWS];
	for (size_t i = 0; i < count; i++)
		items[i] = suspect(&suspects[i]);
	return with(part(count == 0, "degraded", "the log says over what workers died"),
		"quarantined", value_list(items, count));
}

static struct ss_value *base_part(const struct api *api, bool complete)
{
	return with(part(complete, "incomplete",
			    "the last search had to do without the embedder or the index; the log "
			    "says why"),
		"articles", value_int((int64_t)catalogue_count(api->catalogue)));
}

static struct ss_value *workflow_part(const struct api *api)
{
	char since[CLOCK_TEXT_SIZE];
	struct ss_value *workflow =
		with(part(!api->leaving, "leaving", "this server finishes what it has and ends"),
			"generation", value_text(api->workflow));
	return with(
		workflow, "since", value_text(clock_format(api->started_at_s * 1000000000, since)));
}

static struct ss_value *configuration_part(const struct api *api)
{
	struct generation_state state;
	generations_read(api->generations, &state);
	return with(part(state.reload != RELOAD_REFUSED, "refused",
			    "the last reload was refused, the old configuration serves; the log "
			    "says why"),
		"generation", value_int(state.number));
}

static void on_checked(void *context, const struct ss_value *nothing, const struct ss_error *err)
{
	struct http_request *request = context;
	const struct api *api = http_request_context(request);
	struct call_suspect suspects[CALLS_ROWS];
	size_t resting = 0, quarantined = calls_quarantined(api->calls, suspects);
	bool complete = compute_is_complete(api->compute);
	(void)nothing;
	if (err != NULL)
		log_error(http_request_log(request), "nothing can be stored: %s", err->text);
	struct ss_value *models = models_of(api->llm, &resting);
	struct ss_value *store = part(
		err == NULL, "unavailable", "conversations cannot be stored now; the log says why");
	const char *fault = trouble(api, err == NULL);
	const char *detail = fault != NULL ? fault : lack(resting, complete, quarantined);
	const char *status = fault != NULL ? "not_ready" : detail != NULL ? "degraded" : "ready";
	struct ss_value *readiness = value_map_make({"status", value_text(status)},
		{"store", store}, {"models", models}, {"knowledge_base", base_part(api, complete)},
		{"workflow", workflow_part(api)}, {"nodes", nodes_part(suspects, quarantined)},
		{"configuration", configuration_part(api)},
		{"detail", detail != NULL ? value_text(detail) : NULL});
	http_reply_json(request, fault == NULL ? 200 : 503, readiness);
	value_unref(readiness);
}

void api_readyz(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	if (store_check(api->store, on_checked, request, &err) < 0)
		on_checked(request, NULL, &err);
}
