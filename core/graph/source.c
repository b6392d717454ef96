/* The texts that a graph is made from: kept with it, so that it can be made again as it was. */
#include "base/file.h"
#include "base/memory.h"
#include "graph/load.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

static size_t folder_length(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash != NULL ? (size_t)(slash - file) + 1 : 0;
}

/* FILE as seen from the folder of the outermost one, if it is in there; new. */
static char *path_of(const struct graph_source *source, const char *file)
{
	char *absolute = file_absolute(file);
	size_t folder = folder_length(source->file);
	bool inside = strncmp(absolute, source->file, folder) == 0;
	char *path = memory_string(inside ? absolute + folder : absolute);
	free(absolute);
	return path;
}

struct yaml_document *graph_source_take(struct graph_source *source, const char *file,
	const char *text, size_t length, struct diagnostics *diagnostics)
{
	source->texts = memory_resize(source->texts, source->count + 1, sizeof *source->texts);
	source->texts[source->count].key = path_of(source, file);
	source->texts[source->count++].value = value_string(text, length);
	return yaml_parse(file, 1, text, length, diagnostics);
}

static struct yaml_document *read_stored(
	struct graph_source *source, const char *file, struct diagnostics *diagnostics)
{
	char *path = path_of(source, file);
	const struct ss_value *text = value_get(value_get(source->stored, "texts"), path);
	struct yaml_document *document = NULL;
	free(path);
	if (value_type(text) == SS_STRING)
		document = graph_source_take(source, file, value_as_text(text).data,
			value_as_text(text).length, diagnostics);
	else
		diagnostics_add(diagnostics, file, 0, 0,
			"the stored workflow lacks this file, which it was made from");
	return document;
}

struct yaml_document *graph_source_read(
	struct graph_source *source, const char *file, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (source->stored != NULL)
		return read_stored(source, file, diagnostics);
	if (file_read(file, YAML_FILE_LIMIT, &text, &length, &err) < 0) {
		diagnostics_add_error(diagnostics, file, &err);
		return NULL;
	}
	struct yaml_document *document = graph_source_take(source, file, text, length, diagnostics);
	free(text);
	return document;
}

void graph_source_finish(struct graph_source *source, struct graph *graph)
{
	size_t folder = folder_length(source->file);
	const char *name = source->file + folder;
	struct ss_value *texts = value_map_of(source->texts, source->count);
	struct ss_value *content =
		value_map_make({"file", value_text(name)}, {"texts", value_ref(texts)});
	char *text = json_text(content);
	(void)hash_sha256(text, strlen(text), graph->hash);
	graph->source = value_map_make({"file", value_text(name)}, {"texts", texts},
		{"folder", value_string(source->file, folder)});
	free(text);
	value_unref(content);
	for (size_t i = 0; i < source->count; i++)
		free((char *)(uintptr_t)source->texts[i].key);
	free(source->texts);
	source->texts = NULL;
	source->count = 0;
}

void graph_source_free(struct graph_source *source)
{
	for (size_t i = 0; i < source->count; i++) {
		free((char *)(uintptr_t)source->texts[i].key);
		value_unref(source->texts[i].value);
	}
	free(source->texts);
	free(source->file);
}
