/* Hashes of content, and keys from secrets. Any thread. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <smartsupport/value.h>

#include <stddef.h>

enum { HASH_SIZE = 65 }; /* of the text, the NUL included */

/* Writes the SHA-256 of LENGTH bytes of DATA to TEXT, hexadecimal. Returns TEXT. */
char *hash_sha256(const void *data, size_t length, char text[HASH_SIZE]);

/* Derives LENGTH bytes (up to 8,160) from SECRET for the purpose INFO, by HKDF with SHA-256 and without a salt (RFC 5869). */
void hash_hkdf_sha256(struct ss_text secret, const char *info, unsigned char *bytes, size_t length);

#endif
