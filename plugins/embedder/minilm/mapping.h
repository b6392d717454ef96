/* A file mapped for reading, whose pages all workers of a machine share. Used while an instance is
 * created; the mapping itself may then be read on any thread. */
#ifndef MINILM_MAPPING_H
#define MINILM_MAPPING_H

#include <smartsupport/error.h>

#include <stddef.h>

struct mapping {
	const unsigned char *data; /* NULL: nothing is mapped */
	size_t length;             /* bytes */
};

/* Maps the file at PATH, which must not be empty or larger than LIMIT bytes. The error names PATH;
 * its status is SS_NOT_FOUND when there is no such file. A file must be replaced by another one, not
 * shortened in place, while it is mapped. */
int mapping_open(struct mapping *mapping, const char *path, size_t limit, struct ss_error *err);

/* Gives the pages that were read back to the system; they come again when they are read. */
void mapping_rest(const struct mapping *mapping);

void mapping_close(struct mapping *mapping);

#endif
