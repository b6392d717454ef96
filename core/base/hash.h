/* Hashes of content. Any thread. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

enum { HASH_SIZE = 65 }; /* of the text, the NUL included */

/* Writes the SHA-256 of LENGTH bytes of DATA to TEXT, hexadecimal. Returns TEXT. */
char *hash_sha256(const void *data, size_t length, char text[HASH_SIZE]);

#endif
