/* Workflows that tests hold as right, for the test of their schema (tests/integration/schema.test.mjs): it asks
 * for them with the environment variable SMARTSUPPORT_KEEP_WORKFLOWS, the folder that they are written to. */
#ifndef SUPPORT_KEPT_H
#define SUPPORT_KEPT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes TEXT to the folder, if somebody asks; the same text is written once. */
static inline void kept_workflow(const char *text)
{
	char path[4096];
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	const char *folder = getenv("SMARTSUPPORT_KEEP_WORKFLOWS");
	if (folder == NULL)
		return;
	for (const char *c = text; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	(void)snprintf(path, sizeof path, "%s/%016llx.yaml", folder, (unsigned long long)hash);
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

#endif
