/*
 * The conformance suite of storage plugins: what <smartsupport/storage.h> says of a storage, as cases that any plugin
 * can be tried with. For `smartsupport plugin check`, on the thread that calls it.
 *
 * A case makes its own users, conversations, turns and articles, with ids that nobody else has, so a store may hold
 * data already. It must be left alone meanwhile, as some figures are of the whole store, and whoever claims deliveries may
 * be given any that is due: those that are not the case's own are claimed for a minute. Journals are deleted
 * again; there is no operation that deletes the rest.
 */
#ifndef CONFORMANCE_STORAGE_H
#define CONFORMANCE_STORAGE_H

#include <smartsupport/plugin.h>

/* What a case came to. Borrowed for the call. */
struct conformance_outcome {
	const char *area;     /* of the contract: "turns", "journals", … */
	const char *sentence; /* what the case says of a storage */
	bool ok;
	const char *what, *expected, *came; /* of the first mistake; NULL when there is none */
};

typedef void conformance_told(void *context, const struct conformance_outcome *outcome);

/* How the suite is run. */
struct conformance_run {
	const struct ss_plugin *plugin;
	const struct ss_setup *setup;
	unsigned timeout_s; /* for one case */
	const char *only; /* a part of the sentences of the cases that are run; NULL: all of them */
};

/* Runs the cases on the store that the plugin opens with its setup, and tells each one's outcome. When the store cannot be
 * opened, that is the only one. Each runs in a process of its own, for timeout_s seconds at most, so there must be no
 * other threads, and what was printed must have been flushed. */
void conformance_storage(const struct conformance_run *run, conformance_told *told, void *context);

#endif
