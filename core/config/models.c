#include "config/models.h"

#include "base/memory.h"
#include "config/options.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum {
	MODEL_NAME,
	MODEL_ATTEMPTS,
	MODEL_BACKOFF,
	MODEL_MAX_BACKOFF,
	MODEL_TIMEOUT,
	MODEL_IN_FLIGHT,
	MODEL_QUEUE,
	MODEL_TOKENS,
	MODEL_BUDGET,
	MODEL_ROWS
};
enum { BREAKER_FAILURES, BREAKER_LEAST, BREAKER_WINDOW, BREAKER_OPEN, BREAKER_ROWS };
enum { PRICE_INPUT, PRICE_OUTPUT, PRICE_ROWS };

static const struct ss_option model_rows[] = {
	[MODEL_NAME] = {"plugin", SS_OPTION_STRING, NULL, 0, 0, NULL, "the plugin's name"},
	[MODEL_ATTEMPTS] = {"attempts", SS_OPTION_INT, "2", 1, 10, NULL,
		"how often it is asked before the next model is"},
	[MODEL_BACKOFF] = {"backoff", SS_OPTION_DURATION, "250ms", 0, 60, NULL,
		"the wait before the second attempt, which doubles with each one after it"},
	[MODEL_MAX_BACKOFF] = {"max_backoff", SS_OPTION_DURATION, "4s", 0, 600, NULL,
		"the longest of these waits"},
	[MODEL_TIMEOUT] = {"timeout", SS_OPTION_DURATION, "15s", 0.01, 3600, NULL,
		"how long it may take with all attempts before the next model is asked"},
	[MODEL_IN_FLIGHT] = {"in_flight", SS_OPTION_INT, "128", 1, 100000, NULL,
		"calls at once in each worker"},
	[MODEL_QUEUE] = {"queue", SS_OPTION_INT, "256", 0, 100000, NULL,
		"calls of a worker that may wait until others have ended"},
	[MODEL_TOKENS] = {"tokens_per_minute", SS_OPTION_INT, "0", 0, 1e12, NULL,
		"tokens in and out a minute of all workers together; 0 for no limit"},
	[MODEL_BUDGET] = {"budget", SS_OPTION_STRING, "", 0, 0, NULL,
		"a word for the key that it is asked with: models with the same one share their "
		"tokens a minute"},
	[MODEL_ROWS] = {0},
};

static const struct ss_option breaker_rows[] = {
	[BREAKER_FAILURES] = {"failures", SS_OPTION_NUMBER, "0.5", 0.01, 1, NULL,
		"the share of calls that fail at which the model is not asked any more"},
	[BREAKER_LEAST] = {"calls", SS_OPTION_INT, "5", 0, 64, NULL,
		"the least calls that such a share is made of; as many failures in a row are "
		"enough whenever they were; 0: it is asked whatever happens"},
	[BREAKER_WINDOW] = {"window", SS_OPTION_DURATION, "30s", 0.1, 3600, NULL,
		"how far back calls count"},
	[BREAKER_OPEN] = {"open", SS_OPTION_DURATION, "30s", 0.01, 3600, NULL,
		"how long it is not asked before one call tries again"},
	[BREAKER_ROWS] = {0},
};

static const struct ss_option price_rows[] = {
	[PRICE_INPUT] = {"input", SS_OPTION_NUMBER, NULL, 0, 1e6, NULL,
		"the price of a million tokens that are sent"},
	[PRICE_OUTPUT] = {"output", SS_OPTION_NUMBER, NULL, 0, 1e6, NULL,
		"the price of a million tokens that are answered"},
	[PRICE_ROWS] = {0},
};

static const char *const model_sections[] = {"options", "breaker", "price", NULL};
static const char *const alone_sections[] = {"options", "breaker", "price", "prices", NULL};
static const char *const list_sections[] = {"models", "prices", NULL};

struct reader {
	struct config_models *models;
	const struct yaml_document *document;
	struct diagnostics *diagnostics;
};

static int64_t nanoseconds(const struct ss_value *seconds)
{
	return (int64_t)(value_as_number(seconds) * 1e9);
}

static void read_breaker(const struct reader *reader, const struct yaml_node *model,
	const struct yaml_node *place, struct breaker_policy *policy)
{
	struct ss_value *values[BREAKER_ROWS] = {0};
	const struct yaml_node *node = yaml_get(model, "breaker");
	(void)options_read(reader->document, node, place, breaker_rows, NULL, "breaker", values,
		reader->diagnostics);
	*policy = (struct breaker_policy){
		.failures = value_as_number(values[BREAKER_FAILURES]),
		.calls = value_as_int(values[BREAKER_LEAST]),
		.window_ns = nanoseconds(values[BREAKER_WINDOW]),
		.open_ns = nanoseconds(values[BREAKER_OPEN]),
	};
	options_free(values, BREAKER_ROWS);
}

static struct model_price read_price(
	const struct reader *reader, const struct yaml_node *node, const char *what)
{
	struct ss_value *values[PRICE_ROWS] = {0};
	(void)options_read(
		reader->document, node, node, price_rows, NULL, what, values, reader->diagnostics);
	struct model_price price = {
		value_as_number(values[PRICE_INPUT]), value_as_number(values[PRICE_OUTPUT])};
	options_free(values, PRICE_ROWS);
	return price;
}

/* Finds the models before MODEL that it shares its tokens a minute with; they must agree on how many these are. */
static void find_budget(
	const struct reader *reader, const struct yaml_node *node, struct config_model *model)
{
	const struct config_model *other = reader->models->items;
	if (model->budget[0] == '\0')
		return;
	while (other < model && strcmp(other->budget, model->budget) != 0)
		other++;
	model->policy.budget = (size_t)(other - reader->models->items) + 1;
	if (other->policy.tokens_per_minute != model->policy.tokens_per_minute)
		yaml_mistake(reader->document, yaml_get(node, "budget"), reader->diagnostics,
			"the models of the budget \"%s\" share their tokens_per_minute, so all of "
			"them need the same; another one has %lld, and this one %lld",
			model->budget, (long long)other->policy.tokens_per_minute,
			(long long)model->policy.tokens_per_minute);
}

/* Reads what NODE (NULL: nothing is there) says of a model; PLACE takes the blame for what is missing. */
static void read_model(const struct reader *reader, const struct yaml_node *node,
	const struct yaml_node *place, const char *const *sections, const char *what)
{
	struct config_models *models = reader->models;
	struct config_model *model = &models->items[models->count++];
	struct ss_value *values[MODEL_ROWS] = {0};
	(void)options_read(reader->document, node, place, model_rows, sections, what, values,
		reader->diagnostics);
	if (node != NULL && node->kind != YAML_MAPPING)
		node = NULL;
	const struct yaml_node *price = yaml_get(node, "price");
	*model = (struct config_model){
		.plugin = {memory_string(value_as_string(values[MODEL_NAME], NULL)),
			yaml_get(node, "options"), place},
		.policy =
			{
				.attempts = value_as_int(values[MODEL_ATTEMPTS]),
				.backoff_ns = nanoseconds(values[MODEL_BACKOFF]),
				.max_backoff_ns = nanoseconds(values[MODEL_MAX_BACKOFF]),
				.timeout_ns = nanoseconds(values[MODEL_TIMEOUT]),
				.in_flight = value_as_int(values[MODEL_IN_FLIGHT]),
				.queue = value_as_int(values[MODEL_QUEUE]),
				.tokens_per_minute = value_as_int(values[MODEL_TOKENS]),
			},
		.priced = price != NULL && !yaml_is_null(price),
		.budget = memory_string(value_as_string(values[MODEL_BUDGET], NULL)),
	};
	find_budget(reader, node, model);
	if (model->priced)
		model->price = read_price(reader, price, "price");
	read_breaker(reader, node, place, &model->policy.breaker);
	options_free(values, MODEL_ROWS);
}

static void read_list(const struct reader *reader, const struct yaml_node *section)
{
	const struct yaml_node *list = yaml_get(section, "models");
	(void)options_read(reader->document, section, section, NULL, list_sections, "llm", NULL,
		reader->diagnostics);
	if (list->kind != YAML_SEQUENCE || list->count == 0 || list->count > CONFIG_MODELS_LIMIT) {
		yaml_mistake(reader->document, list, reader->diagnostics,
			"models must be a list of 1 to %d models, in the order in which they are "
			"asked",
			CONFIG_MODELS_LIMIT);
		return;
	}
	reader->models->items = memory_array(list->count, sizeof *reader->models->items);
	for (size_t i = 0; i < list->count; i++)
		read_model(reader, list->items[i], list->items[i], model_sections, "a model");
}

static void read_prices(const struct reader *reader, const struct yaml_node *node)
{
	struct config_models *models = reader->models;
	if (node == NULL || yaml_is_null(node))
		return;
	if (node->kind != YAML_MAPPING) {
		yaml_mistake(reader->document, node, reader->diagnostics,
			"prices must be a mapping from models to prices, not %s",
			yaml_kind_name(node));
		return;
	}
	models->prices = memory_array(node->count, sizeof *models->prices);
	for (size_t i = 0; i < node->count; i++)
		models->prices[models->price_count++] =
			(struct config_price){memory_string(node->keys[i]->text),
				read_price(reader, node->items[i], "a price")};
}

void config_models_read(struct config_models *models, const struct yaml_document *document,
	const struct yaml_node *root, struct diagnostics *diagnostics)
{
	const struct yaml_node *section = yaml_get(root, "llm");
	const struct reader reader = {models, document, diagnostics};
	bool mapping = section != NULL && section->kind == YAML_MAPPING;
	models->place = section != NULL ? section : root;
	if (mapping && yaml_get(section, "models") != NULL) {
		read_list(&reader, section);
	} else {
		models->items = memory_array(1, sizeof *models->items);
		read_model(&reader, section, models->place, alone_sections, "llm");
	}
	if (mapping)
		read_prices(&reader, yaml_get(section, "prices"));
}

struct model_price config_models_price(
	const struct config_models *models, const struct config_model *model, const char *name)
{
	if (model->priced)
		return model->price;
	for (size_t i = 0; i < models->price_count; i++) {
		if (strcmp(models->prices[i].model, name) == 0)
			return models->prices[i].price;
	}
	return (struct model_price){0};
}

void config_models_free(struct config_models *models)
{
	for (size_t i = 0; i < models->count; i++) {
		free(models->items[i].plugin.name);
		free(models->items[i].budget);
	}
	for (size_t i = 0; i < models->price_count; i++)
		free(models->prices[i].model);
	free(models->items);
	free(models->prices);
}
