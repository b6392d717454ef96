#include "support/article_import.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "config/yaml.h"
#include "learn/csv.h"
#include "support/stored_article.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const members[] = {"id", "title", "content", "category", "questions"};

static const struct {
	const char *type, *end;
	enum article_format format;
} formats[] = {
	{"application/json", ".json", ARTICLES_JSON},
	{"application/yaml", ".yaml", ARTICLES_YAML},
	{"application/x-yaml", ".yml", ARTICLES_YAML},
	{"text/yaml", ".yml", ARTICLES_YAML},
	{"text/csv", ".csv", ARTICLES_CSV},
	{"text/markdown", ".md", ARTICLES_MARKDOWN},
};

/* An article and where it begins. */
struct row {
	struct ss_value *article;
	size_t line;
};

struct import {
	const char *name;
	struct diagnostics *diagnostics;
	struct row *rows;
	size_t count, capacity;
};

enum article_format article_format_of_type(const char *media_type)
{
	size_t length = media_type != NULL ? strcspn(media_type, "; \t") : 0;
	for (size_t i = 0; i < array_length(formats); i++) {
		if (strlen(formats[i].type) == length &&
			strncasecmp(formats[i].type, media_type, length) == 0)
			return formats[i].format;
	}
	return ARTICLE_FORMATS;
}

enum article_format article_format_of_file(const char *path)
{
	size_t length = strlen(path);
	for (size_t i = 0; i < array_length(formats); i++) {
		size_t end = strlen(formats[i].end);
		if (length > end && strcasecmp(path + length - end, formats[i].end) == 0)
			return formats[i].format;
	}
	return ARTICLE_FORMATS;
}

/* Adds ARTICLE, which is taken; NULL adds nothing. */
static void add(struct import *import, struct ss_value *article, size_t line)
{
	if (article == NULL)
		return;
	if (import->count == import->capacity) {
		import->capacity = import->capacity * 2 + 64;
		import->rows = memory_resize(import->rows, import->capacity, sizeof(struct row));
	}
	import->rows[import->count++] = (struct row){article, line};
}

static void check_members(struct import *import, const struct ss_value *map, size_t line)
{
	char hint[80];
	for (size_t i = 0; i < value_count(map); i++) {
		const char *key = value_key_at(map, i);
		bool known = false;
		for (size_t k = 0; k < array_length(members); k++)
			known = known || strcmp(members[k], key) == 0;
		if (!known)
			diagnostics_add(import->diagnostics, import->name, line, 0,
				"an article has no %.*s%s", text_fit(key, 60), key,
				diagnostics_hint(
					key, members, array_length(members), hint, sizeof hint));
	}
}

/* Adds the article that MAP is. */
static void add_map(struct import *import, const struct ss_value *map, size_t line)
{
	char name[ARTICLE_NAME_SIZE];
	const char *key;
	const char *fault;
	const struct ss_value *given = value_get(map, "id");
	if (value_type(map) != SS_MAP) {
		diagnostics_add(import->diagnostics, import->name, line, 0,
			"an article must be {title, content, id, category, questions}");
		return;
	}
	check_members(import, map, line);
	struct ss_text id = value_as_text(given);
	if (value_type(given) == SS_INT) {
		(void)snprintf(name, sizeof name, "%lld", (long long)value_as_int(given));
		id = text_of(name);
	} else if (given == NULL) {
		stored_article_name(value_as_text(value_get(map, "title")), name);
		id = text_of(name);
	}
	struct ss_value *article = article_make(id, map, &key, &fault);
	if (article == NULL)
		diagnostics_add(import->diagnostics, import->name, line, 0, "%s", fault);
	add(import, article, line);
}

/* Moves *AT, which counts *LINE, to where the next item of a list in JSON that was parsed begins. */
static void find_item(const char **at, size_t *line, size_t *depth)
{
	bool quoted = false;
	for (; **at != '\0'; (*at)++) {
		char c = **at;
		*line += c == '\n';
		if (quoted) {
			*at += c == '\\';
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '[' || c == '{') {
			bool item = *depth == 1;
			++*depth;
			if (item) {
				++*at;
				return;
			}
		} else if (c == ']' || c == '}') {
			--*depth;
		}
	}
}

static void read_json(struct import *import, struct ss_text text)
{
	struct ss_error err = {0};
	struct ss_value *list = json_parse(text.data, text.length, &err);
	const char *at = text.data;
	size_t line = 1;
	size_t depth = 0;
	if (list == NULL || value_type(list) != SS_LIST)
		diagnostics_add(import->diagnostics, import->name, list == NULL ? 0 : 1, 0,
			"must be a JSON list of articles%s%s", list == NULL ? ": " : "",
			list == NULL ? err.text : "");
	for (size_t i = 0; list != NULL && value_type(list) == SS_LIST && i < value_count(list);
		i++) {
		/* What is neither a list nor a map has no place of its own. */
		if (value_type(value_at(list, i)) == SS_MAP ||
			value_type(value_at(list, i)) == SS_LIST)
			find_item(&at, &line, &depth);
		add_map(import, value_at(list, i), line);
	}
	value_unref(list);
}

static void read_yaml(struct import *import, struct ss_text text)
{
	struct yaml_document *document =
		yaml_parse_plain(import->name, 1, text.data, text.length, import->diagnostics);
	if (document == NULL)
		return;
	const struct yaml_node *root = document->root;
	if (root == NULL || root->kind != YAML_SEQUENCE)
		diagnostics_add(import->diagnostics, import->name, root != NULL ? root->line : 1, 0,
			"must be a list of articles, not %s", yaml_kind_name(root));
	for (size_t i = 0; root != NULL && root->kind == YAML_SEQUENCE && i < root->count; i++) {
		struct ss_value *map = options_value(root->items[i]);
		add_map(import, map, root->items[i]->line);
		value_unref(map);
	}
	yaml_close(document);
}

/* A list of the texts between the bars in TEXT. */
static struct ss_value *split_questions(struct ss_text text)
{
	struct ss_value *items[ARTICLE_QUESTIONS_LIMIT + 1];
	size_t count = 0;
	const char *at = text.data;
	while (text.length > 0 && at != NULL && count < array_length(items)) {
		const char *bar = strchr(at, '|');
		size_t length = bar != NULL ? (size_t)(bar - at) : strlen(at);
		for (; length > 0 && *at == ' '; length--)
			at++;
		while (length > 0 && at[length - 1] == ' ')
			length--;
		items[count++] = value_string(at, length);
		at = bar != NULL ? bar + 1 : NULL;
	}
	return value_list(items, count);
}

/* A record of CSV whose columns are called NAMES; empty fields are not there. */
static struct ss_value *record_map(const struct csv_record *record, const struct ss_value *names)
{
	struct value_entry entries[array_length(members)];
	size_t count = 0;
	for (size_t i = 0; i < record->count && i < value_count(names); i++) {
		const char *name = value_as_string(value_at(names, i), NULL);
		struct ss_text field = record->fields[i];
		if (field.length == 0)
			continue;
		entries[count++] = (struct value_entry){name,
			strcmp(name, "questions") == 0 ? split_questions(field)
						       : value_string(field.data, field.length)};
	}
	return value_map_of(entries, count);
}

/* The names of the columns, or NULL and mistakes. */
static struct ss_value *read_columns(struct import *import, const struct csv_record *record)
{
	struct ss_value *names[array_length(members)];
	struct ss_value *seen = value_map(NULL, NULL, 0);
	size_t mistakes = import->diagnostics->count;
	for (size_t i = 0; i < record->count; i++) {
		struct ss_value *with = value_map_with(seen, record->fields[i].data, value_null());
		value_unref(seen);
		seen = with;
	}
	check_members(import, seen, record->line);
	if (value_count(seen) < record->count)
		diagnostics_add(import->diagnostics, import->name, record->line, 0,
			"two columns have the same name");
	if (value_get(seen, "title") == NULL || value_get(seen, "content") == NULL)
		diagnostics_add(import->diagnostics, import->name, record->line, 0,
			"the first line must name the columns, among them title and content");
	value_unref(seen);
	if (import->diagnostics->count > mistakes)
		return NULL;
	for (size_t i = 0; i < record->count; i++)
		names[i] = value_string(record->fields[i].data, record->fields[i].length);
	return value_list(names, record->count);
}

static void read_csv(struct import *import, struct ss_text text)
{
	struct ss_error err = {0};
	struct csv_record record;
	struct ss_value *names = NULL;
	struct csv *csv = csv_new(import->name, text.data, text.length);
	int result = csv_next(csv, &record, &err);
	if (result == 1)
		names = read_columns(import, &record);
	while (names != NULL && (result = csv_next(csv, &record, &err)) == 1) {
		if (record.count != value_count(names)) {
			diagnostics_add(import->diagnostics, import->name, record.line, 0,
				"has %zu fields where the first line has %zu", record.count,
				value_count(names));
			continue;
		}
		struct ss_value *map = record_map(&record, names);
		add_map(import, map, record.line);
		value_unref(map);
	}
	if (result < 0)
		diagnostics_add_error(import->diagnostics, import->name, &err);
	value_unref(names);
	csv_free(csv);
}

static const char *id_of(const struct row *row)
{
	return value_as_string(value_get(row->article, "id"), NULL);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *left = a;
	const struct row *right = b;
	int order = strcmp(id_of(left), id_of(right));
	return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

static void check_rows(struct import *import)
{
	if (import->count == 0 && import->diagnostics->count == 0)
		diagnostics_add(import->diagnostics, import->name, 0, 0, "has no articles");
	if (import->count > IMPORT_LIMIT)
		diagnostics_add(import->diagnostics, import->name, 0, 0,
			"has %zu articles; at most %d are taken together", import->count,
			IMPORT_LIMIT);
	if (import->count > 1)
		qsort(import->rows, import->count, sizeof(struct row), compare_rows);
	for (size_t i = 1; i < import->count; i++) {
		if (strcmp(id_of(&import->rows[i - 1]), id_of(&import->rows[i])) == 0)
			diagnostics_add(import->diagnostics, import->name, import->rows[i].line, 0,
				"two articles have the id \"%s\", the other one on line %zu; give "
				"one of them another",
				id_of(&import->rows[i]), import->rows[i - 1].line);
	}
}

/* What is wrong with TEXT as a text, or NULL. */
static const char *text_fault(struct ss_text text)
{
	if (memchr(text.data, '\0', text.length) != NULL)
		return "has a NUL character in it; save it as UTF-8";
	return text_characters(text) < 0 ? "is not valid UTF-8; save it as UTF-8" : NULL;
}

/* Whether TEXT is one that mistakes can quote; else says on which line it is not. */
static bool check_text(struct import *import, struct ss_text text)
{
	const char *fault = text.length > 0 ? text_fault(text) : NULL;
	if (fault == NULL)
		return true;
	for (size_t line = 1; text.length > 0; line++) {
		const char *end = memchr(text.data, '\n', text.length);
		size_t length = end != NULL ? (size_t)(end - text.data) + 1 : text.length;
		fault = text_fault((struct ss_text){text.data, length});
		if (fault != NULL) {
			diagnostics_add(import->diagnostics, import->name, line, 0, "%s", fault);
			break;
		}
		text = (struct ss_text){text.data + length, text.length - length};
	}
	return false;
}

static void read_text(struct import *import, enum article_format format, struct ss_text text)
{
	if (format == ARTICLES_JSON)
		read_json(import, text);
	else if (format == ARTICLES_YAML)
		read_yaml(import, text);
	else if (format == ARTICLES_CSV)
		read_csv(import, text);
	else
		add(import, article_parse_markdown(import->name, text, import->diagnostics), 1);
}

struct articles *article_import_read(enum article_format format, const char *name,
	struct ss_text text, struct diagnostics *diagnostics)
{
	struct import import = {.name = name, .diagnostics = diagnostics};
	size_t mistakes = diagnostics->count;
	if (check_text(&import, text))
		read_text(&import, format, text);
	check_rows(&import);
	struct articles *articles = memory_make(struct articles);
	articles->items = memory_array(import.count, sizeof(struct ss_value *));
	articles->count = import.count;
	for (size_t i = 0; i < import.count; i++)
		articles->items[i] = import.rows[i].article;
	free(import.rows);
	if (diagnostics->count == mistakes)
		return articles;
	articles_free(articles);
	return NULL;
}

int article_import_store(const struct ss_storage_operations *storage, void *instance,
	const struct articles *articles, struct ss_error *err)
{
	struct ss_document *documents = memory_array(articles->count, sizeof *documents);
	struct ss_error *errors = memory_array(articles->count, sizeof *errors);
	int64_t now_ns = clock_utc_ns();
	for (size_t i = 0; i < articles->count; i++)
		documents[i] = (struct ss_document){
			.struct_size = sizeof *documents,
			.kind = SS_ARTICLES,
			.id = value_as_string(value_get(articles->items[i], "id"), NULL),
			.data = text_of(stored_article_data(articles->items[i])),
			.expected = ARTICLE_ANY_VERSION,
			.at_ns = now_ns,
		};
	int result = storage->store_documents(instance, documents, articles->count, errors);
	for (size_t i = 0; i < articles->count; i++) {
		free((char *)(uintptr_t)documents[i].data.data);
		if (errors[i].status != SS_OK && (result == 0 || i == 0)) {
			*err = errors[i];
			result = -1;
		}
	}
	free(errors);
	free(documents);
	return result;
}
