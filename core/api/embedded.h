/* Files that the build makes a part of the program, by their names: of this folder, and of plugins/templates. */
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

/* plugins/templates/: what a new plugin of each kind begins with. */
extern const struct embedded_file agent_template[];
extern const size_t agent_template_count;
extern const struct embedded_file llm_template[];
extern const size_t llm_template_count;
extern const struct embedded_file storage_template[];
extern const size_t storage_template_count;
extern const struct embedded_file embedder_template[];
extern const size_t embedder_template_count;
extern const struct embedded_file index_template[];
extern const size_t index_template_count;

#endif
