/*
 * Private copies of plugins' files. A server loads a plugin from a copy of its own, so that who writes new code over the
 * installed file, in place, does not reach the code that runs. Any thread.
 */
#ifndef PLUGIN_COPY_H
#define PLUGIN_COPY_H

#include "base/hash.h"

#include <smartsupport/error.h>

/* The file of a copy, in FOLDER (made if it is missing): the name of PATH's file with the SHA-256 of its bytes, which is written to HASH as
 * well, so that the same bytes are copied once. FOLDER NULL: nothing is copied, and it is PATH itself; so it is, with ERR, where
 * nothing can be written. The caller frees it. NULL and ERR, which names the file, when PATH cannot be read or is written to
 * meanwhile. */
char *plugin_copy(const char *path, const char *folder, char hash[HASH_SIZE], struct ss_error *err);

/* Deletes the copies in FOLDER that nobody has asked for within the last DAYS. */
void plugin_copies_tidy(const char *folder, int days);

#endif
