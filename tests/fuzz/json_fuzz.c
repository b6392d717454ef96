/*
 * Fuzzes JSON: what is read prints to text that reads back as the same value; what is refused has a
 * reason.
 */
#include "value/json.h"
#include "value/value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse((const char *)data, size, &err);
	if (value == NULL) {
		if (err.status == SS_OK || err.text[0] == '\0')
			abort();
		return 0;
	}
	char *text = json_text(value);
	struct ss_value *again = json_parse(text, strlen(text), &err);
	if (again == NULL || !value_equal(value, again))
		abort();
	char *text_again = json_text(again);
	if (strcmp(text, text_again) != 0)
		abort();
	free(text);
	free(text_again);
	value_unref(value);
	value_unref(again);
	return 0;
}
