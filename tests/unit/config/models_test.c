#include "config/models.h"

#include "unit/config/mistakes.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

/* Reads the section `llm` of TEXT, which is the file m.yaml. Expects the MISTAKES. */
static struct yaml_document *read_models(
	struct config_models *models, const char *text, const char *mistakes)
{
	struct diagnostics diagnostics = {0};
	struct yaml_document *document = yaml_parse("m.yaml", 1, text, strlen(text), &diagnostics);
	cr_assert_not_null(document);
	*models = (struct config_models){0};
	config_models_read(models, document, document->root, &diagnostics);
	mistakes_expect(&diagnostics, mistakes);
	return document;
}

static void done(struct config_models *models, struct yaml_document *document)
{
	config_models_free(models);
	yaml_close(document);
}

static void refuses(const char *text, const char *mistakes)
{
	struct config_models models;
	done(&models, read_models(&models, text, mistakes));
}

Test(config_models, have_defaults_for_what_is_left_out)
{
	struct config_models models;
	struct yaml_document *document = read_models(&models, "llm: {plugin: extractive}", "");
	cr_assert_eq(models.count, 1);
	const struct config_model *model = &models.items[0];
	cr_expect_str_eq(model->plugin.name, "extractive");
	cr_expect_null(model->plugin.options);
	cr_expect_eq(model->policy.attempts, 2);
	cr_expect_eq(model->policy.backoff_ns, 250000000);
	cr_expect_eq(model->policy.max_backoff_ns, 4000000000);
	cr_expect_eq(model->policy.timeout_ns, 15000000000);
	cr_expect_eq(model->policy.in_flight, 128);
	cr_expect_eq(model->policy.queue, 256);
	cr_expect_eq(model->policy.tokens_per_minute, 0);
	cr_expect_eq(model->policy.breaker.failures, 0.5);
	cr_expect_eq(model->policy.breaker.calls, 5);
	cr_expect_eq(model->policy.breaker.window_ns, 30000000000);
	cr_expect_eq(model->policy.breaker.open_ns, 30000000000);
	cr_expect_eq(config_models_price(&models, model, "extractive").input, 0);
	done(&models, document);
}

Test(config_models, are_what_the_file_says_in_its_order)
{
	struct config_models models;
	struct yaml_document *document = read_models(&models,
		"llm:\n"
		"  models:\n"
		"    - plugin: openai\n"
		"      options: {provider: groq}\n"
		"      attempts: 3\n"
		"      backoff: 1s\n"
		"      max_backoff: 2s\n"
		"      timeout: 3s\n"
		"      in_flight: 4\n"
		"      queue: 5\n"
		"      tokens_per_minute: 6000\n"
		"      budget: team\n"
		"      breaker: {failures: 0.25, calls: 7, window: 8s, open: 9s}\n"
		"      price: {input: 0.5, output: 1}\n"
		"    - plugin: extractive\n"
		"  prices:\n"
		"    groq/llama: {input: 0.59, output: 0.79}\n",
		"");
	cr_assert_eq(models.count, 2);
	const struct config_model *first = &models.items[0], *second = &models.items[1];
	cr_expect_str_eq(first->plugin.name, "openai");
	cr_expect_not_null(first->plugin.options);
	cr_expect_eq(first->plugin.place->line, 3);
	cr_expect_eq(first->policy.attempts, 3);
	cr_expect_eq(first->policy.backoff_ns, 1000000000);
	cr_expect_eq(first->policy.max_backoff_ns, 2000000000);
	cr_expect_eq(first->policy.timeout_ns, 3000000000);
	cr_expect_eq(first->policy.in_flight, 4);
	cr_expect_eq(first->policy.queue, 5);
	cr_expect_eq(first->policy.tokens_per_minute, 6000);
	cr_expect_eq(first->policy.budget, 1);
	cr_expect_eq(second->policy.budget, 0);
	cr_expect_eq(first->policy.breaker.failures, 0.25);
	cr_expect_eq(first->policy.breaker.calls, 7);
	cr_expect_eq(first->policy.breaker.window_ns, 8000000000);
	cr_expect_eq(first->policy.breaker.open_ns, 9000000000);
	cr_expect_eq(config_models_price(&models, first, "groq/llama").input, 0.5,
		"its own price counts more than the table's");
	cr_expect_str_eq(second->plugin.name, "extractive");
	cr_expect_eq(config_models_price(&models, second, "groq/llama").output, 0.79);
	cr_expect_eq(config_models_price(&models, second, "extractive").output, 0);
	done(&models, document);
}

Test(config_models, of_one_budget_have_one_number)
{
	struct config_models models;
	struct yaml_document *document = read_models(&models,
		"llm:\n"
		"  models:\n"
		"    - {plugin: a}\n"
		"    - {plugin: a, tokens_per_minute: 10, budget: x}\n"
		"    - {plugin: a, tokens_per_minute: 20, budget: y}\n"
		"    - {plugin: a, tokens_per_minute: 10, budget: x}\n",
		"");
	static const size_t expected[] = {0, 2, 3, 2};
	for (size_t i = 0; i < models.count; i++)
		cr_expect_eq(models.items[i].policy.budget, expected[i], "model %zu", i);
	done(&models, document);
}

Test(config_models, name_the_place_of_every_mistake)
{
	refuses("llm:\n"
		"  models:\n"
		"    - {plugin: a, tokens_per_minute: 10, budget: x}\n"
		"    - {plugin: b, tokens_per_minute: 20, budget: x}\n",
		"m.yaml:4:50: the models of the budget \"x\" share their tokens_per_minute, so all "
		"of "
		"them need the same; another one has 10, and this one 20\n");
	refuses("llm: {models: []}",
		"m.yaml:1:15: models must be a list of 1 to 16 models, in the order in which they "
		"are asked\n");
	refuses("llm: {models: {plugin: a}}",
		"m.yaml:1:15: models must be a list of 1 to 16 models, in the order in which they "
		"are asked\n");
	refuses("llm:\n  models:\n    - {attempts: 0}\n    - x\n",
		"m.yaml:3:7: a model needs \"plugin\": the plugin's name\n"
		"m.yaml:3:18: attempts must be from 1 to 10, not 0\n"
		"m.yaml:4:7: a model must be a mapping, not a single value\n");
	refuses("llm: {plugin: a, models: [{plugin: b}]}",
		"m.yaml:1:7: llm has no key \"plugin\"; it knows models, prices\n");
	refuses("llm: {plugin: a, timout: 3s}",
		"m.yaml:1:18: llm has no key \"timout\" (did you mean \"timeout\"?)\n");
	refuses("llm: {plugin: a, breaker: {failures: 2, shut: 1}, price: {input: 1}}",
		"m.yaml:1:38: failures must be from 0.01 to 1, not 2\n"
		"m.yaml:1:41: breaker has no key \"shut\"; it knows failures, calls, window, open\n"
		"m.yaml:1:58: price needs \"output\": the price of a million tokens that are "
		"answered\n");
	refuses("llm: {plugin: a, prices: {b: 3, c: {input: -1, output: 1}}}",
		"m.yaml:1:30: a price must be a mapping, not a single value\n"
		"m.yaml:1:44: input must be from 0 to 1000000, not -1\n");
	refuses("llm: {plugin: a, prices: [1]}",
		"m.yaml:1:26: prices must be a mapping from models to prices, not a list\n");
	refuses("a: b", "m.yaml:1:1: llm needs \"plugin\": the plugin's name\n");
}
