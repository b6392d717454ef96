/*
 * Fuzzes YAML: every node of what is read is visited and read as each type, and as a table of options;
 * what is refused has a mistake, and mistakes can be printed.
 */
#include "config/options.h"
#include "config/yaml.h"
#include "value/value.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ss_option rows[] = {
	{"a", SS_OPTION_BOOL, "true", 0, 0, NULL, "help"},
	{"b", SS_OPTION_INT, "1", 0, 10, NULL, "help"},
	{"c", SS_OPTION_NUMBER, "1", 0, 10, NULL, "help"},
	{"d", SS_OPTION_STRING, "", 0, 0, NULL, "help"},
	{"e", SS_OPTION_CHOICE, "x", 0, 0, "x y zz", "help"},
	{"f", SS_OPTION_DURATION, "1s", 0, 100, NULL, "help"},
	{"g", SS_OPTION_PATH, "x", 0, 0, NULL, "help"},
	{"h", SS_OPTION_STRINGS, "[]", 0, 0, NULL, "help"},
	{"i", SS_OPTION_NUMBERS, "{}", 0, 10, NULL, "help"},
	{"j", SS_OPTION_TEXTS, "{}", 0, 0, NULL, "help"},
	{"k", SS_OPTION_LISTS, NULL, 0, 0, NULL, "help"},
	{0},
};

static void visit(const struct yaml_node *node, size_t depth)
{
	bool boolean;
	int64_t integer;
	double number;
	if (node->line == 0 || node->column == 0 || depth > YAML_DEPTH_LIMIT + 1)
		abort();
	(void)yaml_bool(node, &boolean);
	(void)yaml_int(node, &integer);
	(void)yaml_number(node, &number);
	(void)yaml_duration_ns(node, &integer);
	(void)yaml_kind_name(node);
	for (size_t i = 0; i < node->count; i++) {
		visit(node->items[i], depth + 1);
		if (node->kind == YAML_MAPPING && yaml_get(node, node->keys[i]->text) == NULL)
			abort();
	}
}

static void read_options(const struct yaml_document *document, struct diagnostics *diagnostics)
{
	struct ss_value *values[array_length(rows)] = {0};
	size_t mistakes = diagnostics->count;
	int result = options_read(
		document, document->root, document->root, rows, NULL, "it", values, diagnostics);
	if ((result < 0) != (diagnostics->count > mistakes))
		abort();
	options_free(values, array_length(rows));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics = {0};
	char *text = NULL;
	size_t length = 0;
	struct yaml_document *document =
		yaml_parse("fuzz.yaml", 1, (const char *)data, size, &diagnostics);
	if ((document == NULL) != (diagnostics.count > 0))
		abort();
	if (document != NULL && document->root != NULL) {
		visit(document->root, 0);
		read_options(document, &diagnostics);
		value_unref(options_value(document->root));
	}
	FILE *stream = open_memstream(&text, &length);
	diagnostics_print(&diagnostics, stream);
	(void)fclose(stream);
	free(text);
	diagnostics_free(&diagnostics);
	yaml_close(document);
	return 0;
}
