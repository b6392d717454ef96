/* For how long what is stored is kept: the section `retention` of a configuration. Read with the rest (config.h). */
#ifndef CONFIG_RETENTION_H
#define CONFIG_RETENTION_H

#include "config/yaml.h"

#include <smartsupport/plugin.h>

/* As many as there are kinds in enum ss_purged, which begin with 1. */
enum { CONFIG_RETENTION_KINDS = SS_PURGE_ERASURES + 1 };

struct config_retention {
	int64_t keep_ns[CONFIG_RETENTION_KINDS]; /* by enum ss_purged; 0: for ever */
	int64_t every_ns;                        /* how often a worker looks for what is older */
};

/* Reads the section of ROOT. Mistakes go to DIAGNOSTICS; what is wrong is kept for ever. */
void config_retention_read(struct config_retention *retention, const struct yaml_document *document,
	const struct yaml_node *root, struct diagnostics *diagnostics);

/* The key of the kind WHAT, and "erasures". */
const char *config_retention_name(enum ss_purged what);

#endif
