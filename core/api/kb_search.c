/* POST /api/v1/kb/search: what the retriever finds, with its scores. */
#include "api/api.h"
#include "service/compute.h"
#include "value/value.h"

enum { USUAL_ARTICLES = 5 };

static void on_found(void *context, const struct ss_value *articles, const struct ss_value *missing,
	const struct ss_error *err)
{
	struct http_request *request = context;
	if (err != NULL) {
		api_reply_error(request, err);
		return;
	}
	struct ss_value *reply =
		value_map_make({"items", value_ref(articles)}, {"missing", value_ref(missing)});
	http_reply_json(request, 200, reply);
	value_unref(reply);
}

void api_kb_search(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	const struct ss_value *body = api_body(request);
	const struct ss_value *category = value_get(body, "category");
	const struct ss_value *top_k = value_get(body, "top_k");
	const struct ss_search search = {
		.struct_size = sizeof search,
		.text = value_as_text(value_get(body, "query")),
		.prefer_category = category != NULL ? value_as_string(category, NULL) : NULL,
		.top_k = top_k != NULL ? (size_t)value_as_int(top_k) : USUAL_ARTICLES,
		.min_score = value_as_number(value_get(body, "min_score")),
	};
	if (compute_search(api->compute, &search, on_found, request, &err) < 0)
		api_reply_error(request, &err);
}
