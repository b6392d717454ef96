/*
 * The keys for secrets that are stored (base/vault.h), from the environment: SECRET_KEY, which seals them, and
 * SECRET_KEY_PREVIOUS, those that it has replaced. Read before environment_wipe_keys().
 */
#ifndef CONFIG_SECRET_KEY_H
#define CONFIG_SECRET_KEY_H

#include "config/diagnostics.h"

struct vault;

/* Makes *VAULT, NULL when there is no SECRET_KEY. -1 and mistakes in DIAGNOSTICS, none of which shows a key, when the keys are
 * none, when ENVIRONMENT says what this server does not know, or says production and there is no SECRET_KEY. */
int secret_key_read(struct vault **vault, struct diagnostics *diagnostics);

#endif
