/* The files that the OpenAPI document is put together from, as the build embeds them. For document.c. */
#ifndef API_DOCUMENT_PARTS_H
#define API_DOCUMENT_PARTS_H

#include <stddef.h>

struct document_part {
	const char *name; /* of the file in openapi/ */
	const char *text; /* YAML */
	size_t length;
};

/* By their names. */
extern const struct document_part document_parts[];
extern const size_t document_part_count;

#endif
