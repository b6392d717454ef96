#include "config/schema.h"

#include "base/memory.h"
#include "config/options.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DURATION "^[0-9]+(\\.[0-9]*)?(ms|s|m|h|d)$"

struct ss_value *schema_variable(void)
{
	return value_map_make(
		{"type", value_text("string")}, {"pattern", value_text("\\$\\{[A-Za-z_]")});
}

struct ss_value *schema_or_variable(struct ss_value *schema)
{
	struct ss_value *either[] = {schema, schema_variable()};
	return value_map_make({"anyOf", value_list(either, 2)});
}

struct ss_value *schema_with(struct ss_value *schema, const char *key, struct ss_value *value)
{
	struct ss_value *more = value_map_with(schema, key, value);
	value_unref(schema);
	return more;
}

struct ss_value *schema_names(const char *const *names)
{
	size_t count = 0;
	while (names != NULL && names[count] != NULL)
		count++;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = value_text(names[i]);
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

struct ss_value *schema_words(const char *choices)
{
	struct ss_value *words = value_list(NULL, 0);
	char *copy = memory_string(choices);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		struct ss_value *item = value_text(word);
		struct ss_value *one = value_list(&item, 1);
		words = value_list_append(words, one);
		value_unref(one);
	}
	free(copy);
	return words;
}

static struct ss_value *type(const char *name)
{
	return value_map_make({"type", value_text(name)});
}

/* A whole number without a fraction, since that is how people write it. */
static struct ss_value *limit(double bound)
{
	return fabs(bound) < 1e15 && bound == trunc(bound) ? value_int((int64_t)bound)
							   : value_number(bound);
}

/* A number with the bounds of ROW. */
static struct ss_value *number(const char *name, const struct ss_option *row)
{
	bool bounded = row->min != 0 || row->max != 0;
	return value_map_make({"type", value_text(name)},
		{"minimum", bounded ? limit(row->min) : NULL},
		{"maximum", bounded ? limit(row->max) : NULL});
}

/* Any scalar: YAML's numbers are texts as well where a text is asked for. */
static struct ss_value *text(void)
{
	static const char *const types[] = {"string", "number", "boolean", NULL};
	return value_map_make({"type", schema_names(types)});
}

static struct ss_value *list(struct ss_value *items)
{
	return value_map_make({"type", value_text("array")}, {"items", items});
}

static struct ss_value *map(struct ss_value *values)
{
	return value_map_make({"type", value_text("object")}, {"additionalProperties", values});
}

static struct ss_value *values_of(const struct ss_option *row)
{
	switch (row->type) {
	case SS_OPTION_BOOL:
		return schema_or_variable(type("boolean"));
	case SS_OPTION_INT:
		return schema_or_variable(number("integer", row));
	case SS_OPTION_NUMBER:
		return schema_or_variable(number("number", row));
	case SS_OPTION_CHOICE:
		return schema_or_variable(value_map_make({"enum", schema_words(row->choices)}));
	case SS_OPTION_DURATION:
		return schema_or_variable(value_map_make(
			{"type", value_text("string")}, {"pattern", value_text(DURATION)}));
	case SS_OPTION_STRING:
	case SS_OPTION_EXPRESSION:
	case SS_OPTION_SECRET:
		return text();
	case SS_OPTION_PATH:
	case SS_OPTION_PROMPT:
		return type("string");
	case SS_OPTION_STRINGS:
		return list(text());
	case SS_OPTION_NUMBERS:
		return map(schema_or_variable(number("number", row)));
	case SS_OPTION_TEXTS:
	case SS_OPTION_SECRETS:
	case SS_OPTION_ASSIGNMENTS:
		return map(text());
	case SS_OPTION_LISTS:
		return map(list(text()));
	}
	return type("null");
}

struct ss_value *schema_or_nothing(struct ss_value *values)
{
	const char *key = value_get(values, "anyOf") != NULL ? "anyOf" : "type";
	const struct ss_value *given = value_get(values, key);
	struct ss_value *nothing = strcmp(key, "type") == 0 ? value_text("null") : type("null");
	struct ss_value *alone = value_list(&nothing, 1);
	struct ss_value *first = value_ref(given);
	struct ss_value *all = value_type(given) == SS_LIST ? first : value_list(&first, 1);
	struct ss_value *joined = value_list_join(all, alone);
	value_unref(all);
	value_unref(alone);
	return schema_with(values, key, joined);
}

/* The default of a ROW that has one, with the type that an editor would give it. */
static struct ss_value *fallback(const struct ss_option *row)
{
	bool text = row->type == SS_OPTION_STRING || row->type == SS_OPTION_PATH ||
		    row->type == SS_OPTION_EXPRESSION || row->type == SS_OPTION_CHOICE ||
		    row->type == SS_OPTION_PROMPT || row->type == SS_OPTION_SECRET;
	struct diagnostics diagnostics = {0};
	if (text)
		return value_text(row->fallback);
	struct yaml_document *document =
		yaml_parse(row->name, 1, row->fallback, strlen(row->fallback), &diagnostics);
	struct ss_value *value =
		document != NULL ? options_value(document->root) : value_text(row->fallback);
	yaml_close(document);
	diagnostics_free(&diagnostics);
	return value;
}

/* The bounds of a duration, of which a schema has no notion, are told. */
static struct ss_value *description(const struct ss_option *row)
{
	if (row->type != SS_OPTION_DURATION || (row->min == 0 && row->max == 0))
		return value_text(row->help);
	char *text =
		memory_format("%s (from %.15g to %.15g seconds)", row->help, row->min, row->max);
	struct ss_value *value = value_text(text);
	free(text);
	return value;
}

struct ss_value *schema_option(const struct ss_option *row)
{
	struct ss_value *schema = schema_with(values_of(row), "description", description(row));
	if (row->fallback == NULL)
		return schema;
	return schema_with(schema_or_nothing(schema), "default", fallback(row));
}

struct ss_value *schema_required(const struct ss_option *rows)
{
	size_t count = 0;
	struct ss_value **items = memory_array(options_count(rows), sizeof(struct ss_value *));
	for (size_t i = 0; i < options_count(rows); i++) {
		if (rows[i].fallback == NULL)
			items[count++] = value_text(rows[i].name);
	}
	struct ss_value *required = value_list(items, count);
	free(items);
	return required;
}
