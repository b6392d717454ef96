/*
 * POST /v1/embeddings: the vectors of texts, as OpenAI's API gives them, from the embedder of this server. Many texts
 * are embedded a few at a time, so that the questions of customers come in between.
 */
#include "api/openai.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "service/compute.h"
#include "value/value.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXTS_LIMIT = 512,
	CHARACTERS_LIMIT = 32768, /* of one text */
	AT_ONCE = 8,
};

struct embedding {
	struct http_request *request;
	struct ss_value *texts; /* a list */
	/* As far as it is made: as values so many numbers would be large, and made at once. */
	struct buffer reply;
	size_t done;
	int64_t dimensions; /* that are asked for; 0: any */
	bool base64;
};

static int check_text(
	const struct ss_value *text, const char *parameter, struct openai_error *error)
{
	struct ss_text given = value_as_text(text);
	if (value_type(text) != SS_STRING)
		return openai_refuse(error, parameter,
			"%s must be a string; tokens by their numbers are not taken", parameter);
	if (text_blank(given))
		return openai_refuse(error, parameter, "%s must not be blank", parameter);
	if (text_characters(given) > CHARACTERS_LIMIT)
		return openai_refuse(error, parameter, "%s has more than %d characters", parameter,
			CHARACTERS_LIMIT);
	return 0;
}

/* The texts of the member INPUT as a new list, or NULL and ERROR. */
static struct ss_value *read_input(const struct ss_value *input, struct openai_error *error)
{
	if (value_type(input) != SS_LIST) {
		if (check_text(input, "input", error) < 0)
			return NULL;
		struct ss_value *one = value_ref(input);
		return value_list(&one, 1);
	}
	if (value_count(input) == 0 || value_count(input) > TEXTS_LIMIT) {
		(void)openai_refuse(error, "input", "input must have 1 to %d texts, not %zu",
			TEXTS_LIMIT, value_count(input));
		return NULL;
	}
	for (size_t i = 0; i < value_count(input); i++) {
		char parameter[32];
		(void)snprintf(parameter, sizeof parameter, "input[%zu]", i);
		if (check_text(value_at(input, i), parameter, error) < 0)
			return NULL;
	}
	return value_ref(input);
}

static int read_format(const struct ss_value *format, bool *base64, struct openai_error *error)
{
	const char *name = value_as_string(format, NULL);
	*base64 = strcmp(name, "base64") == 0;
	if (format == NULL || *base64 || strcmp(name, "float") == 0)
		return 0;
	return openai_refuse(
		error, "encoding_format", "encoding_format must be \"float\" or \"base64\"");
}

static int read_dimensions(
	const struct ss_value *given, int64_t *dimensions, struct openai_error *error)
{
	*dimensions = value_as_int(given);
	if (given == NULL || (value_type(given) == SS_INT && *dimensions > 0))
		return 0;
	return openai_refuse(error, "dimensions", "dimensions must be a whole number from 1 on");
}

/* With as few digits as tell a float from its neighbours. */
static void add_numbers(struct buffer *out, const float *vector, size_t dimension)
{
	buffer_add_char(out, '[');
	for (size_t i = 0; i < dimension; i++)
		buffer_add_format(out, "%s%.9g", i > 0 ? "," : "", (double)vector[i]);
	buffer_add_char(out, ']');
}

/* The floats as four bytes each, the lowest first. */
static void add_bytes(struct buffer *out, const float *vector, size_t dimension)
{
	uint32_t *raw = memory_array(dimension, sizeof *raw);
	size_t length = dimension * sizeof *raw;
	unsigned char *text = memory_new((length + 2) / 3 * 4 + 1);
	memcpy(raw, vector, length);
	for (size_t i = 0; i < dimension; i++)
		raw[i] = htole32(raw[i]);
	(void)EVP_EncodeBlock(text, (const unsigned char *)raw, (int)length);
	buffer_add_format(out, "\"%s\"", (const char *)text);
	free(text);
	free(raw);
}

static void add_item(struct embedding *embedding, const float *vector, size_t dimension)
{
	struct buffer *out = &embedding->reply;
	buffer_add_format(out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":",
		embedding->done > 0 ? "," : "{\"object\":\"list\",\"data\":[", embedding->done);
	if (embedding->base64)
		add_bytes(out, vector, dimension);
	else
		add_numbers(out, vector, dimension);
	buffer_add_char(out, '}');
	embedding->done++;
}

static void embedding_free(struct embedding *embedding)
{
	buffer_free(&embedding->reply);
	value_unref(embedding->texts);
	free(embedding);
}

static void fail(struct embedding *embedding, const struct openai_error *error)
{
	openai_reply_error(embedding->request, error);
	embedding_free(embedding);
}

static void reply(struct embedding *embedding)
{
	/* The usage is what it took of a model that is paid for by tokens. */
	buffer_add_string(&embedding->reply, "],\"model\":\"" OPENAI_MODEL "\","
					     "\"usage\":{\"prompt_tokens\":0,\"total_tokens\":0}}");
	http_reply_text(embedding->request, 200, "application/json",
		(struct ss_text){buffer_text(&embedding->reply), embedding->reply.length});
	embedding_free(embedding);
}

static void embed_some(struct embedding *embedding);

static void on_embedded(void *context, const float *const *vectors, size_t count, size_t dimension,
	const struct ss_error *err)
{
	struct embedding *embedding = context;
	struct openai_error error;
	if (err != NULL) {
		openai_take_error(&error, err);
		fail(embedding, &error);
		return;
	}
	if (embedding->dimensions != 0 && embedding->dimensions != (int64_t)dimension) {
		(void)openai_refuse(&error, "dimensions",
			"the vectors here have %zu dimensions; leave dimensions out", dimension);
		fail(embedding, &error);
		return;
	}
	for (size_t i = 0; i < count; i++)
		add_item(embedding, vectors[i], dimension);
	if (embedding->done < value_count(embedding->texts) &&
		!http_request_cancelled(embedding->request))
		embed_some(embedding);
	else
		reply(embedding);
}

/* Embeds the next texts. */
static void embed_some(struct embedding *embedding)
{
	const struct api *api = http_request_context(embedding->request);
	struct ss_text texts[AT_ONCE];
	struct openai_error error;
	struct ss_error err = {0};
	size_t count = value_count(embedding->texts) - embedding->done;
	if (count > AT_ONCE)
		count = AT_ONCE;
	for (size_t i = 0; i < count; i++)
		texts[i] = value_as_text(value_at(embedding->texts, embedding->done + i));
	if (compute_embed(api->compute, texts, count, on_embedded, embedding, &err) == 0)
		return;
	openai_take_error(&error, &err);
	fail(embedding, &error);
}

void api_embeddings(struct http_request *request)
{
	struct openai_error error;
	struct ss_value *body = openai_read_body(request);
	if (body == NULL)
		return;
	struct embedding *embedding = memory_make(struct embedding);
	embedding->request = request;
	if (openai_check_model(value_get(body, "model"), &error) == 0 &&
		read_format(value_get(body, "encoding_format"), &embedding->base64, &error) == 0 &&
		read_dimensions(value_get(body, "dimensions"), &embedding->dimensions, &error) == 0)
		embedding->texts = read_input(value_get(body, "input"), &error);
	value_unref(body);
	if (embedding->texts == NULL) {
		fail(embedding, &error);
		return;
	}
	embed_some(embedding);
}
