/*
 * The file that keeps a knowledge base's vectors and its index from one start to the next, so that only texts are
 * embedded that are new. A vector is found by the SHA-256 of its text, and counts only when the embedder is
 * the same; the index counts only when all texts are the same, in their order, and the index's settings are.
 *
 * The file ends with the SHA-256 of all that is before. One that is cut off, damaged, of another format or of a
 * machine with another byte order is refused as a whole; it is made anew then. It is written beside its
 * place and renamed, so that a reader sees the old one or the new one, and who makes one holds a lock, so that
 * workers that start at once make one. Any thread.
 */
#ifndef SERVICE_VECTOR_FILE_H
#define SERVICE_VECTOR_FILE_H

#include "base/hash.h"

#include <smartsupport/error.h>

struct vector_file_key {
	const char *embedder; /* HASH_SIZE - 1 characters: what decides which vector a text has */
	const char *index; /* the same of what decides what the index saves; NULL: it cannot save */
	size_t dimension;
};

/* What a file holds; the members point into its bytes. */
struct vector_file {
	char *bytes;
	size_t count;
	const char *hashes;   /* [count][HASH_SIZE - 1], of the texts, not terminated */
	const float *vectors; /* [count][dimension] */
	const char *index;    /* what the index saved */
	size_t index_length;  /* 0: nothing, or with other settings */
};

/* Reads the file at PATH. SS_NOT_FOUND: there is none; SS_INVALID: it is damaged or of another kind, and the error
 * says what is wrong with it; SS_CONFLICT: it is of another embedder. */
int vector_file_read(const char *path, const struct vector_file_key *key, struct vector_file *file,
	struct ss_error *err);

void vector_file_free(struct vector_file *file);

/* Writes FILE, whose bytes do not matter, to PATH. */
int vector_file_write(const char *path, const struct vector_file_key *key,
	const struct vector_file *file, struct ss_error *err);

/* Makes the folder of PATH if it is missing and waits until nobody else holds the lock of PATH. Returns what
 * vector_file_unlock() takes, -1 and ERR when there can be no lock. */
int vector_file_lock(const char *path, struct ss_error *err);
void vector_file_unlock(int lock);

#endif
