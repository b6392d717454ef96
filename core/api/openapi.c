/* GET /openapi.json: what the REST API is. */
#include "api/api.h"
#include "api/pages.h"

void api_openapi(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	http_reply_kept(request, api_pages_document(api->pages));
}
