/* GET /v1/models and GET /v1/models/{id}: the one model that there is, as OpenAI's API tells of it. */
#include "api/openai.h"
#include "service/generations.h"
#include "value/value.h"

static struct ss_value *model(const struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct generation_state state;
	/* Of the generation, so that all its workers say the same. */
	generations_read(api->generations, &state);
	return value_map_make({"id", value_text(OPENAI_MODEL)}, {"object", value_text("model")},
		{"created", value_int(state.since_ns / 1000000000)},
		{"owned_by", value_text(OPENAI_MODEL)});
}

void api_models(struct http_request *request)
{
	struct ss_value *one = model(request);
	struct ss_value *list =
		value_map_make({"object", value_text("list")}, {"data", value_list(&one, 1)});
	http_reply_json(request, 200, list);
	value_unref(list);
}

void api_model(struct http_request *request)
{
	struct openai_error error;
	struct ss_value *name = value_text(http_request_parameter(request, "id"));
	if (openai_check_model(name, &error) < 0) {
		openai_reply_error(request, &error);
	} else {
		struct ss_value *one = model(request);
		http_reply_json(request, 200, one);
		value_unref(one);
	}
	value_unref(name);
}
