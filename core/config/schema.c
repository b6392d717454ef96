#include "config/schema.h"

#include "base/memory.h"
#include "config/options.h"
#include "value/json.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DURATION "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"

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
	struct ss_value *types[] = {
		value_text("string"), value_text("number"), value_text("boolean")};
	return value_map_make({"type", value_list(types, 3)});
}

static struct ss_value *words(const char *choices)
{
	struct ss_value *items[64];
	size_t count = 0;
	char *copy = memory_string(choices);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL && count < array_length(items);)
		items[count++] = value_text(word);
	free(copy);
	return value_map_make({"enum", value_list(items, count)});
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
		return schema_or_variable(words(row->choices));
	case SS_OPTION_DURATION:
		return schema_or_variable(value_map_make(
			{"type", value_text("string")}, {"pattern", value_text(DURATION)}));
	case SS_OPTION_STRING:
	case SS_OPTION_EXPRESSION:
		return text();
	case SS_OPTION_PATH:
		return type("string");
	case SS_OPTION_STRINGS:
		return list(text());
	case SS_OPTION_NUMBERS:
		return map(schema_or_variable(number("number", row)));
	case SS_OPTION_TEXTS:
	case SS_OPTION_ASSIGNMENTS:
		return map(text());
	case SS_OPTION_LISTS:
		return map(list(text()));
	}
	return type("null");
}

/* The default of ROW as JSON, where it is one; else as it is written. */
static struct ss_value *fallback(const struct ss_option *row)
{
	struct ss_error err;
	if (row->fallback == NULL)
		return NULL;
	bool text = row->type == SS_OPTION_STRING || row->type == SS_OPTION_PATH ||
		    row->type == SS_OPTION_EXPRESSION;
	struct ss_value *value =
		text ? NULL : json_parse(row->fallback, strlen(row->fallback), &err);
	return value != NULL ? value : value_text(row->fallback);
}

struct ss_value *schema_option(const struct ss_option *row)
{
	struct ss_value *values = values_of(row);
	struct value_entry entries[8] = {
		{"description", value_text(row->help)}, {"default", fallback(row)}};
	size_t count = 2;
	for (size_t i = 0; i < value_count(values); i++)
		entries[count++] = (struct value_entry){
			value_key_at(values, i), value_ref(value_at(values, i))};
	struct ss_value *schema = value_map_of(entries, count);
	value_unref(values);
	return schema;
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
