/* Expressions and prompts in an agent's options, with the fields of the state that the test has set. */
#include "testing/private.h"

#include "base/file.h"
#include "base/memory.h"
#include "config/options.h"
#include "expr/mustache.h"
#include "value/value.h"

#include <string.h>

/* The state as expressions see it: a variable and a value for each field. */
struct scope {
	struct expr_variable *variables;
	struct ss_value **values;
	size_t count;
};

static struct scope scope_new(const struct ss_test_host *host)
{
	struct scope scope = {
		.variables = memory_array(host->field_count + 1, sizeof *scope.variables),
		.values = memory_array(host->field_count + 1, sizeof *scope.values),
		.count = host->field_count,
	};
	for (size_t i = 0; i < host->field_count; i++) {
		const struct test_field *field = &host->fields[i];
		scope.variables[i] = (struct expr_variable){
			.name = field->name, .type = field->type, .values = field->values};
		scope.values[i] = field->state != NULL ? value_ref(field->state) : value_null();
	}
	return scope;
}

static void scope_free(struct scope *scope)
{
	options_free(scope->values, scope->count);
	free(scope->values);
	free(scope->variables);
}

/* The value of the option in row OPTION, which must be of TYPE. */
static const struct ss_value *option_of(const struct ss_test_host *host, size_t option,
	enum ss_option_type type, const char *function)
{
	must(option < options_count(host->plugin->options) &&
			host->plugin->options[option].type == type,
		"%s() of option %zu, which is of another type", function, option);
	return host->options[option];
}

static struct ss_value *compute(const struct scope *scope, const char *text, struct ss_error *err)
{
	struct expr_error wrong = {0};
	struct expr *expr = expr_compile(text, scope->variables, scope->count, SS_NULL, &wrong);
	if (expr == NULL) {
		(void)ss_fail_as(err, SS_INVALID, "the expression \"%s\": %s", text, wrong.text);
		return NULL;
	}
	struct ss_value *value = expr_evaluate(expr, scope->values, err);
	expr_free(expr);
	return value;
}

struct ss_value *testing_evaluate(struct ss_run *run, size_t option, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of(run);
	const struct ss_value *text = option_of(host, option, SS_OPTION_EXPRESSION, "evaluate");
	if (value_as_string(text, NULL)[0] == '\0') {
		(void)ss_fail_as(err, SS_NOT_FOUND, "the option %s is not given",
			host->plugin->options[option].name);
		return NULL;
	}
	struct scope scope = scope_new(host);
	struct ss_value *value = compute(&scope, value_as_string(text, NULL), err);
	scope_free(&scope);
	return value;
}

int testing_assign(struct ss_run *run, size_t option, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of(run);
	const struct ss_value *texts = option_of(host, option, SS_OPTION_ASSIGNMENTS, "assign");
	struct scope scope = scope_new(host);
	int result = 0;
	for (size_t i = 0; i < value_count(texts) && result == 0; i++) {
		const char *text = value_as_string(value_at(texts, i), NULL);
		struct ss_value *value = compute(&scope, text, err);
		if (value == NULL) {
			result = -1;
			break;
		}
		struct test_field *field = testing_field(host, value_key_at(texts, i));
		value_unref(field->written);
		field->written = value;
	}
	scope_free(&scope);
	return result;
}

int testing_render(struct ss_run *run, size_t option, struct ss_text *text, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of(run);
	struct diagnostics diagnostics = {0};
	struct ss_error failure = {0};
	char *template = NULL;
	size_t length = 0;
	const char *file =
		value_as_string(option_of(host, option, SS_OPTION_PROMPT, "render"), NULL);
	if (file[0] == '\0')
		return ss_fail_as(err, SS_NOT_FOUND, "the option %s is not given",
			host->plugin->options[option].name);
	must(file_read(file, MUSTACHE_FILE_LIMIT, &template, &length, &failure) == 0, "%s",
		failure.text);
	struct scope scope = scope_new(host);
	struct mustache *mustache =
		mustache_parse(file, template, length, scope.variables, scope.count, &diagnostics);
	must(mustache != NULL, "%s", diagnostics.items[0].text);
	char *rendered = mustache_render(mustache, scope.values, &length, err);
	if (rendered != NULL) {
		char *copy = host->table.allocate(run, length + 1);
		memcpy(copy, rendered, length + 1);
		*text = (struct ss_text){copy, length};
	}
	int result = rendered != NULL ? 0 : -1;
	mustache_free(mustache);
	diagnostics_free(&diagnostics);
	scope_free(&scope);
	free(rendered);
	free(template);
	return result;
}
