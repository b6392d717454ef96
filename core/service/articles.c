#include "service/articles.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "config/yaml.h"
#include "value/json.h"
#include "value/value.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { JSON_FILE_LIMIT = 256 * 1024 * 1024 };

enum { FRONT_ID, FRONT_TITLE, FRONT_CATEGORY, FRONT_QUESTIONS, FRONT_ROWS };

static const struct ss_option front_rows[] = {
	[FRONT_ID] = {"id", SS_OPTION_STRING, NULL, 0, 0, NULL, "the article's name, unique"},
	[FRONT_TITLE] = {"title", SS_OPTION_STRING, NULL, 0, 0, NULL,
		"the question that it answers"},
	[FRONT_CATEGORY] = {"category", SS_OPTION_STRING, "", 0, 0, NULL,
		"the category that it belongs to"},
	[FRONT_QUESTIONS] = {"questions", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"other ways in which customers ask the same"},
	[FRONT_ROWS] = {0},
};

/* Where an article's id stands. */
struct place {
	char *file;
	size_t line, column; /* 0 in JSON, which is read without positions */
};

struct entry {
	struct ss_value *article;
	struct place place;
};

struct loader {
	struct entry *entries;
	size_t count, capacity;
	struct diagnostics *diagnostics;
	bool plain; /* from outside: nothing is taken from the environment */
};

static void add(struct loader *loader, struct ss_value *article, const char *file, size_t line,
	size_t column)
{
	if (loader->count == loader->capacity) {
		loader->capacity = loader->capacity * 2 + 32;
		loader->entries =
			memory_resize(loader->entries, loader->capacity, sizeof *loader->entries);
	}
	loader->entries[loader->count++] =
		(struct entry){article, {memory_string(file), line, column}};
}

/* What is wrong with an article's texts, or NULL; *KEY is the part that it is about. */
static const char *fault(struct ss_text id, struct ss_text title, struct ss_text content,
	const struct ss_value *questions, const char **key)
{
	*key = "id";
	if (text_characters(id) < 0)
		return "the id is not valid UTF-8";
	if (text_blank(id))
		return "the id is empty";
	if (text_characters(id) > ARTICLE_ID_LIMIT)
		return "the id has more than 200 characters";
	*key = "title";
	if (text_characters(title) < 0)
		return "the title is not valid UTF-8";
	if (text_blank(title))
		return "the title is empty";
	if (text_characters(title) > ARTICLE_TITLE_LIMIT)
		return "the title has more than 300 characters";
	*key = "content";
	if (text_characters(content) < 0)
		return "the text is not valid UTF-8";
	if (text_blank(content))
		return "the article has no text";
	if (text_characters(content) > ARTICLE_CONTENT_LIMIT)
		return "the text has more than 65536 characters";
	*key = "questions";
	if (questions != NULL && value_type(questions) != SS_LIST)
		return "the other questions must be a list of texts";
	if (value_count(questions) > ARTICLE_QUESTIONS_LIMIT)
		return "it has more than 50 other questions";
	for (size_t i = 0; i < value_count(questions); i++) {
		struct ss_text question = value_as_text(value_at(questions, i));
		if (text_characters(question) < 0 || text_blank(question) ||
			text_characters(question) > ARTICLE_TITLE_LIMIT)
			return "one of the other questions is empty or has more than 300 "
			       "characters";
	}
	return NULL;
}

static struct ss_value *make(struct ss_text id, struct ss_text title, struct ss_text category,
	struct ss_text content, const struct ss_value *questions)
{
	return value_map_make({"id", value_string(id.data, id.length)},
		{"title", value_string(title.data, title.length)},
		{"category", value_string(category.data, category.length)},
		{"content", value_string(content.data, content.length)},
		{"questions", questions != NULL ? value_ref(questions) : value_list(NULL, 0)});
}

struct ss_value *article_make(
	struct ss_text id, const struct ss_value *map, const char **key, const char **fault_text)
{
	const struct ss_value *category = value_get(map, "category");
	const struct ss_value *questions = value_get(map, "questions");
	struct ss_text title = value_as_text(value_get(map, "title"));
	struct ss_text content = value_as_text(value_get(map, "content"));
	*fault_text = fault(id, title, content, questions, key);
	if (*fault_text == NULL && category != NULL &&
		(value_type(category) != SS_STRING ||
			text_characters(value_as_text(category)) < 0)) {
		*key = "category";
		*fault_text = "the category must be a text";
	}
	return *fault_text == NULL ? make(id, title, value_as_text(category), content, questions)
				   : NULL;
}

/* Makes the line ends of Windows plain ones. */
static size_t strip_returns(char *text, size_t length)
{
	size_t kept = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\r' || text[i + 1] != '\n')
			text[kept++] = text[i];
	}
	text[kept] = '\0';
	return kept;
}

/* Finds the front matter of TEXT, between two lines of ---, and what stands behind it. */
static bool split_front(struct ss_text text, struct ss_text *front, struct ss_text *content)
{
	if (text.length < 8 || strncmp(text.data, "---\n", 4) != 0)
		return false;
	const char *end = strstr(text.data + 3, "\n---");
	while (end != NULL && end[4] != '\n' && end[4] != '\0')
		end = strstr(end + 1, "\n---");
	if (end == NULL)
		return false;
	*front = (struct ss_text){text.data + 4, (size_t)(end + 1 - text.data - 4)};
	content->data = end + 4;
	content->data += strspn(content->data, " \t\r\n");
	content->length = strlen(content->data);
	while (content->length > 0 && strchr(" \t\r\n", content->data[content->length - 1]) != NULL)
		content->length--;
	return true;
}

/* The line, from 1, on which AT stands in TEXT. */
static size_t line_of(const char *text, const char *at)
{
	size_t line = 1;
	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Reads FRONT, which begins on the file's second line; CONTENT begins on CONTENT_LINE. */
static void read_front(struct loader *loader, const char *file, struct ss_text front,
	struct ss_text content, size_t content_line)
{
	struct ss_value *values[FRONT_ROWS] = {0};
	const struct yaml_node nothing = {.line = 2, .column = 1};
	struct yaml_document *document =
		loader->plain
			? yaml_parse_plain(file, 2, front.data, front.length, loader->diagnostics)
			: yaml_parse(file, 2, front.data, front.length, loader->diagnostics);
	if (document == NULL)
		return;
	const struct yaml_node *root = document->root;
	if (options_read(document, root, root != NULL ? root : &nothing, front_rows, NULL,
		    "the article's head", values, loader->diagnostics) == 0) {
		struct ss_text id = value_as_text(values[FRONT_ID]);
		struct ss_text title = value_as_text(values[FRONT_TITLE]);
		const char *key;
		const char *wrong = fault(id, title, content, values[FRONT_QUESTIONS], &key);
		const struct yaml_node *at = yaml_get(root, wrong != NULL ? key : "id");
		size_t line = at != NULL ? at->line : content_line;
		size_t column = at != NULL ? at->column : 1;
		if (wrong != NULL)
			diagnostics_add(loader->diagnostics, file, line, column, "%s", wrong);
		else
			add(loader,
				make(id, title, value_as_text(values[FRONT_CATEGORY]), content,
					values[FRONT_QUESTIONS]),
				file, line, column);
	}
	options_free(values, FRONT_ROWS);
	yaml_close(document);
}

/* Adds the sentence of ERR without the name of FILE, which the diagnostic says anyway. */
static void add_file_error(struct loader *loader, const char *file, const struct ss_error *err)
{
	size_t length = strlen(file);
	bool named = strncmp(err->text, file, length) == 0 && err->text[length] == ':';
	const char *text = named ? err->text + length + 1 : err->text;
	diagnostics_add(loader->diagnostics, file, 0, 0, "%s", text + strspn(text, " "));
}

/* Reads LENGTH bytes of TEXT, which is changed. */
static void read_markdown_text(struct loader *loader, const char *file, char *text, size_t length)
{
	struct ss_text front;
	struct ss_text content;
	length = strlen(text) == length ? strip_returns(text, length) : length;
	if (strlen(text) != length)
		diagnostics_add(loader->diagnostics, file, line_of(text, text + strlen(text)), 1,
			"has a NUL character in it");
	else if (!split_front((struct ss_text){text, length}, &front, &content))
		diagnostics_add(loader->diagnostics, file, 1, 1,
			"an article begins with --- and its id, title and category, and another "
			"---");
	else
		read_front(loader, file, front, content, line_of(text, content.data));
}

static void read_markdown(struct loader *loader, const char *file)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (file_read(file, (size_t)ARTICLE_CONTENT_LIMIT * 5, &text, &length, &err) < 0) {
		add_file_error(loader, file, &err);
		return;
	}
	read_markdown_text(loader, file, text, length);
	free(text);
}

struct ss_value *article_parse_markdown(
	const char *name, struct ss_text text, struct diagnostics *diagnostics)
{
	struct loader loader = {.diagnostics = diagnostics, .plain = true};
	char *copy = memory_text(text.data, text.length);
	struct ss_value *article = NULL;
	read_markdown_text(&loader, name, copy, text.length);
	free(copy);
	if (loader.count > 0) {
		article = loader.entries[0].article;
		free(loader.entries[0].place.file);
	}
	free(loader.entries);
	return article;
}

static int only_markdown(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 3 &&
	       strcmp(entry->d_name + length - 3, ".md") == 0;
}

static void read_folder(struct loader *loader, const char *path)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, only_markdown, alphasort);
	if (count < 0) {
		diagnostics_add(
			loader->diagnostics, path, 0, 0, "cannot be read: %s", strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		char *file = memory_format("%s/%s", path, entries[i]->d_name);
		if (i < ARTICLES_LIMIT)
			read_markdown(loader, file);
		free(file);
		free(entries[i]);
	}
	free(entries);
	if (count == 0 || count > ARTICLES_LIMIT)
		diagnostics_add(loader->diagnostics, path, 0, 0,
			count == 0 ? "has no articles (*.md)" : "has more than %d articles",
			ARTICLES_LIMIT);
}

static void read_json_article(
	struct loader *loader, const char *file, size_t row, const struct ss_value *item)
{
	const struct ss_value *id = value_get(item, "id");
	char number[24];
	struct ss_text id_text = value_as_text(id);
	if (value_type(id) == SS_INT) {
		(void)snprintf(number, sizeof number, "%lld", (long long)value_as_int(id));
		id_text = text_of(number);
	}
	const char *key;
	const char *wrong;
	struct ss_value *article = article_make(id_text, item, &key, &wrong);
	if (article == NULL)
		diagnostics_add(
			loader->diagnostics, file, 0, 0, "the article number %zu: %s", row, wrong);
	else
		add(loader, article, file, 0, 0);
}

static void read_json(struct loader *loader, const char *file)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (file_read(file, JSON_FILE_LIMIT, &text, &length, &err) < 0) {
		add_file_error(loader, file, &err);
		return;
	}
	struct ss_value *list = json_parse(text, length, &err);
	free(text);
	if (list == NULL || value_type(list) != SS_LIST || value_count(list) == 0 ||
		value_count(list) > ARTICLES_LIMIT)
		diagnostics_add(loader->diagnostics, file, 0, 0,
			"must be a JSON list of 1 to %d articles {id, title, content, "
			"category}%s%s",
			ARTICLES_LIMIT, list == NULL ? ": " : "", list == NULL ? err.text : "");
	else
		for (size_t i = 0; i < value_count(list); i++)
			read_json_article(loader, file, i + 1, value_at(list, i));
	value_unref(list);
}

static const char *id_of(const struct entry *entry)
{
	return value_as_string(value_get(entry->article, "id"), NULL);
}

/* By id; equal ones in the order of their files. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a;
	const struct entry *right = b;
	int order = strcmp(id_of(left), id_of(right));
	return order != 0 ? order : strcmp(left->place.file, right->place.file);
}

static void check_ids(struct loader *loader)
{
	if (loader->count > 1)
		qsort(loader->entries, loader->count, sizeof *loader->entries, compare_entries);
	for (size_t i = 1; i < loader->count; i++) {
		const struct entry *first = &loader->entries[i - 1];
		const struct entry *second = &loader->entries[i];
		if (strcmp(id_of(first), id_of(second)) == 0)
			diagnostics_add(loader->diagnostics, second->place.file, second->place.line,
				second->place.column,
				"two articles have the id \"%s\", the other one is in %s; give one "
				"of them another",
				id_of(second), first->place.file);
	}
}

/* Moves what was read to a new set of articles. */
static struct articles *take_articles(struct loader *loader)
{
	struct articles *articles = memory_make(struct articles);
	articles->items = memory_array(loader->count, sizeof(struct ss_value *));
	articles->count = loader->count;
	for (size_t i = 0; i < loader->count; i++) {
		articles->items[i] = loader->entries[i].article;
		free(loader->entries[i].place.file);
	}
	free(loader->entries);
	return articles;
}

struct articles *articles_load(const char *path, struct diagnostics *diagnostics)
{
	struct stat status;
	size_t mistakes = diagnostics->count;
	struct loader loader = {.diagnostics = diagnostics};
	if (stat(path, &status) < 0)
		diagnostics_add(diagnostics, path, 0, 0, "cannot be read: %s", strerror(errno));
	else if (S_ISDIR(status.st_mode))
		read_folder(&loader, path);
	else
		read_json(&loader, path);
	check_ids(&loader);
	struct articles *articles = take_articles(&loader);
	if (diagnostics->count > mistakes) {
		articles_free(articles);
		return NULL;
	}
	return articles;
}

void articles_free(struct articles *articles)
{
	if (articles == NULL)
		return;
	for (size_t i = 0; i < articles->count; i++)
		value_unref(articles->items[i]);
	free(articles->items);
	free(articles);
}

const struct ss_value *articles_find(const struct articles *articles, const char *id)
{
	size_t low = 0;
	size_t high = articles->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ss_value *article = articles->items[middle];
		int order = strcmp(value_as_string(value_get(article, "id"), NULL), id);
		if (order == 0)
			return article;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
