/* Reading a workflow, in parts; for the files of this room only. */
#ifndef GRAPH_LOAD_H
#define GRAPH_LOAD_H

#include "graph/graph.h"
#include "value/value.h"

struct graph_loader {
	const struct yaml_document *document;
	struct graph *graph;
	struct plugins *plugins;
	const char *const *inputs;
	struct diagnostics *diagnostics;
	const struct graph_loader *outer; /* what reads the workflow that this one is a node of */
	struct graph_source *source;
	size_t condition_mistakes; /* of the edges: they leave it known what runs after what */
	/* Which parts of the file have no mistake, so that what they say together can be looked at. */
	bool state_is_right, nodes_are_right, edges_are_right;
};

/* The keys of a mapping in a workflow file, for its schema: those of a table, and those that are read otherwise. */
struct graph_section {
	const struct ss_option *rows;
	const char *const *sections; /* ends with NULL; may be NULL */
};

extern const struct graph_section graph_file_section, graph_field_section, graph_agent_section,
	graph_workflow_section, graph_edge_section, graph_when_section, graph_else_section,
	graph_retry_section, graph_cache_section, graph_interrupt_section, graph_send_section,
	graph_fallback_section;

/* "invalid", "timeout", …, NULL: after which a node may be tried again. */
extern const char *const graph_error_names[];

/* What a field may be called: a regular expression, and those names that expressions keep for themselves, NULL. */
extern const char graph_field_name_pattern[];
extern const char *const graph_reserved_names[];

/* The rules of fields (state.c), by which the loader checks and the schema is made. */
/* The type that is written as NAME; SS_NULL for none. An enum is a string. */
enum ss_type graph_type_of(const char *name);
/* The reducer that is written as NAME, which is one. */
enum graph_reducer graph_reducer_of(const char *name);
/* Whether min and max are for TYPE. */
bool graph_type_has_range(enum ss_type type);
bool graph_reducer_suits(enum graph_reducer reducer, enum ss_type type);
/* Whether it must know what tells items apart; only then there is a key. */
bool graph_reducer_needs_key(enum graph_reducer reducer, enum ss_type type);
bool graph_reducer_needs_default(enum graph_reducer reducer);

/* The texts that a graph is made from, of its own file and those of its inner workflows and prompts (source.c). */
struct graph_source {
	char *file;                    /* the outermost one, absolute */
	const struct ss_value *stored; /* where they are read from; NULL: from the files */
	struct value_entry *texts;     /* that were read, by their path from the folder of FILE */
	size_t count;
	size_t workflows; /* nodes that are workflows, each counted anew also where they share a file */
};

/* Reads FILE, the outermost or an inner workflow. NULL and mistakes when it is no YAML. */
struct yaml_document *graph_source_read(
	struct graph_source *source, const char *file, struct diagnostics *diagnostics);
/* The text of FILE, which is read once and has at most LIMIT bytes; borrowed. NULL and a mistake when it cannot be
 * read. */
const struct ss_value *graph_source_text(struct graph_source *source, const char *file,
	size_t limit, struct diagnostics *diagnostics);
/* The same as graph_source_read() for a text that is at hand. */
struct yaml_document *graph_source_take(struct graph_source *source, const char *file,
	const char *text, size_t length, struct diagnostics *diagnostics);
/* Gives GRAPH, which was made from SOURCE, its source and its hash. */
void graph_source_finish(struct graph_source *source, struct graph *graph);
void graph_source_free(struct graph_source *source);

void graph_read_state(struct graph_loader *loader, const struct yaml_node *state);
void graph_read_nodes(struct graph_loader *loader, const struct yaml_node *nodes);
/* After the nodes; adds those that their `goto` and `on_error` make. */
void graph_read_edges(
	struct graph_loader *loader, const struct yaml_node *nodes, const struct yaml_node *edges);

/* What a node has beside its agent's options (behaviour.c). */
void graph_read_behaviour(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml);

/* The workflow FILE, which is a node of the one that OUTER reads. */
struct graph *graph_load_inner(
	const struct graph_loader *outer, const char *file, const char *const *inputs);

/* Mistakes that only the whole graph shows: unreachable nodes, ends that lead nowhere, joins that can
 * never complete, fields that are read and never written, fields that are written side by side. Where a part of the file
 * has mistakes, those are left out that might be no more than their consequences. */
void graph_validate(struct graph_loader *loader);

/* Of these, the joins that can never complete. Returns whether each may get all that it waits for. */
bool graph_check_joins(struct graph_loader *loader);

/* For each node whether it surely runs at most once in a turn: one edge leads to it, which is followed once.
 * A new array. */
bool *graph_find_once(const struct graph *graph);

/* Of these, fields that are read and never written. */
void graph_check_fields(struct graph_loader *loader);

/* Whether NODE may write the field SLOT. */
bool graph_writes(const struct graph_node *node, size_t slot);

/* Of these, fields that nodes write side by side; also finds out which joins are late. */
void graph_check_parallel(struct graph_loader *loader);

/* NODE as a value of FIELD, new; NULL and a mistake when it is none. */
struct ss_value *graph_read_value(
	struct graph_loader *loader, const struct graph_field *field, const struct yaml_node *node);

/* The slot of the field that NODE names; GRAPH_NO_SLOT and a mistake when there is none. */
size_t graph_read_slot(struct graph_loader *loader, const struct yaml_node *node);

/* Reads the prompts that the options of NODE's agent name (prompts.c). */
void graph_read_prompts(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *options);

/* Compiles NODE, an expression over the fields of GRAPH, whose value is of the type RESULT (SS_NULL: any).
 * WHAT is what it is called in messages, as in "condition". False when it is wrong, which is reported. */
bool graph_read_expr(struct graph_loader *loader, const struct graph *graph,
	const struct yaml_node *node, enum ss_type result, const char *what,
	struct graph_expr *expr);

#endif
