/* The texts that a graph is made from: kept with it, so that it can be made again as it was. */
#include "base/buffer.h"
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

/* Where the part of a path that begins at AT ends: at a slash, or at the end. */
static size_t part_length(const char *at)
{
	return strcspn(at, "/");
}

/* Takes the parts "." and "a/.." out of the absolute PATH, where it is. */
static void simplify(char *path)
{
	size_t length = 0;
	for (const char *at = path; *at != '\0';) {
		at += strspn(at, "/");
		size_t part = part_length(at);
		if (part == 2 && strncmp(at, "..", 2) == 0) {
			while (length > 0 && path[--length] != '/')
				;
		} else if (part > 0 && !(part == 1 && at[0] == '.')) {
			path[length++] = '/';
			memmove(path + length, at, part);
			length += part;
		}
		at += part;
	}
	path[length] = '\0';
}

/* FILE as seen from the folder of the outermost one, the same wherever that folder is; new. */
static char *path_of(const struct graph_source *source, const char *file)
{
	struct buffer path = {0};
	char *absolute = file_absolute(file);
	char *base = memory_string(source->file);
	size_t same = 0;
	simplify(absolute);
	simplify(base);
	for (size_t i = 0; base[i] == absolute[i] && base[i] != '\0'; i++)
		same = base[i] == '/' ? i + 1 : same;
	for (const char *at = base + same; (at = strchr(at, '/')) != NULL; at++)
		buffer_add_string(&path, "../");
	buffer_add_string(&path, absolute + same);
	free(absolute);
	free(base);
	return buffer_take(&path);
}

static const struct ss_value *find_text(const struct graph_source *source, const char *path)
{
	for (size_t i = 0; i < source->count; i++) {
		if (strcmp(source->texts[i].key, path) == 0)
			return source->texts[i].value;
	}
	return NULL;
}

/* Adds TEXT (taken) under PATH (taken), unless it is there. Returns what is there. */
static const struct ss_value *add_text(
	struct graph_source *source, char *path, struct ss_value *text)
{
	const struct ss_value *known = find_text(source, path);
	if (known != NULL) {
		free(path);
		value_unref(text);
		return known;
	}
	source->texts = memory_resize(source->texts, source->count + 1, sizeof *source->texts);
	source->texts[source->count++] = (struct value_entry){path, text};
	return text;
}

struct yaml_document *graph_source_take(struct graph_source *source, const char *file,
	const char *text, size_t length, struct diagnostics *diagnostics)
{
	(void)add_text(source, path_of(source, file), value_string(text, length));
	return yaml_parse(file, 1, text, length, diagnostics);
}

/* The text of FILE, which is at PATH, in what is stored. Until paths led out of the outermost file's folder, those
 * outside of it were absolute. */
static struct ss_value *read_stored(const struct graph_source *source, const char *file,
	const char *path, struct diagnostics *diagnostics)
{
	const struct ss_value *texts = value_get(source->stored, "texts");
	const struct ss_value *text = value_get(texts, path);
	if (text == NULL) {
		char *absolute = file_absolute(file);
		text = value_get(texts, absolute);
		free(absolute);
	}
	if (value_type(text) == SS_STRING)
		return value_ref(text);
	diagnostics_add(diagnostics, file, 0, 0,
		"the stored workflow lacks this file, which it was made from");
	return NULL;
}

const struct ss_value *graph_source_text(struct graph_source *source, const char *file,
	size_t limit, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	char *path = path_of(source, file);
	const struct ss_value *known = find_text(source, path);
	struct ss_value *value = NULL;
	char *text = NULL;
	size_t length = 0;
	if (known == NULL && source->stored != NULL) {
		value = read_stored(source, file, path, diagnostics);
	} else if (known == NULL) {
		if (file_read(file, limit, &text, &length, &err) < 0)
			diagnostics_add_error(diagnostics, file, &err);
		else
			value = value_string(text, length);
		free(text);
	}
	if (value == NULL) {
		free(path);
		return known;
	}
	return add_text(source, path, value);
}

struct yaml_document *graph_source_read(
	struct graph_source *source, const char *file, struct diagnostics *diagnostics)
{
	const struct ss_value *value =
		graph_source_text(source, file, YAML_FILE_LIMIT, diagnostics);
	struct ss_text text = value_as_text(value);
	return value != NULL ? yaml_parse(file, 1, text.data, text.length, diagnostics) : NULL;
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
	graph->source_text = json_text(graph->source);
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
