/* A case of conformance_plugin(), in the process that it runs in. */
#ifndef CONFORMANCE_PLUGIN_CASE_H
#define CONFORMANCE_PLUGIN_CASE_H

#include "conformance/plugin.h"

#include <smartsupport/testing.h>

struct plugin_case {
	const struct plugin_trial *trial;
	const struct ss_plugin *plugin; /* NULL until it is loaded */
	struct ss_test_host *host;
	/* The first mistake; NULL: none so far. */
	char *what, *expected, *came;
};

/* One of the things that are tried. */
struct plugin_trying {
	const char *area;
	const char *sentence;
	void (*run)(struct plugin_case *one);
	bool alone; /* it makes the instances that it needs by itself */
};

/* Notes a mistake, unless there is one. EXPECTED and CAME are formatted by who calls; CAME is taken. */
void plugin_case_fail(struct plugin_case *one, const char *what, const char *expected, char *came);

/* Forgets the mistake. */
void plugin_case_forget(struct plugin_case *one);

/* The values of the agent's FIELD, a list; NULL when it is no enum. */
const struct ss_value *plugin_case_values(const struct plugin_case *one, const char *field);

/* A host for the plugin, with the fields that are enums. */
struct ss_test_host *plugin_case_host(const struct plugin_case *one);

/* Makes the host and the instance; false when that fails or a model is left out, which is a mistake then. */
bool plugin_case_create(struct plugin_case *one);
void plugin_case_destroy(struct plugin_case *one);

/* A round of work with an instance, as cases repeat it to see what is left. */
void plugin_case_work(struct plugin_case *one);

/* The same of a storage, which has no cases here: what it asks changes nothing, and need not go well. */
void plugin_storage_work(struct plugin_case *one);

/* What a trial is of, by kinds; each ends with a row whose run is NULL. */
extern const struct plugin_trying plugin_agent_cases[], plugin_model_cases[],
	plugin_embedder_cases[], plugin_index_cases[];

/* The symbols that the ELF file at PATH exports beside the descriptor, as one text, new; "" for none. NULL when it cannot be
 * read. */
char *plugin_symbols(const char *path);

/* Texts that no plugin may stumble over; ends with NULL. */
extern const char *const plugin_odd_texts[];

#endif
