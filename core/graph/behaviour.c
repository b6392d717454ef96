/* What a node has beside its agent's options: what happens when it fails, whether it is tried again, what is
 * remembered of it, where it waits for somebody, and whether it runs for each item of a list. */
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_ATTEMPTS, RETRY_ON, RETRY_BACKOFF, RETRY_FACTOR, RETRY_MAX, RETRY_JITTER, RETRY_ROWS };

static const struct ss_option retry_rows[] = {
	[RETRY_ATTEMPTS] = {"attempts", SS_OPTION_INT, NULL, 1, 100, NULL,
		"how often the node is tried all in all"},
	[RETRY_ON] = {"on", SS_OPTION_STRINGS, "[unavailable, timeout]", 0, 0, NULL,
		"the errors after which it is tried again"},
	[RETRY_BACKOFF] = {"backoff", SS_OPTION_DURATION, "100ms", 0, 3600, NULL,
		"the wait before the second attempt"},
	[RETRY_FACTOR] = {"factor", SS_OPTION_NUMBER, "2", 1, 100, NULL,
		"how many times longer each wait is than the one before"},
	[RETRY_MAX] = {"max_backoff", SS_OPTION_DURATION, "10s", 0, 86400, NULL,
		"the longest wait"},
	[RETRY_JITTER] = {"jitter", SS_OPTION_NUMBER, "0.1", 0, 1, NULL,
		"the share of each wait that is left to chance"},
	[RETRY_ROWS] = {0},
};

enum { CACHE_KEY, CACHE_TTL, CACHE_ENTRIES, CACHE_ROWS };

static const struct ss_option cache_rows[] = {
	[CACHE_KEY] = {"key", SS_OPTION_STRINGS, NULL, 0, 0, NULL,
		"the fields that must be the same for the node not to run again"},
	[CACHE_TTL] = {"ttl", SS_OPTION_DURATION, "5m", 0.001, 31536000, NULL,
		"how long what it wrote is kept"},
	[CACHE_ENTRIES] = {"entries", SS_OPTION_INT, "1000", 1, 1000000, NULL,
		"how many results are kept; the ones that were not used for longest go first"},
	[CACHE_ROWS] = {0},
};

enum { INTERRUPT_BEFORE, INTERRUPT_AFTER, INTERRUPT_SHOW, INTERRUPT_ROWS };

static const struct ss_option interrupt_rows[] = {
	[INTERRUPT_BEFORE] = {"before", SS_OPTION_BOOL, "false", 0, 0, NULL,
		"somebody is asked before the node runs"},
	[INTERRUPT_AFTER] = {"after", SS_OPTION_BOOL, "false", 0, 0, NULL,
		"somebody is asked when the node has run"},
	[INTERRUPT_SHOW] = {"show", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"the fields that they are shown"},
	[INTERRUPT_ROWS] = {0},
};
static const char *const interrupt_sections[] = {"answer", NULL};

enum { SEND_LIMIT, SEND_ROWS };

static const struct ss_option send_rows[] = {
	[SEND_LIMIT] = {"limit", SS_OPTION_INT, "16", 1, 10000, NULL,
		"how many copies of the node run at once"},
	[SEND_ROWS] = {0},
};
static const char *const send_sections[] = {"over", "as", NULL};

static const char *const fallback_sections[] = {"set", "to", "error", NULL};
static const struct ss_option no_rows[] = {{0}};

const struct graph_section graph_retry_section = {retry_rows, NULL};
const struct graph_section graph_cache_section = {cache_rows, NULL};
const struct graph_section graph_interrupt_section = {interrupt_rows, interrupt_sections};
const struct graph_section graph_send_section = {send_rows, send_sections};
const struct graph_section graph_fallback_section = {no_rows, fallback_sections};

const char *const graph_error_names[] = {
	"invalid", "not_found", "conflict", "unavailable", "timeout", "limit", "internal", NULL};

/* The names of the errors after which a node may be tried again. */
static unsigned read_errors(struct graph_loader *loader, const struct yaml_node *node)
{
	static const enum ss_status statuses[] = {SS_INVALID, SS_NOT_FOUND, SS_CONFLICT,
		SS_UNAVAILABLE, SS_TIMEOUT, SS_LIMIT, SS_INTERNAL}; /* in the order of the names */
	unsigned mask = 0;
	if (node == NULL)
		return 1u << SS_UNAVAILABLE | 1u << SS_TIMEOUT;
	for (size_t i = 0; i < node->count; i++) {
		char hint[120];
		const char *name = node->items[i]->text;
		size_t row = 0;
		while (row < array_length(statuses) && strcmp(graph_error_names[row], name) != 0)
			row++;
		if (row < array_length(statuses))
			mask |= 1u << statuses[row];
		else
			yaml_mistake(loader->document, node->items[i], loader->diagnostics,
				"there is no error \"%.*s\"%s; there are invalid, not_found, "
				"conflict, unavailable, timeout, limit and internal",
				text_fit(name, 60), name,
				diagnostics_hint(name, graph_error_names, array_length(statuses),
					hint, sizeof hint));
	}
	return mask;
}

static void read_retry(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml)
{
	struct ss_value *options[RETRY_ROWS] = {0};
	node->retry.attempts = 1;
	if (yaml == NULL)
		return;
	if (options_read(loader->document, yaml, yaml, retry_rows, NULL, "retry", options,
		    loader->diagnostics) == 0) {
		node->retry = (struct graph_retry){
			.attempts = value_as_int(options[RETRY_ATTEMPTS]),
			.on = read_errors(loader, yaml_get(yaml, "on")),
			.backoff_ns = (int64_t)(value_as_number(options[RETRY_BACKOFF]) * 1e9),
			.factor = value_as_number(options[RETRY_FACTOR]),
			.max_backoff_ns = (int64_t)(value_as_number(options[RETRY_MAX]) * 1e9),
			.jitter = value_as_number(options[RETRY_JITTER]),
		};
	}
	options_free(options, RETRY_ROWS);
}

/* The fields that the list NODE names, in *SLOTS, new. */
static size_t read_slots(struct graph_loader *loader, const struct yaml_node *node, size_t **slots)
{
	size_t count = 0;
	if (node == NULL || node->count == 0)
		return 0;
	*slots = memory_array(node->count, sizeof **slots);
	for (size_t i = 0; i < node->count; i++) {
		size_t slot = graph_read_slot(loader, node->items[i]);
		if (slot != GRAPH_NO_SLOT)
			(*slots)[count++] = slot;
	}
	return count;
}

static void read_cache(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml)
{
	struct ss_value *options[CACHE_ROWS] = {0};
	if (yaml == NULL)
		return;
	if (options_read(loader->document, yaml, yaml, cache_rows, NULL, "cache", options,
		    loader->diagnostics) == 0) {
		struct graph_cache *cache = &node->cache;
		const struct yaml_node *key = yaml_get(yaml, "key");
		cache->slot_count = read_slots(loader, key, &cache->slots);
		cache->ttl_ns = (int64_t)(value_as_number(options[CACHE_TTL]) * 1e9);
		cache->limit = value_as_int(options[CACHE_ENTRIES]);
		if (key->count == 0)
			yaml_mistake(loader->document, key, loader->diagnostics,
				"key needs the fields that the node's result depends on");
	}
	options_free(options, CACHE_ROWS);
}

static void read_interrupt(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml)
{
	struct ss_value *options[INTERRUPT_ROWS] = {0};
	struct graph_interrupt *interrupt = &node->interrupt;
	interrupt->answer = GRAPH_NO_SLOT;
	if (yaml == NULL)
		return;
	if (options_read(loader->document, yaml, yaml, interrupt_rows, interrupt_sections,
		    "interrupt", options, loader->diagnostics) == 0) {
		const struct yaml_node *answer = yaml_get(yaml, "answer");
		interrupt->before = value_as_bool(options[INTERRUPT_BEFORE]);
		interrupt->after = value_as_bool(options[INTERRUPT_AFTER]);
		interrupt->show_count =
			read_slots(loader, yaml_get(yaml, "show"), &interrupt->show);
		if (answer != NULL)
			interrupt->answer = graph_read_slot(loader, answer);
		if (interrupt->before == interrupt->after)
			yaml_mistake(loader->document, yaml, loader->diagnostics,
				"interrupt needs either before: true or after: true");
	}
	options_free(options, INTERRUPT_ROWS);
}

static void read_send(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml)
{
	struct ss_value *options[SEND_ROWS] = {0};
	const struct yaml_node *over = yaml_get(yaml, "over");
	const struct yaml_node *as = yaml_get(yaml, "as");
	if (yaml == NULL)
		return;
	if (options_read(loader->document, yaml, yaml, send_rows, send_sections, "send", options,
		    loader->diagnostics) < 0)
		goto done;
	if (over == NULL || as == NULL) {
		yaml_mistake(loader->document, yaml, loader->diagnostics,
			"send needs over, the list, and as, the field in which each copy sees its "
			"item, as in {over: questions, as: question}");
		goto done;
	}
	node->send.slot = graph_read_slot(loader, as);
	node->send.limit = value_as_int(options[SEND_LIMIT]);
	(void)graph_read_expr(loader, loader->graph, over, SS_LIST, "expression", &node->send.over);
done:
	options_free(options, SEND_ROWS);
}

static void read_fallbacks(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *set)
{
	node->fallbacks = memory_array(set->count, sizeof(struct graph_fallback));
	for (size_t i = 0; i < set->count; i++) {
		size_t slot = graph_read_slot(loader, set->keys[i]);
		struct ss_value *value =
			slot != GRAPH_NO_SLOT ? graph_read_value(loader,
							&loader->graph->fields[slot], set->items[i])
					      : NULL;
		if (value != NULL)
			node->fallbacks[node->fallback_count++] =
				(struct graph_fallback){.slot = slot, .value = value};
	}
}

static void read_on_error(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *on_error)
{
	const struct yaml_node *set = yaml_get(on_error, "set");
	const struct yaml_node *to = yaml_get(on_error, "to");
	const struct yaml_node *error = yaml_get(on_error, "error");
	if (on_error == NULL)
		return;
	if (options_read(loader->document, on_error, on_error, no_rows, fallback_sections,
		    "on_error", NULL, loader->diagnostics) < 0)
		return;
	if ((set == NULL && to == NULL) || (set != NULL && set->kind != YAML_MAPPING)) {
		yaml_mistake(loader->document, on_error, loader->diagnostics,
			"on_error needs set, the fields that are written instead, as in "
			"{set: {category: General}}, or to, the node that runs next");
		return;
	}
	node->has_fallback = true;
	if (set != NULL)
		read_fallbacks(loader, node, set);
	if (error == NULL)
		return;
	node->error_slot = graph_read_slot(loader, error);
	if (node->error_slot != GRAPH_NO_SLOT &&
		loader->graph->fields[node->error_slot].type != SS_STRING)
		yaml_mistake(loader->document, error, loader->diagnostics,
			"the error is a sentence, and %s is of the type %s; it must be a string",
			error->text, value_type_name(loader->graph->fields[node->error_slot].type));
}

void graph_read_behaviour(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml)
{
	read_on_error(loader, node, yaml_get(yaml, "on_error"));
	read_retry(loader, node, yaml_get(yaml, "retry"));
	read_cache(loader, node, yaml_get(yaml, "cache"));
	read_interrupt(loader, node, yaml_get(yaml, "interrupt"));
	read_send(loader, node, yaml_get(yaml, "send"));
}
