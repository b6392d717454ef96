/* The grammar: text to a tree. Names and types are check.c's. */
#include "expr/parse.h"

#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

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

/* Methods that are macros: their first argument is a name, and the others are evaluated for each item. */
static const struct macro {
	const char *name;
	size_t arguments;
	enum expr_operation operation;
} macros[] = {
	{"all", 2, EXPR_ALL},
	{"exists", 2, EXPR_EXISTS},
	{"exists_one", 2, EXPR_EXISTS_ONE},
	{"existsOne", 2, EXPR_EXISTS_ONE},
	{"filter", 2, EXPR_FILTER},
	{"map", 2, EXPR_TRANSFORM},
	{"map", 3, EXPR_TRANSFORM},
};

/* CEL keeps these for the languages that it is embedded in. */
static const char *const reserved[] = {"as", "break", "const", "continue", "else", "for",
	"function", "if", "import", "in", "let", "loop", "namespace", "package", "return", "var",
	"void", "while"};

static struct expr_node *parse_expression(struct parser *parser);
static struct expr_node *parse_unary(struct parser *parser);

size_t parser_offset(const struct parser *parser)
{
	return (size_t)(parser->at - parser->text);
}

struct expr_node *parser_fail(struct parser *parser, const char *what)
{
	(void)expr_fail(parser->error, parser_offset(parser), "%s", what);
	return NULL;
}

bool parser_is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool starts_word(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

/* White space, and comments to the end of their line. */
static void skip_space(struct parser *parser)
{
	for (;;) {
		parser->at += strspn(parser->at, " \t\n\r\f");
		if (strncmp(parser->at, "//", 2) != 0)
			return;
		parser->at += strcspn(parser->at, "\r\n");
	}
}

/* Passes over SIGN if it comes next; a word only as a whole. */
static bool take(struct parser *parser, const char *sign)
{
	skip_space(parser);
	size_t length = strlen(sign);
	if (strncmp(parser->at, sign, length) != 0)
		return false;
	if (isalpha((unsigned char)sign[0]) && parser_is_word(parser->at[length]))
		return false;
	parser->at += length;
	return true;
}

static int expect(struct parser *parser, const char *sign)
{
	if (take(parser, sign))
		return 0;
	if (*parser->at == '\0')
		return expr_fail(
			parser->error, parser_offset(parser), "expected \"%s\" at the end", sign);
	return expr_fail(parser->error, parser_offset(parser), "expected \"%s\" before \"%.*s\"",
		sign, text_fit(parser->at, 20), parser->at);
}

/* Adds the expressions that follow, up to CLOSE, to NODE; those of a map with their colons. NULL, and NODE
 * is freed, after a mistake. */
static struct expr_node *parse_items(
	struct parser *parser, struct expr_node *node, const char *close)
{
	bool is_map = node->operation == EXPR_MAP;
	bool may_end_with_comma = node->operation == EXPR_LIST || is_map;
	if (take(parser, close))
		return node;
	do {
		node = expr_node_add(node, parse_expression(parser));
		if (node != NULL && is_map) {
			if (expect(parser, ":") < 0)
				goto fail;
			node = expr_node_add(node, parse_expression(parser));
		}
		if (node == NULL)
			return NULL;
		if (!take(parser, ","))
			break;
	} while (!(may_end_with_comma && (skip_space(parser), *parser->at == *close)));
	if (expect(parser, close) == 0)
		return node;
fail:
	expr_node_free(node);
	return NULL;
}

static struct expr_node *make_has(struct parser *parser, struct expr_node *call)
{
	struct expr_node *argument = call->count == 1 ? call->items[0] : NULL;
	if (argument == NULL || argument->operation != EXPR_SELECT) {
		(void)expr_fail(
			parser->error, call->offset, "has() takes a field, as in has(user.name)");
		expr_node_free(call);
		return NULL;
	}
	call->count = 0;
	expr_node_free(call);
	argument->operation = EXPR_HAS;
	return argument;
}

/* CALL as the comprehension that it is if it names a macro. */
static struct expr_node *make_comprehension(struct parser *parser, struct expr_node *call)
{
	const struct macro *macro = NULL;
	for (size_t i = 0; i < array_length(macros); i++) {
		if (strcmp(macros[i].name, call->name) == 0 &&
			macros[i].arguments == call->count - 1)
			macro = &macros[i];
	}
	if (macro == NULL)
		return call;
	struct expr_node *name = call->items[1];
	if (name->operation != EXPR_VARIABLE || name->is_closed || name->is_root) {
		(void)expr_fail(parser->error, name->offset,
			"the first argument of %s() is the name of an item, as in "
			"tags.%s(tag, …)",
			call->name, call->name);
		expr_node_free(call);
		return NULL;
	}
	free(call->name);
	call->operation = macro->operation;
	call->name = name->name;
	name->name = NULL;
	expr_node_free(name);
	call->count--;
	for (size_t i = 1; i < call->count; i++)
		call->items[i] = call->items[i + 1];
	return call;
}

static char *take_word(struct parser *parser)
{
	size_t length = 0;
	while (parser_is_word(parser->at[length]))
		length++;
	char *word = memory_text(parser->at, length);
	parser->at += length;
	return word;
}

static bool is_reserved(const char *word)
{
	for (size_t i = 0; i < array_length(reserved); i++) {
		if (strcmp(reserved[i], word) == 0)
			return true;
	}
	return false;
}

/* The arguments of the function NAME, which is taken, behind the parenthesis. */
static struct expr_node *parse_call(struct parser *parser, char *name, size_t start)
{
	struct expr_node *call = expr_node_new(EXPR_CALL, start);
	call->name = name;
	call = parse_items(parser, call, ")");
	if (call != NULL && strcmp(call->name, "has") == 0)
		return make_has(parser, call);
	return call;
}

static struct expr_node *parse_word(struct parser *parser)
{
	size_t start = parser_offset(parser);
	struct expr_node *node = NULL;
	char *word = take_word(parser);
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		node = expr_node_constant(start, value_bool(word[0] == 't'));
	} else if (strcmp(word, "null") == 0) {
		node = expr_node_constant(start, value_null());
		node->is_null = true;
	} else if (is_reserved(word)) {
		(void)expr_fail(parser->error, start,
			"\"%s\" is a reserved word and cannot name a value", word);
	} else if (take(parser, "(")) {
		return parse_call(parser, word, start);
	} else {
		node = expr_node_new(EXPR_VARIABLE, start);
		node->name = word;
		return node;
	}
	free(word);
	return node;
}

/* An expression in parentheses, behind the first one. */
static struct expr_node *parse_closed(struct parser *parser)
{
	struct expr_node *node = parse_expression(parser);
	if (node == NULL)
		return NULL;
	node->is_closed = true;
	if (expect(parser, ")") == 0)
		return node;
	expr_node_free(node);
	return NULL;
}

/* A name that no comprehension hides, as in .name. */
static struct expr_node *parse_root(struct parser *parser)
{
	parser->at++;
	skip_space(parser);
	if (!starts_word(*parser->at))
		return parser_fail(parser, "expected a name after the dot");
	struct expr_node *node = parse_word(parser);
	if (node != NULL)
		node->is_root = true;
	return node;
}

static struct expr_node *parse_primary(struct parser *parser)
{
	skip_space(parser);
	char c = *parser->at;
	size_t start = parser_offset(parser);
	if (literal_is_string(parser->at))
		return literal_string(parser);
	if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)parser->at[1])))
		return literal_number(parser);
	if (starts_word(c))
		return parse_word(parser);
	if (take(parser, "["))
		return parse_items(parser, expr_node_new(EXPR_LIST, start), "]");
	if (take(parser, "{"))
		return parse_items(parser, expr_node_new(EXPR_MAP, start), "}");
	if (take(parser, "("))
		return parse_closed(parser);
	if (c == '.')
		return parse_root(parser);
	return parser_fail(
		parser, c == '\0' ? "the expression is not complete" : "expected a value");
}

/* A name in backquotes, which may have any characters but those. */
static char *take_quoted(struct parser *parser)
{
	size_t length = strcspn(parser->at + 1, "`\n\r");
	if (length == 0 || parser->at[length + 1] != '`')
		return NULL;
	char *name = memory_text(parser->at + 1, length);
	parser->at += length + 2;
	return name;
}

/* What follows a dot behind OF, which is taken: a field or a call. DOT is the place of the dot. */
static struct expr_node *parse_selection(struct parser *parser, struct expr_node *of, size_t dot)
{
	skip_space(parser);
	size_t start = parser_offset(parser);
	bool quoted = *parser->at == '`';
	char *name = quoted                     ? take_quoted(parser)
		     : starts_word(*parser->at) ? take_word(parser)
						: NULL;
	if (name == NULL) {
		expr_node_free(of);
		return parser_fail(parser,
			quoted ? "the name has no closing \"`\"" : "expected a name after the dot");
	}
	struct expr_node *node = expr_node_new(EXPR_SELECT, dot);
	node->name = name;
	node->is_closed = quoted;
	node = expr_node_add(node, of);
	if (quoted || !take(parser, "("))
		return node;
	node->operation = EXPR_CALL;
	node->offset = start;
	node->is_method = true;
	node = parse_items(parser, node, ")");
	return node != NULL ? make_comprehension(parser, node) : NULL;
}

/* A primary with its selections, calls and indexes. */
static struct expr_node *parse_member(struct parser *parser)
{
	struct expr_node *node = parse_primary(parser);
	while (node != NULL) {
		skip_space(parser);
		size_t start = parser_offset(parser);
		if (take(parser, ".")) {
			node = parse_selection(parser, node, start);
		} else if (take(parser, "[")) {
			struct expr_node *index =
				expr_node_add(expr_node_new(EXPR_INDEX, start), node);
			node = expr_node_add(index, parse_expression(parser));
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
		return expr_fail(parser->error, parser_offset(parser),
			"the expression is nested too deeply");
	return 0;
}

/* Whether the minus at AT belongs to a number. */
static bool is_negative_number(const char *at)
{
	return isdigit((unsigned char)at[1]) || (at[1] == '.' && isdigit((unsigned char)at[2]));
}

static struct expr_node *parse_unary(struct parser *parser)
{
	struct expr_node *node = NULL;
	skip_space(parser);
	size_t start = parser_offset(parser);
	if (go_deeper(parser) < 0)
		return NULL;
	if (*parser->at == '!' && parser->at[1] != '=') {
		parser->at++;
		node = expr_node_add(expr_node_new(EXPR_NOT, start), parse_unary(parser));
	} else if (*parser->at == '-' && is_negative_number(parser->at)) {
		node = literal_number(parser);
	} else if (*parser->at == '-') {
		parser->at++;
		node = expr_node_add(expr_node_new(EXPR_NEGATE, start), parse_unary(parser));
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
		size_t start = parser_offset(parser);
		const struct binary *binary = take_binary(parser, least_level);
		if (binary == NULL)
			break;
		struct expr_node *node =
			expr_node_add(expr_node_new(binary->operation, start), left);
		left = expr_node_add(node, parse_binary(parser, binary->level + 1));
	}
	return left;
}

static struct expr_node *parse_expression(struct parser *parser)
{
	struct expr_node *node = parse_binary(parser, 1);
	skip_space(parser);
	size_t start = parser_offset(parser);
	if (node == NULL || !take(parser, "?"))
		return node;
	node = expr_node_add(expr_node_new(EXPR_CONDITION, start), node);
	if (go_deeper(parser) < 0)
		goto fail;
	node = expr_node_add(node, parse_expression(parser));
	if (node == NULL)
		return NULL;
	if (expect(parser, ":") < 0)
		goto fail;
	node = expr_node_add(node, parse_expression(parser));
	parser->depth--;
	return node;
fail:
	expr_node_free(node);
	return NULL;
}

/* The bytes of TEXT before the first that is not UTF-8. */
static size_t valid_prefix(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
			(utf8proc_ssize_t)(length - at), &point);
		if (used <= 0)
			break;
		at += (size_t)used;
	}
	return at;
}

struct expr_node *expr_parse(const char *text, struct expr_error *error)
{
	struct parser parser = {.text = text, .at = text, .error = error};
	size_t length = strlen(text);
	if (length > EXPR_LENGTH_LIMIT)
		return parser_fail(&parser, "the expression is too long");
	size_t valid = valid_prefix(text, length);
	if (valid < length) {
		parser.at += valid;
		return parser_fail(&parser, "the expression is not UTF-8 here");
	}
	struct expr_node *node = parse_expression(&parser);
	skip_space(&parser);
	if (node != NULL && *parser.at != '\0') {
		(void)expr_fail(error, parser_offset(&parser),
			"unexpected \"%.*s\" after the expression", text_fit(parser.at, 20),
			parser.at);
		expr_node_free(node);
		return NULL;
	}
	return node;
}
