/*
 * Runs a case in a process of its own, so that a plugin that crashes or never returns is one failure and not the end of
 * the suite, and nothing that one case leaves behind in memory is there for the next one.
 */
#ifndef CONFORMANCE_CASE_H
#define CONFORMANCE_CASE_H

#include "conformance/probe.h"

/* What a case came to. */
struct case_result {
	bool opened; /* the store */
	bool ok;
	char *what, *expected, *came; /* NULL when it is ok */
};

/* Runs ONE on the store that PLUGIN opens with SETUP, for TIMEOUT_S seconds at most. */
struct case_result case_run(const struct probe_case *one, const struct ss_plugin *plugin,
	const struct ss_setup *setup, unsigned timeout_s);
void case_result_free(struct case_result *result);

#endif
