#include "config/yaml.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/environment.h"

#include <errno.h>
#include <math.h>
#include <smartsupport/value.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
	const char *file;
	const char *bytes;
	size_t line; /* of the text's first line */
	yaml_document_t *source;
	size_t nodes;
	size_t text;  /* bytes of all scalars so far */
	bool stopped; /* a bound was reached */
	bool plain;   /* ${NAME} stands for nothing else */
	struct diagnostics *diagnostics;
};

static struct yaml_node *read_node(struct reader *reader, int index, size_t depth);

static void mistake_at(struct reader *reader, yaml_mark_t mark, const char *text)
{
	diagnostics_add(reader->diagnostics, reader->file, mark.line + reader->line,
		mark.column + 1, "%s", text);
}

/* A bound was reached: says so once. Returns NULL. */
static struct yaml_node *stop(struct reader *reader, yaml_mark_t mark, const char *why)
{
	if (!reader->stopped)
		mistake_at(reader, mark, why);
	reader->stopped = true;
	return NULL;
}

/* Appends the value of the variable that starts at TEXT, just after "${"; its name goes to *VARIABLE if
 * that is NULL. Returns what follows it, or NULL and a mistake. */
static const char *expand_one(struct reader *reader, yaml_mark_t mark, const char *text,
	struct buffer *out, char **variable)
{
	const char *end = strchr(text, '}');
	size_t length =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	bool has_default = strncmp(text + length, ":-", 2) == 0;
	if (end == NULL || length == 0 || (!has_default && text + length != end) ||
		memmem(text, (size_t)(end - text), "${", 2) != NULL) {
		mistake_at(reader, mark,
			"expected ${NAME} or ${NAME:-default}; write $${ for a plain ${");
		return NULL;
	}
	char *name = memory_text(text, length);
	const char *value = getenv(name);
	if (value != NULL && value[0] != '\0') {
		buffer_add_string(out, value);
		if (*variable == NULL)
			*variable = memory_string(name);
	} else if (has_default) {
		buffer_add(out, text + length + 2, (size_t)(end - text) - length - 2);
	} else {
		diagnostics_add(reader->diagnostics, reader->file, mark.line + reader->line,
			mark.column + 1,
			"the environment variable %s is not set or is empty; set it or write "
			"${%s:-default}",
			name, name);
	}
	free(name);
	return end + 1;
}

/* TEXT with its variables replaced, new; *VARIABLE is the name of the first that was set, new. */
static char *expand(struct reader *reader, yaml_mark_t mark, const char *text, char **variable)
{
	struct buffer out = {0};
	while (text != NULL && *text != '\0') {
		if (reader->text + out.length > YAML_TEXT_LIMIT) {
			(void)stop(reader, mark, "the file has too much text");
			break;
		}
		const char *dollar = reader->plain ? NULL : strstr(text, "${");
		if (dollar == NULL) {
			buffer_add_string(&out, text);
			break;
		}
		if (dollar > text && dollar[-1] == '$') {
			buffer_add(&out, text, (size_t)(dollar - 1 - text));
			buffer_add_string(&out, "${");
			text = dollar + 2;
			continue;
		}
		buffer_add(&out, text, (size_t)(dollar - text));
		text = expand_one(reader, mark, dollar + 2, &out, variable);
	}
	reader->text += out.length;
	return buffer_take(&out);
}

static void free_node(struct yaml_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++) {
		if (node->keys != NULL)
			free_node(node->keys[i]);
		free_node(node->items[i]);
	}
	free(node->keys);
	free(node->items);
	free(node->text);
	free(node->variable);
	free(node);
}

static void wipe_keys(struct yaml_node *node)
{
	if (node->variable != NULL && environment_names_key(node->variable, strlen(node->variable)))
		explicit_bzero(node->text, strlen(node->text));
	for (size_t i = 0; i < node->count; i++)
		wipe_keys(node->items[i]);
}

void yaml_wipe_keys(struct yaml_document *document)
{
	if (document->root != NULL)
		wipe_keys(document->root);
}

static void read_sequence(
	struct reader *reader, struct yaml_node *node, const yaml_node_t *source, size_t depth)
{
	size_t count =
		(size_t)(source->data.sequence.items.top - source->data.sequence.items.start);
	node->items = memory_array(count, sizeof(struct yaml_node *));
	for (size_t i = 0; i < count; i++) {
		struct yaml_node *item =
			read_node(reader, source->data.sequence.items.start[i], depth + 1);
		if (item == NULL)
			return;
		node->items[node->count++] = item;
	}
}

/* Reads one entry of a mapping; NULL for one that is a mistake and was reported. */
static struct yaml_node *read_key(
	struct reader *reader, const struct yaml_node *mapping, int index, size_t depth)
{
	struct yaml_node *key = read_node(reader, index, depth + 1);
	if (key == NULL)
		return NULL;
	if (reader->stopped) {
		/* What is wrong was said. */
	} else if (key->kind != YAML_SCALAR) {
		diagnostics_add(reader->diagnostics, reader->file, key->line, key->column,
			"a key must be a plain word");
	} else if (yaml_get(mapping, key->text) != NULL) {
		diagnostics_add(reader->diagnostics, reader->file, key->line, key->column,
			"the key \"%s\" is given twice", key->text);
	} else {
		return key;
	}
	free_node(key);
	return NULL;
}

static void read_mapping(
	struct reader *reader, struct yaml_node *node, const yaml_node_t *source, size_t depth)
{
	const yaml_node_pair_t *pairs = source->data.mapping.pairs.start;
	size_t count = (size_t)(source->data.mapping.pairs.top - pairs);
	node->keys = memory_array(count, sizeof(struct yaml_node *));
	node->items = memory_array(count, sizeof(struct yaml_node *));
	for (size_t i = 0; i < count; i++) {
		struct yaml_node *key = read_key(reader, node, pairs[i].key, depth);
		if (key == NULL)
			continue;
		struct yaml_node *item = read_node(reader, pairs[i].value, depth + 1);
		if (item == NULL) {
			free_node(key);
			return;
		}
		node->keys[node->count] = key;
		node->items[node->count++] = item;
	}
}

/* Whether the characters of TEXT stand in the file one after the other where SOURCE is. */
static bool is_verbatim(const yaml_node_t *source, const char *text)
{
	size_t quotes = source->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ? 2 : 0;
	ptrdiff_t characters = text_characters(text_of(text));
	return source->start_mark.line == source->end_mark.line && characters >= 0 &&
	       source->end_mark.column - source->start_mark.column == (size_t)characters + quotes &&
	       strcmp((const char *)source->data.scalar.value, text) == 0;
}

/* Aliases are copied; the bounds on depth and nodes end those that contain themselves. */
static struct yaml_node *read_node(struct reader *reader, int index, size_t depth)
{
	const yaml_node_t *source = yaml_document_get_node(reader->source, index);
	if (reader->stopped)
		return NULL;
	if (depth > YAML_DEPTH_LIMIT)
		return stop(reader, source->start_mark, "is nested too deeply");
	if (++reader->nodes > YAML_NODE_LIMIT)
		return stop(reader, source->start_mark, "the file has too many entries");
	struct yaml_node *node = memory_make(struct yaml_node);
	node->line = source->start_mark.line + reader->line;
	node->column = source->start_mark.column + 1;
	switch (source->type) {
	case YAML_SCALAR_NODE:
		node->kind = YAML_SCALAR;
		node->quoted = source->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		node->text = expand(reader, source->start_mark,
			(const char *)source->data.scalar.value, &node->variable);
		node->verbatim = is_verbatim(source, node->text);
		if (strlen((const char *)source->data.scalar.value) != source->data.scalar.length)
			mistake_at(reader, source->start_mark, "has a NUL character in it");
		break;
	case YAML_SEQUENCE_NODE:
		node->kind = YAML_SEQUENCE;
		read_sequence(reader, node, source, depth);
		break;
	case YAML_MAPPING_NODE:
		node->kind = YAML_MAPPING;
		read_mapping(reader, node, source, depth);
		break;
	case YAML_NO_NODE:
		node->kind = YAML_SCALAR;
		node->text = memory_string("");
		break;
	}
	return node;
}

/* Where the byte at OFFSET stands. */
static yaml_mark_t mark_of(const struct reader *reader, size_t offset)
{
	yaml_mark_t mark = {.index = offset};
	for (size_t i = 0; i < offset; i++) {
		bool starts = ((unsigned char)reader->bytes[i] & 0xc0) != 0x80;
		mark.column += starts;
		if (reader->bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static void report_parser(struct reader *reader, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
	yaml_mark_t mark = parser->error == YAML_READER_ERROR
				   ? mark_of(reader, parser->problem_offset)
				   : parser->problem_mark;
	diagnostics_add(reader->diagnostics, reader->file, mark.line + reader->line,
		mark.column + 1, "is not YAML: %s%s%s", problem,
		parser->context != NULL ? ", " : "",
		parser->context != NULL ? parser->context : "");
}

/* Reports what follows the first document, which would be ignored otherwise. */
static void refuse_more(struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t second;
	if (!yaml_parser_load(parser, &second)) {
		report_parser(reader, parser);
		return;
	}
	if (yaml_document_get_root_node(&second) != NULL)
		mistake_at(reader, second.start_mark,
			"a second document begins here; a file has only one");
	yaml_document_delete(&second);
}

static struct yaml_document *parse(const char *file, size_t line, struct ss_text given, bool plain,
	struct diagnostics *diagnostics)
{
	const char *text = given.data;
	size_t length = given.length;
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	yaml_parser_t parser;
	yaml_document_t source;
	if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
		text += 3;
		length -= 3;
	}
	struct reader reader = {.file = file,
		.bytes = text,
		.line = line,
		.plain = plain,
		.diagnostics = diagnostics};
	size_t mistakes = diagnostics->count;
	struct yaml_document *document = memory_make(struct yaml_document);
	document->file = memory_string(file);
	if (!yaml_parser_initialize(&parser))
		abort(); /* only for want of memory */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &source)) {
		report_parser(&reader, &parser);
	} else {
		reader.source = &source;
		if (yaml_document_get_root_node(&source) != NULL)
			document->root = read_node(&reader, 1, 0);
		yaml_document_delete(&source);
		refuse_more(&reader, &parser);
	}
	yaml_parser_delete(&parser);
	if (diagnostics->count > mistakes) {
		yaml_close(document);
		return NULL;
	}
	return document;
}

struct yaml_document *yaml_parse(const char *file, size_t line, const char *text, size_t length,
	struct diagnostics *diagnostics)
{
	return parse(file, line, (struct ss_text){text, length}, false, diagnostics);
}

struct yaml_document *yaml_parse_plain(const char *file, size_t line, const char *text,
	size_t length, struct diagnostics *diagnostics)
{
	return parse(file, line, (struct ss_text){text, length}, true, diagnostics);
}

struct yaml_document *yaml_load(const char *file, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (file_read(file, YAML_FILE_LIMIT, &text, &length, &err) < 0) {
		diagnostics_add_error(diagnostics, file, &err);
		return NULL;
	}
	struct yaml_document *document = yaml_parse(file, 1, text, length, diagnostics);
	free(text);
	return document;
}

void yaml_close(struct yaml_document *document)
{
	if (document == NULL)
		return;
	free_node(document->root);
	free(document->file);
	free(document);
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	if (mapping == NULL || mapping->kind != YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++) {
		if (strcmp(mapping->keys[i]->text, key) == 0)
			return mapping->items[i];
	}
	return NULL;
}

static bool plain(const struct yaml_node *node)
{
	return node != NULL && node->kind == YAML_SCALAR && !node->quoted;
}

/* Whether NODE is one of the COUNT WORDS. */
static bool one_of(const struct yaml_node *node, const char *const *words, size_t count)
{
	for (size_t i = 0; plain(node) && i < count; i++) {
		if (strcmp(node->text, words[i]) == 0)
			return true;
	}
	return false;
}

bool yaml_is_null(const struct yaml_node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	return one_of(node, words, array_length(words));
}

bool yaml_bool(const struct yaml_node *node, bool *value)
{
	static const char *const yes[] = {"true", "True", "TRUE"};
	static const char *const no[] = {"false", "False", "FALSE"};
	*value = one_of(node, yes, array_length(yes));
	return *value || one_of(node, no, array_length(no));
}

bool yaml_int(const struct yaml_node *node, int64_t *value)
{
	static const struct {
		const char *prefix, *digits;
		int base;
	} forms[] = {{"0x", "0123456789abcdefABCDEF", 16}, {"0o", "01234567", 8},
		{"", "+-0123456789", 10}};
	if (!plain(node))
		return false;
	size_t form = 0;
	while (strncmp(node->text, forms[form].prefix, strlen(forms[form].prefix)) != 0)
		form++;
	const char *digits = node->text + strlen(forms[form].prefix);
	if (digits[0] == '\0' || strspn(digits, forms[form].digits) != strlen(digits))
		return false;
	char *end;
	errno = 0;
	*value = strtoll(digits, &end, forms[form].base);
	return *end == '\0' && errno == 0;
}

bool yaml_number(const struct yaml_node *node, double *value)
{
	if (!plain(node) || node->text[0] == '\0' ||
		strspn(node->text, "+-0123456789.eE") != strlen(node->text))
		return false;
	char *end;
	*value = strtod(node->text, &end);
	return *end == '\0' && isfinite(*value);
}

bool yaml_duration_ns(const struct yaml_node *node, int64_t *value)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
	if (!plain(node) || node->text[0] < '0' || node->text[0] > '9')
		return false;
	char *end;
	double count = strtod(node->text, &end);
	if (end != node->text + strspn(node->text, "0123456789."))
		return false;
	for (size_t i = 0; i < array_length(units); i++) {
		if (strcmp(end, units[i].name) == 0 && count * units[i].ns < 9e18) {
			*value = (int64_t)(count * units[i].ns);
			return true;
		}
	}
	return false;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	static const char *const names[] = {"a single value", "a list", "a mapping"};
	return node == NULL || yaml_is_null(node) ? "nothing" : names[node->kind];
}

void yaml_mistake(const struct yaml_document *document, const struct yaml_node *node,
	struct diagnostics *diagnostics, const char *format, ...)
{
	char text[512];
	const char *variable = node != NULL ? node->variable : NULL;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	diagnostics_add(diagnostics, document->file, node != NULL ? node->line : 0,
		node != NULL ? node->column : 0, "%s%s%s%s%s", text,
		variable != NULL ? " (from the environment variable " : "",
		variable != NULL ? variable : "",
		variable != NULL && environment_from_file(variable) ? ", set in .env" : "",
		variable != NULL ? ")" : "");
}
