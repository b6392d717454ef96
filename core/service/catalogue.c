#include "service/catalogue.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

struct catalogue {
	const struct articles *files;
	const struct log *log;
	struct catalogue_entry **entries; /* by their ids */
	size_t count, capacity;
};

static struct catalogue_entry *insert(struct catalogue *catalogue, size_t at, const char *id)
{
	struct catalogue_entry *entry = memory_make(struct catalogue_entry);
	if (catalogue->count == catalogue->capacity) {
		catalogue->capacity = catalogue->capacity * 2 + 64;
		catalogue->entries = memory_resize(
			catalogue->entries, catalogue->capacity, sizeof(struct catalogue_entry *));
	}
	memmove(catalogue->entries + at + 1, catalogue->entries + at,
		(catalogue->count - at) * sizeof(struct catalogue_entry *));
	catalogue->entries[at] = entry;
	catalogue->count++;
	entry->id = memory_string(id);
	return entry;
}

static void free_entry(struct catalogue_entry *entry)
{
	value_unref(entry->stored);
	value_unref(entry->created_at);
	value_unref(entry->updated_at);
	free(entry->id);
	free(entry);
}

struct catalogue *catalogue_new(const struct articles *files, const struct log *log)
{
	struct catalogue *catalogue = memory_make(struct catalogue);
	catalogue->files = files;
	catalogue->log = log;
	for (size_t i = 0; i < files->count; i++) {
		const char *id = value_as_string(value_get(files->items[i], "id"), NULL);
		insert(catalogue, i, id)->file = files->items[i];
	}
	return catalogue;
}

void catalogue_free(struct catalogue *catalogue)
{
	if (catalogue == NULL)
		return;
	for (size_t i = 0; i < catalogue->count; i++)
		free_entry(catalogue->entries[i]);
	free(catalogue->entries);
	free(catalogue);
}

size_t catalogue_after(const struct catalogue *catalogue, const char *id)
{
	size_t low = 0;
	size_t high = catalogue->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(catalogue->entries[middle]->id, id) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The entry ID, made when it is not there. */
static struct catalogue_entry *get_entry(struct catalogue *catalogue, const char *id)
{
	size_t after = catalogue_after(catalogue, id);
	if (after > 0 && strcmp(catalogue->entries[after - 1]->id, id) == 0)
		return catalogue->entries[after - 1];
	return insert(catalogue, after, id);
}

static void replace(struct ss_value **place, const struct ss_value *value)
{
	value_unref(*place);
	*place = value_ref(value);
}

/* What DATA makes of the article ID: *ARTICLE (new), or that it is hidden. False when it is nothing that can be read. */
static bool read_data(const struct catalogue *catalogue, const char *id,
	const struct ss_value *document, struct ss_value **article, bool *hidden)
{
	const struct ss_value *data = value_get(document, "data");
	const char *fault = value_as_string(value_get(document, "fault"), NULL);
	const char *key = "";
	*article = NULL;
	*hidden = false;
	if (fault[0] == '\0' && data == NULL)
		return true;
	if (fault[0] == '\0' && value_as_bool(value_get(data, "hidden"))) {
		*hidden = true;
		return true;
	}
	if (fault[0] == '\0')
		*article = article_make(text_of(id), data, &key, &fault);
	if (*article != NULL)
		return true;
	log_warning(catalogue->log,
		"the article \"%s\" in the store (version %lld) is left out: %s; store it again",
		id, (long long)value_as_int(value_get(document, "version")), fault);
	return false;
}

const struct ss_value *catalogue_article(const struct catalogue_entry *entry)
{
	if (entry->stored != NULL)
		return entry->stored;
	return entry->hidden ? NULL : entry->file;
}

struct catalogue_entry *catalogue_take(struct catalogue *catalogue, const struct ss_value *document)
{
	struct ss_value *article;
	bool hidden;
	const char *id = value_as_string(value_get(document, "id"), NULL);
	if (!read_data(catalogue, id, document, &article, &hidden))
		return NULL;
	struct catalogue_entry *entry = get_entry(catalogue, id);
	struct ss_value *before = value_ref(catalogue_article(entry));
	bool removed = article == NULL && !hidden;
	value_unref(entry->stored);
	entry->stored = article;
	entry->hidden = hidden;
	entry->version = removed ? 0 : value_as_int(value_get(document, "version"));
	replace(&entry->created_at, removed ? NULL : value_get(document, "created_at"));
	replace(&entry->updated_at, removed ? NULL : value_get(document, "updated_at"));
	const struct ss_value *after = catalogue_article(entry);
	bool same =
		before == after || (before != NULL && after != NULL && value_equal(before, after));
	value_unref(before);
	return same ? NULL : entry;
}

void catalogue_drop(struct catalogue *catalogue, struct catalogue_entry *entry)
{
	size_t after = catalogue_after(catalogue, entry->id);
	if (entry->file != NULL || entry->stored != NULL || entry->hidden || entry->changed)
		return;
	memmove(catalogue->entries + after - 1, catalogue->entries + after,
		(catalogue->count - after) * sizeof(struct catalogue_entry *));
	catalogue->count--;
	free_entry(entry);
}

size_t catalogue_count(const struct catalogue *catalogue)
{
	return catalogue->count;
}

const struct catalogue_entry *catalogue_at(const struct catalogue *catalogue, size_t index)
{
	return catalogue->entries[index];
}

const struct articles *catalogue_files(const struct catalogue *catalogue)
{
	return catalogue->files;
}

struct articles *catalogue_articles(const struct catalogue *catalogue)
{
	struct articles *articles = memory_make(struct articles);
	articles->items = memory_array(catalogue->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct ss_value *article = catalogue_article(catalogue->entries[i]);
		if (article != NULL)
			articles->items[articles->count++] = value_ref(article);
	}
	return articles;
}
