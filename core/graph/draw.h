/*
 * A workflow as a drawing: Mermaid or DOT text, or an SVG that needs nothing else. For the command line and
 * for pages; any thread. The same graph gives the same bytes.
 *
 * Where several edges meet there is a gate: a bar that waits for all of them, or a ring that passes
 * each on. In the SVG a page finds
 *   a node       <g class="node" id="node-NAME">, START and END <g class="pill" id="node-START">;
 *   a gate       <g class="gate" id="gate-ROW">, ROW being the edge's row in the graph;
 *   an edge      <g class="edge" data-from="NAME" data-to="NAME" data-kind="plain">. The kind is plain,
 *                when, else, command or failure; a condition (or "else") is also data-when. To and from a
 *                gate the name is "gate-ROW", and data-gate="ROW" tells it from a node of that name;
 * and lights any of these by adding the class "lit".
 */
#ifndef GRAPH_DRAW_H
#define GRAPH_DRAW_H

#include "base/buffer.h"
#include "graph/graph.h"

enum graph_format { GRAPH_MERMAID, GRAPH_DOT, GRAPH_SVG };

/* Writes GRAPH to OUT. */
void graph_draw(const struct graph *graph, enum graph_format format, struct buffer *out);

#endif
