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
 * A node's `goto` lists the nodes between which its agent chooses, and `to` in its `on_error` names the
 * one that follows when it has failed; both are edges as well.
 * A turn begins at START and ends when nothing runs any more. END is where a branch ends.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/hash.h"
#include "config/yaml.h"
#include "expr/expr.h"
#include "expr/mustache.h"
#include "plugin/plugin.h"

/* Bounds on a workflow. */
enum {
	GRAPH_FIELDS_LIMIT = 256,
	GRAPH_NODES_LIMIT = 4096,
	GRAPH_LEVELS_LIMIT = 32,      /* of workflows within workflows */
	GRAPH_WORKFLOWS_LIMIT = 1024, /* within one, on all its levels */
	GRAPH_NAME_LIMIT = 64,        /* bytes of a field's or a node's name */
};

/* A slot that an agent's optional field has when the workflow does not declare it. */
#define GRAPH_NO_SLOT SIZE_MAX
/* Places that are no nodes. */
#define GRAPH_START (SIZE_MAX - 1)
#define GRAPH_END   (SIZE_MAX - 2)

/* What becomes of a field when something is written to it. */
enum graph_reducer {
	GRAPH_REPLACE, /* it holds what was written */
	GRAPH_APPEND,  /* list: the items are added at its end */
	GRAPH_ADD,     /* int, number: the sum */
	GRAPH_MAX,     /* int, number: the larger one */
	GRAPH_MIN,     /* int, number: the smaller one */
	GRAPH_MERGE, /* map: entries are added or replaced; list of maps: items, told apart by `key` */
	GRAPH_UNION, /* list: the items that it does not hold yet are added */
};

/* A field of the state; its slot is its row. */
struct graph_field {
	char *name;
	enum ss_type type;
	enum graph_reducer reducer;
	char *key; /* of GRAPH_MERGE on a list: the member that tells its items apart; else NULL */
	struct ss_value *values; /* of an enum: the list of its values; else NULL */
	bool has_range;
	double min, max;          /* of an int or a number */
	struct ss_value *initial; /* the default; null when there is none */
	size_t line, column;
};

/* An expression and where it stands. */
struct graph_expr {
	char *text;
	struct expr *expr;
	size_t line, column;
};

/* EXPR is computed and written to the field SLOT. */
struct graph_assignment {
	size_t option; /* the row of the agent's option that has it */
	size_t slot;
	struct graph_expr expr;
};

/* The value of an option that is an expression. */
struct graph_evaluation {
	size_t option; /* its row */
	struct graph_expr expr;
};

/* The template of an option that is a prompt. */
struct graph_prompt {
	size_t option; /* its row */
	char *file;
	struct mustache *mustache;
};

/* A value that is written to the field SLOT. */
struct graph_fallback {
	size_t slot;
	struct ss_value *value;
};

/* When and how often a failed node is tried again. */
struct graph_retry {
	int64_t attempts;   /* all in all; 1: it is not tried again */
	unsigned on;        /* the errors that are worth it: bits 1 << enum ss_status */
	int64_t backoff_ns; /* before the second attempt */
	double factor;      /* by which each wait is longer than the one before */
	int64_t max_backoff_ns;
	double jitter; /* 0 to 1: the share of each wait that is left to chance */
};

/* What a node has written, kept for the next time that it would see the same. */
struct graph_cache {
	size_t *slots; /* of the fields that must be the same; NULL: no cache */
	size_t slot_count;
	int64_t ttl_ns;
	int64_t limit; /* entries */
};

/* Where somebody outside is asked before or after a node. */
struct graph_interrupt {
	bool before, after;
	size_t *show; /* the fields that they are shown */
	size_t show_count;
	size_t answer; /* the field that the answer is written to, or GRAPH_NO_SLOT */
};

/* A node that runs once for each item of a list. */
struct graph_send {
	struct graph_expr over; /* without an expression: it runs once */
	size_t slot;            /* the field in which each copy sees its item */
	int64_t limit;          /* copies at once */
};

struct graph_node {
	char *name;
	/* One of the two: */
	const struct ss_plugin *plugin; /* the agent */
	struct graph *workflow;         /* a whole workflow; its results are `outputs` */
	struct ss_value **options;      /* a value for each row of the plugin's table */
	size_t option_count;
	size_t *slots; /* for each row of the plugin's fields table, or GRAPH_NO_SLOT */
	size_t field_count;
	struct graph_assignment *assignments; /* of the options; by option */
	size_t assignment_count;
	struct graph_evaluation *evaluations; /* of the options */
	size_t evaluation_count;
	struct graph_prompt *prompts; /* of the options */
	size_t prompt_count;
	struct graph_assignment *inputs; /* of a workflow: its fields, from the state here */
	size_t input_count;
	struct graph_assignment *outputs; /* of a workflow: the fields here, from its state */
	size_t output_count;
	int64_t timeout_ns;  /* of one attempt; 0: none */
	int64_t deadline_ns; /* of all of them; 0: none */
	struct graph_retry retry;
	bool has_fallback; /* on_error is given */
	struct graph_fallback *fallbacks;
	size_t fallback_count;
	size_t error_slot; /* the field that is told the error, or GRAPH_NO_SLOT */
	struct graph_cache cache;
	struct graph_interrupt interrupt;
	struct graph_send send;
	size_t command;    /* the edge between whose ways the agent chooses, or GRAPH_NO_SLOT */
	size_t failure;    /* the edge that is taken when it has failed, or GRAPH_NO_SLOT */
	size_t *out;       /* the edges that leave it; these two, if there are any, come last */
	size_t out_count;  /* without these two */
	size_t exit_count; /* with them */
	size_t line, column;
};

/* One way that an edge can take. */
struct graph_choice {
	char *text;          /* of the condition; NULL: always, or else */
	struct expr *when;   /* NULL: always, or else */
	size_t to;           /* a node or GRAPH_END */
	size_t line, column; /* of the condition or the place */
};

enum graph_edge_kind {
	GRAPH_PLAIN,   /* takes all its ways */
	GRAPH_CHOOSE,  /* takes the first whose condition is true */
	GRAPH_COMMAND, /* takes the one that the agent has chosen */
	GRAPH_FAILURE, /* takes its way when the node has failed */
};

struct graph_edge {
	size_t *from; /* nodes or GRAPH_START */
	size_t from_count;
	enum graph_edge_kind kind;
	bool join; /* waits for all of `from` */
	bool late; /* a join whose turn to run is known only when nothing else can arrive */
	struct graph_choice *choices;
	size_t choice_count;
	size_t line, column;
};

/* When what happens in a turn is written to its journal. */
enum graph_durability {
	GRAPH_DURABLE_NONE, /* never: it has no journal */
	GRAPH_DURABLE_TURN, /* when it is over, or waits for an answer */
	GRAPH_DURABLE_NODE, /* when a node has finished, before what comes after it starts */
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
	unsigned char
		*reach;    /* bits [node][node]: graph_reaches(); NULL when nothing asks for them */
	int64_t max_steps; /* node runs of a turn */
	int64_t max_parallel; /* nodes that run at once */
	int64_t max_state;    /* bytes of the state's values */
	int64_t timeout_ns;   /* of a whole turn */
	enum graph_durability durability;
	struct ss_value *source; /* the texts that it was made from, for graph_restore() */
	char *source_text;       /* the same as JSON */
	char hash[HASH_SIZE];    /* of these texts, wherever the files are */
};

/* Reads the workflow FILE. INPUTS (names, ends with NULL) are the fields that are given when a turn
 * starts; NULL: any of them may be. NULL when there is any mistake; all of them are in DIAGNOSTICS. */
struct graph *graph_load(const char *file, struct plugins *plugins, const char *const *inputs,
	struct diagnostics *diagnostics);

/* The same for LENGTH bytes of TEXT. */
struct graph *graph_parse(const char *file, const char *text, size_t length,
	struct plugins *plugins, const char *const *inputs, struct diagnostics *diagnostics);

/* The graph whose source is STORED, as it was then: its files and prompts are not read. Other files that agents'
 * options name are. */
struct graph *graph_restore(const struct ss_value *stored, struct plugins *plugins,
	const char *const *inputs, struct diagnostics *diagnostics);

void graph_free(struct graph *graph);

/* What the agents of GRAPH and of its inner workflows use: bits of enum ss_services. */
unsigned graph_services(const struct graph *graph);

/* Whether NODE writes to SLOT when it runs. */
bool graph_runs_write(const struct graph_node *node, size_t slot);

/* The value of the option NAME of an agent's NODE, borrowed; NULL when the agent has no such option. */
const struct ss_value *graph_option(const struct graph_node *node, const char *name);

/* The slot of the field NAME, or GRAPH_NO_SLOT. */
size_t graph_slot(const struct graph *graph, const char *name);

/* The row of the node NAME, GRAPH_START, GRAPH_END, or GRAPH_NO_SLOT when there is none. */
size_t graph_find_node(const struct graph *graph, const char *name);

/* The name of a node, START or END. */
const char *graph_node_name(const struct graph *graph, size_t node);

/* Whether a turn that is at the node FROM can come to the node TO later, or is there. */
bool graph_reaches(const struct graph *graph, size_t from, size_t to);

/* "replace", "append", …: for messages and drawings. */
const char *graph_reducer_name(enum graph_reducer reducer);

/* What FIELD holds after WRITTEN, which fits it, was written to it when it held CURRENT; both are
 * borrowed, the result is new. NULL and ERR when the sum overflows or leaves the field's range. */
struct ss_value *graph_reduce(const struct graph_field *field, const struct ss_value *current,
	const struct ss_value *written, struct ss_error *err);

/* VALUE (taken) as it stands in FIELD: an int becomes a number where one is asked for. NULL and ERR, a
 * sentence that names the field and the value, when it does not fit. */
struct ss_value *graph_fit_value(
	const struct graph_field *field, struct ss_value *value, struct ss_error *err);

#endif
