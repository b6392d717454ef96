#include "config/options.h"

#include "base/file.h"
#include "base/memory.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* What one option is read from. */
struct place {
	const struct yaml_document *document;
	const struct ss_option *row;
	struct diagnostics *diagnostics;
};

size_t options_count(const struct ss_option *rows)
{
	size_t count = 0;
	while (rows != NULL && rows[count].name != NULL)
		count++;
	return count;
}

/* Reports that NODE is not what the option takes. Returns NULL. */
static struct ss_value *expected(
	const struct place *place, const struct yaml_node *node, const char *what)
{
	yaml_mistake(place->document, node, place->diagnostics, "%s must be %s, not %s%s%s%s",
		place->row->name, what, node->kind == YAML_SCALAR ? "\"" : "",
		node->kind == YAML_SCALAR ? node->text : yaml_kind_name(node),
		node->kind == YAML_SCALAR ? "\"" : "",
		node->kind == YAML_SCALAR && node->quoted ? " (in quotes, which make it a string)"
							  : "");
	return NULL;
}

/* The same without what the NODE holds. */
static struct ss_value *expected_else(
	const struct place *place, const struct yaml_node *node, const char *what)
{
	yaml_mistake(place->document, node, place->diagnostics, "%s must be %s, not %s",
		place->row->name, what, yaml_kind_name(node));
	return NULL;
}

static bool bounded(const struct ss_option *row)
{
	return row->min != 0 || row->max != 0;
}

static struct ss_value *out_of_bounds(const struct place *place, const struct yaml_node *node)
{
	yaml_mistake(place->document, node, place->diagnostics,
		"%s must be from %.15g to %.15g%s, not %s", place->row->name, place->row->min,
		place->row->max, place->row->type == SS_OPTION_DURATION ? " seconds" : "",
		node->text);
	return NULL;
}

static struct ss_value *read_bool(const struct place *place, const struct yaml_node *node)
{
	bool value;
	if (!yaml_bool(node, &value))
		return expected(place, node, "true or false");
	return value_bool(value);
}

static struct ss_value *read_int(const struct place *place, const struct yaml_node *node)
{
	int64_t value;
	const struct ss_option *row = place->row;
	if (!yaml_int(node, &value))
		return expected(place, node, "a whole number");
	if (bounded(row) && ((double)value < row->min || (double)value > row->max))
		return out_of_bounds(place, node);
	return value_int(value);
}

static struct ss_value *read_number(const struct place *place, const struct yaml_node *node)
{
	double value;
	const struct ss_option *row = place->row;
	if (!yaml_number(node, &value))
		return expected(place, node, "a number");
	if (bounded(row) && (value < row->min || value > row->max))
		return out_of_bounds(place, node);
	return value_number(value);
}

static struct ss_value *read_string(const struct place *place, const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR)
		return expected(place, node, "a string");
	return value_text(node->text);
}

/* What it is must not be told, so nothing but its kind can be wrong. */
static struct ss_value *read_secret(const struct place *place, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR)
		return value_text(node->text);
	return expected_else(place, node, "a string");
}

static struct ss_value *read_choice(const struct place *place, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR && node->text[0] != '\0' && strchr(node->text, ' ') == NULL) {
		size_t length = strlen(node->text);
		for (const char *at = place->row->choices; (at = strstr(at, node->text)) != NULL;
			at += length) {
			bool starts = at == place->row->choices || at[-1] == ' ';
			if (starts && (at[length] == ' ' || at[length] == '\0'))
				return value_text(node->text);
		}
	}
	char what[200];
	(void)snprintf(what, sizeof what, "one of: %s", place->row->choices);
	return expected(place, node, what);
}

static struct ss_value *read_duration(const struct place *place, const struct yaml_node *node)
{
	int64_t ns;
	if (!yaml_duration_ns(node, &ns))
		return expected(place, node, "a duration such as 250ms, 2s, 5m, 24h or 7d");
	if (bounded(place->row) &&
		((double)ns / 1e9 < place->row->min || (double)ns / 1e9 > place->row->max))
		return out_of_bounds(place, node);
	return value_number((double)ns / 1e9);
}

static struct ss_value *read_path(const struct place *place, const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR || node->text[0] == '\0')
		return expected(place, node, "a path");
	char *path = file_beside(place->document->file, node->text);
	char *absolute = file_absolute(path);
	struct ss_value *value = value_text(absolute);
	free(absolute);
	free(path);
	return value;
}

static struct ss_value *read_strings(const struct place *place, const struct yaml_node *node)
{
	if (node->kind != YAML_SEQUENCE)
		return expected(place, node, "a list of strings");
	struct ss_value **items = memory_array(node->count, sizeof(struct ss_value *));
	size_t count = 0;
	struct ss_value *list = NULL;
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != YAML_SCALAR)
			(void)expected(place, node->items[i], "a list of strings");
		else
			items[count++] = value_text(node->items[i]->text);
	}
	if (count == node->count)
		list = value_list(items, count);
	else
		options_free(items, count);
	free(items);
	return list;
}

typedef struct ss_value *read_option(const struct place *, const struct yaml_node *);

/* A mapping whose values are read by READ. */
static struct ss_value *read_map(const struct place *place, const struct yaml_node *node,
	read_option *read, const char *what)
{
	if (node->kind != YAML_MAPPING)
		return expected(place, node, what);
	const char **keys = memory_array(node->count, sizeof *keys);
	struct ss_value **values = memory_array(node->count, sizeof(struct ss_value *));
	size_t count = 0;
	struct ss_value *map = NULL;
	for (size_t i = 0; i < node->count; i++) {
		struct ss_option row = *place->row;
		row.name = node->keys[i]->text;
		struct place entry = {place->document, &row, place->diagnostics};
		struct ss_value *value = read(&entry, node->items[i]);
		if (value == NULL)
			continue;
		keys[count] = node->keys[i]->text;
		values[count++] = value;
	}
	if (count == node->count)
		map = value_map(keys, values, count);
	else
		options_free(values, count);
	free(keys);
	free(values);
	return map;
}

static struct ss_value *read_numbers(const struct place *place, const struct yaml_node *node)
{
	return read_map(place, node, read_number, "a mapping from names to numbers");
}

static struct ss_value *read_texts(const struct place *place, const struct yaml_node *node)
{
	return read_map(place, node, read_string, "a mapping from names to texts");
}

static struct ss_value *read_secrets(const struct place *place, const struct yaml_node *node)
{
	static const char what[] = "a mapping from names to texts";
	if (node->kind == YAML_SCALAR)
		return expected_else(place, node, what);
	return read_map(place, node, read_secret, what);
}

static struct ss_value *read_lists(const struct place *place, const struct yaml_node *node)
{
	return read_map(place, node, read_strings, "a mapping from names to lists of strings");
}

static struct ss_value *read_assignments(const struct place *place, const struct yaml_node *node)
{
	return read_map(place, node, read_string, "a mapping from fields to expressions");
}

static struct ss_value *read_one(const struct place *place, const struct yaml_node *node)
{
	static read_option *const readers[] = {
		[SS_OPTION_BOOL] = read_bool,
		[SS_OPTION_INT] = read_int,
		[SS_OPTION_NUMBER] = read_number,
		[SS_OPTION_STRING] = read_string,
		[SS_OPTION_CHOICE] = read_choice,
		[SS_OPTION_DURATION] = read_duration,
		[SS_OPTION_PATH] = read_path,
		[SS_OPTION_STRINGS] = read_strings,
		[SS_OPTION_NUMBERS] = read_numbers,
		[SS_OPTION_TEXTS] = read_texts,
		[SS_OPTION_LISTS] = read_lists,
		[SS_OPTION_EXPRESSION] = read_string,
		[SS_OPTION_ASSIGNMENTS] = read_assignments,
		[SS_OPTION_PROMPT] = read_path,
		[SS_OPTION_SECRET] = read_secret,
		[SS_OPTION_SECRETS] = read_secrets,
	};
	return readers[place->row->type](place, node);
}

static bool is_list_or_map(enum ss_option_type type)
{
	return type == SS_OPTION_STRINGS || type == SS_OPTION_NUMBERS || type == SS_OPTION_TEXTS ||
	       type == SS_OPTION_LISTS || type == SS_OPTION_ASSIGNMENTS ||
	       type == SS_OPTION_SECRETS;
}

static bool is_path(enum ss_option_type type)
{
	return type == SS_OPTION_PATH || type == SS_OPTION_PROMPT;
}

/* The default of an option, which is written as YAML. */
static struct ss_value *read_fallback(const struct place *place)
{
	const char *text = place->row->fallback;
	struct ss_value *value = NULL;
	if (!is_list_or_map(place->row->type)) {
		struct yaml_node node = {.kind = YAML_SCALAR, .text = memory_string(text)};
		value = is_path(place->row->type) && text[0] == '\0' ? value_text("")
								     : read_one(place, &node);
		free(node.text);
		return value;
	}
	/* Most are empty, and a workflow may have thousands of nodes. */
	if (strcmp(text, "[]") == 0)
		return value_list(NULL, 0);
	if (strcmp(text, "{}") == 0)
		return value_map(NULL, NULL, 0);
	struct yaml_document *document =
		yaml_parse(place->document->file, 1, text, strlen(text), place->diagnostics);
	const struct yaml_node nothing = {.kind = YAML_SCALAR, .text = (char[]){""}};
	if (document != NULL)
		value = read_one(place, document->root != NULL ? document->root : &nothing);
	yaml_close(document);
	return value;
}

static bool listed(const char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

static void report_unknown(const struct place *place, const struct yaml_node *key,
	const struct ss_option *rows, const char *const *sections, const char *what)
{
	const char *names[128];
	char hint[160];
	size_t count = 0;
	for (; count < 100 && rows != NULL && rows[count].name != NULL; count++)
		names[count] = rows[count].name;
	for (; count < array_length(names) && sections != NULL && *sections != NULL; sections++)
		names[count++] = *sections;
	(void)diagnostics_hint(key->text, names, count, hint, sizeof hint);
	if (hint[0] == '\0' && count > 0 && count <= 12) {
		size_t at = (size_t)snprintf(hint, sizeof hint, "; it knows");
		for (size_t i = 0; i < count && at < sizeof hint - 40; i++)
			at += (size_t)snprintf(
				hint + at, sizeof hint - at, "%s %s", i > 0 ? "," : "", names[i]);
	}
	yaml_mistake(place->document, key, place->diagnostics, "%s has no key \"%s\"%s", what,
		key->text, hint);
}

static void check_keys(const struct place *place, const struct yaml_node *node,
	const struct ss_option *rows, const char *const *sections, const char *what)
{
	for (size_t i = 0; i < node->count; i++) {
		size_t row = 0;
		while (rows != NULL && rows[row].name != NULL &&
			strcmp(rows[row].name, node->keys[i]->text) != 0)
			row++;
		bool known = rows != NULL && rows[row].name != NULL;
		if (!known && !listed(sections, node->keys[i]->text))
			report_unknown(place, node->keys[i], rows, sections, what);
	}
}

int options_read(const struct yaml_document *document, const struct yaml_node *node,
	const struct yaml_node *place, const struct ss_option *rows, const char *const *sections,
	const char *what, struct ss_value **values, struct diagnostics *diagnostics)
{
	size_t mistakes = diagnostics->count;
	struct place at = {document, NULL, diagnostics};
	if (node != NULL && yaml_is_null(node))
		node = NULL;
	bool readable = node == NULL || node->kind == YAML_MAPPING;
	if (!readable) {
		yaml_mistake(document, node, diagnostics, "%s must be a mapping, not %s", what,
			yaml_kind_name(node));
		node = NULL;
	}
	if (node != NULL)
		check_keys(&at, node, rows, sections, what);
	for (size_t i = 0; i < options_count(rows); i++) {
		const struct yaml_node *given = yaml_get(node, rows[i].name);
		at.row = &rows[i];
		values[i] = NULL;
		if (given != NULL && !yaml_is_null(given))
			values[i] = read_one(&at, given);
		else if (rows[i].fallback != NULL)
			values[i] = read_fallback(&at);
		else if (readable)
			yaml_mistake(document, place, diagnostics, "%s needs \"%s\": %s", what,
				rows[i].name, rows[i].help);
	}
	return diagnostics->count > mistakes ? -1 : 0;
}

void options_free(struct ss_value **values, size_t count)
{
	for (size_t i = 0; values != NULL && i < count; i++) {
		value_unref(values[i]);
		values[i] = NULL;
	}
}

static void wipe(const char *text)
{
	/* A text is never written to while somebody reads it; nobody reads this one any more. An empty one may be
	 * nobody's memory. */
	if (text[0] != '\0')
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
}

void options_wipe_secrets(
	const struct yaml_node *node, const struct ss_option *rows, struct ss_value **values)
{
	for (size_t i = 0; i < options_count(rows); i++) {
		const struct yaml_node *given = yaml_get(node, rows[i].name);
		if (rows[i].type != SS_OPTION_SECRET && rows[i].type != SS_OPTION_SECRETS)
			continue;
		wipe(value_as_string(values[i], NULL));
		for (size_t k = 0; k < value_count(values[i]); k++)
			wipe(value_as_string(value_at(values[i], k), NULL));
		if (given != NULL && given->kind == YAML_SCALAR)
			wipe(given->text);
		for (size_t k = 0; given != NULL && k < given->count; k++) {
			if (given->items[k]->kind == YAML_SCALAR)
				wipe(given->items[k]->text);
		}
	}
}

struct ss_value *options_value(const struct yaml_node *node)
{
	bool boolean;
	int64_t integer;
	double number;
	if (node == NULL || yaml_is_null(node))
		return value_null();
	if (node->kind == YAML_SCALAR) {
		if (yaml_bool(node, &boolean))
			return value_bool(boolean);
		if (yaml_int(node, &integer))
			return value_int(integer);
		if (yaml_number(node, &number))
			return value_number(number);
		return value_text(node->text);
	}
	struct ss_value **items = memory_array(node->count, sizeof(struct ss_value *));
	const char **keys = memory_array(node->count, sizeof *keys);
	for (size_t i = 0; i < node->count; i++) {
		items[i] = options_value(node->items[i]);
		keys[i] = node->kind == YAML_MAPPING ? node->keys[i]->text : NULL;
	}
	struct ss_value *value = node->kind == YAML_MAPPING ? value_map(keys, items, node->count)
							    : value_list(items, node->count);
	free(items);
	free(keys);
	return value;
}
