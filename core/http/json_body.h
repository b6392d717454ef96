/* Reads JSON bodies, and checks them against a schema. Loop thread. */
#ifndef HTTP_JSON_BODY_H
#define HTTP_JSON_BODY_H

#include "http/head.h"
#include "http/json_schema.h"
#include "http/request.h"

/* The JSON in the body of REQUEST, new, whatever it is. NULL and REFUSAL, with 400 or 415, when there is none. */
struct ss_value *json_body_parse(struct http_request *request, struct http_refusal *refusal);

/* The body of REQUEST, which fits SCHEMA, new. NULL when a problem has been replied: what json_body_parse() says, or 422
 * with all that does not fit. */
struct ss_value *json_body_read(struct http_request *request, const struct json_schemas *schemas,
	const struct ss_value *schema);

#endif
