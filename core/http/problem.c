#include "http/problem.h"

#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	int status;
	const char *title;
} titles[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *http_status_title(int status)
{
	for (size_t i = 0; i < array_length(titles); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Unknown";
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

char *http_problem_text(const struct http_problem *problem, const char *request_id)
{
	char *instance = memory_format("urn:request:%s", request_id);
	struct ss_value *value = value_map_make(
		{"type", value_text(problem->type != NULL ? problem->type : "about:blank")},
		{"title", value_text(http_status_title(problem->status))},
		{"status", value_int(problem->status)}, {"detail", sentence(problem->detail)},
		{"instance", value_text(instance)}, {"errors", problem->errors});
	char *text = json_text(value);
	value_unref(value);
	free(instance);
	return text;
}
