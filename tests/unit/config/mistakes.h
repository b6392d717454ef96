/* Diagnostics as they are printed, so that a test compares them as one text. */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include "config/diagnostics.h"

/* The lines of DIAGNOSTICS, which is freed. The caller frees the text. */
char *mistakes_take(struct diagnostics *diagnostics);

/* Expects that DIAGNOSTICS, which is freed, has exactly the lines of EXPECTED. */
void mistakes_expect(struct diagnostics *diagnostics, const char *expected);

#endif
