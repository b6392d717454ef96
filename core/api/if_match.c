#include "api/if_match.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether TAG is an ETag with a number in front; then EXPECTED has it. */
static bool read_tag(const char *tag, struct api_if_match *expected)
{
	char *rest = NULL;
	if (tag[0] != '"' || tag[1] < '0' || tag[1] > '9')
		return false;
	errno = 0;
	expected->version = strtoll(tag + 1, &rest, 10);
	size_t length = strlen(rest);
	if (errno != 0 || length == 0 || rest[length - 1] != '"' ||
		memchr(rest, '"', length - 1) != NULL || (*rest != '"' && *rest != '-'))
		return false;
	if (*rest == '-')
		(void)snprintf(expected->rest, sizeof expected->rest, "%.*s",
			(int)strcspn(rest + 1, "-\""), rest + 1);
	return true;
}

bool api_read_if_match(
	struct http_request *request, const char *thing, struct api_if_match *expected)
{
	const char *given = http_request_header(request, "If-Match");
	*expected = (struct api_if_match){.is_given = given != NULL};
	if (given == NULL)
		return true;
	expected->is_any = strcmp(given, "*") == 0;
	if (expected->is_any || read_tag(given, expected))
		return true;
	char *detail =
		memory_format("If-Match takes the ETag of the %s as it was read, or *", thing);
	http_reply_problem(request, 412, detail, NULL);
	free(detail);
	return false;
}
