/*
 * YAML files as trees of nodes with their positions, read through libyaml. For everything that reads
 * configuration, while it loads. A tree is immutable; its nodes live as long as the document.
 *
 * In a scalar, ${NAME} stands for the environment variable NAME, which must be set and not empty,
 * ${NAME:-text} for its value or for the text when it is unset or empty, and $${ for a plain ${.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/diagnostics.h"

#include <stdbool.h>
#include <stdint.h>

/* Bounds on what is read. */
enum {
	YAML_FILE_LIMIT = 8 * 1024 * 1024,  /* bytes */
	YAML_TEXT_LIMIT = 64 * 1024 * 1024, /* bytes of all scalars, with aliases and variables */
	YAML_NODE_LIMIT = 200000,
	YAML_DEPTH_LIMIT = 64,
};

enum yaml_kind {
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAPPING,
};

struct yaml_node {
	enum yaml_kind kind;
	size_t line;    /* from 1 */
	size_t column;  /* from 1 */
	char *text;     /* of a scalar */
	char *variable; /* of a scalar: the first environment variable in its text; NULL for none */
	bool quoted;    /* a scalar in quotes or a block is a string whatever it looks like */
	bool verbatim;  /* a scalar that stands on one line as it is in text, but for the quotes */
	size_t count;
	struct yaml_node **keys;  /* of a mapping: scalars */
	struct yaml_node **items; /* of a sequence; the values of a mapping */
};

struct yaml_document {
	char *file;
	struct yaml_node *root; /* NULL for a file with nothing in it */
};

/* Reads FILE. NULL when it cannot be read or is not YAML; every mistake goes to DIAGNOSTICS. */
struct yaml_document *yaml_load(const char *file, struct diagnostics *diagnostics);

/* The same for LENGTH bytes of TEXT that begin at LINE of FILE (1 for a whole file). */
struct yaml_document *yaml_parse(const char *file, size_t line, const char *text, size_t length,
	struct diagnostics *diagnostics);

/* The same for text from outside: ${NAME} stands for itself, so nobody learns what is in the environment. */
struct yaml_document *yaml_parse_plain(const char *file, size_t line, const char *text,
	size_t length, struct diagnostics *diagnostics);

void yaml_close(struct yaml_document *document);

/* The value at KEY of a mapping, or NULL; of NULL: NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* Overwrites what the scalars of DOCUMENT have from variables that hold keys; for who does not need them. */
void yaml_wipe_keys(struct yaml_document *document);

/* Whether NODE is a plain `null`, `~` or nothing at all. */
bool yaml_is_null(const struct yaml_node *node);

/* Scalars by their YAML 1.2 core types; false when NODE is something else. */
bool yaml_bool(const struct yaml_node *node, bool *value);
bool yaml_int(const struct yaml_node *node, int64_t *value);
bool yaml_number(const struct yaml_node *node, double *value);
/* 250ms, 2s, 5m, 24h, 7d as nanoseconds. */
bool yaml_duration_ns(const struct yaml_node *node, int64_t *value);

/* "a single value", "a list", "a mapping" or "nothing": what NODE is, for messages. */
const char *yaml_kind_name(const struct yaml_node *node);

/* Adds a mistake at NODE, and the environment variable that NODE's text came from. */
__attribute__((format(printf, 4, 5))) void yaml_mistake(const struct yaml_document *document,
	const struct yaml_node *node, struct diagnostics *diagnostics, const char *format, ...);

#endif
