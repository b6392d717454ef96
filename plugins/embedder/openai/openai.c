/*
 * The embedder openai: any API that is compatible with OpenAI's embeddings. docs/models.md tells how it is used.
 *
 * Texts go out in batches. A batch that fails for a reason that may pass is tried again, a few times and not for
 * long, since everything that waits for a vector waits for it. How long vectors are is asked for when it is made,
 * unless an option says it; one of another length is never handed on.
 */
#include "common/openai_failure.h"
#include "transfer.h"
#include "vectors.h"

#include <smartsupport/smartsupport.h>

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	OPTION_DIMENSION = OPENAI_OPTIONS,
	OPTION_BATCH,
	OPTION_ATTEMPTS,
	OPTION_BACKOFF,
	OPTION_MAX_BACKOFF,
	OPTION_CONNECT_TIMEOUT,
	OPTION_TIMEOUT,
};

enum { DIMENSION_LIMIT = 65536 };

struct openai {
	const struct ss_host *host;
	struct openai_endpoint endpoint;
	struct transfer *transfer;
	size_t dimension;
	bool asks_dimension; /* the server is told of it */
	size_t batch;
	int64_t attempts;
	double backoff, max_backoff;
};

/* The JSON of a request for the vectors of COUNT TEXTS: new, or NULL for want of memory. */
static char *body_of(const struct openai *openai, const struct ss_text *texts, size_t count)
{
	struct json_object *body = json_object_new_object();
	struct json_object *input = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		/* A text without anything is refused. */
		bool empty = texts[i].length == 0;
		(void)json_object_array_add(
			input, json_object_new_string_len(empty ? " " : texts[i].data,
				       empty ? 1 : (int)texts[i].length));
	}
	(void)json_object_object_add(body, "model", json_object_new_string(openai->endpoint.model));
	(void)json_object_object_add(body, "input", input);
	(void)json_object_object_add(body, "encoding_format", json_object_new_string("float"));
	if (openai->asks_dimension)
		(void)json_object_object_add(
			body, "dimensions", json_object_new_int64((int64_t)openai->dimension));
	char *text = strdup(json_object_to_json_string_ext(
		body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(body);
	return text;
}

/* Asks once. *REPLY is new. *RETRY_AFTER is when to come back after a failure; negative: nothing is known. */
static int ask_once(struct openai *openai, const char *body, struct ss_value **reply,
	double *retry_after, struct ss_error *err)
{
	const struct ss_value_functions *values = openai->host->values;
	struct transfer_reply got;
	struct ss_error failure = {0};
	*retry_after = -1;
	if (transfer_post(openai->transfer, body, &got, err) < 0)
		return -1;
	int result = 0;
	const struct ss_text text = {got.body, got.length};
	*retry_after = got.retry_after;
	if (got.status / 100 != 2) {
		result = openai_failure(
			&openai->endpoint, values, got.status, text, got.location, err);
	} else {
		*reply = values->from_json(got.body != NULL ? got.body : "", got.length, &failure);
		if (*reply == NULL)
			result = ss_fail_as(err, SS_UNAVAILABLE,
				"%s sends a reply that cannot be read: %s", openai->endpoint.name,
				failure.text);
	}
	free(got.body);
	return result;
}

static void sleep_for(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
	while (nanosleep(&left, &left) != 0) {
	}
}

/* Asks until there is a reply, or it is no use. */
static int ask(struct openai *openai, const struct ss_text *texts, size_t count,
	struct ss_value **reply, struct ss_error *err)
{
	char *body = body_of(openai, texts, count);
	if (body == NULL)
		return ss_fail(err, "out of memory");
	int result = -1;
	double wait = openai->backoff;
	for (int64_t attempt = 1; result < 0; attempt++) {
		double retry_after;
		struct ss_error failure = {0};
		result = ask_once(openai, body, reply, &retry_after, &failure);
		if (result == 0)
			break;
		*err = failure;
		bool passes = failure.status == SS_UNAVAILABLE || failure.status == SS_TIMEOUT ||
			      failure.status == SS_LIMIT;
		if (!passes || attempt >= openai->attempts || retry_after > openai->max_backoff)
			break;
		sleep_for(fmin(retry_after > wait ? retry_after : wait, openai->max_backoff));
		wait *= 2;
	}
	free(body);
	return result;
}

static int embed_batch(struct openai *openai, const struct ss_text *texts, size_t count,
	float *vectors, struct ss_error *err)
{
	const struct ss_value_functions *values = openai->host->values;
	struct ss_value *reply = NULL;
	struct ss_error failure = {0};
	if (ask(openai, texts, count, &reply, err) < 0)
		return -1;
	int result = vectors_read(values, reply, count, openai->dimension, vectors, &failure);
	if (result < 0)
		(void)ss_fail_as(err, SS_INVALID, "%s sends vectors that cannot be used: %s",
			openai->endpoint.name, failure.text);
	values->unref(reply);
	return result;
}

static int embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	struct openai *openai = instance;
	for (size_t done = 0; done < count;) {
		size_t part = count - done < openai->batch ? count - done : openai->batch;
		if (embed_batch(openai, texts + done, part, vectors + done * openai->dimension,
			    err) < 0)
			return -1;
		done += part;
	}
	return 0;
}

/* How long a vector of the model is. */
static int find_dimension(struct openai *openai, struct ss_error *err)
{
	const struct ss_value_functions *values = openai->host->values;
	static const struct ss_text probe = {"How long is a vector?", 21};
	struct ss_value *reply = NULL;
	if (ask(openai, &probe, 1, &reply, err) < 0)
		return -1;
	openai->dimension = vectors_dimension(values, reply);
	values->unref(reply);
	if (openai->dimension == 0 || openai->dimension > DIMENSION_LIMIT)
		return ss_fail_as(err, SS_INVALID,
			"%s sends no vector of 1 to %d numbers; is %s a model for embeddings?",
			openai->endpoint.name, DIMENSION_LIMIT, openai->endpoint.model);
	return 0;
}

static void destroy(void *instance)
{
	struct openai *openai = instance;
	transfer_free(openai->transfer);
	openai_endpoint_end(&openai->endpoint);
	free(openai);
}

static int find_endpoint(struct openai *openai, const struct ss_setup *setup, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	bool found;
	/* The environment says which model answers; it must not change what all vectors are made by. */
	if (strcmp(values->as_string(setup->options[OPENAI_PROVIDER], NULL), "auto") == 0 &&
		values->as_string(setup->options[OPENAI_BASE_URL], NULL)[0] == '\0')
		return ss_fail_as(err, SS_INVALID,
			"the embedder openai needs a provider or a base_url in its options");
	return openai_endpoint_find(&openai->endpoint, setup, true, &found, err);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *const *options = setup->options;
	struct openai *openai = calloc(1, sizeof *openai);
	if (openai == NULL)
		return ss_fail(err, "out of memory");
	openai->host = setup->host;
	if (find_endpoint(openai, setup, err) < 0) {
		free(openai);
		return -1;
	}
	openai->dimension = (size_t)values->as_int(options[OPTION_DIMENSION]);
	openai->asks_dimension =
		openai->dimension > 0 && strcmp(openai->endpoint.provider->name, "openai") == 0;
	openai->batch = (size_t)values->as_int(options[OPTION_BATCH]);
	openai->attempts = values->as_int(options[OPTION_ATTEMPTS]);
	openai->backoff = values->as_number(options[OPTION_BACKOFF]);
	openai->max_backoff = values->as_number(options[OPTION_MAX_BACKOFF]);
	openai->transfer =
		transfer_new(&openai->endpoint, values->as_number(options[OPTION_CONNECT_TIMEOUT]),
			values->as_number(options[OPTION_TIMEOUT]), err);
	if (openai->transfer == NULL ||
		(openai->dimension == 0 && find_dimension(openai, err) < 0)) {
		destroy(openai);
		return -1;
	}
	*instance = openai;
	return 0;
}

static size_t dimension(const void *instance)
{
	const struct openai *openai = instance;
	return openai->dimension;
}

static const struct ss_option options[] = {
	[OPENAI_PROVIDER] = {.name = "provider",
		.type = SS_OPTION_CHOICE,
		.fallback = "auto",
		.choices = "auto openai ollama vllm llamacpp custom",
		.help = "Whose API it is, which says where it is, its usual model and the variable "
			"with its key; auto: as base_url says."},
	[OPENAI_BASE_URL] = OPENAI_BASE_URL_ROW,
	[OPENAI_MODEL] = OPENAI_MODEL_ROW,
	[OPENAI_API_KEY] = OPENAI_API_KEY_ROW,
	[OPENAI_HEADERS] = OPENAI_HEADERS_ROW,
	[OPTION_DIMENSION] = {.name = "dimension",
		.type = SS_OPTION_INT,
		.fallback = "0",
		.min = 0,
		.max = DIMENSION_LIMIT,
		.help = "The numbers of a vector; 0: the server is asked once at the start."},
	[OPTION_BATCH] = {.name = "batch",
		.type = SS_OPTION_INT,
		.fallback = "64",
		.min = 1,
		.max = 2048,
		.help = "Texts that go into one request."},
	[OPTION_ATTEMPTS] = {.name = "attempts",
		.type = SS_OPTION_INT,
		.fallback = "3",
		.min = 1,
		.max = 20,
		.help = "How often a request is tried that may succeed later."},
	[OPTION_BACKOFF] = {.name = "backoff",
		.type = SS_OPTION_DURATION,
		.fallback = "500ms",
		.min = 0,
		.max = 60,
		.help = "The wait before the second attempt; each further one is twice as long."},
	[OPTION_MAX_BACKOFF] = {.name = "max_backoff",
		.type = SS_OPTION_DURATION,
		.fallback = "5s",
		.min = 0,
		.max = 600,
		.help = "The longest wait; a server that asks for a longer one is not tried "
			"again."},
	[OPTION_CONNECT_TIMEOUT] = {.name = "connect_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "3s",
		.min = 0.01,
		.max = 600,
		.help = "How long the connection may take."},
	[OPTION_TIMEOUT] = {.name = "timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "10s",
		.min = 0.01,
		.max = 3600,
		.help = "How long one attempt may take."},
	{.name = NULL},
};

static const struct ss_embedder_operations operations = {
	.create = create,
	.destroy = destroy,
	.dimension = dimension,
	.embed = embed,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_EMBEDDER,
	.name = "openai",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Embeds texts with any API that is compatible with OpenAI's.",
	.options = options,
	.embedder = &operations,
};
