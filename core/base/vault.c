#include "base/vault.h"

#include "base/hash.h"
#include "base/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_BYTES = 32,
	ID_BYTES = 8,
	ID_LENGTH = 2 * ID_BYTES,
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	/* Fewer different characters are no key, however many there are. */
	DIFFERENT_LEAST = 10,
};

static const char version[] = "v1:";
static const char separators[] = ", \t\r\n";

struct key {
	unsigned char bytes[KEY_BYTES];
	char id[ID_LENGTH + 1];
};

struct vault {
	struct key keys[1 + VAULT_PREVIOUS_LIMIT]; /* the first one seals */
	size_t count;
};

/* How many different characters SECRET of LENGTH bytes has. */
static size_t different_characters(const char *secret, size_t length)
{
	bool seen[256] = {false};
	size_t count = 0;
	for (size_t i = 0; i < length; i++) {
		count += !seen[(unsigned char)secret[i]];
		seen[(unsigned char)secret[i]] = true;
	}
	return count;
}

/* The key is derived from the text as it is: what a secret looks like is its owner's choice. */
static int add_key(
	struct vault *vault, const char *name, struct ss_text secret, struct ss_error *err)
{
	static const char advice[] = "make one with: openssl rand -base64 32";
	unsigned char id[ID_BYTES];
	if (secret.length < VAULT_SECRET_LEAST)
		return ss_fail_as(err, SS_INVALID,
			"%s has a key of %zu characters and needs at least %d; %s", name,
			secret.length, (int)VAULT_SECRET_LEAST, advice);
	if (secret.length > VAULT_SECRET_LIMIT)
		return ss_fail_as(err, SS_INVALID, "%s has a key of more than %d characters; %s",
			name, (int)VAULT_SECRET_LIMIT, advice);
	if (different_characters(secret.data, secret.length) < DIFFERENT_LEAST)
		return ss_fail_as(err, SS_INVALID,
			"%s has a key that is easily guessed, with less than %d different "
			"characters; %s",
			name, (int)DIFFERENT_LEAST, advice);
	struct key *key = &vault->keys[vault->count++];
	hash_hkdf_sha256(secret, "smartsupport: secrets at rest, v1", key->bytes, KEY_BYTES);
	hash_hkdf_sha256(secret, "smartsupport: id of the key, v1", id, ID_BYTES);
	for (size_t i = 0; i < ID_BYTES; i++)
		(void)snprintf(key->id + 2 * i, 3, "%02x", id[i]);
	return 0;
}

struct vault *vault_new(const char *secret, const char *previous, struct ss_error *err)
{
	struct vault *vault = memory_make(struct vault);
	if (add_key(vault, "SECRET_KEY", (struct ss_text){secret, strlen(secret)}, err) < 0)
		goto fail;
	const char *at = previous != NULL ? previous : "";
	while (*(at += strspn(at, separators)) != '\0') {
		size_t length = strcspn(at, separators);
		if (vault->count == array_length(vault->keys)) {
			(void)ss_fail_as(err, SS_INVALID,
				"SECRET_KEY_PREVIOUS has more than %d keys",
				(int)VAULT_PREVIOUS_LIMIT);
			goto fail;
		}
		if (add_key(vault, "SECRET_KEY_PREVIOUS", (struct ss_text){at, length}, err) < 0)
			goto fail;
		at += length;
	}
	return vault;
fail:
	vault_free(vault);
	return NULL;
}

void vault_free(struct vault *vault)
{
	if (vault == NULL)
		return;
	OPENSSL_cleanse(vault, sizeof *vault);
	free(vault);
}

void vault_wipe(char *text, size_t length)
{
	if (text == NULL)
		return;
	OPENSSL_cleanse(text, length);
	free(text);
}

/* What is authenticated with the text: each part with its NUL, so that none can pass for a part of the next. */
static int add_place(EVP_CIPHER_CTX *cipher, const struct key *key, struct vault_place place)
{
	const char *const parts[] = {version, key->id, place.kind, place.id};
	int length = 0;
	for (size_t i = 0; i < array_length(parts); i++) {
		if (EVP_CipherUpdate(cipher, NULL, &length, (const unsigned char *)parts[i],
			    (int)strlen(parts[i]) + 1) != 1)
			return -1;
	}
	return 0;
}

/* A cipher that has KEY, NONCE and the place. */
static EVP_CIPHER_CTX *cipher_new(
	const struct key *key, struct vault_place place, const unsigned char *nonce, bool seals)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	/* A nonce of 96 bits is the default. */
	if (cipher == NULL ||
		EVP_CipherInit_ex(
			cipher, EVP_aes_256_gcm(), NULL, key->bytes, nonce, seals ? 1 : 0) != 1 ||
		add_place(cipher, key, place) < 0)
		abort(); /* only for want of memory */
	return cipher;
}

/* "v1:KEYID:" and BYTES as base64. */
static char *sealed_text(const struct key *key, const unsigned char *bytes, size_t length)
{
	size_t start = sizeof version - 1 + ID_LENGTH + 1;
	char *text = memory_new(start + (length + 2) / 3 * 4 + 1);
	(void)sprintf(text, "%s%s:", version, key->id);
	(void)EVP_EncodeBlock((unsigned char *)text + start, bytes, (int)length);
	return text;
}

char *vault_seal(const struct vault *vault, struct vault_place place, struct ss_text text,
	struct ss_error *err)
{
	const struct key *key = &vault->keys[0];
	int length = 0;
	int rest = 0;
	if (text.length > VAULT_TEXT_LIMIT) {
		(void)ss_fail_as(
			err, SS_LIMIT, "a secret may have at most %d bytes", (int)VAULT_TEXT_LIMIT);
		return NULL;
	}
	unsigned char *bytes = memory_new(NONCE_BYTES + text.length + TAG_BYTES);
	if (RAND_bytes(bytes, NONCE_BYTES) != 1) {
		free(bytes);
		(void)ss_fail(err, "the system gives no random numbers");
		return NULL;
	}
	EVP_CIPHER_CTX *cipher = cipher_new(key, place, bytes, true);
	unsigned char *sealed = bytes + NONCE_BYTES;
	if (EVP_CipherUpdate(cipher, sealed, &length, (const unsigned char *)text.data,
		    (int)text.length) != 1 ||
		EVP_CipherFinal_ex(cipher, sealed + length, &rest) != 1 ||
		EVP_CIPHER_CTX_ctrl(
			cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealed + text.length) != 1)
		abort(); /* cannot happen */
	EVP_CIPHER_CTX_free(cipher);
	char *result = sealed_text(key, bytes, NONCE_BYTES + text.length + TAG_BYTES);
	free(bytes);
	return result;
}

/* The key that SEALED names. */
static const struct key *key_of(const struct vault *vault, const char *sealed, struct ss_error *err)
{
	size_t start = sizeof version - 1;
	if (strncmp(sealed, version, start) != 0 ||
		strspn(sealed + start, "0123456789abcdef") != ID_LENGTH ||
		sealed[start + ID_LENGTH] != ':') {
		(void)ss_fail_as(err, SS_INVALID, "is no secret that was sealed");
		return NULL;
	}
	for (size_t i = 0; i < vault->count; i++) {
		if (strncmp(vault->keys[i].id, sealed + start, ID_LENGTH) == 0)
			return &vault->keys[i];
	}
	(void)ss_fail_as(err, SS_NOT_FOUND,
		"was sealed with another SECRET_KEY, which has the id %.*s and not %s; give that "
		"one in SECRET_KEY_PREVIOUS",
		(int)ID_LENGTH, sealed + start, vault->keys[0].id);
	return NULL;
}

/* The bytes of BASE64, new, and *LENGTH; NULL when it is none, or not as sealed_text() writes it. */
static unsigned char *bytes_of(const char *base64, size_t *length)
{
	static const size_t limit =
		((size_t)NONCE_BYTES + VAULT_TEXT_LIMIT + TAG_BYTES + 2) / 3 * 4;
	size_t characters = strlen(base64);
	if (characters == 0 || characters % 4 != 0 || characters > limit)
		return NULL;
	size_t padding = characters - strcspn(base64, "=");
	unsigned char *bytes = memory_new(characters / 4 * 3 + 1);
	char *again = memory_new(characters + 1);
	bool good = EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)characters) >= 0;
	*length = padding <= 2 ? characters / 4 * 3 - padding : 0;
	/* OpenSSL passes over blanks and over bits that the padding leaves. */
	if (good) {
		(void)EVP_EncodeBlock((unsigned char *)again, bytes, (int)*length);
		good = strcmp(again, base64) == 0 && *length >= NONCE_BYTES + TAG_BYTES;
	}
	free(again);
	if (good)
		return bytes;
	free(bytes);
	return NULL;
}

/* Opens LENGTH bytes: nonce, ciphertext and tag. NULL when they are not what was sealed. */
static char *open_bytes(
	const struct key *key, struct vault_place place, unsigned char *bytes, size_t length)
{
	size_t text_length = length - NONCE_BYTES - TAG_BYTES;
	unsigned char *text = memory_new(text_length + 1);
	int done = 0;
	int rest = 0;
	EVP_CIPHER_CTX *cipher = cipher_new(key, place, bytes, false);
	bool good =
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
			bytes + NONCE_BYTES + text_length) == 1 &&
		EVP_CipherUpdate(cipher, text, &done, bytes + NONCE_BYTES, (int)text_length) == 1 &&
		EVP_CipherFinal_ex(cipher, text + done, &rest) == 1;
	EVP_CIPHER_CTX_free(cipher);
	if (good)
		return (char *)text;
	vault_wipe((char *)text, text_length);
	return NULL;
}

char *vault_open(const struct vault *vault, struct vault_place place, const char *sealed,
	size_t *length, struct ss_error *err)
{
	size_t count = 0;
	const struct key *key = key_of(vault, sealed, err);
	if (key == NULL)
		return NULL;
	unsigned char *bytes = bytes_of(sealed + sizeof version + ID_LENGTH, &count);
	char *text = bytes != NULL ? open_bytes(key, place, bytes, count) : NULL;
	free(bytes);
	if (text == NULL)
		(void)ss_fail_as(err, SS_INVALID,
			"is not what was sealed for %s %s: it was changed, or belongs elsewhere",
			place.kind, place.id);
	else
		*length = count - NONCE_BYTES - TAG_BYTES;
	return text;
}

bool vault_is_old(const struct vault *vault, const char *sealed)
{
	const struct key *key = key_of(vault, sealed, NULL);
	return key != NULL && key != &vault->keys[0];
}
