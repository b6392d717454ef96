/* Checks JSON bodies against a table of members, and reports all that is wrong at once. Loop thread. */
#ifndef HTTP_JSON_BODY_H
#define HTTP_JSON_BODY_H

#include "http/request.h"

/* A string member of a body. A table of them ends with a row whose name is NULL. */
struct json_member {
	const char *name;
	bool required;
	size_t least, most;              /* characters */
	bool (*check)(const char *text); /* NULL: anything; else what it says false to is refused */
	const char *expected;            /* what CHECK expects, for the message */
};

/* The body of REQUEST as a map that fits ROWS, new. Or NULL, when a problem has been replied: 415 for another
 * content type, 400 for a body that is missing or no JSON, 422 for members that do not fit. Strings with
 * a NUL, and blank ones where something is required, do not fit. */
struct ss_value *json_body_read(struct http_request *request, const struct json_member *rows);

#endif
