#include "api/caller.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/memory.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "Bearer ";

/* The key that REQUEST brings; NULL: none. "": there is an Authorization of another kind. */
static const char *token_of(const struct http_request *request)
{
	const char *given = http_request_header(request, "Authorization");
	if (given == NULL)
		return NULL;
	if (strncasecmp(given, scheme, sizeof scheme - 1) != 0)
		return "";
	given += sizeof scheme - 1;
	return given + strspn(given, " ");
}

/* Replies that REQUEST needs a key, or a better one than it has. */
static bool refuse_key(struct http_request *request, bool has_one, const char *detail)
{
	http_reply_header(request, "WWW-Authenticate",
		has_one ? "Bearer realm=\"smartsupport\", error=\"invalid_token\""
			: "Bearer realm=\"smartsupport\"");
	http_reply_problem(request, 401, detail, NULL);
	return false;
}

static bool refuse_token(
	struct http_request *request, enum key_verdict verdict, const struct api_key *key)
{
	if (verdict == KEY_UNKNOWN)
		return refuse_key(request, true,
			"there is no such API key; send Authorization: Bearer KEY with the key as "
			"smartsupport keys create showed it");
	char *detail = memory_format("the API key %s %s", key->id,
		verdict == KEY_EXPIRED ? "has expired" : "is revoked");
	(void)refuse_key(request, true, detail);
	free(detail);
	return false;
}

static bool check_role(
	struct http_request *request, enum api_role needed, const struct api_caller *caller)
{
	if (caller->role >= needed)
		return true;
	char *detail = memory_format("this needs a key with the role %s; this one has the role %s",
		api_role_name(needed), api_role_name(caller->role));
	http_reply_problem(request, 403, detail, NULL);
	free(detail);
	return false;
}

bool api_caller_find(struct http_request *request, enum api_role needed, struct api_caller *caller)
{
	static const enum api_role roles[] = {[KEY_NOBODY] = API_PUBLIC,
		[KEY_CHAT] = API_CHAT,
		[KEY_OPERATOR] = API_OPERATOR,
		[KEY_ADMIN] = API_ADMIN};
	const struct api *api = http_request_context(request);
	const struct api_key *key;
	*caller = (struct api_caller){.role = API_PUBLIC};
	if (api->is_open && key_ring_count(api->keys) == 0) {
		caller->role = API_ADMIN;
		return true;
	}
	const char *token = token_of(request);
	if (token == NULL)
		return needed == API_PUBLIC ||
		       refuse_key(request, false,
			       "this needs an API key; send Authorization: Bearer KEY");
	enum key_verdict verdict =
		key_ring_find(api->keys, token, clock_utc_ns() / 1000000000, &key);
	/* What is for anybody is also for who has a key that is of no use. */
	if (verdict != KEY_VALID)
		return needed == API_PUBLIC || refuse_token(request, verdict, key);
	caller->role = roles[key->role];
	(void)strcpy(caller->key, key->id);
	if (key->role == KEY_CHAT)
		(void)strcpy(caller->space, key->space);
	return check_role(request, needed, caller);
}

char *api_stored_user(const struct http_request *request, const char *user_id)
{
	const char *space = api_caller(request)->space;
	return space[0] != '\0' ? memory_format("%s:%s", space, user_id) : memory_string(user_id);
}

/* As api_known_user(), of the users of SPACE. */
static const char *known_in(const char *space, const char *stored)
{
	size_t length = strlen(space);
	if (length == 0)
		return stored;
	return strncmp(stored, space, length) == 0 && stored[length] == ':' ? stored + length + 1
									    : NULL;
}

const char *api_known_user(const struct http_request *request, const char *stored)
{
	return known_in(api_caller(request)->space, stored);
}

/* A turn that is looked for. */
struct finding {
	store_committed *done;
	void *context;
	char *turn_id;
	char space[KEY_SPACE_SIZE];
};

/* The user of the turn that FINDING looks for; NULL and ERR. New. */
static char *read_user(const struct ss_storage_operations *storage, void *instance,
	const struct finding *finding, struct ss_error *err)
{
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter, .turn_id = finding->turn_id, .limit = 2};
	struct ss_value *page = NULL;
	struct ss_value *conversation = NULL;
	char *user = NULL;
	if (storage->list_messages == NULL || storage->read_conversation == NULL) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "this storage does not tell whose a turn is");
		return NULL;
	}
	if (storage->list_messages(instance, &filter, &page, err) == 0) {
		const struct ss_value *message = value_at(value_get(page, "items"), 0);
		const char *id = value_as_string(value_get(message, "conversation_id"), NULL);
		if (storage->read_conversation(instance, id, &conversation, err) == 0)
			user = memory_string(
				value_as_string(value_get(conversation, "user_id"), NULL));
	}
	value_unref(page);
	value_unref(conversation);
	return user;
}

static int call_find(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	const struct finding *finding = context;
	char *user = read_user(storage, instance, finding, err);
	if (user == NULL)
		return -1;
	bool known = known_in(finding->space, user) != NULL;
	free(user);
	/* In the words of a turn that nobody has. */
	return known ? 0
		     : ss_fail_as(err, SS_NOT_FOUND, "there is no stored turn with the id %s",
			       finding->turn_id);
}

static void on_found(void *context, const struct ss_error *err)
{
	struct finding *finding = context;
	finding->done(finding->context, err);
	free(finding->turn_id);
	free(finding);
}

int api_find_turn(struct http_request *request, const char *turn_id, store_committed *done,
	void *context, struct ss_error *err)
{
	const struct api *api = http_request_context(request);
	struct finding *finding = memory_make(struct finding);
	finding->done = done;
	finding->context = context;
	finding->turn_id = memory_string(turn_id);
	(void)strcpy(finding->space, api_caller(request)->space);
	if (store_run(api->store, call_find, on_found, finding, err) == 0)
		return 0;
	free(finding->turn_id);
	free(finding);
	return -1;
}
