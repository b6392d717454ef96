/*
 * A workflow as data: the state's fields, the nodes and the edges between them, read from YAML and
 * checked. Made once when a configuration is loaded, on the loop thread; immutable afterwards, and run
 * by the engine. It knows the plugins' descriptors but calls none of their code.
 *
 * How edges work:
 *   {from: a, to: b}             b runs after a.
 *   {from: a, to: [b, c]}        b and c run after a, side by side.
 *   {from: [a, b], to: c}        a join: c runs when both a and b have finished, once for each time.
 *   {from: [a, b], any: true, to: c}  c runs after a and after b, each time one of them finishes.
 *   {from: a, choose: [{when: CONDITION, to: b}, {else: c}]}  the first that is true.
 * A turn begins at START and ends when nothing runs any more. END is where a branch ends.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "config/yaml.h"
#include "expr/expr.h"
#include "plugin/plugin.h"

/* Bounds on a workflow. */
enum {
	GRAPH_FIELDS_LIMIT = 256,
	GRAPH_NODES_LIMIT = 4096,
	GRAPH_NAME_LIMIT = 64, /* bytes of a field's or a node's name */
};

/* A slot that an agent's optional field has when the workflow does not declare it. */
#define GRAPH_NO_SLOT SIZE_MAX
/* Places that are no nodes. */
#define GRAPH_START (SIZE_MAX - 1)
#define GRAPH_END   (SIZE_MAX - 2)

/* A field of the state; its slot is its row. */
struct graph_field {
	char *name;
	enum ss_type type;
	struct ss_value *values; /* of an enum: the list of its values; else NULL */
	bool has_range;
	double min, max;          /* of an int or a number */
	struct ss_value *initial; /* the default; null when there is none */
	size_t line, column;
};

/* What a node writes instead when its agent fails. */
struct graph_fallback {
	size_t slot;
	struct ss_value *value;
};

struct graph_node {
	char *name;
	const struct ss_plugin *plugin;
	struct ss_value **options; /* a value for each row of the plugin's table */
	size_t option_count;
	size_t *slots; /* for each row of the plugin's fields table, or GRAPH_NO_SLOT */
	size_t field_count;
	int64_t timeout_ns; /* 0: none */
	bool has_fallback;  /* on_error is given */
	struct graph_fallback *fallbacks;
	size_t fallback_count;
	size_t *out; /* the edges that leave it */
	size_t out_count;
	size_t line, column;
};

/* One way that an edge can take. */
struct graph_choice {
	char *text;          /* of the condition; NULL: always, or else */
	struct expr *when;   /* NULL: always, or else */
	size_t to;           /* a node or GRAPH_END */
	size_t line, column; /* of the condition or the place */
};

struct graph_edge {
	size_t *from; /* nodes or GRAPH_START */
	size_t from_count;
	bool join;    /* waits for all of `from` */
	bool chooses; /* takes the first choice that is true, else all of them */
	struct graph_choice *choices;
	size_t choice_count;
	size_t line, column;
};

struct graph {
	char *file;
	char *name;
	struct graph_field *fields;
	size_t field_count;
	struct graph_node *nodes;
	size_t node_count;
	struct graph_edge *edges;
	size_t edge_count;
	size_t *start; /* the edges that leave START */
	size_t start_count;
	int64_t max_steps;  /* node runs of a turn */
	int64_t timeout_ns; /* of a whole turn */
};

/* Reads the workflow FILE. INPUTS (names, ends with NULL) are the fields that are given when a turn
 * starts. NULL when there is any mistake; all of them are in DIAGNOSTICS. */
struct graph *graph_load(const char *file, struct plugins *plugins, const char *const *inputs,
	struct diagnostics *diagnostics);

/* The same for LENGTH bytes of TEXT. */
struct graph *graph_parse(const char *file, const char *text, size_t length,
	struct plugins *plugins, const char *const *inputs, struct diagnostics *diagnostics);

void graph_free(struct graph *graph);

/* The slot of the field NAME, or GRAPH_NO_SLOT. */
size_t graph_slot(const struct graph *graph, const char *name);

/* The row of the node NAME, GRAPH_START, GRAPH_END, or GRAPH_NO_SLOT when there is none. */
size_t graph_find_node(const struct graph *graph, const char *name);

/* The name of a node, START or END. */
const char *graph_node_name(const struct graph *graph, size_t node);

/* VALUE (taken) as it stands in FIELD: an int becomes a number where one is asked for. NULL and ERR, a
 * sentence that names the field and the value, when it does not fit. */
struct ss_value *graph_fit_value(
	const struct graph_field *field, struct ss_value *value, struct ss_error *err);

#endif
