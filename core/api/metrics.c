/* GET /metrics: what all workers count, for Prometheus. */
#include "service/metrics.h"

#include "api/api.h"
#include "base/buffer.h"
#include "base/text.h"

void api_metrics(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct buffer text = {0};
	metrics_print(api->metrics, &text);
	http_reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8",
		text_of(buffer_text(&text)));
	buffer_free(&text);
}
