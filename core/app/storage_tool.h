/* The storage of a configuration before a store is opened: for commands about the store itself. */
#ifndef APP_STORAGE_TOOL_H
#define APP_STORAGE_TOOL_H

#include "app/runtime.h"
#include "base/log.h"
#include "config/diagnostics.h"

#include <smartsupport/plugin.h>

struct storage_tool {
	struct log log;
	struct config *config;
	struct runtime *runtime;
	struct diagnostics diagnostics;
};

/* Finds the plugin that the configuration FILE (NULL: the default) names. False when something is wrong, which was
 * printed. Close it in any case. */
bool storage_tool_open(struct storage_tool *tool, const char *file);
void storage_tool_close(struct storage_tool *tool);

/* Whether the configuration FILE names a store that is there and that opening would not change. False when not, or
 * when it cannot be told, which was printed. */
bool storage_is_current(const char *file);

#endif
