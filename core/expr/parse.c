#include "base/memory.h"
#include "base/text.h"
#include "expr/node.h"
#include "value/value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *text;
	const char *at;
	size_t depth;
	struct expr_error *error;
};

/* A binary operator; a larger level binds tighter. */
struct binary {
	const char *sign;
	enum expr_operation operation;
	int level;
};

static const struct binary binaries[] = {
	{"||", EXPR_OR, 1},
	{"&&", EXPR_AND, 2},
	{"==", EXPR_EQUAL, 3},
	{"!=", EXPR_NOT_EQUAL, 3},
	{"<=", EXPR_LESS_EQUAL, 3},
	{">=", EXPR_GREATER_EQUAL, 3},
	{"<", EXPR_LESS, 3},
	{">", EXPR_GREATER, 3},
	{"in", EXPR_IN, 3},
	{"+", EXPR_ADD, 4},
	{"-", EXPR_SUBTRACT, 4},
	{"*", EXPR_MULTIPLY, 5},
	{"/", EXPR_DIVIDE, 5},
	{"%", EXPR_REMAINDER, 5},
};

static struct expr_node *parse_expression(struct parser *parser);
static struct expr_node *parse_unary(struct parser *parser);

int expr_fail(struct expr_error *error, size_t offset, const char *format, ...)
{
	va_list arguments;
	error->offset = offset;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	return -1;
}

void expr_node_free(struct expr_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++)
		expr_node_free(node->items[i]);
	free(node->items);
	free(node->name);
	value_unref(node->constant);
	free(node);
}

static struct expr_node *node_new(enum expr_operation operation, size_t offset)
{
	struct expr_node *node = memory_make(struct expr_node);
	node->operation = operation;
	node->offset = offset;
	return node;
}

/* Adds ITEM, which may be NULL after a mistake: then NODE is freed and NULL comes back. */
static struct expr_node *node_add(struct expr_node *node, struct expr_node *item)
{
	if (item == NULL) {
		expr_node_free(node);
		return NULL;
	}
	node->items = memory_resize(node->items, node->count + 1, sizeof(struct expr_node *));
	node->items[node->count++] = item;
	return node;
}

static size_t offset(const struct parser *parser)
{
	return (size_t)(parser->at - parser->text);
}

static void skip_space(struct parser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\n' ||
		*parser->at == '\r')
		parser->at++;
}

static bool word_character(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Passes over SIGN if it comes next; a word only as a whole. */
static bool take(struct parser *parser, const char *sign)
{
	skip_space(parser);
	size_t length = strlen(sign);
	if (strncmp(parser->at, sign, length) != 0)
		return false;
	if (isalpha((unsigned char)sign[0]) && word_character(parser->at[length]))
		return false;
	parser->at += length;
	return true;
}

static int expect(struct parser *parser, const char *sign)
{
	if (take(parser, sign))
		return 0;
	if (*parser->at == '\0')
		return expr_fail(parser->error, offset(parser), "expected \"%s\" at the end", sign);
	return expr_fail(parser->error, offset(parser), "expected \"%s\" before \"%.*s\"", sign,
		text_fit(parser->at, 20), parser->at);
}

static struct expr_node *fail(struct parser *parser, const char *what)
{
	(void)expr_fail(parser->error, offset(parser), "%s", what);
	return NULL;
}

static struct expr_node *constant(size_t at, struct ss_value *value)
{
	struct expr_node *node = node_new(EXPR_CONSTANT, at);
	node->constant = value;
	return node;
}

/* One escape of CEL's strings; writes its byte. */
static bool unescape(char c, char *out)
{
	static const char from[] = "nrtabfv\\\"'`?";
	static const char to[] = "\n\r\t\a\b\f\v\\\"'`?";
	const char *found = c != '\0' ? strchr(from, c) : NULL;
	if (found == NULL)
		return false;
	*out = to[found - from];
	return true;
}

static struct expr_node *parse_string(struct parser *parser)
{
	size_t start = offset(parser);
	char quote = *parser->at++;
	char *text = memory_new(strlen(parser->at) + 1);
	size_t length = 0;
	while (*parser->at != quote) {
		if (*parser->at == '\0' || *parser->at == '\n') {
			free(text);
			parser->at = parser->text + start;
			return fail(parser, "the string has no end");
		}
		if (*parser->at != '\\') {
			text[length++] = *parser->at++;
			continue;
		}
		if (!unescape(parser->at[1], &text[length++])) {
			free(text);
			return fail(parser, "unknown escape in the string");
		}
		parser->at += 2;
	}
	parser->at++;
	struct expr_node *node = constant(start, value_string(text, length));
	free(text);
	return node;
}

/* The digits and the exponent of a double after its whole part. Returns whether there were any. */
static bool skip_fraction(struct parser *parser)
{
	const char *from = parser->at;
	if (*parser->at == '.' && isdigit((unsigned char)parser->at[1]))
		parser->at += 1 + strspn(parser->at + 1, "0123456789");
	if (*parser->at == 'e' || *parser->at == 'E') {
		size_t sign = parser->at[1] == '-' || parser->at[1] == '+' ? 1 : 0;
		if (isdigit((unsigned char)parser->at[1 + sign]))
			parser->at += 1 + sign + strspn(parser->at + 1 + sign, "0123456789");
	}
	return parser->at > from;
}

/* A number, with the minus in front of it if there is one: the least int has no positive twin. */
static struct expr_node *parse_number(struct parser *parser)
{
	size_t start = offset(parser);
	const char *from = parser->at;
	parser->at += *from == '-' ? 1 : 0;
	parser->at += strspn(parser->at, "0123456789");
	bool is_double = skip_fraction(parser);
	if (word_character(*parser->at)) {
		parser->at = from;
		return fail(parser, "the number is not well-formed");
	}
	errno = 0;
	double number = is_double ? strtod(from, NULL) : 0;
	int64_t integer = is_double ? 0 : strtoll(from, NULL, 10);
	/* A double that is too small is 0, which is no mistake. */
	if (is_double ? isinf(number) : errno == ERANGE) {
		parser->at = from;
		return fail(parser, "the number is out of range");
	}
	return constant(start, is_double ? value_number(number) : value_int(integer));
}

static struct expr_node *parse_list(struct parser *parser)
{
	struct expr_node *list = node_new(EXPR_LIST, offset(parser));
	parser->at++;
	if (take(parser, "]"))
		return list;
	do {
		list = node_add(list, parse_expression(parser));
		if (list == NULL)
			return NULL;
	} while (take(parser, ","));
	if (expect(parser, "]") < 0) {
		expr_node_free(list);
		return NULL;
	}
	return list;
}

/* has(a.b) or size(a), after the parenthesis. */
static struct expr_node *parse_call(struct parser *parser, const char *name, size_t start)
{
	struct expr_node *argument = NULL;
	bool has = strcmp(name, "has") == 0;
	if (!has && strcmp(name, "size") != 0) {
		(void)expr_fail(parser->error, start, "there is no function %.40s()", name);
		return NULL;
	}
	argument = parse_expression(parser);
	if (argument == NULL || expect(parser, ")") < 0)
		goto fail;
	if (!has)
		return node_add(node_new(EXPR_SIZE, start), argument);
	if (argument->operation != EXPR_SELECT) {
		(void)expr_fail(parser->error, start, "has() takes a field, as in has(user.name)");
		goto fail;
	}
	argument->operation = EXPR_HAS;
	return argument;
fail:
	expr_node_free(argument);
	return NULL;
}

static char *take_word(struct parser *parser)
{
	size_t length = 0;
	while (word_character(parser->at[length]))
		length++;
	char *word = memory_text(parser->at, length);
	parser->at += length;
	return word;
}

static struct expr_node *parse_word(struct parser *parser)
{
	size_t start = offset(parser);
	struct expr_node *node = NULL;
	char *word = take_word(parser);
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		node = constant(start, value_bool(word[0] == 't'));
	} else if (strcmp(word, "null") == 0) {
		node = constant(start, value_null());
		node->is_null = true;
	} else if (take(parser, "(")) {
		node = parse_call(parser, word, start);
	} else {
		node = node_new(EXPR_VARIABLE, start);
		node->name = word;
		return node;
	}
	free(word);
	return node;
}

static struct expr_node *parse_primary(struct parser *parser)
{
	skip_space(parser);
	char c = *parser->at;
	if (c == '"' || c == '\'')
		return parse_string(parser);
	if (isdigit((unsigned char)c))
		return parse_number(parser);
	if (c == '[')
		return parse_list(parser);
	if (isalpha((unsigned char)c) || c == '_')
		return parse_word(parser);
	if (c == '(') {
		parser->at++;
		struct expr_node *node = parse_expression(parser);
		if (node == NULL || expect(parser, ")") == 0)
			return node;
		expr_node_free(node);
		return NULL;
	}
	return fail(parser, c == '\0' ? "the expression is not complete" : "expected a value");
}

/* A primary with its selections and indexes. */
static struct expr_node *parse_member(struct parser *parser)
{
	struct expr_node *node = parse_primary(parser);
	while (node != NULL) {
		skip_space(parser);
		size_t start = offset(parser);
		if (take(parser, ".")) {
			skip_space(parser);
			struct expr_node *select = node_add(node_new(EXPR_SELECT, start), node);
			if (!isalpha((unsigned char)*parser->at) && *parser->at != '_') {
				expr_node_free(select);
				return fail(parser, "expected a name after the dot");
			}
			select->name = take_word(parser);
			node = select;
		} else if (take(parser, "[")) {
			struct expr_node *index = node_add(node_new(EXPR_INDEX, start), node);
			node = node_add(index, parse_expression(parser));
			if (node != NULL && expect(parser, "]") < 0) {
				expr_node_free(node);
				return NULL;
			}
		} else {
			break;
		}
	}
	return node;
}

/* Everything that nests passes here, so the stack is bounded. */
static int go_deeper(struct parser *parser)
{
	if (++parser->depth > EXPR_DEPTH_LIMIT)
		return expr_fail(
			parser->error, offset(parser), "the expression is nested too deeply");
	return 0;
}

static struct expr_node *parse_unary(struct parser *parser)
{
	struct expr_node *node = NULL;
	skip_space(parser);
	size_t start = offset(parser);
	if (go_deeper(parser) < 0)
		return NULL;
	if (*parser->at == '!' && parser->at[1] != '=') {
		parser->at++;
		node = node_add(node_new(EXPR_NOT, start), parse_unary(parser));
	} else if (*parser->at == '-' && isdigit((unsigned char)parser->at[1])) {
		node = parse_number(parser);
	} else if (*parser->at == '-') {
		parser->at++;
		node = node_add(node_new(EXPR_NEGATE, start), parse_unary(parser));
	} else {
		node = parse_member(parser);
	}
	parser->depth--;
	return node;
}

static const struct binary *take_binary(struct parser *parser, int least_level)
{
	skip_space(parser);
	for (size_t i = 0; i < array_length(binaries); i++) {
		const char *before = parser->at;
		if (!take(parser, binaries[i].sign))
			continue;
		if (binaries[i].level >= least_level)
			return &binaries[i];
		parser->at = before;
		return NULL;
	}
	return NULL;
}

/* Precedence climbing; all of CEL's binary operators group to the left. */
static struct expr_node *parse_binary(struct parser *parser, int least_level)
{
	struct expr_node *left = parse_unary(parser);
	while (left != NULL) {
		skip_space(parser);
		size_t start = offset(parser);
		const struct binary *binary = take_binary(parser, least_level);
		if (binary == NULL)
			break;
		struct expr_node *node = node_add(node_new(binary->operation, start), left);
		left = node_add(node, parse_binary(parser, binary->level + 1));
	}
	return left;
}

static struct expr_node *parse_expression(struct parser *parser)
{
	struct expr_node *node = parse_binary(parser, 1);
	skip_space(parser);
	size_t start = offset(parser);
	if (node == NULL || !take(parser, "?"))
		return node;
	node = node_add(node_new(EXPR_CONDITION, start), node);
	if (go_deeper(parser) < 0)
		goto fail;
	node = node_add(node, parse_expression(parser));
	if (node == NULL)
		return NULL;
	if (expect(parser, ":") < 0)
		goto fail;
	node = node_add(node, parse_expression(parser));
	parser->depth--;
	return node;
fail:
	expr_node_free(node);
	return NULL;
}

struct expr_node *expr_parse(const char *text, struct expr_error *error)
{
	struct parser parser = {.text = text, .at = text, .error = error};
	if (strlen(text) > EXPR_LENGTH_LIMIT)
		return fail(&parser, "the expression is too long");
	struct expr_node *node = parse_expression(&parser);
	skip_space(&parser);
	if (node != NULL && *parser.at != '\0') {
		(void)expr_fail(error, offset(&parser), "unexpected \"%.*s\" after the expression",
			text_fit(parser.at, 20), parser.at);
		expr_node_free(node);
		return NULL;
	}
	return node;
}
