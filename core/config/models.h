/*
 * The models of a configuration, its section `llm`: which are asked, in which order, how patiently, and what they
 * cost. Read with the rest of the configuration (config.h).
 */
#ifndef CONFIG_MODELS_H
#define CONFIG_MODELS_H

#include "config/yaml.h"

/* A plugin that the configuration names, with its options. */
struct config_plugin {
	char *name;
	const struct yaml_node *options; /* NULL: none are given */
	const struct yaml_node *place;   /* where the plugin is named */
};

/* When a model that keeps failing is not asked for a while. */
struct breaker_policy {
	double failures;   /* the share of failures that opens it */
	int64_t calls;     /* the least calls that a share is made of; 0: it never opens */
	int64_t window_ns; /* how far back calls count */
	int64_t open_ns;   /* how long it stays open before one call tries again */
};

/* How a worker deals with a model. */
struct model_policy {
	int64_t attempts;
	int64_t backoff_ns, max_backoff_ns;
	int64_t timeout_ns;        /* for all attempts together, with the waits */
	int64_t in_flight;         /* calls at once */
	int64_t queue;             /* calls that may wait for others to end */
	int64_t tokens_per_minute; /* of all workers together; 0: no limit */
	size_t budget; /* which models take these tokens from one budget; 0: this one has its own */
	struct breaker_policy breaker;
};

/* For a million tokens, in any currency. */
struct model_price {
	double input, output;
};

struct config_model {
	struct config_plugin plugin;
	struct model_policy policy;
	bool priced; /* by itself, whatever the table says */
	struct model_price price;
	char *budget; /* the word for the key that it is asked with; "": none */
};

struct config_price {
	char *model; /* as replies name it */
	struct model_price price;
};

struct config_models {
	struct config_model *items; /* in the order in which they are asked */
	size_t count;
	struct config_price *prices;
	size_t price_count;
	const struct yaml_node *place; /* of the section */
};

/* The most models that can be named. */
enum { CONFIG_MODELS_LIMIT = 16 };

/* Reads the section `llm` of ROOT. Mistakes go to DIAGNOSTICS; what is wrong has its default, or the name "". */
void config_models_read(struct config_models *models, const struct yaml_document *document,
	const struct yaml_node *root, struct diagnostics *diagnostics);

/* The price of the model NAME (as replies name it) that MODEL is; 0 for both when nothing is said. */
struct model_price config_models_price(
	const struct config_models *models, const struct config_model *model, const char *name);

void config_models_free(struct config_models *models);

#endif
