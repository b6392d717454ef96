/* For tests of what is said about workflows when they are loaded. */
#ifndef GRAPH_LOADING_H
#define GRAPH_LOADING_H

#include "graph/graph.h"

#define STATE                                                                                      \
	"version: 1\n"                                                                             \
	"name: test\n"                                                                             \
	"state:\n"                                                                                 \
	"  message:  {type: string}\n"                                                             \
	"  response: {type: string}\n"                                                             \
	"  count:    {type: int, min: 1, max: 10, default: 5}\n"                                   \
	"  label:    {type: enum, values: [Low, High], default: Low}\n"

/* The fields that are given when a turn starts. */
extern const char *const inputs[];

/* Where the tests' agents and the product's are. */
struct plugins *fixtures(void);

/* What is said about TEXT, the file w.yaml, sorted, one line a mistake; the caller frees it. NULL and *GRAPH
 * when it loads. */
char *load_workflow(const char *text, size_t length, struct graph **graph);

/* The graph of TEXT, which must load. */
struct graph *loads(const char *text);

/* TEXT gives exactly COUNT mistakes, and the lines (char *) are what they begin with, in this order. */
void refused(const char *text, int count, ...);

#endif
