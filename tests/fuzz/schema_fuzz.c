/*
 * Fuzzes what requests are checked against: JSON against the body's schema of each operation of the REST API, and texts
 * against those of its parameters. The first byte chooses the operation, the second a parameter. What is refused has mistakes
 * with places and sentences that can be sent; what is accepted is accepted again when it was printed and read.
 */
#include "api/api.h"
#include "api/document.h"
#include "api/gate.h"

#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ERRORS_LIMIT = 20 };

static void require(bool what)
{
	if (!what)
		abort();
}

static const struct api_document *document(void)
{
	static struct api_document *made;
	struct ss_error err;
	if (made == NULL)
		made = api_document_new(api_handlers, api_handler_count, api_gate, &err);
	require(made != NULL && made->count > 0);
	return made;
}

static void check_errors(const struct ss_value *errors)
{
	size_t count = value_count(errors);
	require(count > 0 && count <= ERRORS_LIMIT);
	for (size_t i = 0; i < count; i++) {
		struct ss_text pointer = value_as_text(value_get(value_at(errors, i), "pointer"));
		struct ss_text detail = value_as_text(value_get(value_at(errors, i), "detail"));
		require(pointer.length == 0 || pointer.data[0] == '/');
		require(text_characters(pointer) >= 0 && text_characters(detail) > 0);
	}
}

/* Whether VALUE fits SCHEMA. */
static bool fits(const struct ss_value *schema, const struct ss_value *value)
{
	struct ss_value *errors =
		json_schema_errors(&document()->schemas, schema, "the body", value);
	if (errors == NULL)
		return true;
	check_errors(errors);
	value_unref(errors);
	return false;
}

static void try_body(const struct ss_value *schema, const char *text, size_t length)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(text, length, &err);
	if (value == NULL)
		return;
	bool good = fits(schema, value);
	char *printed = json_text(value);
	struct ss_value *again = json_parse(printed, strlen(printed), &err);
	require(again != NULL && fits(schema, again) == good);
	value_unref(again);
	value_unref(value);
	free(printed);
}

static void try_parameter(const struct ss_value *schema, const char *text)
{
	struct ss_value *value = json_schema_read(&document()->schemas, schema, text);
	require(value != NULL);
	(void)fits(schema, value);
	value_unref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const struct api_operation *operation =
		&document()->operations[data[0] % document()->count];
	char *text = malloc(size - 1);
	require(text != NULL);
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	if (operation->body != NULL)
		try_body(operation->body, text, size - 2);
	/* What comes of a query or a path is UTF-8 and has no NUL. */
	if (operation->parameter_count > 0 && strlen(text) == size - 2 &&
		text_characters((struct ss_text){text, size - 2}) >= 0)
		try_parameter(
			operation->parameters[data[1] % operation->parameter_count].schema, text);
	free(text);
	return 0;
}
