/*
 * Fuzzes what clients of OpenAI's API ask: a question that is taken is within its limits, and the thread of its answer
 * is the one that the next request of that chat names; what is refused has a reason and a status.
 */
#include "api/chat_messages.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ss_value *said(const char *role, struct ss_text content)
{
	return value_map_make({"role", value_text(role)},
		{"content", value_string(content.data, content.length)});
}

static void check_thread(const struct chat_question *question)
{
	char now[HASH_SIZE];
	char next[HASH_SIZE];
	const struct ss_text answer = text_of("An answer.");
	struct ss_value *more[] = {
		said("user", value_as_text(question->message)), said("assistant", answer)};
	struct ss_value *list = value_list(more, 2);
	struct ss_value *earlier = value_list_join(question->earlier, list);
	if (strcmp(chat_thread("who", question->earlier, question->message, &answer, now),
		    chat_thread("who", earlier, NULL, NULL, next)) != 0)
		abort();
	value_unref(earlier);
	value_unref(list);
}

static void check_question(const struct chat_question *question)
{
	struct ss_text message = value_as_text(question->message);
	if (text_blank(message) || text_characters(message) > 4000 ||
		memchr(message.data, '\0', message.length) != NULL)
		abort();
	if (question->user_id != NULL &&
		(question->user_id[0] == '\0' || text_characters(text_of(question->user_id)) > 128))
		abort();
	check_thread(question);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_error err = {0};
	struct openai_error error = {0};
	struct chat_question question;
	struct ss_value *body = json_parse((const char *)data, size, &err);
	if (body == NULL || value_type(body) != SS_MAP) {
		value_unref(body);
		return 0;
	}
	if (chat_question_read(&question, body, &error) == 0) {
		check_question(&question);
		chat_question_free(&question);
	} else {
		if (error.message[0] == '\0' || (error.status != 400 && error.status != 404))
			abort();
		value_unref(openai_error_value(&error));
	}
	value_unref(body);
	return 0;
}
