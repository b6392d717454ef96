#include "api/once.h"

#include "api/api.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "config/access.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static const char header[] = "Idempotency-Key";

enum { KEY_LENGTH = 255 };

/* Headers of a reply that are kept with it. */
static const char *const kept_headers[] = {"Location", "ETag"};

struct once {
	struct http_request *request;
	http_handler *go_on;
	char scope[KEY_ID_SIZE];
	char *key;
	char *user_id, *conversation_id; /* that it is about; NULL: none */
	char fingerprint[HASH_SIZE];
	char subject[ID_SIZE];
	bool is_again;                           /* an attempt before has not come to its end */
	char owner[PROCESS_NAME_SIZE + ID_SIZE]; /* this attempt */
	int64_t lease_ns, keep_ns;
	struct ss_value *claim;
	/* The reply, once it is there. */
	int status;
	char *type; /* NULL: there is no body */
	char *body;
	size_t length;
	char *answer;                /* as it is kept */
	void (*kept)(void *context); /* NULL: the reply is sent then */
	void *kept_context;
};

bool api_once_is_asked(const struct http_request *request)
{
	return http_request_header(request, header) != NULL;
}

void api_once_free(struct once *once)
{
	if (once == NULL)
		return;
	value_unref(once->claim);
	free(once->key);
	free(once->user_id);
	free(once->conversation_id);
	free(once->type);
	free(once->body);
	free(once->answer);
	free(once);
}

const char *api_once_subject(const struct once *once)
{
	return once->subject;
}

bool api_once_is_again(const struct once *once)
{
	return once->is_again;
}

/* What tells the request from others: method, path with its query, and body. */
static void take_fingerprint(struct once *once)
{
	struct buffer text = {0};
	struct ss_text body = http_request_body(once->request);
	buffer_add_format(&text, "%s %s\n", http_request_method(once->request),
		http_request_target(once->request));
	buffer_add(&text, body.data, body.length);
	(void)hash_sha256(buffer_text(&text), text.length, once->fingerprint);
	buffer_free(&text);
}

/* What is kept of the reply. */
static char *answer_of(const struct once *once)
{
	struct ss_value *headers = value_map(NULL, NULL, 0);
	for (size_t i = 0; i < array_length(kept_headers); i++) {
		const char *value = http_reply_header_of(once->request, kept_headers[i]);
		if (value == NULL)
			continue;
		struct ss_value *more = value_map_with(headers, kept_headers[i], value_text(value));
		value_unref(headers);
		headers = more;
	}
	struct ss_value *answer =
		value_map_make({"type", once->type != NULL ? value_text(once->type) : NULL},
			{"headers", headers}, {"body", value_string(once->body, once->length)});
	char *text = json_text(answer);
	value_unref(answer);
	return text;
}

static int call_finish(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	const struct once *once = context;
	bool succeeded = once->answer != NULL;
	const struct ss_request_result result = {
		.struct_size = sizeof result,
		.scope = once->scope,
		.key = once->key,
		.owner = once->owner,
		.code = succeeded ? once->status : 0,
		.answer = succeeded ? text_of(once->answer) : (struct ss_text){0},
	};
	return storage->finish_request(instance, &result, err);
}

/* The reply is kept, or cannot be: who asked gets it in any case, since what it tells has happened. */
static void on_finished(void *context, const struct ss_error *err)
{
	struct once *once = context;
	if (err != NULL)
		log_warning(http_request_log(once->request),
			"the reply to a request with an Idempotency-Key is not kept: %s",
			err->text);
	/* ONCE ends with the request. */
	if (once->kept != NULL) {
		once->kept(once->kept_context);
		return;
	}
	char *type = once->type;
	char *body = once->body;
	once->type = once->body = NULL;
	if (type == NULL)
		http_reply_empty(once->request, once->status);
	else
		http_reply_text(
			once->request, once->status, type, (struct ss_text){body, once->length});
	free(type);
	free(body);
}

/* What is kept is what ONCE says of the reply. */
static void finish(struct once *once)
{
	const struct api *api = http_request_context(once->request);
	struct ss_error err = {0};
	if (once->status >= 200 && once->status < 300)
		once->answer = answer_of(once);
	if (store_run(api->store, call_finish, on_finished, once, &err) < 0)
		on_finished(once, &err);
}

static void take(struct once *once, int status, const char *type, struct ss_text body)
{
	once->status = status;
	once->type = memory_string(type);
	once->body = memory_text(body.length > 0 ? body.data : "", body.length);
	once->length = body.length;
}

void api_once_keep(struct once *once, const char *type, struct ss_text body,
	void (*kept)(void *context), void *context)
{
	once->kept = kept;
	once->kept_context = context;
	take(once, type != NULL ? 200 : 500, type, body);
	finish(once);
}

static void on_reply(
	void *data, struct http_request *request, int status, const char *type, struct ss_text body)
{
	(void)request;
	take(data, status, type, body);
	finish(data);
}

static int call_claim(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct once *once = context;
	const struct ss_request_key key = {
		.struct_size = sizeof key,
		.scope = once->scope,
		.key = once->key,
		.fingerprint = once->fingerprint,
		.subject = once->subject,
		.user_id = once->user_id,
		.owner = once->owner,
		.lease_ns = once->lease_ns,
		.keep_ns = once->keep_ns,
		.conversation_id = once->conversation_id,
	};
	if (storage->claim_request == NULL || storage->finish_request == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "this storage keeps no requests");
	return storage->claim_request(instance, &key, &once->claim, err);
}

/* Replies as the first attempt was replied to. */
static void reply_again(struct once *once)
{
	struct http_request *request = once->request;
	struct ss_text text = value_as_text(value_get(once->claim, "answer"));
	int status = (int)value_as_int(value_get(once->claim, "code"));
	struct ss_error err = {0};
	struct ss_value *answer = json_parse(text.data, text.length, &err);
	if (answer == NULL) {
		log_error(http_request_log(request), "a kept reply cannot be read: %s", err.text);
		api_reply_error(request, &err);
		return;
	}
	const struct ss_value *headers = value_get(answer, "headers");
	for (size_t i = 0; i < value_count(headers); i++)
		http_reply_header(request, value_key_at(headers, i),
			value_as_string(value_at(headers, i), NULL));
	http_reply_header(request, "Idempotency-Replayed", "true");
	const struct ss_value *type = value_get(answer, "type");
	/* REQUEST, and with it ONCE, ends with the reply. */
	if (type == NULL)
		http_reply_empty(request, status);
	else
		http_reply_text(request, status, value_as_string(type, NULL),
			value_as_text(value_get(answer, "body")));
	value_unref(answer);
}

void api_once_reply_in_flight(struct http_request *request)
{
	http_reply_header(request, "Retry-After", "1");
	http_reply_problem(request, 409,
		"another request with this Idempotency-Key is being answered; ask again in a "
		"moment",
		NULL);
}

static void refuse_key(struct http_request *request, int status, const char *detail)
{
	struct ss_value *error =
		value_map_make({"parameter", value_text(header)}, {"detail", value_text(detail)});
	http_reply_problem(request, status, detail, value_list(&error, 1));
}

static void on_claimed(void *context, const struct ss_error *err)
{
	struct once *once = context;
	struct http_request *request = once->request;
	if (err != NULL) {
		api_reply_error(request, err);
		return;
	}
	const char *state = value_as_string(value_get(once->claim, "state"), NULL);
	if (strcmp(state, "claimed") == 0) {
		const char *subject = value_as_string(value_get(once->claim, "subject"), NULL);
		once->is_again = strcmp(once->subject, subject) != 0;
		(void)snprintf(once->subject, sizeof once->subject, "%s", subject);
		http_take_reply(request, on_reply, once);
		once->go_on(request);
	} else if (strcmp(state, "done") == 0) {
		reply_again(once);
	} else if (strcmp(state, "in_flight") == 0) {
		api_once_reply_in_flight(request);
	} else {
		refuse_key(request, 422,
			"this Idempotency-Key was used for another request; choose a new one for "
			"each request, and the same only to send one again");
	}
}

static bool is_key(const char *text)
{
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '!' || text[i] > '~')
			return false;
	}
	return length > 0 && length <= KEY_LENGTH;
}

struct once *api_once_begin(struct http_request *request, const struct api_caller *caller,
	const struct once_about *about, http_handler *go_on)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	char process[PROCESS_NAME_SIZE], attempt[ID_SIZE];
	const char *key = http_request_header(request, header);
	if (!is_key(key)) {
		refuse_key(request, 400,
			"Idempotency-Key is 1 to 255 visible ASCII characters, as a UUID");
		return NULL;
	}
	struct once *once = memory_make(struct once);
	once->request = request;
	once->go_on = go_on;
	once->key = memory_string(key);
	once->user_id = memory_string(about->user_id);
	once->lease_ns = api->access->request_lease_ns;
	once->keep_ns = api->access->request_keep_ns;
	(void)snprintf(once->scope, sizeof once->scope, "%s",
		caller->key[0] != '\0' ? caller->key : "anybody");
	(void)id_new("", once->subject);
	if (about->conversation_id != NULL)
		once->conversation_id = memory_string(about->conversation_id);
	else if (about->makes_conversation)
		once->conversation_id = memory_format("conv_%s", once->subject);
	process_name(process);
	(void)snprintf(once->owner, sizeof once->owner, "%s %s", process, id_new("", attempt));
	take_fingerprint(once);
	if (store_run(api->store, call_claim, on_claimed, once, &err) == 0)
		return once;
	api_once_free(once);
	api_reply_error(request, &err);
	return NULL;
}
