#include "http/json_schema.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/problem.h"
#include "value/json.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	ERRORS_LIMIT = 20,  /* the mistakes that one reply lists */
	SHOWN_NAME = 100,   /* bytes of a client's own name for a member */
	SHOWN_VALUES = 300, /* bytes of the values that an enum allows */
	NESTING = 32,       /* of schemas in schemas */
};

/* A walk through a value. */
struct walk {
	const struct json_schemas *schemas;
	const char *what;
	struct buffer pointer; /* to where the walk is */
	const char *name;      /* of the member or item that it is at, for messages */
	struct ss_value *items[ERRORS_LIMIT];
	size_t count;
};

static void check_value(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value);

__attribute__((format(printf, 2, 3))) static void add_error(
	struct walk *walk, const char *format, ...)
{
	struct buffer detail = {0};
	va_list arguments;
	if (walk->count == ERRORS_LIMIT)
		return;
	va_start(arguments, format);
	buffer_add_arguments(&detail, format, arguments);
	va_end(arguments);
	walk->items[walk->count++] =
		http_problem_error(buffer_text(&walk->pointer), buffer_text(&detail));
	buffer_free(&detail);
}

/* Goes down to NAME, of which at most SHOWN_NAME bytes are shown. Returns where to go back to. */
static size_t enter(struct walk *walk, const char *name)
{
	size_t back = walk->pointer.length;
	/* RFC 6901: ~ and / are written ~0 and ~1. */
	buffer_add_char(&walk->pointer, '/');
	for (int i = 0; i < text_fit(name, SHOWN_NAME); i++) {
		if (name[i] == '~' || name[i] == '/')
			buffer_add_string(&walk->pointer, name[i] == '~' ? "~0" : "~1");
		else
			buffer_add_char(&walk->pointer, name[i]);
	}
	return back;
}

static void leave(struct walk *walk, size_t back)
{
	walk->pointer.length = back;
	walk->pointer.data[back] = '\0';
}

static const struct ss_value *resolve(
	const struct json_schemas *schemas, const struct ss_value *schema)
{
	static const char prefix[] = "#/components/schemas/";
	const struct ss_value *reference = value_get(schema, "$ref");
	if (reference == NULL)
		return schema;
	const char *name = value_as_string(reference, NULL);
	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return NULL;
	return value_get(schemas->named, name + sizeof prefix - 1);
}

/* The names of JSON's types, with their articles for messages. */
static const struct {
	const char *name;
	const char *phrase;
} types[] = {
	{"null", "null"},
	{"boolean", "a boolean"},
	{"integer", "a whole number"},
	{"number", "a number"},
	{"string", "a string"},
	{"array", "a list"},
	{"object", "an object"},
};

static const char *phrase_of(const char *type)
{
	for (size_t i = 0; i < array_length(types); i++) {
		if (strcmp(types[i].name, type) == 0)
			return types[i].phrase;
	}
	return NULL;
}

static const char *phrase_of_value(const struct ss_value *value)
{
	static const char *const names[] = {
		[SS_NULL] = "null",
		[SS_BOOL] = "a boolean",
		[SS_INT] = "a number",
		[SS_NUMBER] = "a decimal number",
		[SS_STRING] = "a string",
		[SS_LIST] = "a list",
		[SS_MAP] = "an object",
	};
	return names[value_type(value)];
}

/* A whole number is one, however it was written (1.0). */
static bool is_whole(const struct ss_value *value)
{
	double number = value_as_number(value);
	return value_type(value) == SS_INT ||
	       (value_type(value) == SS_NUMBER && number == floor(number) && fabs(number) < 1e15);
}

static bool has_type(const char *type, const struct ss_value *value)
{
	switch (value_type(value)) {
	case SS_NULL:
		return strcmp(type, "null") == 0;
	case SS_BOOL:
		return strcmp(type, "boolean") == 0;
	case SS_INT:
	case SS_NUMBER:
		return strcmp(type, "number") == 0 ||
		       (strcmp(type, "integer") == 0 && is_whole(value));
	case SS_STRING:
		return strcmp(type, "string") == 0;
	case SS_LIST:
		return strcmp(type, "array") == 0;
	case SS_MAP:
		return strcmp(type, "object") == 0;
	}
	return false;
}

/* The COUNT names of a type, which is one or a list. */
static size_t type_count(const struct ss_value *type)
{
	return value_type(type) == SS_LIST ? value_count(type) : 1;
}

static const char *type_at(const struct ss_value *type, size_t index)
{
	return value_as_string(value_type(type) == SS_LIST ? value_at(type, index) : type, NULL);
}

static bool check_type(struct walk *walk, const struct ss_value *type, const struct ss_value *value)
{
	struct buffer expected = {0};
	if (type == NULL)
		return true;
	for (size_t i = 0; i < type_count(type); i++) {
		if (has_type(type_at(type, i), value)) {
			buffer_free(&expected);
			return true;
		}
		buffer_add_format(
			&expected, "%s%s", i > 0 ? " or " : "", phrase_of(type_at(type, i)));
	}
	add_error(walk, "%s must be %s, not %s", walk->name, buffer_text(&expected),
		phrase_of_value(value));
	buffer_free(&expected);
	return false;
}

static void check_enum(
	struct walk *walk, const struct ss_value *allowed, const struct ss_value *value)
{
	struct buffer words = {0};
	for (size_t i = 0; i < value_count(allowed); i++) {
		if (value_equal(value_at(allowed, i), value)) {
			buffer_free(&words);
			return;
		}
		if (i > 0)
			buffer_add_string(&words, i + 1 < value_count(allowed) ? ", " : " or ");
		json_print(&words, value_at(allowed, i));
	}
	add_error(walk, "%s must be %.*s", walk->name, text_fit(buffer_text(&words), SHOWN_VALUES),
		buffer_text(&words));
	buffer_free(&words);
}

static const struct json_format *find_format(const struct json_schemas *schemas, const char *name)
{
	for (size_t i = 0; i < schemas->format_count; i++) {
		if (strcmp(schemas->formats[i].name, name) == 0)
			return &schemas->formats[i];
	}
	return NULL;
}

static void check_string(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value)
{
	struct ss_text text = value_as_text(value);
	const struct ss_value *least = value_get(schema, "minLength");
	const struct ss_value *most = value_get(schema, "maxLength");
	const struct ss_value *named = value_get(schema, "format");
	const struct json_format *format =
		named != NULL ? find_format(walk->schemas, value_as_string(named, NULL)) : NULL;
	ptrdiff_t characters = text_characters(text);
	if (characters < 0)
		add_error(walk, "%s is not valid UTF-8", walk->name);
	else if (memchr(text.data, '\0', text.length) != NULL)
		add_error(walk, "%s must not have a NUL character", walk->name);
	else if (most != NULL && characters > value_as_int(most))
		add_error(walk, "%s has %td characters; at most %lld are allowed", walk->name,
			characters, (long long)value_as_int(most));
	else if (least != NULL && characters == 0 && value_as_int(least) > 0)
		add_error(walk, "%s must not be empty", walk->name);
	else if (least != NULL && characters < value_as_int(least))
		add_error(walk, "%s needs at least %lld characters", walk->name,
			(long long)value_as_int(least));
	else if (format != NULL && !format->fits(text.data))
		add_error(walk, "%s must %s", walk->name, format->expected);
}

static void check_number(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value)
{
	const struct ss_value *least = value_get(schema, "minimum");
	const struct ss_value *most = value_get(schema, "maximum");
	double number = value_as_number(value);
	if (least != NULL && most != NULL &&
		(number < value_as_number(least) || number > value_as_number(most)))
		add_error(walk, "%s is %.15g; it must be from %.15g to %.15g", walk->name, number,
			value_as_number(least), value_as_number(most));
	else if (least != NULL && number < value_as_number(least))
		add_error(walk, "%s is %.15g; it must be %.15g or more", walk->name, number,
			value_as_number(least));
	else if (most != NULL && number > value_as_number(most))
		add_error(walk, "%s is %.15g; it must be %.15g or less", walk->name, number,
			value_as_number(most));
}

/* How many there are of UNIT ("item"). */
static void check_count(struct walk *walk, const struct ss_value *least,
	const struct ss_value *most, size_t count, const char *unit)
{
	const struct ss_value *limit = NULL;
	if (least != NULL && count < (size_t)value_as_int(least))
		limit = least;
	else if (most != NULL && count > (size_t)value_as_int(most))
		limit = most;
	if (limit == NULL)
		return;
	long long number = value_as_int(limit);
	add_error(walk, "%s has %zu %s%s; at %s %lld %s %s", walk->name, count, unit,
		count == 1 ? "" : "s", limit == least ? "least" : "most", number,
		number == 1 ? "is" : "are", limit == least ? "needed" : "allowed");
}

static void check_list(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value)
{
	const struct ss_value *items = value_get(schema, "items");
	const char *name = walk->name;
	check_count(walk, value_get(schema, "minItems"), value_get(schema, "maxItems"),
		value_count(value), "item");
	for (size_t i = 0; items != NULL && i < value_count(value) && walk->count < ERRORS_LIMIT;
		i++) {
		char *item = memory_format("%s[%zu]", name, i);
		char index[24];
		(void)snprintf(index, sizeof index, "%zu", i);
		size_t back = enter(walk, index);
		walk->name = item;
		check_value(walk, items, value_at(value, i));
		leave(walk, back);
		free(item);
	}
	walk->name = name;
}

/* The names of MAP's entries; the caller frees the list alone. */
static const char **keys_of(const struct ss_value *map)
{
	const char **keys = memory_array(value_count(map), sizeof *keys);
	for (size_t i = 0; i < value_count(map); i++)
		keys[i] = value_key_at(map, i);
	return keys;
}

static void check_extra(struct walk *walk, const struct ss_value *schema, const char *name,
	const struct ss_value *value)
{
	const struct ss_value *extra = value_get(schema, "additionalProperties");
	if (extra == NULL || (value_type(extra) == SS_BOOL && value_as_bool(extra)))
		return;
	if (value_type(extra) == SS_MAP) {
		check_value(walk, extra, value);
		return;
	}
	const struct ss_value *properties = value_get(schema, "properties");
	const char **known = keys_of(properties);
	char *detail = http_problem_unknown("member", name, known, value_count(properties));
	add_error(walk, "%s", detail);
	free(detail);
	free(known);
}

static void check_required(
	struct walk *walk, const struct ss_value *required, const struct ss_value *value)
{
	for (size_t i = 0; i < value_count(required); i++) {
		const char *name = value_as_string(value_at(required, i), NULL);
		if (value_get(value, name) != NULL)
			continue;
		size_t back = enter(walk, name);
		add_error(walk, "%s is required", name);
		leave(walk, back);
	}
}

static bool is_among(const struct ss_value *names, const char *name)
{
	for (size_t i = 0; i < value_count(names); i++) {
		if (strcmp(value_as_string(value_at(names, i), NULL), name) == 0)
			return true;
	}
	return false;
}

/* Whether VALUE has as many members as are needed, beside those that are required and told by their names. */
static void check_least(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value)
{
	const struct ss_value *properties = value_get(schema, "properties");
	int64_t lacking =
		value_as_int(value_get(schema, "minProperties")) - (int64_t)value_count(value);
	struct buffer others = {0};
	for (size_t i = 0; i < value_count(properties); i++) {
		const char *name = value_key_at(properties, i);
		if (value_get(value, name) != NULL)
			continue;
		if (is_among(value_get(schema, "required"), name))
			lacking--;
		else
			buffer_add_format(&others, "%s%s", others.length > 0 ? ", " : " of ", name);
	}
	if (lacking > 0)
		add_error(walk, "%s needs at least %lld %s%s%s", walk->name, (long long)lacking,
			value_count(value) > 0 ? "more " : "", lacking == 1 ? "member" : "members",
			buffer_text(&others));
	buffer_free(&others);
}

static void check_map(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value)
{
	const struct ss_value *properties = value_get(schema, "properties");
	const char *name = walk->name;
	check_required(walk, value_get(schema, "required"), value);
	check_least(walk, schema, value);
	check_count(walk, NULL, value_get(schema, "maxProperties"), value_count(value), "member");
	for (size_t i = 0; i < value_count(value) && walk->count < ERRORS_LIMIT; i++) {
		const char *key = value_key_at(value, i);
		const struct ss_value *property = value_get(properties, key);
		size_t back = enter(walk, key);
		walk->name = key;
		if (property != NULL)
			check_value(walk, property, value_at(value, i));
		else
			check_extra(walk, schema, key, value_at(value, i));
		leave(walk, back);
	}
	walk->name = name;
}

/* Whether VALUE fits one of the SCHEMAS. The mistakes of the first that has its type are told, since that is what was
 * meant. */
static void check_any(struct walk *walk, const struct ss_value *any, const struct ss_value *value)
{
	size_t before = walk->count;
	const struct ss_value *meant = value_at(any, 0);
	bool found = false;
	for (size_t i = 0; i < value_count(any); i++) {
		struct walk other = {.schemas = walk->schemas, .name = walk->name};
		const struct ss_value *schema = resolve(walk->schemas, value_at(any, i));
		check_value(&other, schema, value);
		size_t mistakes = other.count;
		while (other.count > 0)
			value_unref(other.items[--other.count]);
		buffer_free(&other.pointer);
		if (mistakes == 0)
			return;
		const struct ss_value *type = value_get(schema, "type");
		if (!found && type != NULL && has_type(type_at(type, 0), value)) {
			found = true;
			meant = schema;
		}
	}
	check_value(walk, meant, value);
	if (walk->count == before)
		add_error(walk, "%s is none of what it may be", walk->name);
}

static void check_value(
	struct walk *walk, const struct ss_value *schema, const struct ss_value *value)
{
	schema = resolve(walk->schemas, schema);
	const struct ss_value *allowed = value_get(schema, "enum");
	const struct ss_value *any = value_get(schema, "anyOf");
	if (any != NULL)
		check_any(walk, any, value);
	if (!check_type(walk, value_get(schema, "type"), value))
		return;
	if (allowed != NULL)
		check_enum(walk, allowed, value);
	if (value_type(value) == SS_STRING)
		check_string(walk, schema, value);
	else if (value_type(value) == SS_INT || value_type(value) == SS_NUMBER)
		check_number(walk, schema, value);
	else if (value_type(value) == SS_LIST)
		check_list(walk, schema, value);
	else if (value_type(value) == SS_MAP)
		check_map(walk, schema, value);
}

struct ss_value *json_schema_errors(const struct json_schemas *schemas,
	const struct ss_value *schema, const char *what, const struct ss_value *value)
{
	struct walk walk = {.schemas = schemas, .name = what};
	check_value(&walk, schema, value);
	buffer_free(&walk.pointer);
	return walk.count > 0 ? value_list(walk.items, walk.count) : NULL;
}

static struct ss_value *read_number(const char *text, bool whole)
{
	struct ss_error err;
	/* Around a number JSON may have blanks. */
	bool bare = strspn(text, "+-.0123456789eE") == strlen(text);
	struct ss_value *value = bare ? json_parse(text, strlen(text), &err) : NULL;
	if (value != NULL &&
		(value_type(value) == SS_INT || (value_type(value) == SS_NUMBER && !whole)))
		return value;
	value_unref(value);
	return value_text(text);
}

struct ss_value *json_schema_read(
	const struct json_schemas *schemas, const struct ss_value *schema, const char *text)
{
	const struct ss_value *type = value_get(resolve(schemas, schema), "type");
	const char *name = type != NULL ? type_at(type, 0) : "string";
	if (strcmp(name, "boolean") == 0 && strcmp(text, "true") == 0)
		return value_bool(true);
	if (strcmp(name, "boolean") == 0 && strcmp(text, "false") == 0)
		return value_bool(false);
	if (strcmp(name, "integer") == 0 || strcmp(name, "number") == 0)
		return read_number(text, strcmp(name, "integer") == 0);
	return value_text(text);
}

/* What a keyword's value must be. */
enum keyword_kind {
	KEYWORD_ANYTHING,
	KEYWORD_TYPE,
	KEYWORD_FORMAT,
	KEYWORD_COUNT,
	KEYWORD_NUMBER,
	KEYWORD_LIST,
	KEYWORD_STRINGS,
	KEYWORD_SCHEMA,
	KEYWORD_SCHEMA_OR_BOOL,
	KEYWORD_SCHEMAS,       /* a list of them */
	KEYWORD_NAMED_SCHEMAS, /* a map of them */
	KEYWORD_REFERENCE,
};

static const struct {
	const char *name;
	enum keyword_kind kind;
} keywords[] = {
	{"$ref", KEYWORD_REFERENCE},
	{"additionalProperties", KEYWORD_SCHEMA_OR_BOOL},
	{"anyOf", KEYWORD_SCHEMAS},
	{"default", KEYWORD_ANYTHING},
	{"deprecated", KEYWORD_ANYTHING},
	{"description", KEYWORD_ANYTHING},
	{"enum", KEYWORD_LIST},
	{"examples", KEYWORD_LIST},
	{"format", KEYWORD_FORMAT},
	{"items", KEYWORD_SCHEMA},
	{"maxItems", KEYWORD_COUNT},
	{"maxLength", KEYWORD_COUNT},
	{"maxProperties", KEYWORD_COUNT},
	{"maximum", KEYWORD_NUMBER},
	{"minItems", KEYWORD_COUNT},
	{"minLength", KEYWORD_COUNT},
	{"minProperties", KEYWORD_COUNT},
	{"minimum", KEYWORD_NUMBER},
	{"properties", KEYWORD_NAMED_SCHEMAS},
	{"required", KEYWORD_STRINGS},
	{"title", KEYWORD_ANYTHING},
	{"type", KEYWORD_TYPE},
};

static int check_schema(const struct json_schemas *schemas, const struct ss_value *schema,
	size_t depth, struct ss_error *err);

static bool is_type(const struct ss_value *type)
{
	if (type_count(type) == 0)
		return false;
	for (size_t i = 0; i < type_count(type); i++) {
		const char *name = type_at(type, i);
		if (name == NULL || phrase_of(name) == NULL)
			return false;
	}
	return true;
}

static bool is_strings(const struct ss_value *value)
{
	for (size_t i = 0; i < value_count(value); i++) {
		if (value_type(value_at(value, i)) != SS_STRING)
			return false;
	}
	return value_type(value) == SS_LIST;
}

/* Whether the keyword's VALUE, which holds no schema, is as its KIND wants it. */
static bool is_good(
	const struct json_schemas *schemas, enum keyword_kind kind, const struct ss_value *value)
{
	switch (kind) {
	case KEYWORD_TYPE:
		return is_type(value);
	case KEYWORD_FORMAT:
		return value_type(value) == SS_STRING &&
		       find_format(schemas, value_as_string(value, NULL)) != NULL;
	case KEYWORD_COUNT:
		return value_type(value) == SS_INT && value_as_int(value) >= 0;
	case KEYWORD_NUMBER:
		return value_type(value) == SS_INT || value_type(value) == SS_NUMBER;
	case KEYWORD_LIST:
		return value_type(value) == SS_LIST && value_count(value) > 0;
	case KEYWORD_STRINGS:
		return is_strings(value);
	case KEYWORD_SCHEMAS:
		return value_type(value) == SS_LIST && value_count(value) > 0;
	case KEYWORD_NAMED_SCHEMAS:
		return value_type(value) == SS_MAP;
	case KEYWORD_ANYTHING:
	case KEYWORD_SCHEMA:
	case KEYWORD_SCHEMA_OR_BOOL:
	case KEYWORD_REFERENCE:
		break;
	}
	return true;
}

/* Checks the schemas that the keyword's VALUE holds. */
static int check_inner(const struct json_schemas *schemas, enum keyword_kind kind,
	const struct ss_value *value, size_t depth, struct ss_error *err)
{
	if (kind == KEYWORD_SCHEMA ||
		(kind == KEYWORD_SCHEMA_OR_BOOL && value_type(value) != SS_BOOL))
		return check_schema(schemas, value, depth + 1, err);
	if (kind != KEYWORD_SCHEMAS && kind != KEYWORD_NAMED_SCHEMAS)
		return 0;
	for (size_t i = 0; i < value_count(value); i++) {
		if (check_schema(schemas, value_at(value, i), depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int check_keyword(const struct json_schemas *schemas, const struct ss_value *schema,
	size_t index, size_t depth, struct ss_error *err)
{
	const char *name = value_key_at(schema, index);
	const struct ss_value *value = value_at(schema, index);
	if (strncmp(name, "x-", 2) == 0)
		return 0;
	for (size_t i = 0; i < array_length(keywords); i++) {
		if (strcmp(keywords[i].name, name) != 0)
			continue;
		bool good = keywords[i].kind == KEYWORD_REFERENCE
				    ? resolve(schemas, schema) != NULL
				    : is_good(schemas, keywords[i].kind, value);
		if (good)
			return check_inner(schemas, keywords[i].kind, value, depth, err);
		char *text = json_text(value);
		(void)ss_fail_as(
			err, SS_INVALID, "%s: %.200s is not what this keyword takes", name, text);
		free(text);
		return -1;
	}
	return ss_fail_as(err, SS_INVALID, "%s: is a keyword that is not checked here", name);
}

static int check_schema(const struct json_schemas *schemas, const struct ss_value *schema,
	size_t depth, struct ss_error *err)
{
	if (value_type(schema) != SS_MAP)
		return ss_fail_as(err, SS_INVALID, "a schema must be an object");
	if (depth == NESTING)
		return ss_fail_as(err, SS_INVALID, "schemas are nested too deeply");
	for (size_t i = 0; i < value_count(schema); i++) {
		if (check_keyword(schemas, schema, i, depth, err) < 0)
			return -1;
	}
	return 0;
}

int json_schema_check(
	const struct json_schemas *schemas, const struct ss_value *schema, struct ss_error *err)
{
	return check_schema(schemas, schema, 0, err);
}
