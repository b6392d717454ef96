#include "api/document.h"

#include "api/embedded.h"
#include "api/formats.h"
#include "base/memory.h"
#include "config/options.h"
#include "config/yaml.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Responses that operations have by what they take, as components/responses names them. */
enum response_for {
	FOR_ALL,
	FOR_KEYS,  /* those that want a key */
	FOR_TYPES, /* those whose replies have bodies */
	FOR_CONDITIONAL,
	FOR_LIMITED, /* those that can be asked too often */
	FOR_ONCE,    /* those that are done once */
	FOR_BODIES,
};

static const struct {
	const char *status;
	const char *name;
	enum response_for whom;
} common_responses[] = {
	{"304", "NotModified", FOR_CONDITIONAL},
	{"400", "BadRequest", FOR_ALL},
	{"401", "Unauthorized", FOR_KEYS},
	{"403", "Forbidden", FOR_KEYS},
	{"406", "NotAcceptable", FOR_TYPES},
	{"408", "RequestTimeout", FOR_ALL},
	{"409", "RequestInFlight", FOR_ONCE},
	{"413", "ContentTooLarge", FOR_ALL}, /* also of a body where none is taken */
	{"414", "UriTooLong", FOR_ALL},
	{"415", "UnsupportedMediaType", FOR_BODIES},
	{"417", "ExpectationFailed", FOR_ALL},
	{"421", "MisdirectedRequest", FOR_ALL},
	{"422", "UnprocessableContent", FOR_ALL}, /* of parameters that it does not have */
	{"429", "TooManyRequests", FOR_LIMITED},
	{"431", "HeadersTooLarge", FOR_ALL},
	{"500", "InternalServerError", FOR_ALL},
	{"501", "NotImplemented", FOR_ALL},
	{"503", "ServiceUnavailable", FOR_ALL},
	{"505", "VersionNotSupported", FOR_ALL},
};

static const char *const role_names[] = {
	[API_PUBLIC] = "public",
	[API_CHAT] = "chat",
	[API_OPERATOR] = "operator",
	[API_ADMIN] = "admin",
};

const char *api_role_name(enum api_role role)
{
	return role_names[role];
}

static const char *string_at(const struct ss_value *map, const char *key)
{
	const struct ss_value *value = value_get(map, key);
	return value != NULL ? value_as_string(value, NULL) : NULL;
}

/* A and B with the entries of both, maps in them as well; of other values B's. New. */
static struct ss_value *merge(const struct ss_value *a, const struct ss_value *b)
{
	struct ss_value *merged = value_ref(a);
	for (size_t i = 0; i < value_count(b); i++) {
		const char *key = value_key_at(b, i);
		const struct ss_value *old = value_get(merged, key);
		const struct ss_value *new = value_at(b, i);
		bool both = value_type(old) == SS_MAP && value_type(new) == SS_MAP;
		struct ss_value *next =
			value_map_with(merged, key, both ? merge(old, new) : value_ref(new));
		value_unref(merged);
		merged = next;
	}
	return merged;
}

/* The files of the document put together. */
static struct ss_value *read_parts(struct ss_error *err)
{
	struct ss_value *document = value_map(NULL, NULL, 0);
	for (size_t i = 0; i < document_parts_count; i++) {
		const struct embedded_file *part = &document_parts[i];
		struct diagnostics diagnostics = {0};
		struct yaml_document *yaml =
			yaml_parse(part->name, 1, part->text, part->length, &diagnostics);
		if (yaml == NULL || yaml->root == NULL) {
			(void)ss_fail(err, "%s: %s", part->name,
				diagnostics.count > 0 ? diagnostics.items[0].text : "is empty");
			diagnostics_free(&diagnostics);
			yaml_close(yaml);
			value_unref(document);
			return NULL;
		}
		struct ss_value *value = options_value(yaml->root);
		struct ss_value *both = merge(document, value);
		value_unref(document);
		value_unref(value);
		yaml_close(yaml);
		document = both;
	}
	return document;
}

/* Whether one of the RESPONSES is a success with a body. Those that are named elsewhere have one. */
static bool has_types(const struct ss_value *responses)
{
	for (size_t i = 0; i < value_count(responses); i++) {
		const struct ss_value *response = value_at(responses, i);
		if (value_key_at(responses, i)[0] == '2' &&
			(value_get(response, "content") != NULL ||
				value_get(response, "$ref") != NULL))
			return true;
	}
	return false;
}

static bool applies(enum response_for whom, const struct ss_value *operation)
{
	bool is_public = strcmp(string_at(operation, "x-role"), role_names[API_PUBLIC]) == 0;
	switch (whom) {
	case FOR_ALL:
		return true;
	case FOR_KEYS:
		return !is_public;
	case FOR_TYPES:
		return has_types(value_get(operation, "responses"));
	case FOR_CONDITIONAL:
		return value_as_bool(value_get(operation, "x-conditional"));
	case FOR_LIMITED:
		return !is_public && !value_as_bool(value_get(operation, "x-unlimited"));
	case FOR_ONCE:
		return value_as_bool(value_get(operation, "x-idempotent"));
	case FOR_BODIES:
		return value_get(operation, "requestBody") != NULL;
	}
	return false;
}

/* The RESPONSES of OPERATION with those that it has by what it takes; its own go first. New. */
static struct ss_value *with_common_responses(const struct ss_value *operation)
{
	struct ss_value *common = value_map(NULL, NULL, 0);
	for (size_t i = 0; i < array_length(common_responses); i++) {
		if (!applies(common_responses[i].whom, operation))
			continue;
		char *reference =
			memory_format("#/components/responses/%s", common_responses[i].name);
		struct ss_value *next = value_map_with(common, common_responses[i].status,
			value_map_make({"$ref", value_text(reference)}));
		value_unref(common);
		common = next;
		free(reference);
	}
	/* Not merge(): a response of its own replaces the common one as a whole. */
	const struct ss_value *own = value_get(operation, "responses");
	for (size_t i = 0; i < value_count(own); i++) {
		struct ss_value *next =
			value_map_with(common, value_key_at(own, i), value_ref(value_at(own, i)));
		value_unref(common);
		common = next;
	}
	return common;
}

static struct ss_value *reference(const char *to)
{
	return value_map_make({"$ref", value_text(to)});
}

/* OPERATION, which clients may have the reply of, with the header that they say so in and the one that tells it; new. */
static struct ss_value *with_condition(const struct ss_value *operation)
{
	if (!value_as_bool(value_get(operation, "x-conditional")))
		return value_ref(operation);
	struct ss_value *parameter = reference("#/components/parameters/IfNoneMatch");
	struct ss_value *more = value_list(&parameter, 1);
	const struct ss_value *own = value_get(operation, "parameters");
	struct ss_value *parameters =
		own != NULL ? value_list_append(value_ref(own), more) : value_ref(more);
	value_unref(more);
	struct ss_value *with = value_map_with(operation, "parameters", parameters);
	const struct ss_value *success = value_get(value_get(with, "responses"), "200");
	if (value_get(success, "$ref") != NULL)
		return with;
	struct ss_value *tag = value_map_make({"responses",
		value_map_make(
			{"200", value_map_make({"headers",
					value_map_make({"ETag",
						reference("#/components/headers/ETag")})})})});
	struct ss_value *whole = merge(with, tag);
	value_unref(tag);
	value_unref(with);
	return whole;
}

/* OPERATION as it is published: with all responses, and what it wants of a key. New. */
static struct ss_value *publish(const struct ss_value *operation)
{
	struct ss_value *conditional = with_condition(operation);
	struct ss_value *responses = with_common_responses(conditional);
	struct ss_value *whole = value_map_with(conditional, "responses", responses);
	value_unref(conditional);
	bool is_public = strcmp(string_at(operation, "x-role"), role_names[API_PUBLIC]) == 0;
	struct ss_value *key = value_map_make({"key", value_list(NULL, 0)});
	struct ss_value *security = is_public ? value_list(NULL, 0) : value_list(&key, 1);
	if (is_public)
		value_unref(key);
	struct ss_value *published = value_map_with(whole, "security", security);
	value_unref(whole);
	return published;
}

static bool is_method(const char *key)
{
	static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
	for (size_t i = 0; i < array_length(methods); i++) {
		if (strcmp(methods[i], key) == 0)
			return true;
	}
	return false;
}

static int read_role(struct api_operation *operation, const char *name, struct ss_error *err)
{
	for (size_t i = 0; name != NULL && i < array_length(role_names); i++) {
		if (strcmp(role_names[i], name) == 0) {
			operation->role = (enum api_role)i;
			return 0;
		}
	}
	return ss_fail(err, "%s: x-role must be public, chat, operator or admin", operation->id);
}

/* What {"$ref": "#/a/b/c"} stands for in DOCUMENT; VALUE itself when it is no reference. */
static const struct ss_value *follow(const struct ss_value *document, const struct ss_value *value)
{
	const char *at = string_at(value, "$ref");
	if (at == NULL)
		return value;
	value = document;
	for (at = strchr(at, '/'); at != NULL; at = strchr(at, '/')) {
		char *name = memory_text(at + 1, strcspn(at + 1, "/"));
		value = value_get(value, name);
		free(name);
		at++;
	}
	return value;
}

static int read_parameters(struct api_document *document, struct api_operation *operation,
	const struct ss_value *list, struct ss_error *err)
{
	operation->parameters = memory_array(value_count(list), sizeof *operation->parameters);
	for (size_t i = 0; i < value_count(list); i++) {
		struct api_parameter *parameter =
			&operation->parameters[operation->parameter_count];
		const struct ss_value *value = follow(document->value, value_at(list, i));
		const char *in = string_at(value, "in");
		if (in != NULL && strcmp(in, "header") == 0)
			continue;
		parameter->name = string_at(value, "name");
		parameter->in_path = in != NULL && strcmp(in, "path") == 0;
		parameter->required = value_as_bool(value_get(value, "required"));
		parameter->schema = value_get(value, "schema");
		if (parameter->name == NULL || in == NULL || parameter->schema == NULL)
			return ss_fail(
				err, "%s: a parameter lacks its name, in or schema", operation->id);
		if (json_schema_check(&document->schemas, parameter->schema, err) < 0)
			return -1;
		operation->parameter_count++;
	}
	return 0;
}

/* Takes the media types that the successes among RESPONSES may have. */
static void read_types(struct api_document *document, struct api_operation *operation,
	const struct ss_value *responses)
{
	for (size_t i = 0; i < value_count(responses); i++) {
		const struct ss_value *content =
			value_get(follow(document->value, value_at(responses, i)), "content");
		if (value_key_at(responses, i)[0] != '2')
			continue;
		size_t count = operation->type_count + value_count(content);
		operation->types = memory_resize(operation->types, count, sizeof *operation->types);
		for (size_t k = 0; k < value_count(content); k++)
			operation->types[operation->type_count++] = value_key_at(content, k);
	}
}

static const struct api_handler *find_handler(
	const struct api_handler *handlers, size_t count, const char *operation)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(handlers[i].operation, operation) == 0)
			return &handlers[i];
	}
	return NULL;
}

/* What is needed to make the operations of a document. */
struct making {
	struct api_document *document;
	const struct api_handler *handlers;
	size_t handler_count;
	http_handler *gate;
};

static char *upper_case(const char *method)
{
	char *upper = memory_string(method);
	for (char *c = upper; *c != '\0'; c++)
		*c = (char)(*c - 'a' + 'A');
	return upper;
}

static int add_operation(const struct making *making, const char *path, const char *method,
	const struct ss_value *value, struct ss_error *err)
{
	struct api_document *document = making->document;
	struct api_operation *operation = &document->operations[document->count];
	const struct ss_value *body =
		follow(making->document->value, value_get(value, "requestBody"));
	const struct ss_value *content = value_get(value_get(body, "content"), "application/json");
	operation->id = string_at(value, "operationId");
	operation->path = path;
	operation->body = value_get(value, "x-body") == NULL ? value_get(content, "schema") : NULL;
	operation->body_is_optional = !value_as_bool(value_get(body, "required"));
	if (operation->id == NULL)
		return ss_fail(err, "%s %s has no operationId", method, path);
	const struct api_handler *handler =
		find_handler(making->handlers, making->handler_count, operation->id);
	if (handler == NULL)
		return ss_fail(err, "nothing answers the operation %s", operation->id);
	operation->handle = handler->handle;
	operation->is_unlimited = value_as_bool(value_get(value, "x-unlimited"));
	operation->is_conditional = value_as_bool(value_get(value, "x-conditional"));
	operation->is_once = value_as_bool(value_get(value, "x-idempotent"));
	operation->user = string_at(value, "x-user");
	if (operation->user == NULL && operation->body != NULL)
		operation->user = "user_id";
	operation->conversation = string_at(value, "x-conversation");
	operation->method = upper_case(method);
	read_types(document, operation, value_get(value, "responses"));
	document->routes[document->count++] = (struct http_route){
		.method = operation->method,
		.path = path,
		.name = operation->id,
		.handle = making->gate,
		.body_limit = handler->body_limit,
		.data = operation,
	};
	if (operation->body != NULL &&
		json_schema_check(&document->schemas, operation->body, err) < 0)
		return -1;
	return read_role(operation, string_at(value, "x-role"), err) < 0
		       ? -1
		       : read_parameters(document, operation, value_get(value, "parameters"), err);
}

static size_t count_operations(const struct ss_value *paths)
{
	size_t count = 0;
	for (size_t i = 0; i < value_count(paths); i++) {
		for (size_t k = 0; k < value_count(value_at(paths, i)); k++)
			count += is_method(value_key_at(value_at(paths, i), k));
	}
	return count;
}

static int add_operations(const struct making *making, struct ss_error *err)
{
	struct api_document *document = making->document;
	const struct ss_value *paths = value_get(document->value, "paths");
	size_t count = count_operations(paths);
	document->operations = memory_array(count, sizeof *document->operations);
	document->routes = memory_array(count, sizeof *document->routes);
	for (size_t i = 0; i < value_count(paths); i++) {
		const struct ss_value *item = value_at(paths, i);
		for (size_t k = 0; k < value_count(item); k++) {
			if (is_method(value_key_at(item, k)) &&
				add_operation(making, value_key_at(paths, i), value_key_at(item, k),
					value_at(item, k), err) < 0)
				return -1;
		}
	}
	if (document->count != making->handler_count)
		return ss_fail(err, "%zu functions answer %zu operations of the document",
			making->handler_count, document->count);
	return 0;
}

/* The document's paths with all operations as they are published. */
static struct ss_value *publish_paths(const struct ss_value *paths)
{
	struct ss_value *published = value_ref(paths);
	for (size_t i = 0; i < value_count(paths); i++) {
		struct ss_value *item = value_ref(value_at(paths, i));
		for (size_t k = 0; k < value_count(value_at(paths, i)); k++) {
			const char *key = value_key_at(value_at(paths, i), k);
			if (!is_method(key))
				continue;
			struct ss_value *next =
				value_map_with(item, key, publish(value_at(value_at(paths, i), k)));
			value_unref(item);
			item = next;
		}
		struct ss_value *next = value_map_with(published, value_key_at(paths, i), item);
		value_unref(published);
		published = next;
	}
	return published;
}

static int check_roles(const struct ss_value *paths, struct ss_error *err)
{
	for (size_t i = 0; i < value_count(paths); i++) {
		for (size_t k = 0; k < value_count(value_at(paths, i)); k++) {
			const struct ss_value *operation = value_at(value_at(paths, i), k);
			if (is_method(value_key_at(value_at(paths, i), k)) &&
				string_at(operation, "x-role") == NULL)
				return ss_fail(err, "%s: an operation has no x-role",
					value_key_at(paths, i));
		}
	}
	return 0;
}

static int check_named(const struct api_document *document, struct ss_error *err)
{
	const struct ss_value *named = document->schemas.named;
	for (size_t i = 0; i < value_count(named); i++) {
		struct ss_error cause;
		if (json_schema_check(&document->schemas, value_at(named, i), &cause) < 0)
			return ss_fail(
				err, "the schema %s: %s", value_key_at(named, i), cause.text);
	}
	return 0;
}

struct api_document *api_document_new(
	const struct api_handler *handlers, size_t count, http_handler *gate, struct ss_error *err)
{
	struct api_document *document = memory_make(struct api_document);
	const struct making making = {
		.document = document, .handlers = handlers, .handler_count = count, .gate = gate};
	struct ss_value *parts = read_parts(err);
	if (parts == NULL || check_roles(value_get(parts, "paths"), err) < 0)
		goto fail;
	document->value = value_map_with(parts, "paths", publish_paths(value_get(parts, "paths")));
	document->schemas = (struct json_schemas){
		.named = value_get(value_get(document->value, "components"), "schemas"),
		.formats = api_formats,
		.format_count = api_format_count,
	};
	if (check_named(document, err) < 0 || add_operations(&making, err) < 0)
		goto fail;
	value_unref(parts);
	return document;
fail:
	value_unref(parts);
	api_document_free(document);
	return NULL;
}

void api_document_free(struct api_document *document)
{
	if (document == NULL)
		return;
	for (size_t i = 0; i < document->count; i++) {
		free((char *)document->operations[i].method);
		free(document->operations[i].parameters);
		free(document->operations[i].types);
	}
	free(document->operations);
	free(document->routes);
	value_unref(document->value);
	free(document);
}
