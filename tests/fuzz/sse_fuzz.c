/*
 * Fuzzes what a model streams: events, the JSON in them, and the citations in its words. However a stream is cut, the
 * answer is the same, and no part of it that was handed on is taken back. The first byte says how it is cut.
 */
#include "llm/openai/reply.h"
#include "llm/openai/sse.h"

#include "value/json.h"
#include "value/value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static int on_event(void *context, struct ss_text data, struct ss_error *err)
{
	const struct ss_value *error = NULL;
	struct ss_value *json = json_parse(data.data, data.length, err);
	if (json == NULL)
		return -1;
	reply_read(context, json, &error);
	value_unref(json);
	return 0;
}

/* Reads the stream in pieces of PIECE bytes. Gives whether there is an answer. */
static bool read_stream(struct reply *reply, const char *data, size_t size, size_t piece)
{
	static const char given[] = "[{\"id\": \"a\"}, {\"id\": \"b-1\"}, {\"id\": \"C d\"}]";
	struct ss_error err = {0};
	struct sse sse = {.who = "it"};
	struct text told = {0};
	int result = 0;
	struct ss_value *articles = json_parse(given, strlen(given), &err);
	require(reply_begin(reply, &value_functions, articles, false) == 0);
	value_unref(articles);
	for (size_t at = 0; at < size && result == 0; at += piece) {
		size_t part = size - at < piece ? size - at : piece;
		const struct text *text = &reply->answer.text;
		result = sse_read(&sse, (struct ss_text){data + at, part}, on_event, reply, &err);
		require(text->length >= told.length);
		require(told.length == 0 || memcmp(text->data, told.data, told.length) == 0);
		if (text->length > told.length)
			text_add(&told, text->data + told.length, text->length - told.length);
	}
	if (result == 0)
		result = sse_finish(&sse, on_event, reply, &err);
	require(result == 0 || err.text[0] != '\0');
	bool answered = answer_finish(&reply->answer, reply->cut);
	sse_end(&sse);
	text_end(&told);
	return answered;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply whole, cut;
	if (size == 0)
		return 0;
	const char *stream = (const char *)data + 1;
	bool answered = read_stream(&whole, stream, size - 1, size);
	require(read_stream(&cut, stream, size - 1, (size_t)data[0] % 32 + 1) == answered);
	const struct text *a = &whole.answer.text, *b = &cut.answer.text;
	require(a->length == b->length && whole.finished == cut.finished);
	require(a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
	struct ss_value *sources = citations_sources(&whole.answer.citations);
	struct ss_value *other = citations_sources(&cut.answer.citations);
	require(value_equal(sources, other));
	value_unref(sources);
	value_unref(other);
	reply_end(&whole);
	reply_end(&cut);
	return 0;
}
