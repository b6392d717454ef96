#include "api/gate.h"

#include "api/api.h"
#include "api/once.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "http/json_body.h"
#include "http/negotiate.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum {
	LIMIT_USUAL = 50, /* items of a list */
};

/* What the gate has read of a request. */
struct passage {
	struct once *once; /* NULL: the request has no Idempotency-Key */
	struct api_caller caller;
	struct ss_value *parameters; /* a map */
	struct ss_value *body;       /* NULL: none */
};

static void passage_free(void *data)
{
	struct passage *passage = data;
	api_once_free(passage->once);
	value_unref(passage->parameters);
	value_unref(passage->body);
	free(passage);
}

/* Mistakes in the parameters of a request. */
struct mistakes {
	struct ss_value *items; /* a list */
	char *first;            /* the sentence of the first one; NULL: there is none */
};

/* DETAIL is taken. */
static void add_mistake(struct mistakes *mistakes, const char *parameter, char *detail)
{
	struct ss_value *item = value_map_make(
		{"parameter", value_text(parameter)}, {"detail", value_text(detail)});
	struct ss_value *one = value_list(&item, 1);
	mistakes->items = value_list_append(mistakes->items, one);
	value_unref(one);
	if (mistakes->first == NULL)
		mistakes->first = detail;
	else
		free(detail);
}

static const struct api_parameter *find_parameter(
	const struct api_operation *operation, const char *name)
{
	for (size_t i = 0; i < operation->parameter_count; i++) {
		if (strcmp(operation->parameters[i].name, name) == 0)
			return &operation->parameters[i];
	}
	return NULL;
}

static void refuse_unknown(
	struct mistakes *mistakes, const struct api_operation *operation, const char *name)
{
	const char **known = memory_array(operation->parameter_count, sizeof *known);
	size_t count = 0;
	for (size_t i = 0; i < operation->parameter_count; i++) {
		if (!operation->parameters[i].in_path)
			known[count++] = operation->parameters[i].name;
	}
	add_mistake(mistakes, name, http_problem_unknown("parameter", name, known, count));
	free(known);
}

static void check_unknown(const struct http_request *request, const struct api_operation *operation,
	struct mistakes *mistakes)
{
	for (size_t i = 0; i < http_request_query_count(request); i++) {
		const char *name = http_request_query_name(request, i);
		const struct api_parameter *parameter = find_parameter(operation, name);
		if (parameter == NULL || parameter->in_path)
			refuse_unknown(mistakes, operation, name);
	}
}

/* The value of PARAMETER in REQUEST, new; NULL when it is not given or not as it should be. */
static struct ss_value *read_parameter(const struct http_request *request,
	const struct api_document *document, const struct api_parameter *parameter,
	struct mistakes *mistakes)
{
	const char *text = parameter->in_path ? http_request_parameter(request, parameter->name)
					      : http_request_query(request, parameter->name);
	if (text == NULL) {
		if (parameter->required)
			add_mistake(mistakes, parameter->name,
				memory_format("%s is required", parameter->name));
		return NULL;
	}
	struct ss_value *value = json_schema_read(&document->schemas, parameter->schema, text);
	struct ss_value *errors =
		json_schema_errors(&document->schemas, parameter->schema, parameter->name, value);
	if (errors == NULL)
		return value;
	add_mistake(mistakes, parameter->name,
		memory_string(value_as_string(value_get(value_at(errors, 0), "detail"), NULL)));
	value_unref(errors);
	value_unref(value);
	return NULL;
}

/* The parameters of REQUEST, a new map; NULL when a problem was replied. */
static struct ss_value *read_parameters(struct http_request *request,
	const struct api_document *document, const struct api_operation *operation)
{
	struct mistakes mistakes = {.items = value_list(NULL, 0)};
	struct ss_value *parameters = value_map(NULL, NULL, 0);
	check_unknown(request, operation, &mistakes);
	for (size_t i = 0; i < operation->parameter_count; i++) {
		const struct api_parameter *parameter = &operation->parameters[i];
		struct ss_value *value = read_parameter(request, document, parameter, &mistakes);
		if (value == NULL)
			continue;
		struct ss_value *next = value_map_with(parameters, parameter->name, value);
		value_unref(parameters);
		parameters = next;
	}
	if (mistakes.first == NULL) {
		value_unref(mistakes.items);
		return parameters;
	}
	value_unref(parameters);
	http_reply_problem(request, 422, mistakes.first, mistakes.items);
	free(mistakes.first);
	return NULL;
}

/* What MAP says of NAME, a text; NULL: nothing. */
static const char *text_in(const struct ss_value *map, const char *name)
{
	const struct ss_value *value = name != NULL ? value_get(map, name) : NULL;
	return value_type(value) == SS_STRING ? value_as_string(value, NULL) : NULL;
}

/* What it is about is told for who erases a user or a conversation: the user as the store knows them. */
static void do_once(struct http_request *request, struct passage *passage,
	const struct api_operation *operation)
{
	struct ss_text text = http_request_body(request);
	/* What its handler reads may be anything. */
	struct ss_value *body = operation->body == NULL && operation->user != NULL
					? json_parse(text.data, text.length, NULL)
					: value_ref(passage->body);
	const char *user = text_in(body, operation->user);
	const char *conversation = text_in(passage->parameters, operation->conversation);
	char *stored = user != NULL ? api_stored_user(request, user) : NULL;
	const struct once_about about = {
		.user_id = stored,
		.conversation_id = conversation != NULL ? conversation
							: text_in(body, operation->conversation),
		.makes_conversation = operation->conversation != NULL,
	};
	struct once *once = api_once_begin(request, &passage->caller, &about, operation->handle);
	/* Else it was replied to, and PASSAGE is gone with it. */
	if (once != NULL)
		passage->once = once;
	value_unref(body);
	free(stored);
}

void api_note_conversation(struct http_request *request, const char *id)
{
	if (id != NULL && api_is_id(id, "conv_"))
		http_request_log_field(request, "conversation_id", id);
}

void api_note_answer(struct http_request *request, const struct ss_value *reply)
{
	const struct ss_value *id = value_get(reply, "conversation_id");
	api_note_conversation(
		request, value_type(id) == SS_STRING ? value_as_string(id, NULL) : NULL);
}

/* The conversation that REQUEST names, in its path, query or body. */
static void note_named_conversation(struct http_request *request)
{
	const struct ss_value *in_body = value_get(api_body(request), "conversation_id");
	api_note_conversation(request, api_parameter_text(request, "id"));
	api_note_conversation(request, api_parameter_text(request, "conversation_id"));
	if (value_type(in_body) == SS_STRING)
		api_note_conversation(request, value_as_string(in_body, NULL));
}

/* Whether the client of REQUEST takes a reply of the operation. If not, a problem was replied, and nothing is done. */
static bool check_accept(struct http_request *request, const struct api_operation *operation)
{
	struct buffer types = {0};
	char *accept = http_request_header_list(request, "Accept");
	bool wanted = operation->type_count == 0;
	for (size_t i = 0; i < operation->type_count && !wanted; i++) {
		wanted = http_type_wanted(accept, operation->types[i]) > 0;
		buffer_add_format(&types, "%s%s", i > 0 ? ", " : "", operation->types[i]);
	}
	free(accept);
	if (!wanted) {
		char *detail = memory_format(
			"the header Accept takes none of the media types that this has: %s",
			buffer_text(&types));
		http_reply_problem(request, 406, detail, NULL);
		free(detail);
	}
	buffer_free(&types);
	return wanted;
}

void api_gate(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	const struct api_operation *operation = api_operation_of(request);
	struct ss_value *body = NULL;
	struct api_caller caller;
	bool limited = operation->role != API_PUBLIC && !operation->is_unlimited;
	/* First, so that keys cannot be tried without end either. */
	if (limited && !api_admit_address(request))
		return;
	if (!api_caller_find(request, operation->role, &caller) ||
		(limited && !api_admit_key(request, &caller)))
		return;
	if (!check_accept(request, operation))
		return;
	if (operation->is_conditional)
		http_request_may_be_known(request);
	struct ss_value *parameters = read_parameters(request, api->document, operation);
	if (parameters == NULL)
		return;
	if (operation->body != NULL &&
		!(operation->body_is_optional && http_request_body(request).length == 0)) {
		body = json_body_read(request, &api->document->schemas, operation->body);
		if (body == NULL) {
			value_unref(parameters);
			return;
		}
	}
	struct passage *passage = memory_make(struct passage);
	*passage = (struct passage){.caller = caller, .parameters = parameters, .body = body};
	http_request_keep(request, passage, passage_free);
	note_named_conversation(request);
	if (operation->is_once && api_once_is_asked(request))
		do_once(request, passage, operation);
	else
		operation->handle(request);
}

const struct api_operation *api_operation_of(const struct http_request *request)
{
	return http_request_route(request)->data;
}

const struct api_caller *api_caller(const struct http_request *request)
{
	const struct passage *passage = http_request_kept(request);
	return &passage->caller;
}

const char *api_subject(const struct http_request *request)
{
	const struct passage *passage = http_request_kept(request);
	return passage->once != NULL ? api_once_subject(passage->once) : NULL;
}

const char *api_subject_as(const struct http_request *request, const char *prefix, char id[ID_SIZE])
{
	const char *subject = api_subject(request);
	if (subject == NULL)
		return NULL;
	(void)snprintf(id, ID_SIZE, "%s%s", prefix, subject);
	return id;
}

void api_keep(struct http_request *request, const char *type, struct ss_text body,
	void (*kept)(void *context), void *context)
{
	const struct passage *passage = http_request_kept(request);
	if (passage != NULL && passage->once != NULL)
		api_once_keep(passage->once, type, body, kept, context);
	else
		kept(context);
}

bool api_is_again(const struct http_request *request)
{
	const struct passage *passage = http_request_kept(request);
	return passage->once != NULL && api_once_is_again(passage->once);
}

const struct ss_value *api_body(const struct http_request *request)
{
	const struct passage *passage = http_request_kept(request);
	return passage->body;
}

const struct ss_value *api_parameter(const struct http_request *request, const char *name)
{
	const struct passage *passage = http_request_kept(request);
	return value_get(passage->parameters, name);
}

const char *api_parameter_text(const struct http_request *request, const char *name)
{
	const struct ss_value *value = api_parameter(request, name);
	return value != NULL ? value_as_string(value, NULL) : NULL;
}

size_t api_limit(const struct http_request *request)
{
	const struct ss_value *limit = api_parameter(request, "limit");
	return limit != NULL ? (size_t)value_as_int(limit) : LIMIT_USUAL;
}
