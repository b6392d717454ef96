/*
 * Users: GET and POST /api/v1/users; GET, PATCH and DELETE …/{id}, which erases all that is known of one.
 */
#include "api/asked.h"
#include "api/if_match.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/erasures.h"
#include "service/event_feed.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#define US_IN_NS ((int64_t)1000)

static int list(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	return storage->list_users(instance, asked_question(asked), &asked->value, err);
}

void api_users(struct http_request *request)
{
	const struct ss_value *vip = api_parameter(request, "vip");
	struct asked *asked = asked_make(request, struct ss_user_filter, asked_reply_page);
	struct ss_user_filter *filter = asked_question(asked);
	*filter = (struct ss_user_filter){
		.struct_size = sizeof *filter,
		.vip = vip != NULL ? value_as_bool(vip) : -1,
		.prefix = api_parameter_text(request, "prefix"),
		.after = api_parameter_text(request, "cursor"),
		.limit = api_limit(request),
	};
	asked_run(asked, list);
}

static int read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	return storage->read_user(instance, asked_id(asked), &asked->value, err);
}

/* Of a user the ETag is when they were described last, and how many conversations they have. */
static void reply_with(struct http_request *request, const struct ss_value *user, int status)
{
	char etag[64];
	int64_t at_ns = 0;
	(void)api_read_time(value_as_string(value_get(user, "updated_at"), NULL), &at_ns);
	(void)snprintf(etag, sizeof etag, "\"%lld-%lld\"", (long long)(at_ns / US_IN_NS),
		(long long)value_as_int(value_get(user, "conversations")));
	http_reply_header(request, "ETag", etag);
	http_reply_json(request, status, user);
}

static void reply_user(struct http_request *request, const struct ss_value *user)
{
	reply_with(request, user, 200);
}

void api_user(struct http_request *request)
{
	asked_run_id(request, api_parameter_text(request, "id"), read, reply_user);
}

/* Whoever follows a conversation looks whether it was the user's. */
static void on_erased(void *context, const struct ss_value *erased, const struct ss_error *err)
{
	struct http_request *request = context;
	const struct api *api = http_request_context(request);
	event_feed_tell(api->feed, NULL);
	if (err == NULL)
		http_reply_json(request, 200, erased);
	else
		api_reply_error(request, err);
}

void api_user_erase(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	erasures_begin(api->erasures, api_parameter_text(request, "id"), on_erased, request);
}

/* Storing. */

static bool same_text(const struct ss_value *stored, const char *name, const char *text)
{
	return strcmp(value_as_string(value_get(stored, name), NULL), text != NULL ? text : "") ==
	       0;
}

/* Whether STORED is what storing USER, who is new, comes to. */
static bool is_same(const struct ss_value *stored, const struct ss_user *user)
{
	const char *text = user->metadata != NULL ? user->metadata : "{}";
	struct ss_value *metadata = json_parse(text, strlen(text), NULL);
	const struct ss_value *kept = value_get(stored, "metadata");
	bool same = same_text(stored, "name", user->name) &&
		    same_text(stored, "email", user->email) &&
		    value_as_bool(value_get(stored, "vip")) == (user->vip > 0) &&
		    (kept != NULL ? value_equal(kept, metadata) : value_count(metadata) == 0);
	value_unref(metadata);
	return same;
}

/* Whoever is there already as the user is described was made by the attempt before. */
static int store_again(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	const struct ss_user *user = asked_question(asked);
	struct ss_error cause = {0};
	struct ss_value *found = NULL;
	if (storage->store_user(instance, user, &asked->value, err) == 0)
		return 0;
	if (err->status != SS_CONFLICT ||
		storage->read_user(instance, user->id, &found, &cause) < 0)
		return -1;
	if (!is_same(found, user)) {
		value_unref(found);
		return -1;
	}
	*err = (struct ss_error){0};
	asked->value = found;
	return 0;
}

static int store(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	return storage->store_user(instance, asked_question(asked), &asked->value, err);
}

/* The member NAME of the body: NULL when it is not given, empty when it is null. */
static const char *changed_text(const struct http_request *request, const char *name)
{
	const struct ss_value *value = value_get(api_body(request), name);
	return value != NULL && value_type(value) == SS_NULL ? "" : asked_member(request, name);
}

/* A user ID as the body describes one. */
static struct asked *user_new(struct http_request *request, const char *id, asked_reply *reply)
{
	const struct ss_value *body = api_body(request);
	const struct ss_value *vip = value_get(body, "vip");
	const struct ss_value *metadata = value_get(body, "metadata");
	struct asked *asked = asked_make(request, struct ss_user, reply);
	struct ss_user *user = asked_question(asked);
	*user = (struct ss_user){
		.struct_size = sizeof *user,
		.id = id,
		.name = changed_text(request, "name"),
		.email = changed_text(request, "email"),
		.vip = vip != NULL ? value_as_bool(vip) : -1,
		.metadata = metadata != NULL ? asked_keep(asked, json_text(metadata)) : NULL,
		.at_ns = clock_utc_ns(),
	};
	return asked;
}

static void reply_created(struct http_request *request, const struct ss_value *user)
{
	char *id = evhttp_uriencode(value_as_string(value_get(user, "id"), NULL), -1, 0);
	char *location = memory_format("/api/v1/users/%s", id);
	http_reply_header(request, "Location", location);
	free(location);
	free(id);
	reply_with(request, user, 201);
}

void api_user_create(struct http_request *request)
{
	struct asked *asked = user_new(request, asked_member(request, "id"), reply_created);
	struct ss_user *user = asked_question(asked);
	user->is_new = true;
	asked_run(asked, api_is_again(request) ? store_again : store);
}

/* When the user must have been described last; 0: whenever. */
static int64_t expected_ns(const struct api_if_match *expected)
{
	if (!expected->is_given || expected->is_any)
		return 0;
	bool is_time = expected->version > 0 && expected->version <= INT64_MAX / US_IN_NS;
	return is_time ? expected->version * US_IN_NS : INT64_MAX;
}

void api_user_change(struct http_request *request)
{
	struct api_if_match expected;
	if (!api_read_if_match(request, "user", &expected))
		return;
	struct asked *asked = user_new(request, api_parameter_text(request, "id"), reply_user);
	struct ss_user *user = asked_question(asked);
	user->expected_ns = expected_ns(&expected);
	asked->has_expected = expected.is_given;
	asked_run(asked, store);
}
