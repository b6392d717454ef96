#include "config/secret_key.h"

#include "base/memory.h"
#include "base/vault.h"
#include "config/environment.h"

#include <stdlib.h>
#include <string.h>

static const char *value_of(const char *name)
{
	const char *value = getenv(name);
	return value != NULL ? value : "";
}

/* Where NAME is set, for a message. */
static const char *place_of(const char *name)
{
	return environment_from_file(name) ? ".env" : "environment";
}

/* A slip in it must not make a server of production one that may do without. */
static bool check_environment(struct diagnostics *diagnostics)
{
	static const char *const known[] = {"", "development", "test", "production"};
	for (size_t i = 0; i < array_length(known); i++) {
		if (strcmp(value_of("ENVIRONMENT"), known[i]) == 0)
			return strcmp(known[i], "production") == 0;
	}
	diagnostics_add(diagnostics, place_of("ENVIRONMENT"), 0, 0,
		"ENVIRONMENT is \"%.*s\"; it may be development (the default), test or production",
		60, value_of("ENVIRONMENT"));
	return false;
}

int secret_key_read(struct vault **vault, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	size_t mistakes = diagnostics->count;
	bool production = check_environment(diagnostics);
	const char *key = value_of("SECRET_KEY");
	const char *previous = value_of("SECRET_KEY_PREVIOUS");
	*vault = NULL;
	if (key[0] != '\0') {
		*vault = vault_new(key, previous, &err);
		if (*vault == NULL)
			diagnostics_add(diagnostics, place_of("SECRET_KEY"), 0, 0, "%s", err.text);
	} else if (production) {
		diagnostics_add(diagnostics, place_of("ENVIRONMENT"), 0, 0,
			"ENVIRONMENT is production, and SECRET_KEY, by which stored secrets are "
			"encrypted, is not set; make one with: openssl rand -base64 32");
	} else if (previous[0] != '\0') {
		diagnostics_add(diagnostics, place_of("SECRET_KEY_PREVIOUS"), 0, 0,
			"SECRET_KEY_PREVIOUS is set, and SECRET_KEY is not; make one with: openssl "
			"rand -base64 32");
	}
	if (diagnostics->count == mistakes)
		return 0;
	vault_free(*vault);
	*vault = NULL;
	return -1;
}
