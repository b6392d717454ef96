#include "api/api.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Of a chat with all that was said in it, and of many texts. */
enum { LONG_BODY_LIMIT = 1024 * 1024 };

const struct http_route api_routes[] = {
	{"POST", "/api/v1/query", api_query, HTTP_BODY_LIMIT},
	{"POST", "/api/v1/feedback", api_feedback, HTTP_BODY_LIMIT},
	{"GET", "/api/v1/kb/articles", api_articles, 0},
	{"GET", "/api/v1/kb/unanswered", api_unanswered, 0},
	{"GET", "/api/v1/health", api_health, 0},
	{"GET", "/api/v1/stats", api_stats, 0},
	{"GET", "/metrics", api_metrics, 0},
	{"POST", "/v1/chat/completions", api_chat, LONG_BODY_LIMIT},
	{"GET", "/v1/models", api_models, 0},
	{"GET", "/v1/models/{id}", api_model, 0},
	{"POST", "/v1/embeddings", api_embeddings, LONG_BODY_LIMIT},
};

const size_t api_route_count = array_length(api_routes);

bool api_is_id(const char *text, const char *prefix)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t length = strlen(prefix);
	if (strncmp(text, prefix, length) != 0 || strlen(text + length) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		char c = text[length + i];
		if (form[i] == 'x' ? strchr("0123456789abcdef", c) == NULL : c != form[i])
			return false;
	}
	return true;
}

bool api_read_limit(struct http_request *request, size_t *limit)
{
	enum { USUAL = 20, MOST = 200 };
	const char *given = http_request_query(request, "limit");
	char *end = NULL;
	*limit = given != NULL ? strtoul(given, &end, 10) : USUAL;
	/* strtoul() takes blanks and signs as well. */
	bool good = given == NULL || (given[0] >= '0' && given[0] <= '9' && *end == '\0');
	if (good && *limit >= 1 && *limit <= MOST)
		return true;
	http_reply_problem(request, 422, "limit must be a whole number from 1 to 200", NULL);
	return false;
}

struct http_problem api_problem(const struct ss_error *err)
{
	switch (err->status) {
	case SS_LIMIT:
		return (struct http_problem){.status = 503, .detail = err->text};
	case SS_UNAVAILABLE:
	case SS_TIMEOUT:
		return (struct http_problem){.status = 503,
			.detail = "this cannot be done right now; try again in a moment"};
	case SS_NOT_FOUND:
		return (struct http_problem){.status = 404, .detail = err->text};
	default:
		return (struct http_problem){.status = 500,
			.detail = "something went wrong here; the log says what, under this "
				  "request's id"};
	}
}

void api_reply_error(struct http_request *request, const struct ss_error *err)
{
	const struct http_problem problem = api_problem(err);
	if (problem.status == 503)
		http_reply_header(request, "Retry-After", "1");
	http_reply_typed_problem(request, &problem);
}
