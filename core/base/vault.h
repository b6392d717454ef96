/*
 * Secrets that are stored: encrypted with AES-256-GCM by a key that HKDF-SHA256 (RFC 5869) derives from SECRET_KEY.
 *
 * What is sealed is a text, "v1:KEYID:BASE64". KEYID tells which key it was, without telling anything of the key. The base64
 * is of a random nonce of 96 bits, the ciphertext and the tag of 128 bits. The place where the secret is kept is
 * authenticated with it, so that nobody who can write to the store can put it in another one's place. Any thread.
 */
#ifndef BASE_VAULT_H
#define BASE_VAULT_H

#include <smartsupport/value.h>

enum {
	VAULT_SECRET_LEAST = 32,      /* characters of SECRET_KEY */
	VAULT_SECRET_LIMIT = 1024,    /* the same */
	VAULT_PREVIOUS_LIMIT = 16,    /* keys that still open what was sealed with them */
	VAULT_TEXT_LIMIT = 64 * 1024, /* bytes of what is sealed */
};

struct vault;

/* Where a secret is kept: what it is, as in "webhook", and whose. */
struct vault_place {
	const char *kind, *id;
};

/* By SECRET, the text of SECRET_KEY, which seals and opens; and those of PREVIOUS (between blanks or commas; may be NULL or
 * empty), which only open. The error says what is wrong with them and not what they are. */
struct vault *vault_new(const char *secret, const char *previous, struct ss_error *err);

/* Wipes the keys. NULL is allowed. */
void vault_free(struct vault *vault);

/* TEXT sealed for PLACE: new. NULL when TEXT is too long or the system has no random numbers. */
char *vault_seal(const struct vault *vault, struct vault_place place, struct ss_text text,
	struct ss_error *err);

/* Opens SEALED, which was sealed for PLACE: new and NUL-terminated, with *LENGTH bytes; vault_wipe() it. The error tells
 * whether the key is missing (SS_NOT_FOUND) or the text is not what was sealed for this place (SS_INVALID). */
char *vault_open(const struct vault *vault, struct vault_place place, const char *sealed,
	size_t *length, struct ss_error *err);

/* Whether SEALED was sealed with a previous key, and should be sealed again. */
bool vault_is_old(const struct vault *vault, const char *sealed);

/* Overwrites LENGTH bytes of TEXT and frees it. NULL is allowed. */
void vault_wipe(char *text, size_t length);

#endif
