/*
 * What can be tried on a plugin of any kind: that it loads, exports its descriptor alone, and that its callbacks bear good, odd
 * and hostile input in the host of the test kit (<smartsupport/testing.h>), without leaks and threads that stay. For
 * `smartsupport plugin check`, on the thread that calls it.
 *
 * Each case runs in a process of its own, with limits, so a plugin that crashes, never returns or takes all memory fails that
 * case alone. There must be no other threads, and what was printed must have been flushed.
 */
#ifndef CONFORMANCE_PLUGIN_H
#define CONFORMANCE_PLUGIN_H

#include "conformance/storage.h"

/* How a plugin is tried. */
struct plugin_trial {
	const char *file;    /* a path with a slash in it */
	const char *options; /* as YAML */
	const struct ss_value *
		values; /* of fields that are enums: a map of lists of words; NULL: no field is one */
	unsigned timeout_s; /* for one case */
	size_t memory_mib;  /* for one case; not where the program is built with a sanitizer */
	const char *only;   /* as in struct conformance_run */
};

/* Tries the plugin and tells each case's outcome. When it cannot be loaded, that is the only one. Returns its descriptor; NULL
 * when there is none. */
const struct ss_plugin *conformance_plugin(
	const struct plugin_trial *trial, conformance_told *told, void *context);

#endif
