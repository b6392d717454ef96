#include "common/label.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* The bytes of an answer that may be a label. */
enum { ANSWER_LIMIT = 1000 };

static struct ss_value *word(const struct ss_value_functions *values, const char *text)
{
	return values->string(text, strlen(text));
}

struct ss_value *label_schema(
	const struct ss_value_functions *values, const struct ss_value *labels)
{
	static const char *const label_keys[] = {"type", "enum"};
	static const char *const label_key[] = {"label"};
	static const char *const keys[] = {
		"type", "properties", "required", "additionalProperties"};
	struct ss_value *const label_values[] = {word(values, "string"), values->ref(labels)};
	struct ss_value *const label[] = {values->map(label_keys, label_values, 2)};
	struct ss_value *const required[] = {word(values, "label")};
	struct ss_value *const entries[] = {word(values, "object"),
		values->map(label_key, label, 1), values->list(required, 1),
		values->boolean(false)};
	return values->map(keys, entries, 4);
}

/* TEXT without those of BYTES that are at its ends. */
static struct ss_text strip(struct ss_text text, const char *bytes)
{
	while (text.length > 0 && strchr(bytes, text.data[0]) != NULL) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && strchr(bytes, text.data[text.length - 1]) != NULL)
		text.length--;
	return text;
}

/* What is between the ``` lines, if TEXT is such a block. */
static struct ss_text unfence(struct ss_text text)
{
	if (text.length < 6 || memcmp(text.data, "```", 3) != 0)
		return text;
	const char *line = memchr(text.data, '\n', text.length);
	if (line == NULL)
		return strip(text, "`");
	text.length -= (size_t)(line - text.data);
	text.data = line;
	return strip(text, "` \t\r\n");
}

/* Both in lower case, as Unicode folds it; a copy that the caller frees. */
static char *fold(struct ss_text text)
{
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t length = utf8proc_map((const utf8proc_uint8_t *)text.data,
		(utf8proc_ssize_t)text.length, &folded,
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
	return length >= 0 ? (char *)folded : NULL;
}

static bool same(struct ss_text a, const char *label)
{
	char *left = fold(a);
	char *right = fold((struct ss_text){label, strlen(label)});
	bool equal = left != NULL && right != NULL && strcmp(left, right) == 0;
	free(left);
	free(right);
	return equal;
}

static const char *find(
	const struct ss_value_functions *values, const struct ss_value *labels, struct ss_text text)
{
	text = strip(text, " \t\r\n\"'`*.,;:!");
	for (size_t i = 0; text.length > 0 && i < values->count(labels); i++) {
		const char *label = values->as_string(values->at(labels, i), NULL);
		if (same(text, label))
			return label;
	}
	return NULL;
}

/* The label in JSON: that of the member "label", or of the only one. */
static const char *find_member(
	const struct ss_value_functions *values, const struct ss_value *labels, struct ss_text text)
{
	struct ss_value *map = values->from_json(text.data, text.length, NULL);
	const struct ss_value *member = values->get(map, "label");
	struct ss_text name = {0};
	if (member == NULL && values->count(map) == 1)
		member = values->at(map, 0);
	name.data = values->as_string(member, &name.length);
	const char *label = find(values, labels, name);
	values->unref(map);
	return label;
}

const char *label_named(const struct ss_value_functions *values, const struct ss_value *labels,
	struct ss_text answer)
{
	if (answer.length > ANSWER_LIMIT)
		return NULL;
	struct ss_text text = unfence(strip(answer, " \t\r\n"));
	return text.length > 0 && text.data[0] == '{' ? find_member(values, labels, text)
						      : find(values, labels, text);
}
