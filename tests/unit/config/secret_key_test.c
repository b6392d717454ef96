#include "config/secret_key.h"

#include "unit/config/mistakes.h"

#include "base/vault.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char key[] = "Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OUFCQ0RFRkdISQ==";

static void set_up(void)
{
	(void)unsetenv("ENVIRONMENT");
	(void)unsetenv("SECRET_KEY");
	(void)unsetenv("SECRET_KEY_PREVIOUS");
}

TestSuite(secret_key, .init = set_up);

/* Expects MISTAKES; and a vault, if it should HAVE one. */
static void expect_read(bool have, const char *mistakes)
{
	struct diagnostics diagnostics = {0};
	struct vault *vault = NULL;
	cr_expect_eq(secret_key_read(&vault, &diagnostics), mistakes[0] == '\0' ? 0 : -1);
	mistakes_expect(&diagnostics, mistakes);
	cr_expect_eq(vault != NULL, have);
	vault_free(vault);
}

Test(secret_key, may_be_missing_in_development)
{
	expect_read(false, "");
	(void)setenv("ENVIRONMENT", "development", 1);
	(void)setenv("SECRET_KEY", "", 1);
	expect_read(false, "");
}

Test(secret_key, must_be_there_in_production)
{
	(void)setenv("ENVIRONMENT", "production", 1);
	expect_read(false,
		"environment: ENVIRONMENT is production, and SECRET_KEY, by which stored secrets "
		"are encrypted, is not set; make one with: openssl rand -base64 32\n");
	(void)setenv("SECRET_KEY", key, 1);
	expect_read(true, "");
	(void)setenv("SECRET_KEY_PREVIOUS", key, 1);
	expect_read(true, "");
}

Test(secret_key, that_is_short_is_refused_anywhere)
{
	(void)setenv("SECRET_KEY", "hunter2", 1);
	expect_read(false,
		"environment: SECRET_KEY has a key of 7 characters and needs at least 32; make one "
		"with: openssl rand -base64 32\n");
}

Test(secret_key, that_is_replaced_needs_one_that_replaces_it)
{
	(void)setenv("SECRET_KEY_PREVIOUS", key, 1);
	expect_read(false,
		"environment: SECRET_KEY_PREVIOUS is set, and SECRET_KEY is not; make one with: "
		"openssl rand -base64 32\n");
}

Test(secret_key, environment_with_a_slip_is_refused)
{
	(void)setenv("ENVIRONMENT", "prodution", 1);
	(void)setenv("SECRET_KEY", key, 1);
	expect_read(false,
		"environment: ENVIRONMENT is \"prodution\"; it may be development (the default), "
		"test or production\n");
}
