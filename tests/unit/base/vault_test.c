#include "base/vault.h"

#include "base/memory.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char secret[] = "Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OUFCQ0RFRkdISQ==";
static const char other[] = "q0x5v9G3bPz7mN2cT8wL4kR6yH1jD0fS5aQ3eU9iO7g=";
static const struct vault_place place = {"webhook", "wh_1"};

static struct vault *vault_of(const char *key, const char *previous)
{
	struct ss_error err;
	struct vault *vault = vault_new(key, previous, &err);
	cr_assert_not_null(vault, "%s", err.text);
	return vault;
}

static char *seal(const struct vault *vault, const char *text)
{
	struct ss_error err;
	char *sealed = vault_seal(vault, place, text_of(text), &err);
	cr_assert_not_null(sealed, "%s", err.text);
	return sealed;
}

static void expect_opens(const struct vault *vault, const char *sealed, const char *expected)
{
	struct ss_error err = {0};
	size_t length = 0;
	char *text = vault_open(vault, place, sealed, &length, &err);
	cr_assert_not_null(text, "%s", err.text);
	cr_expect_str_eq(text, expected);
	cr_expect_eq(length, strlen(expected));
	vault_wipe(text, length);
}

static void expect_refuses(const struct vault *vault, struct vault_place where, const char *sealed,
	enum ss_status status, const char *why)
{
	struct ss_error err = {0};
	size_t length = 0;
	cr_expect_null(vault_open(vault, where, sealed, &length, &err), "%s", sealed);
	cr_expect_eq(err.status, status);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

static void expect_no_vault(const char *key, const char *previous, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(vault_new(key, previous, &err));
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
	cr_expect_eq(err.status, SS_INVALID);
}

/* Made by another program, with OpenSSL's HKDF and AES-256-GCM in Node.js, and the nonce 00 01 … 0b. */
Test(vault, opens_what_another_program_has_sealed)
{
	struct vault *vault = vault_of(secret, NULL);
	expect_opens(vault,
		"v1:bec82e7b75ad31b0:AAECAwQFBgcICQoLAPUznjTwb4OUYVFv5O0IctGmi2b2kZSp+Q==",
		"whsec_abc");
	vault_free(vault);
}

Test(vault, opens_what_it_sealed_of_any_length)
{
	struct vault *vault = vault_of(secret, "");
	char text[200] = "";
	for (size_t i = 0; i < sizeof text; i++) {
		char *sealed = seal(vault, text);
		expect_opens(vault, sealed, text);
		free(sealed);
		text[i] = i + 1 < sizeof text ? 'a' : '\0';
	}
	vault_free(vault);
}

Test(vault, never_seals_the_same_text_in_the_same_way)
{
	struct vault *vault = vault_of(secret, NULL);
	char *one = seal(vault, "whsec_abc");
	char *two = seal(vault, "whsec_abc");
	cr_expect_str_neq(one, two);
	free(one);
	free(two);
	vault_free(vault);
}

Test(vault, notices_a_change_of_any_character)
{
	struct vault *vault = vault_of(secret, NULL);
	char *sealed = seal(vault, "whsec_abc");
	for (size_t i = 0; sealed[i] != '\0'; i++) {
		struct ss_error err = {0};
		size_t length = 0;
		char before = sealed[i];
		for (int c = 1; c < 256; c++) {
			if ((char)c == before)
				continue;
			sealed[i] = (char)c;
			cr_expect_null(
				vault_open(vault, place, sealed, &length, &err), "%s", sealed);
		}
		sealed[i] = before;
	}
	expect_opens(vault, sealed, "whsec_abc");
	free(sealed);
	vault_free(vault);
}

Test(vault, notices_that_something_is_missing_or_was_added)
{
	struct vault *vault = vault_of(secret, NULL);
	struct ss_error err;
	size_t length = 0;
	char *sealed = seal(vault, "whsec_abc");
	char *longer = memory_format("%sAAAA", sealed);
	cr_expect_null(vault_open(vault, place, longer, &length, &err));
	for (size_t end = strlen(sealed); end-- > 0;) {
		sealed[end] = '\0';
		cr_expect_null(vault_open(vault, place, sealed, &length, &err), "%s", sealed);
	}
	free(longer);
	free(sealed);
	vault_free(vault);
}

Test(vault, opens_a_secret_in_its_own_place_only)
{
	struct vault *vault = vault_of(secret, NULL);
	char *sealed = seal(vault, "whsec_abc");
	const struct vault_place others[] = {
		{"webhook", "wh_2"}, {"key", "wh_1"}, {"webhoo", "kwh_1"}, {"webhookwh_1", ""}};
	for (size_t i = 0; i < array_length(others); i++)
		expect_refuses(vault, others[i], sealed, SS_INVALID, "belongs elsewhere");
	free(sealed);
	vault_free(vault);
}

Test(vault, says_which_key_is_missing)
{
	struct vault *one = vault_of(secret, NULL);
	struct vault *two = vault_of(other, NULL);
	char *sealed = seal(one, "whsec_abc");
	expect_refuses(two, place, sealed, SS_NOT_FOUND,
		"another SECRET_KEY, which has the id bec82e7b75ad31b0");
	expect_refuses(one, place, "whsec_abc", SS_INVALID, "is no secret that was sealed");
	expect_refuses(one, place, "", SS_INVALID, "is no secret that was sealed");
	free(sealed);
	vault_free(one);
	vault_free(two);
}

Test(vault, rotates_its_key)
{
	struct vault *before = vault_of(secret, NULL);
	char *previous = memory_format(" %s,\n", secret);
	struct vault *after = vault_of(other, previous);
	char *old = seal(before, "whsec_abc");
	char *new = seal(after, "whsec_abc");
	expect_opens(after, old, "whsec_abc");
	expect_opens(after, new, "whsec_abc");
	expect_refuses(before, place, new, SS_NOT_FOUND, "SECRET_KEY_PREVIOUS");
	cr_expect(vault_is_old(after, old));
	cr_expect_not(vault_is_old(after, new));
	cr_expect_not(vault_is_old(before, old));
	free(old);
	free(new);
	free(previous);
	vault_free(before);
	vault_free(after);
}

Test(vault, refuses_keys_that_are_none)
{
	expect_no_vault("", NULL, "SECRET_KEY has a key of 0 characters and needs at least 32");
	expect_no_vault("short", NULL, "openssl rand -base64 32");
	expect_no_vault("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, "easily guessed");
	expect_no_vault(secret, "short", "SECRET_KEY_PREVIOUS has a key of 5 characters");
	char *many = memory_string("");
	for (int i = 0; i <= VAULT_PREVIOUS_LIMIT; i++) {
		char *more = memory_format("%s %s%d", many, secret, i);
		free(many);
		many = more;
	}
	expect_no_vault(secret, many, "more than 16 keys");
	free(many);
	char *endless = memory_new(VAULT_SECRET_LIMIT + 2);
	for (int i = 0; i <= VAULT_SECRET_LIMIT; i++)
		endless[i] = (char)('a' + i % 26);
	expect_no_vault(endless, NULL, "more than 1024 characters");
	free(endless);
}

Test(vault, refuses_a_text_that_is_too_long)
{
	struct vault *vault = vault_of(secret, NULL);
	struct ss_error err = {0};
	char *text = memory_new(VAULT_TEXT_LIMIT + 1);
	struct ss_text longest = {text, VAULT_TEXT_LIMIT};
	size_t length = 0;
	char *sealed = vault_seal(vault, place, longest, &err);
	char *opened = vault_open(vault, place, sealed, &length, &err);
	cr_assert_not_null(opened);
	cr_expect_eq(length, (size_t)VAULT_TEXT_LIMIT);
	longest.length++;
	cr_expect_null(vault_seal(vault, place, longest, &err));
	cr_expect_eq(err.status, SS_LIMIT);
	vault_wipe(opened, length);
	free(sealed);
	free(text);
	vault_free(vault);
}
