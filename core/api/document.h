/*
 * What the REST API is, as its OpenAPI document (3.1) says it: the files in openapi/, which the build embeds, with the
 * responses that all operations have. It is the one source of the routes, of what their requests are checked against, and
 * of what is published. Made when a worker starts; then read by any thread.
 *
 * Each operation says in x-role who may ask: "public" (anybody), or a key of the role "chat", "operator" or "admin", of
 * which each may do what those before it may. x-unlimited: true has no limit of requests, as all that is public. x-idempotent: true
 * is done once for each Idempotency-Key; x-conditional: true has an ETag and answers If-None-Match; x-user is the member of the body that says
 * which user that is about, by default user_id, and x-conversation the parameter or member that says which conversation; without it one is
 * made. x-body: FORM takes another body than the JSON that its schema describes.
 */
#ifndef API_DOCUMENT_H
#define API_DOCUMENT_H

#include "http/json_schema.h"
#include "http/route.h"

struct http_request;

/* Who may ask. Each may do what those before it may. */
enum api_role {
	API_PUBLIC,
	API_CHAT,
	API_OPERATOR,
	API_ADMIN,
};

/* "public", "chat", "operator" or "admin". */
const char *api_role_name(enum api_role role);

/* A parameter in a path or a query. */
struct api_parameter {
	const char *name;
	bool in_path, required;
	const struct ss_value *schema;
};

struct api_operation {
	const char *id;     /* "askQuestion" */
	const char *method; /* "POST" */
	const char *path;
	enum api_role role;
	bool is_conditional; /* x-conditional: clients may have the reply already */
	bool is_unlimited;   /* nobody is refused for having asked too often */
	bool is_once;        /* x-idempotent: with an Idempotency-Key it is done once */
	const char *user; /* the member of the body that says which user it is about; NULL: none */
	const char *
		conversation; /* what says which conversation it is about; NULL: it is about none */
	const struct ss_value *body; /* the schema of a JSON body; NULL: none is read */
	bool body_is_optional;       /* requests without one are good */
	struct api_parameter *parameters;
	size_t parameter_count;
	const char **types; /* media types of its successes; none: they have no body */
	size_t type_count;
	http_handler *handle;
};

/* Which function answers an operation. */
struct api_handler {
	const char *operation;
	http_handler *handle;
	size_t body_limit; /* bytes */
};

struct api_document {
	struct ss_value *value; /* the whole document */
	struct json_schemas schemas;
	struct api_operation *operations;
	struct http_route *routes; /* one for each operation, with it as its data */
	size_t count;
};

/* Makes the document and its routes, which all call GATE; COUNT HANDLERS answer its operations. NULL and ERR when the
 * two do not fit, or something in the document cannot be checked. */
struct api_document *api_document_new(
	const struct api_handler *handlers, size_t count, http_handler *gate, struct ss_error *err);
void api_document_free(struct api_document *document);

#endif
