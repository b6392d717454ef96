/* Reading a workflow, in parts; for the files of this room only. */
#ifndef GRAPH_LOAD_H
#define GRAPH_LOAD_H

#include "graph/graph.h"

struct graph_loader {
	const struct yaml_document *document;
	struct graph *graph;
	struct plugins *plugins;
	const char *const *inputs;
	struct diagnostics *diagnostics;
};

void graph_read_state(struct graph_loader *loader, const struct yaml_node *state);
void graph_read_nodes(struct graph_loader *loader, const struct yaml_node *nodes);
void graph_read_edges(struct graph_loader *loader, const struct yaml_node *edges);

/* Mistakes that only the whole graph shows: unreachable nodes, ends that lead nowhere, joins that can
 * never complete, fields that are read and never written. */
void graph_validate(struct graph_loader *loader);

/* Of these, the joins that can never complete. */
void graph_check_joins(struct graph_loader *loader);

/* NODE as a value of FIELD, new; NULL and a mistake when it is none. */
struct ss_value *graph_read_value(
	struct graph_loader *loader, const struct graph_field *field, const struct yaml_node *node);

#endif
