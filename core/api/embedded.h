/* Files of this folder that the build makes a part of the program, by their names. */
#ifndef API_EMBEDDED_H
#define API_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *name; /* without its folder */
	const char *text; /* NUL-terminated */
	size_t length;
};

/* openapi/: what the OpenAPI document is put together from, in YAML. */
extern const struct embedded_file document_parts[];
extern const size_t document_parts_count;

/* pages/: what is shown in browsers. */
extern const struct embedded_file page_files[];
extern const size_t page_files_count;

#endif
