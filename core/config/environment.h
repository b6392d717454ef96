/* The environment from a .env file: lines NAME=VALUE, blank lines and # comments. What is set in the
 * environment already wins. Called once by main(), before there are threads. */
#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

#include "config/diagnostics.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads FILE if it exists. Mistakes go to DIAGNOSTICS, without the values, which may be secrets. */
void environment_load(const char *file, struct diagnostics *diagnostics);

/* Whether the variable NAME has its value from the file that was read, here or in the process that this one
 * was forked from. For messages. */
bool environment_from_file(const char *name);

/* Whether the variable with this NAME of LENGTH bytes holds a key: its name ends with _API_KEY, or is
 * SECRET_KEY or SECRET_KEY_PREVIOUS. */
bool environment_names_key(const char *name, size_t length);

/* Overwrites the values of such variables in this process's own copy of the environment,
 * once everybody has read what they need. Processes that are forked from this one find them empty. */
void environment_wipe_keys(void);

#endif
