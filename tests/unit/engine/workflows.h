/* Random workflows for the stage. */
#ifndef ENGINE_WORKFLOWS_H
#define ENGINE_WORKFLOWS_H

#include <stdint.h>

/* Nodes and edges in YAML, the same for the same SEED; the caller frees it. Some of them are not right, and are
 * refused when they are loaded; some never end but by a limit. */
char *workflow_random(uint64_t seed);

#endif
