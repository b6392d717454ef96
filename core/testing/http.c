/* Requests over HTTP, which come to what the test has chosen for their address. */
#include "testing/private.h"

#include "base/memory.h"

#include <string.h>
#include <strings.h>

enum { BODY_LIMIT = 1024 * 1024 }; /* of a request that has none, as the server has it */

void ss_test_reply(struct ss_test_host *host, const char *url, int status, const char *headers,
	const char *body)
{
	struct canned_reply *reply = memory_make(struct canned_reply);
	must(status >= 100 && status <= 599, "%d is no status of HTTP", status);
	reply->url = memory_string(url);
	reply->status = status;
	reply->headers = memory_string(headers != NULL ? headers : "");
	reply->body = memory_string(body);
	host->replies = memory_resize(host->replies, host->reply_count + 1, sizeof *host->replies);
	host->replies[host->reply_count++] = reply;
}

static const struct canned_reply *reply_to(const struct ss_test_host *host, const char *url)
{
	for (size_t i = host->reply_count; i > 0; i--) {
		if (strcmp(host->replies[i - 1]->url, url) == 0)
			return host->replies[i - 1];
	}
	return NULL;
}

static void forget_request(struct ss_test_host *host)
{
	struct ss_http_request *request = &host->request;
	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
		free((char *)(uintptr_t)request->headers[i]);
	free((void *)(uintptr_t)request->headers);
	free((char *)(uintptr_t)request->method);
	free((char *)(uintptr_t)request->url);
	free((char *)(uintptr_t)request->body.data);
	*request = (struct ss_http_request){0};
}

static void keep_request(struct ss_test_host *host, const struct ss_http_request *request)
{
	size_t count = 0;
	while (request->headers != NULL && request->headers[count] != NULL)
		count++;
	const char **headers = memory_array(count + 1, sizeof *headers);
	for (size_t i = 0; i < count; i++)
		headers[i] = memory_string(request->headers[i]);
	forget_request(host);
	memory_copy_known(&host->request, sizeof host->request, request, request->struct_size);
	host->request.method = memory_string(request->method != NULL ? request->method : "GET");
	host->request.url = memory_string(request->url);
	host->request.headers = headers;
	host->request.body.data = memory_text(
		request->body.length > 0 ? request->body.data : "", request->body.length);
	host->request.received = NULL;
	host->request.done = NULL;
	host->request.context = NULL;
}

void testing_http_forget(struct ss_test_host *host)
{
	forget_request(host);
	for (size_t i = 0; i < host->reply_count; i++) {
		free(host->replies[i]->url);
		free(host->replies[i]->headers);
		free(host->replies[i]->body);
		free(host->replies[i]);
	}
	free(host->replies);
	free(host->header);
}

struct ss_http_call *testing_http_start(
	const struct ss_host *table, const struct ss_http_request *request, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of_table(table);
	must(!host->creating, "http_start() in create()");
	must(!testing_blocks(host),
		"http_start() by an agent that blocks, which is not on the loop thread");
	must(SS_HAS(request, context), "http_start() without a struct_size");
	must(request->url != NULL && request->done != NULL, "http_start() without a url or done()");
	keep_request(host, request);
	if (testing_begin_call(host, SS_TEST_HTTP, memory_string(request->url), err) < 0)
		return NULL;
	if (strncasecmp(request->url, "http://", 7) != 0 &&
		strncasecmp(request->url, "https://", 8) != 0) {
		(void)ss_fail_as(
			err, SS_INVALID, "%s is no address of http or https", request->url);
		return NULL;
	}
	struct ss_http_call *call = memory_make(struct ss_http_call);
	call->host = host;
	memory_copy_known(&call->request, sizeof call->request, request, request->struct_size);
	call->reply = reply_to(host, request->url);
	struct waiting *waiting = testing_enqueue(host, SS_TEST_HTTP);
	waiting->http = call;
	if (call->reply == NULL && waiting->err.status == SS_OK)
		(void)ss_fail_as(&waiting->err, SS_UNAVAILABLE,
			"the test has no reply for %s; ss_test_reply() gives one", request->url);
	return call;
}

void testing_http_cancel(struct ss_http_call *call)
{
	struct waiting **at = &call->host->first;
	if (call->comes) {
		must(!call->cancelled, "a request is cancelled twice, or by its done()");
		call->cancelled = true;
		return;
	}
	while (*at != NULL && (*at)->http != call)
		at = &(*at)->next;
	must(*at != NULL, "a request is cancelled that is over");
	struct waiting *waiting = *at;
	*at = waiting->next;
	testing_waiting_free(waiting);
}

const char *testing_http_header(const struct ss_http_call *call, const char *name)
{
	size_t length = strlen(name);
	const char *line = call->reply != NULL && call->comes ? call->reply->headers : "";
	while (*line != '\0') {
		size_t end = strcspn(line, "\n");
		if (end > length && strncasecmp(line, name, length) == 0 && line[length] == ':') {
			size_t from = length + 1 + strspn(line + length + 1, " ");
			free(call->host->header);
			call->host->header = memory_text(line + from, end - from);
			return call->host->header;
		}
		line += end + (line[end] == '\n');
	}
	return NULL;
}

/* Hands on PART; false when the request is over with that. */
static bool hand_on(struct ss_http_call *call, struct ss_text part)
{
	const struct ss_http_request *request = &call->request;
	if (part.length > 0 && request->received != NULL)
		request->received(request->context, call, call->reply->status, part);
	return !call->cancelled;
}

void testing_http_call_back(struct ss_http_call *call, const struct ss_error *failure)
{
	const struct ss_http_request *request = &call->request;
	const char *body = call->reply != NULL ? call->reply->body : "";
	size_t length = strlen(body);
	size_t limit = request->body_limit > 0 ? request->body_limit : BODY_LIMIT;
	struct ss_error err = {0};
	call->comes = true;
	if (failure == NULL && length > limit) {
		(void)ss_fail_as(&err, SS_LIMIT, "the reply is longer than %zu bytes", limit);
		failure = &err;
	}
	if (failure == NULL &&
		(!hand_on(call, (struct ss_text){body, length / 2}) ||
			!hand_on(call, (struct ss_text){body + length / 2, length - length / 2})))
		return;
	call->cancelled = true; /* not any more */
	request->done(request->context, call, failure == NULL ? call->reply->status : 0, failure);
}
