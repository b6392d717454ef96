#include "http/problem.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/diagnostics.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Of the replies that are no problems. */
static const struct {
	int status;
	const char *title;
} titles[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{304, "Not Modified"},
};

const struct http_problem_kind http_problem_kinds[] = {
	{400, "bad-request", "Bad Request",
		"The request cannot be read: it breaks the rules of HTTP, its path or query is not "
		"UTF-8, or its body is not JSON.",
		"Look at detail, which names the place, and correct the client. The same request "
		"fails again."},
	{401, "unauthorized", "Unauthorized",
		"The operation needs an API key, and the request has none that is valid.",
		"Send Authorization: Bearer KEY with a key that is neither revoked nor expired."},
	{403, "forbidden", "Forbidden", "It is known who asks, and they may not do this.",
		"Use a key with the role that detail names, or ask whoever runs the server."},
	{404, "not-found", "Not Found",
		"There is no such path, or what it names does not exist, was deleted, or belongs "
		"to somebody else.",
		"Check the path and the id in it."},
	{405, "method-not-allowed", "Method Not Allowed",
		"The path exists and does not take this method.",
		"Use one of the methods in the header Allow."},
	{406, "not-acceptable", "Not Acceptable",
		"The operation has no form of its reply that the header Accept asks for.",
		"Ask for one of the media types that the operation has."},
	{408, "timeout", "Request Timeout",
		"The request took too long to arrive, and the connection is closed.",
		"Send it again, without pauses. When it happens often, look at the network "
		"between."},
	{409, "conflict", "Conflict",
		"The request does not fit the state of what it is about, as when that exists "
		"already or was changed meanwhile.",
		"Read it again and decide anew."},
	{412, "precondition-failed", "Precondition Failed",
		"What the header If-Match names is not what is there now: somebody has changed it.",
		"Read it again, take over your change, and send it with the new ETag."},
	{413, "content-too-large", "Content Too Large",
		"The body is larger than the operation takes, or it takes none.",
		"Send less at once, or no body; detail tells which."},
	{414, "uri-too-long", "URI Too Long",
		"The path and the query are longer than the server reads.", "Shorten the query."},
	{415, "unsupported-media-type", "Unsupported Media Type",
		"The body is not of a kind that the operation takes, or it is compressed.",
		"Send JSON in UTF-8 as it is, with Content-Type: application/json."},
	{417, "expectation-failed", "Expectation Failed",
		"The header Expect asks for something else than 100-continue.", "Leave it out."},
	{421, "misdirected-request", "Misdirected Request",
		"The header Host names a host that this server does not answer for.",
		"Use the server's own name, or have whoever runs it add this one."},
	{422, "validation", "Unprocessable Content",
		"The request can be read, and a member of its body or a parameter is not what it "
		"should be.",
		"Look at errors, with an entry for each mistake: pointer is the place in the body, "
		"parameter "
		"the name of a parameter, and detail what is expected there."},
	{428, "precondition-required", "Precondition Required",
		"The operation changes only what the request has seen, and it does not say what "
		"that is.",
		"Read it first and send its ETag as If-Match."},
	{429, "rate-limited", "Too Many Requests", "This key or address has asked too often.",
		"Wait for as many seconds as Retry-After says, and then ask less often."},
	{431, "headers-too-large", "Request Header Fields Too Large",
		"The headers are larger than the server reads.",
		"Send fewer or shorter headers; cookies are not needed."},
	{500, "internal", "Internal Server Error",
		"Something is wrong in the server. Nothing of the request was stored.",
		"Tell whoever runs the server the request's id, which is in instance: the log has "
		"the cause under it."},
	{501, "not-implemented", "Not Implemented",
		"The request has a method or a transfer coding that the server does not know.",
		"Use one of the operations in /openapi.json."},
	{503, "unavailable", "Service Unavailable",
		"This cannot be done right now: the server has too much to do, stops, or lacks "
		"something that it needs.",
		"Try again after as many seconds as Retry-After says."},
	{505, "version-not-supported", "HTTP Version Not Supported",
		"The request is of another version of HTTP than 1.0 and 1.1.", "Use HTTP/1.1."},
};

const size_t http_problem_kind_count = array_length(http_problem_kinds);

static const struct http_problem_kind *kind_of(int status)
{
	for (size_t i = 0; i < http_problem_kind_count; i++) {
		if (http_problem_kinds[i].status == status)
			return &http_problem_kinds[i];
	}
	return NULL;
}

const char *http_status_title(int status)
{
	for (size_t i = 0; i < array_length(titles); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	const struct http_problem_kind *kind = kind_of(status);
	return kind != NULL ? kind->title : "Unknown";
}

/* New. */
static struct ss_value *type_of(const struct http_problem *problem)
{
	const struct http_problem_kind *kind = kind_of(problem->status);
	if (problem->type != NULL || kind == NULL)
		return value_text(problem->type != NULL ? problem->type : "about:blank");
	char *type = memory_format(HTTP_PROBLEM_PAGE "#%s", kind->slug);
	struct ss_value *value = value_text(type);
	free(type);
	return value;
}

/* A sentence that was cut to fit may end inside a character. */
static struct ss_value *sentence(const char *text)
{
	if (text == NULL)
		return NULL;
	if (text_characters(text_of(text)) >= 0)
		return value_text(text);
	char *copy = memory_string(text);
	for (char *c = copy; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	struct ss_value *value = value_text(copy);
	free(copy);
	return value;
}

struct ss_value *http_problem_error(const char *pointer, const char *detail)
{
	return value_map_make({"pointer", sentence(pointer)}, {"detail", sentence(detail)});
}

char *http_problem_unknown(
	const char *what, const char *name, const char *const *known, size_t count)
{
	enum { SHOWN_NAME = 100, SHOWN_LIST = 8 };
	char hint[128];
	struct buffer text = {0};
	buffer_add_format(&text, "there is no %s \"%.*s\"", what, text_fit(name, SHOWN_NAME), name);
	buffer_add_string(&text, diagnostics_hint(name, known, count, hint, sizeof hint));
	for (size_t i = 0; hint[0] == '\0' && count <= SHOWN_LIST && i < count; i++) {
		const char *between = i == 0 ? (count == 1 ? "; there is " : "; there are ")
					     : (i + 1 == count ? " and " : ", ");
		buffer_add_format(&text, "%s%s", between, known[i]);
	}
	return buffer_take(&text);
}

char *http_problem_text(const struct http_problem *problem, const char *request_id)
{
	char *instance = memory_format("urn:request:%s", request_id);
	struct ss_value *value = value_map_make({"type", type_of(problem)},
		{"title", value_text(http_status_title(problem->status))},
		{"status", value_int(problem->status)}, {"detail", sentence(problem->detail)},
		{"instance", value_text(instance)}, {"errors", problem->errors});
	char *text = json_text(value);
	value_unref(value);
	free(instance);
	return text;
}
