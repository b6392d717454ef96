#include "lib/questions.h"

#include "base/file.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 16 * 1024 * 1024 };

struct questions {
	char **texts;
	size_t count;
};

static int add_line(
	struct questions *questions, const char *file, const char *line, struct ss_error *err)
{
	struct ss_value *entry = json_parse(line, strlen(line), err);
	if (entry == NULL)
		return -1;
	const struct ss_value *text = value_get(entry, "text");
	if (value_type(text) != SS_STRING) {
		value_unref(entry);
		return ss_fail(err, "%s: a line has no member \"text\"", file);
	}
	questions->texts = memory_resize(questions->texts, questions->count + 1, sizeof(char *));
	questions->texts[questions->count++] = memory_string(value_as_string(text, NULL));
	value_unref(entry);
	return 0;
}

static int add_file(struct questions *questions, const char *file, struct ss_error *err)
{
	char *data = NULL;
	size_t length = 0;
	int result = 0;
	if (file_read(file, FILE_LIMIT, &data, &length, err) < 0)
		return -1;
	char *rest = data;
	for (char *line; result == 0 && (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0')
			result = add_line(questions, file, line, err);
	}
	free(data);
	return result;
}

struct questions *questions_new(const char *const *files, size_t count, struct ss_error *err)
{
	struct questions *questions = memory_make(struct questions);
	for (size_t i = 0; i < count; i++) {
		if (add_file(questions, files[i], err) < 0)
			goto fail;
	}
	if (questions->count > 0)
		return questions;
	(void)ss_fail(err, "there are no questions to ask");
fail:
	questions_free(questions);
	return NULL;
}

void questions_free(struct questions *questions)
{
	if (questions == NULL)
		return;
	for (size_t i = 0; i < questions->count; i++)
		free(questions->texts[i]);
	free(questions->texts);
	free(questions);
}

size_t questions_texts(const struct questions *questions)
{
	return questions->count;
}

const char *questions_text(const struct questions *questions, size_t row)
{
	return questions->texts[row];
}

void questions_body(
	const struct questions *questions, size_t number, size_t customers, struct buffer *body)
{
	struct buffer text = {0};
	char user[32];
	buffer_add_format(&text, "%s (%zu)", questions->texts[number % questions->count], number);
	(void)snprintf(user, sizeof user, "bench_%zu", number % customers);
	struct ss_value *map = value_map_make(
		{"message", value_string(text.data, text.length)}, {"user_id", value_text(user)});
	json_print(body, map);
	value_unref(map);
	buffer_free(&text);
}
