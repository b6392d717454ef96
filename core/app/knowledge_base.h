/*
 * The knowledge base of a configuration: its articles' vectors, with their place in the cache, and the index.
 * While a runtime is made; loop thread.
 */
#ifndef APP_KNOWLEDGE_BASE_H
#define APP_KNOWLEDGE_BASE_H

#include "config/config.h"
#include "service/articles.h"

#include <smartsupport/plugin.h>

struct knowledge;
struct log;

/* A plugin with its instance and the values of its options. */
struct knowledge_base_part {
	const struct ss_plugin *plugin;
	const char *hash; /* of its file */
	struct ss_value *const *options;
	void *instance;
};

enum { KNOWLEDGE_BASE_EMBEDDER = 17 }; /* characters of an embedder's id, with the NUL */

/* What tells EMBEDDER from those that give other vectors; short, as it is kept with each of them. */
void knowledge_base_embedder(
	const struct knowledge_base_part *embedder, char id[KNOWLEDGE_BASE_EMBEDDER]);

/* Builds the knowledge base of ARTICLES. NULL and ERR when that fails. */
struct knowledge *knowledge_base_new(const struct config *config, const struct articles *articles,
	const struct knowledge_base_part *embedder, const struct knowledge_base_part *index,
	const struct log *log, struct ss_error *err);

#endif
