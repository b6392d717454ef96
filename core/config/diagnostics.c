#include "config/diagnostics.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void diagnostics_add(struct diagnostics *diagnostics, const char *file, size_t line, size_t column,
	const char *format, ...)
{
	if (diagnostics->count > DIAGNOSTICS_LIMIT)
		return;
	bool last = diagnostics->count == DIAGNOSTICS_LIMIT;
	diagnostics->items = memory_resize(
		diagnostics->items, diagnostics->count + 1, sizeof *diagnostics->items);
	struct diagnostic *added = &diagnostics->items[diagnostics->count++];
	*added = (struct diagnostic){
		.file = memory_string(file), .line = line, .column = column, .text = NULL};
	if (last) {
		added->text = memory_string("and more mistakes; mend these first");
		return;
	}
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	added->text = length >= 0 ? text : memory_string(format);
	/* What is quoted from a file may have line breaks; a mistake is one line. */
	for (char *c = added->text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
}

void diagnostics_add_error(
	struct diagnostics *diagnostics, const char *file, const struct ss_error *err)
{
	size_t length = strlen(file);
	bool named =
		strncmp(err->text, file, length) == 0 && strncmp(err->text + length, ": ", 2) == 0;
	diagnostics_add(diagnostics, file, 0, 0, "%s", named ? err->text + length + 2 : err->text);
}

static int compare(const void *a, const void *b)
{
	const struct diagnostic *left = a;
	const struct diagnostic *right = b;
	int order = strcmp(left->file, right->file);
	if (order != 0)
		return order;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	if (left->column != right->column)
		return left->column < right->column ? -1 : 1;
	return strcmp(left->text, right->text);
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
	/* The entry behind the limit stays the last one. */
	size_t sorted =
		diagnostics->count < DIAGNOSTICS_LIMIT ? diagnostics->count : DIAGNOSTICS_LIMIT;
	if (sorted > 1)
		qsort(diagnostics->items, sorted, sizeof *diagnostics->items, compare);
}

void diagnostics_print(struct diagnostics *diagnostics, FILE *stream)
{
	diagnostics_sort(diagnostics);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		if (item->line > 0)
			(void)fprintf(stream, "%s:%zu:%zu: %s\n", item->file, item->line,
				item->column, item->text);
		else
			(void)fprintf(stream, "%s: %s\n", item->file, item->text);
	}
}

void diagnostics_free(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		free(diagnostics->items[i].file);
		free(diagnostics->items[i].text);
	}
	free(diagnostics->items);
	*diagnostics = (struct diagnostics){0};
}

const char *diagnostics_hint(
	const char *word, const char *const *names, size_t count, char *text, size_t size)
{
	const char *nearest = NULL;
	size_t least = strlen(word) / 3 + 2; /* further away is another word, not a slip */
	for (size_t i = 0; i < count; i++) {
		size_t distance = text_distance(word, names[i]);
		if (distance < least && distance < strlen(word)) {
			least = distance;
			nearest = names[i];
		}
	}
	text[0] = '\0';
	if (nearest != NULL)
		(void)snprintf(text, size, " (did you mean \"%s\"?)", nearest);
	return text;
}
