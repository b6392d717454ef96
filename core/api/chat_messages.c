#include "api/chat_messages.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MESSAGES_LIMIT = 2048,
	MESSAGE_LIMIT = 4000, /* characters of the question */
	USER_LIMIT = 128,     /* characters */
};

/* The roles that a message may have; what the others say is for models and not for the support agent. */
static const struct {
	const char *name;
	const char *kept_as; /* NULL: passed over */
} roles[] = {
	{"user", "user"},
	{"assistant", "assistant"},
	{"system", NULL},
	{"developer", NULL},
	{"tool", NULL},
	{"function", NULL},
};

static bool is_text(const struct ss_value *value)
{
	struct ss_text text = value_as_text(value);
	return value_type(value) == SS_STRING && memchr(text.data, '\0', text.length) == NULL;
}

/* Adds the text of the content's PART, at PARAMETER, to TEXT. */
static int add_part(struct buffer *text, const struct ss_value *part, const char *parameter,
	struct openai_error *error)
{
	const char *type = value_as_string(value_get(part, "type"), NULL);
	const struct ss_value *content =
		value_get(part, strcmp(type, "refusal") == 0 ? type : "text");
	if (value_type(part) != SS_MAP ||
		(strcmp(type, "text") != 0 && strcmp(type, "refusal") != 0))
		return openai_refuse(error, parameter,
			"%s is no text; parts of the type text are understood here", parameter);
	if (!is_text(content))
		return openai_refuse(error, parameter,
			"%s needs a text, a string without a NUL character", parameter);
	struct ss_text more = value_as_text(content);
	buffer_add(text, more.data, more.length);
	return 0;
}

/* The content of a message, which is a string, a list of parts, or nothing, as a new string. NULL and ERROR when it is
 * none of these. */
static struct ss_value *content_of(
	const struct ss_value *content, const char *parameter, struct openai_error *error)
{
	struct buffer text = {0};
	if (is_text(content))
		return value_ref(content);
	if (value_type(content) != SS_LIST && value_type(content) != SS_NULL) {
		(void)openai_refuse(error, parameter,
			"%s must be a string without a NUL character, or a list of parts",
			parameter);
		return NULL;
	}
	for (size_t i = 0; i < value_count(content); i++) {
		char place[64];
		(void)snprintf(place, sizeof place, "%s[%zu]", parameter, i);
		if (add_part(&text, value_at(content, i), place, error) < 0) {
			buffer_free(&text);
			return NULL;
		}
	}
	struct ss_value *value = value_string(buffer_text(&text), text.length);
	buffer_free(&text);
	return value;
}

/* *KEPT is MESSAGE, number INDEX, as a new {role, content}; NULL when it is passed over. */
static int read_message(const struct ss_value *message, size_t index, struct ss_value **kept,
	struct openai_error *error)
{
	char parameter[48];
	const char *role = value_as_string(value_get(message, "role"), NULL);
	size_t row = 0;
	*kept = NULL;
	while (row < array_length(roles) && strcmp(roles[row].name, role) != 0)
		row++;
	(void)snprintf(parameter, sizeof parameter, "messages[%zu].role", index);
	if (row == array_length(roles))
		return openai_refuse(error, parameter,
			"%s must be user, assistant, system, developer, tool or function",
			parameter);
	if (roles[row].kept_as == NULL)
		return 0;
	(void)snprintf(parameter, sizeof parameter, "messages[%zu].content", index);
	struct ss_value *content = content_of(value_get(message, "content"), parameter, error);
	if (content == NULL)
		return -1;
	if (text_blank(value_as_text(content)))
		value_unref(content);
	else
		*kept = value_map_make(
			{"role", value_text(roles[row].kept_as)}, {"content", content});
	return 0;
}

/* The messages that count, in a new list. NULL and ERROR when one is not as it should be. */
static struct ss_value *read_messages(const struct ss_value *messages, struct openai_error *error)
{
	size_t count = value_count(messages);
	if (value_type(messages) != SS_LIST || count == 0 || count > MESSAGES_LIMIT) {
		(void)openai_refuse(error, "messages",
			"messages must be a list of 1 to %d messages", MESSAGES_LIMIT);
		return NULL;
	}
	struct ss_value **kept = memory_array(count, sizeof(struct ss_value *));
	size_t kept_count = 0;
	int result = 0;
	for (size_t i = 0; i < count && result == 0; i++) {
		result = read_message(value_at(messages, i), i, &kept[kept_count], error);
		if (kept[kept_count] != NULL)
			kept_count++;
	}
	struct ss_value *list = value_list(kept, kept_count);
	free(kept);
	if (result == 0)
		return list;
	value_unref(list);
	return NULL;
}

/* The last message is the question. */
static int take_question(
	struct chat_question *question, const struct ss_value *messages, struct openai_error *error)
{
	size_t count = value_count(messages);
	const struct ss_value *last = value_at(messages, count - 1);
	const struct ss_value *content = value_get(last, "content");
	if (count == 0 || strcmp(value_as_string(value_get(last, "role"), NULL), "user") != 0)
		return openai_refuse(error, "messages",
			"the last message must be the user's, and say something");
	ptrdiff_t characters = text_characters(value_as_text(content));
	if (characters > MESSAGE_LIMIT)
		return openai_refuse(error, "messages",
			"the last message has %td characters; at most %d are answered", characters,
			MESSAGE_LIMIT);
	struct ss_value **earlier = memory_array(count - 1, sizeof(struct ss_value *));
	for (size_t i = 0; i + 1 < count; i++)
		earlier[i] = value_ref(value_at(messages, i));
	question->earlier = value_list(earlier, count - 1);
	question->message = value_ref(content);
	free(earlier);
	return 0;
}

static int read_user(
	struct chat_question *question, const struct ss_value *user, struct openai_error *error)
{
	if (value_type(user) == SS_NULL)
		return 0;
	if (!is_text(user) || text_blank(value_as_text(user)) ||
		text_characters(value_as_text(user)) > USER_LIMIT)
		return openai_refuse(error, "user",
			"user must be a string of 1 to %d characters that are not all blank",
			USER_LIMIT);
	question->user_id = value_as_string(user, NULL);
	return 0;
}

static int read_conversation(
	struct chat_question *question, const struct ss_value *id, struct openai_error *error)
{
	if (value_type(id) == SS_NULL)
		return 0;
	if (!is_text(id) || !api_is_id(value_as_string(id, NULL), "conv_"))
		return openai_refuse(error, "conversation_id",
			"conversation_id must be an id as an earlier reply gave it, conv_ and a "
			"UUID");
	question->conversation_id = value_as_string(id, NULL);
	return 0;
}

/* *FLAG is VALUE, the member NAME, which may be left out or null. */
static int read_flag(
	const struct ss_value *value, const char *name, bool *flag, struct openai_error *error)
{
	*flag = value_as_bool(value);
	if (value_type(value) == SS_NULL || value_type(value) == SS_BOOL)
		return 0;
	return openai_refuse(error, name, "%s must be true or false", name);
}

static int read_stream_options(
	const struct ss_value *options, bool *usage, struct openai_error *error)
{
	if (value_type(options) != SS_NULL && value_type(options) != SS_MAP)
		return openai_refuse(
			error, "stream_options", "stream_options must be an object or null");
	return read_flag(
		value_get(options, "include_usage"), "stream_options.include_usage", usage, error);
}

static int read_choices(const struct ss_value *n, struct openai_error *error)
{
	if (value_type(n) == SS_NULL || (value_type(n) == SS_INT && value_as_int(n) == 1))
		return 0;
	return openai_refuse(error, "n", "n must be 1: there is one answer to a question");
}

int chat_question_read(
	struct chat_question *question, const struct ss_value *body, struct openai_error *error)
{
	*question = (struct chat_question){0};
	if (openai_check_model(value_get(body, "model"), error) < 0 ||
		read_user(question, value_get(body, "user"), error) < 0 ||
		read_conversation(question, value_get(body, "conversation_id"), error) < 0 ||
		read_flag(value_get(body, "stream"), "stream", &question->stream, error) < 0 ||
		read_stream_options(value_get(body, "stream_options"), &question->usage, error) <
			0 ||
		read_choices(value_get(body, "n"), error) < 0)
		return -1;
	struct ss_value *messages = read_messages(value_get(body, "messages"), error);
	if (messages == NULL)
		return -1;
	int result = take_question(question, messages, error);
	value_unref(messages);
	return result;
}

void chat_question_free(struct chat_question *question)
{
	value_unref(question->earlier);
	value_unref(question->message);
	*question = (struct chat_question){0};
}

/* Each part has its length before it, so that no two threads read the same. */
static void add_said(struct buffer *thread, const char *role, struct ss_text content)
{
	size_t length = 0;
	char *tidy = text_tidy(content, &length);
	buffer_add_format(thread, "%s %zu ", role, length);
	buffer_add(thread, tidy, length);
	free(tidy);
}

char *chat_thread(const char *who, const struct ss_value *earlier, const struct ss_value *message,
	const struct ss_text *response, char key[HASH_SIZE])
{
	struct buffer thread = {0};
	buffer_add_format(&thread, "who %zu %s", strlen(who), who);
	for (size_t i = 0; i < value_count(earlier); i++) {
		const struct ss_value *said = value_at(earlier, i);
		add_said(&thread, value_as_string(value_get(said, "role"), NULL),
			value_as_text(value_get(said, "content")));
	}
	if (message != NULL)
		add_said(&thread, "user", value_as_text(message));
	if (response != NULL)
		add_said(&thread, "assistant", *response);
	(void)hash_sha256(buffer_text(&thread), thread.length, key);
	buffer_free(&thread);
	return key;
}
