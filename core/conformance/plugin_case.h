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

/* Makes the host and the instance; false when that fails, which is a mistake then, or when a model is left out. */
bool plugin_case_create(struct plugin_case *one);
void plugin_case_destroy(struct plugin_case *one);

/* A round of work with an instance, as cases repeat it to see what is left. */
void plugin_case_work(struct plugin_case *one);

/* What a trial is of, by kinds; each ends with a row whose run is NULL. */
extern const struct plugin_trying plugin_agent_cases[], plugin_model_cases[],
	plugin_embedder_cases[], plugin_index_cases[];

/* The symbols that the ELF file at PATH exports beside the descriptor, as one text, new; "" for none. NULL when it cannot be
 * read. */
char *plugin_symbols(const char *path);

/* Texts that no plugin may stumble over; ends with NULL. */
extern const char *const plugin_odd_texts[];

#endif
