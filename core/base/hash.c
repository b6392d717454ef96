#include "base/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

char *hash_sha256(const void *data, size_t length, char text[HASH_SIZE])
{
	unsigned char digest[32];
	if (EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* only for want of memory */
	for (size_t i = 0; i < sizeof digest; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}
