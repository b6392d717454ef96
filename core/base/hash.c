#include "base/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *hash_sha256(const void *data, size_t length, char text[HASH_SIZE])
{
	unsigned char digest[32];
	if (EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* only for want of memory */
	for (size_t i = 0; i < sizeof digest; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

void hash_hkdf_sha256(struct ss_text secret, const char *info, unsigned char *bytes, size_t length)
{
	char digest[] = "SHA256";
	/* The parameters are not written to. */
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.data, secret.length),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	if (context == NULL || EVP_KDF_derive(context, bytes, length, parameters) != 1)
		abort(); /* only for want of memory */
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}
