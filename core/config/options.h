/*
 * Options: the keys of a mapping in YAML, checked against a table of struct ss_option. The same
 * tables describe the server's own settings and what plugins declare, so there is one reader, one
 * way to report mistakes and one source for documentation.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/yaml.h"

#include <smartsupport/plugin.h>

/* The number of rows before the one whose name is NULL; 0 for NULL. */
size_t options_count(const struct ss_option *rows);

/* Reads the mapping NODE (NULL: everything has its default) of DOCUMENT by ROWS into VALUES, one new
 * value a row. PLACE, where the mapping would stand, takes the blame for missing options. Keys in
 * SECTIONS (ends with NULL; may be NULL) are left to the caller. WHAT names the mapping in messages,
 * as in "the agent technical". Returns -1 when there was a mistake; VALUES are filled all the same,
 * with NULL where nothing could be read. */
int options_read(const struct yaml_document *document, const struct yaml_node *node,
	const struct yaml_node *place, const struct ss_option *rows, const char *const *sections,
	const char *what, struct ss_value **values, struct diagnostics *diagnostics);

void options_free(struct ss_value **values, size_t count);

/* Overwrites the secrets among the VALUES that were read from NODE (NULL: none was given) by ROWS, and where they are
 * written in NODE, once who needed them has copied them. */
void options_wipe_secrets(
	const struct yaml_node *node, const struct ss_option *rows, struct ss_value **values);

/* NODE as a value: scalars by their YAML types. New. */
struct ss_value *options_value(const struct yaml_node *node);

#endif
