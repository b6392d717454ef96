/* Checks JSON bodies against a table of members, and reports all that is wrong at once. Loop thread. */
#ifndef HTTP_JSON_BODY_H
#define HTTP_JSON_BODY_H

#include "http/head.h"
#include "http/request.h"

/* What a member may be. Another kind is a row in json_body.c's table of kinds. */
enum json_kind {
	JSON_STRING,
	JSON_BOOL,
	JSON_INT,
	JSON_STRINGS,
};

/* A member of a body. A table of them ends with a row whose name is NULL. */
struct json_member {
	const char *name;
	enum json_kind kind;
	bool required;
	/* JSON_STRING, and each string of JSON_STRINGS: UTF-8 without a NUL. */
	size_t least, most; /* characters; JSON_INT: its value */
	size_t items;       /* JSON_STRINGS: how many strings at most */
	bool blank; /* it may be empty or have nothing but white space and invisible characters */
	bool (*check)(const char *text); /* NULL: anything; else what it says false to is refused */
	const char *expected; /* what CHECK expects, for the message: "x must be EXPECTED" */
};

/* Whether the body of REQUEST is there and is said to be JSON in UTF-8. If not, a problem was replied:
 * 400 when there is none, 415 for another Content-Type or charset. */
bool json_body_expected(struct http_request *request);

/* The JSON in the body of REQUEST, new, whatever it is. NULL and REFUSAL, with 400 or 415, when there is none. */
struct ss_value *json_body_parse(struct http_request *request, struct http_refusal *refusal);

/* The body of REQUEST as a map that fits ROWS, new. Or NULL, when a problem has been replied: what
 * json_body_expected() says, 400 for what is no JSON, 422 for members that do not fit, are missing or
 * unknown. */
struct ss_value *json_body_read(struct http_request *request, const struct json_member *rows);

/* Checks BODY against ROWS. NULL when it fits, else a new list of {pointer, detail}, one entry for each
 * mistake, the first 20 of them. Any thread. */
struct ss_value *json_body_errors(const struct ss_value *body, const struct json_member *rows);

#endif
