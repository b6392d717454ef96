#include "expr/node.h"

#include "base/memory.h"
#include "expr/regex.h"
#include "value/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int expr_fail(struct expr_error *error, size_t offset, const char *format, ...)
{
	va_list arguments;
	error->offset = offset;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	return -1;
}

struct expr_node *expr_node_new(enum expr_operation operation, size_t offset)
{
	struct expr_node *node = memory_make(struct expr_node);
	node->operation = operation;
	node->offset = offset;
	return node;
}

struct expr_node *expr_node_constant(size_t offset, struct ss_value *value)
{
	struct expr_node *node = expr_node_new(EXPR_CONSTANT, offset);
	node->constant = value;
	return node;
}

struct expr_node *expr_node_add(struct expr_node *node, struct expr_node *item)
{
	if (item == NULL) {
		expr_node_free(node);
		return NULL;
	}
	node->items = memory_resize(node->items, node->count + 1, sizeof(struct expr_node *));
	node->items[node->count++] = item;
	return node;
}

void expr_node_clear(struct expr_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		expr_node_free(node->items[i]);
	free(node->items);
	node->items = NULL;
	node->count = 0;
	value_unref(node->constant);
	node->constant = NULL;
	expr_regex_free(node->regex);
	node->regex = NULL;
}

void expr_node_free(struct expr_node *node)
{
	if (node == NULL)
		return;
	expr_node_clear(node);
	free(node->name);
	free(node);
}
