/* The `state` section of a workflow: the fields of a turn's state. */
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_TYPE, FIELD_VALUES, FIELD_REDUCER, FIELD_KEY, FIELD_ROWS };

/* Up to here a double is exact for whole numbers. */
#define EXACT_LIMIT 9007199254740992.0

static const struct ss_option field_rows[] = {
	[FIELD_TYPE] = {"type", SS_OPTION_CHOICE, NULL, 0, 0,
		"string int number bool enum list map", "what the field holds"},
	[FIELD_VALUES] = {"values", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"the values that an enum may have"},
	[FIELD_REDUCER] = {"reducer", SS_OPTION_CHOICE, "replace", 0, 0,
		"replace append add max min merge union",
		"what becomes of the field when something is written to it"},
	[FIELD_KEY] = {"key", SS_OPTION_STRING, "", 0, 0, NULL,
		"the member that tells apart the items of a list that is merged"},
	[FIELD_ROWS] = {0},
};

static const char *const field_sections[] = {"default", "min", "max", NULL};

const struct graph_section graph_field_section = {field_rows, field_sections};

enum ss_type graph_type_of(const char *name)
{
	static const struct {
		const char *name;
		enum ss_type type;
	} types[] = {{"string", SS_STRING}, {"int", SS_INT}, {"number", SS_NUMBER},
		{"bool", SS_BOOL}, {"enum", SS_STRING}, {"list", SS_LIST}, {"map", SS_MAP}};
	for (size_t i = 0; i < array_length(types); i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	return SS_NULL;
}

struct ss_value *graph_read_value(
	struct graph_loader *loader, const struct graph_field *field, const struct yaml_node *node)
{
	struct ss_error err = {0};
	bool word = field->type == SS_STRING && node->kind == YAML_SCALAR;
	struct ss_value *value =
		graph_fit_value(field, word ? value_text(node->text) : options_value(node), &err);
	if (value == NULL)
		yaml_mistake(loader->document, node, loader->diagnostics, "%s", err.text);
	return value;
}

bool graph_type_has_range(enum ss_type type)
{
	return type == SS_INT || type == SS_NUMBER;
}

/* One bound of FIELD, if NODE is given. */
static void read_bound(struct graph_loader *loader, const struct graph_field *field,
	const char *name, const struct yaml_node *node, double *bound)
{
	int64_t integer;
	if (node == NULL)
		return;
	if (!yaml_number(node, bound))
		yaml_mistake(loader->document, node, loader->diagnostics,
			"%s of %s must be a number", name, field->name);
	else if (field->type == SS_INT &&
		 (!yaml_int(node, &integer) || *bound > EXACT_LIMIT || *bound < -EXACT_LIMIT))
		yaml_mistake(loader->document, node, loader->diagnostics,
			"%s of %s must be a whole number of at most 2^53, as %s is an int", name,
			field->name, field->name);
}

static void read_range(
	struct graph_loader *loader, struct graph_field *field, const struct yaml_node *node)
{
	const struct yaml_node *min = yaml_get(node, "min");
	const struct yaml_node *max = yaml_get(node, "max");
	if (min == NULL && max == NULL)
		return;
	field->has_range = true;
	field->min = -INFINITY;
	field->max = INFINITY;
	if (!graph_type_has_range(field->type)) {
		yaml_mistake(loader->document, min != NULL ? min : max, loader->diagnostics,
			"min and max are for an int or a number; %s is neither", field->name);
		return;
	}
	read_bound(loader, field, "min", min, &field->min);
	read_bound(loader, field, "max", max, &field->max);
	if (field->min > field->max)
		yaml_mistake(loader->document, max, loader->diagnostics,
			"max of %s is less than its min", field->name);
}

/* The number nearest to 0 in the range of FIELD. */
static double natural_number(const struct graph_field *field)
{
	if (field->has_range && field->min > 0)
		return field->min;
	return field->has_range && field->max < 0 ? field->max : 0;
}

/* What a field holds that nothing was written to and that has no default. */
static struct ss_value *natural_default(const struct graph_field *field)
{
	if (field->values != NULL)
		return value_null();
	switch (field->type) {
	case SS_STRING:
		return value_text("");
	case SS_INT:
		return value_int((int64_t)natural_number(field));
	case SS_NUMBER:
		return value_number(natural_number(field));
	case SS_BOOL:
		return value_bool(false);
	case SS_LIST:
		return value_list(NULL, 0);
	case SS_MAP:
		return value_map(NULL, NULL, 0);
	default:
		return value_null();
	}
}

static void read_values(struct graph_loader *loader, struct graph_field *field,
	const struct yaml_node *node, struct ss_value *values, bool is_enum)
{
	const struct yaml_node *given = yaml_get(node, "values");
	if (is_enum && value_count(values) > 0) {
		field->values = value_ref(values);
	} else if (is_enum) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"the enum %s needs its values, as in values: [Low, High]", field->name);
	} else if (given != NULL) {
		yaml_mistake(loader->document, given, loader->diagnostics,
			"values are for an enum; %s is of the type %s", field->name,
			value_type_name(field->type));
	}
}

enum graph_reducer graph_reducer_of(const char *name)
{
	enum graph_reducer reducer = GRAPH_REPLACE;
	while (reducer < GRAPH_UNION && strcmp(graph_reducer_name(reducer), name) != 0)
		reducer++;
	return reducer;
}

bool graph_reducer_suits(enum graph_reducer reducer, enum ss_type type)
{
	switch (reducer) {
	case GRAPH_REPLACE:
		return true;
	case GRAPH_APPEND:
	case GRAPH_UNION:
		return type == SS_LIST;
	case GRAPH_ADD:
	case GRAPH_MAX:
	case GRAPH_MIN:
		return type == SS_INT || type == SS_NUMBER;
	case GRAPH_MERGE:
		return type == SS_MAP || type == SS_LIST;
	}
	return false;
}

bool graph_reducer_needs_key(enum graph_reducer reducer, enum ss_type type)
{
	return reducer == GRAPH_MERGE && type == SS_LIST;
}

bool graph_reducer_needs_default(enum graph_reducer reducer)
{
	return reducer == GRAPH_MAX || reducer == GRAPH_MIN;
}

static void read_reducer(struct graph_loader *loader, struct graph_field *field,
	const struct yaml_node *node, struct ss_value *const *options)
{
	const char *name = value_as_string(options[FIELD_REDUCER], NULL);
	const char *key = value_as_string(options[FIELD_KEY], NULL);
	const struct yaml_node *given = yaml_get(node, "reducer");
	field->reducer = graph_reducer_of(name);
	bool wants_key = graph_reducer_needs_key(field->reducer, field->type);
	if (!graph_reducer_suits(field->reducer, field->type))
		yaml_mistake(loader->document, given, loader->diagnostics,
			"the reducer %s is not for the type %s of %s; append and union are for "
			"lists, add, max and min for int and number, merge for map and list",
			name, value_type_name(field->type), field->name);
	else if (wants_key && key[0] == '\0')
		yaml_mistake(loader->document, given, loader->diagnostics,
			"merge needs to know what tells the items of the list %s apart, as in key: "
			"id",
			field->name);
	else if (!wants_key && key[0] != '\0')
		yaml_mistake(loader->document, yaml_get(node, "key"), loader->diagnostics,
			"key is for a list with the reducer merge; %s is none", field->name);
	else if (graph_reducer_needs_default(field->reducer) && yaml_get(node, "default") == NULL)
		yaml_mistake(loader->document, given, loader->diagnostics,
			"%s compares with what %s holds, so it needs a default", name, field->name);
	if (wants_key)
		field->key = memory_string(key);
}

static void read_field(
	struct graph_loader *loader, const struct yaml_node *key, const struct yaml_node *node)
{
	char what[120];
	struct ss_value *options[FIELD_ROWS] = {0};
	struct graph_field *field = &loader->graph->fields[loader->graph->field_count++];
	size_t mistakes = loader->diagnostics->count;
	(void)snprintf(what, sizeof what, "the field %.60s", key->text);
	field->name = memory_string(key->text);
	field->line = key->line;
	field->column = key->column;
	(void)options_read(loader->document, node, key, field_rows, field_sections, what, options,
		loader->diagnostics);
	const char *type = value_as_string(options[FIELD_TYPE], NULL);
	field->type = graph_type_of(type);
	if (loader->diagnostics->count == mistakes) {
		read_values(loader, field, node, options[FIELD_VALUES], strcmp(type, "enum") == 0);
		read_range(loader, field, node);
		read_reducer(loader, field, node, options);
	}
	const struct yaml_node *given = yaml_get(node, "default");
	if (given != NULL && loader->diagnostics->count == mistakes)
		field->initial = graph_read_value(loader, field, given);
	if (field->initial == NULL && loader->diagnostics->count == mistakes)
		field->initial = natural_default(field);
	options_free(options, FIELD_ROWS);
}

/* The same rule twice: for the loader, and as a regular expression for the schema. */
const char graph_field_name_pattern[] = "^[A-Za-z_][A-Za-z0-9_]{0,63}$";
_Static_assert(GRAPH_NAME_LIMIT == 64, "the pattern says how long a name may be");

static bool name_is_good(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && length <= GRAPH_NAME_LIMIT && (name[0] < '0' || name[0] > '9') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       length;
}

const char *const graph_reserved_names[] = {"true", "false", "null", "in", NULL};

static bool is_word_of_conditions(const char *name)
{
	for (size_t i = 0; graph_reserved_names[i] != NULL; i++) {
		if (strcmp(graph_reserved_names[i], name) == 0)
			return true;
	}
	return false;
}

void graph_read_state(struct graph_loader *loader, const struct yaml_node *state)
{
	if (state == NULL || state->kind != YAML_MAPPING || state->count == 0) {
		yaml_mistake(loader->document, state, loader->diagnostics,
			"state must be a mapping from field names to their types");
		return;
	}
	if (state->count > GRAPH_FIELDS_LIMIT) {
		yaml_mistake(loader->document, state, loader->diagnostics,
			"the state has %zu fields; at most %d are allowed", state->count,
			GRAPH_FIELDS_LIMIT);
		return;
	}
	loader->graph->fields = memory_array(state->count, sizeof(struct graph_field));
	for (size_t i = 0; i < state->count; i++) {
		const char *name = state->keys[i]->text;
		if (!name_is_good(name))
			yaml_mistake(loader->document, state->keys[i], loader->diagnostics,
				"\"%.*s\" is no field name; names have letters, digits and _",
				text_fit(name, 64), name);
		else if (is_word_of_conditions(name))
			yaml_mistake(loader->document, state->keys[i], loader->diagnostics,
				"%s has a meaning of its own in conditions and is no field name",
				name);
		else
			read_field(loader, state->keys[i], state->items[i]);
	}
}
