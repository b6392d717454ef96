/*
 * Checks values against JSON Schemas (2020-12), and reports all that is wrong at once. A schema is itself a value, read
 * from JSON or YAML, and is walked as it is. It may have these keywords and no others, so that nothing which it says goes
 * unchecked:
 *     type (a name or a list of names), enum, format, minLength, maxLength (characters), minimum, maximum, items,
 *     minItems, maxItems, properties, required, additionalProperties, minProperties, maxProperties, anyOf, $ref (to
 *     #/components/schemas/NAME), and what only tells people something: title, description, default, examples,
 *     deprecated, and names that begin with x-.
 * No string may have a NUL character. Any thread.
 */
#ifndef HTTP_JSON_SCHEMA_H
#define HTTP_JSON_SCHEMA_H

#include <smartsupport/value.h>

/* What `format: NAME` demands of a string, which has no NUL. */
struct json_format {
	const char *name;
	bool (*fits)(const char *text);
	const char *expected; /* for the message: "x must be EXPECTED" */
};

/* What schemas refer to. Borrowed. */
struct json_schemas {
	const struct ss_value *named; /* a map from NAME to a schema */
	const struct json_format *formats;
	size_t format_count;
};

/* Whether SCHEMA keeps to what can be checked; else ERR names the place in it. */
int json_schema_check(
	const struct json_schemas *schemas, const struct ss_value *schema, struct ss_error *err);

/* What is wrong with VALUE by SCHEMA, which was checked: a new list of {pointer, detail}, the first 20 mistakes, where
 * POINTER and what follows it name the place; NULL when nothing is. WHAT names the value as a whole in messages, as in
 * "the body". */
struct ss_value *json_schema_errors(const struct json_schemas *schemas,
	const struct ss_value *schema, const char *what, const struct ss_value *value);

/* VALUE as SCHEMA's type, of the text that a query or a path has it as: new. What cannot be read as that type stays a
 * string, which json_schema_errors() refuses. */
struct ss_value *json_schema_read(
	const struct json_schemas *schemas, const struct ss_value *schema, const char *text);

#endif
