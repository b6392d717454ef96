/* `smartsupport expr`: one expression over variables from the command line. */
#include "app/command.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "expr/expr.h"
#include "value/json.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char help[] =
	"Usage: smartsupport expr EXPRESSION [--vars JSON]\n\n"
	"Evaluates an expression and prints its value as JSON; or, when it has a mistake, the "
	"place\n"
	"and what is wrong, and exits with 1. What may stand in conditions is what may stand "
	"here.\n\n"
	"  -v, --vars JSON  the variables, as in '{\"priority\": 7, \"tags\": [\"vip\"]}'\n"
	"  -h, --help       this text\n\n"
	"An expression may begin with a minus; behind -- it may look like an option, too.\n";

struct arguments {
	const char *expression;
	const char *variables; /* JSON; NULL: none */
};

/* Reads the options by hand, as getopt would take the expression -x for one. Returns -1 to go on, else
 * the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const char vars[] = "--vars=";
	bool options = true;
	for (int i = 1; i < argc; i++) {
		const char *argument = argv[i];
		bool long_option = strncmp(argument, "--", 2) == 0 &&
				   strspn(argument + 2, "abcdefghijklmnopqrstuvwxyz") > 0;
		if (options && strcmp(argument, "--") == 0) {
			options = false;
		} else if (options &&
			   (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
			(void)fputs(help, stdout);
			return 0;
		} else if (options && i + 1 < argc &&
			   (strcmp(argument, "--vars") == 0 || strcmp(argument, "-v") == 0)) {
			arguments->variables = argv[++i];
		} else if (options && strncmp(argument, vars, strlen(vars)) == 0) {
			arguments->variables = argument + strlen(vars);
		} else if ((options && long_option) || arguments->expression != NULL) {
			(void)fputs(help, stderr);
			return 2;
		} else {
			arguments->expression = argument;
		}
	}
	if (arguments->expression != NULL)
		return -1;
	(void)fputs(help, stderr);
	return 2;
}

/* The columns that the character at AT takes in a terminal; *USED is its bytes. */
static int width(const char *at, size_t length, size_t *used)
{
	utf8proc_int32_t point;
	utf8proc_ssize_t read =
		utf8proc_iterate((const utf8proc_uint8_t *)at, (utf8proc_ssize_t)length, &point);
	*used = read > 0 ? (size_t)read : 1;
	return read > 0 ? utf8proc_charwidth(point) : 1;
}

/* Prints the line of EXPRESSION that OFFSET is in, a caret under its place, and the sentence. */
static void print_error(const char *expression, const struct expr_error *error)
{
	size_t start = error->offset;
	while (start > 0 && expression[start - 1] != '\n')
		start--;
	const char *line = expression + start;
	struct buffer caret = {0};
	for (size_t at = start; at < error->offset;) {
		size_t used;
		int columns = width(expression + at, error->offset - at, &used);
		/* A tab moves the caret as far as the character above it. */
		for (int i = 0; i < columns && expression[at] != '\t'; i++)
			buffer_add_char(&caret, ' ');
		if (expression[at] == '\t')
			buffer_add_char(&caret, '\t');
		at += used;
	}
	(void)fprintf(stderr, "%.*s\n%s^\nsmartsupport: %s\n", (int)strcspn(line, "\n"), line,
		buffer_text(&caret), error->text);
	buffer_free(&caret);
}

/* Evaluates over the members of VARIABLES, whose types nobody declared. Returns the exit code. */
static int evaluate(const char *expression, const struct ss_value *variables)
{
	struct expr_error error = {0};
	size_t count = value_count(variables);
	struct expr_variable *rows = memory_array(count, sizeof *rows);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	struct ss_value *value = NULL;
	for (size_t i = 0; i < count; i++) {
		rows[i].name = value_key_at(variables, i);
		values[i] = value_ref(value_at(variables, i));
	}
	struct expr *expr = expr_compile_dynamic(expression, rows, count, &error);
	if (expr != NULL)
		value = expr_evaluate_placed(expr, values, &error);
	if (value != NULL) {
		char *json = json_text(value);
		(void)printf("%s\n", json);
		free(json);
	} else {
		print_error(expression, &error);
	}
	int code = value != NULL ? 0 : 1;
	value_unref(value);
	expr_free(expr);
	for (size_t i = 0; i < count; i++)
		value_unref(values[i]);
	free(values);
	free(rows);
	return code;
}

int command_expr(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct ss_error err = {0};
	struct ss_value *variables = NULL;
	int code = read_arguments(argc, argv, &arguments);
	if (code >= 0)
		return code;
	if (arguments.variables != NULL) {
		variables = json_parse(arguments.variables, strlen(arguments.variables), &err);
		if (variables == NULL) {
			(void)fprintf(stderr, "smartsupport: --vars: %s\n", err.text);
			return 2;
		}
		if (value_type(variables) != SS_MAP) {
			(void)fprintf(stderr, "smartsupport: --vars takes an object, as in "
					      "'{\"priority\": 7}'\n");
			value_unref(variables);
			return 2;
		}
	}
	code = evaluate(arguments.expression, variables);
	value_unref(variables);
	return code;
}
