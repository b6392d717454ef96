/* The JSON Schema of workflow files, made from the tables that they are read by: editors complete and check with
 * it. What only the whole file shows, as a name that nothing has, is left to the loader. Loop thread. */
#ifndef GRAPH_SCHEMA_H
#define GRAPH_SCHEMA_H

#include "plugin/plugin.h"

/* The schema (draft 2020-12) of workflows over the agents that are in PLUGINS, new. NULL and ERR when one of them
 * does not load. */
struct ss_value *graph_schema(struct plugins *plugins, struct ss_error *err);

#endif
