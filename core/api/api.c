#include "api/api.h"

#include "base/memory.h"

const struct http_route api_routes[] = {
	{"POST", "/api/v1/query", api_query, HTTP_BODY_LIMIT},
	{"GET", "/api/v1/health", api_health, 0},
	{"GET", "/api/v1/stats", api_stats, 0},
	{"GET", "/metrics", api_metrics, 0},
};

const size_t api_route_count = array_length(api_routes);

void api_reply_error(struct http_request *request, const struct ss_error *err)
{
	switch (err->status) {
	case SS_LIMIT:
	case SS_UNAVAILABLE:
	case SS_TIMEOUT:
		http_reply_header(request, "Retry-After", "1");
		http_reply_problem(request, 503,
			err->status == SS_LIMIT ? err->text
						: "the question cannot be answered right now; try "
						  "again in a moment",
			NULL);
		break;
	case SS_NOT_FOUND:
		http_reply_problem(request, 404, err->text, NULL);
		break;
	default:
		http_reply_problem(request, 500,
			"something went wrong here; the log says what, under this request's id",
			NULL);
		break;
	}
}
