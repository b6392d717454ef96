#include "app/knowledge_base.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/memory.h"
#include "plugin/plugin.h"
#include "service/knowledge.h"
#include "value/json.h"
#include "value/value.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	FOLDER_DEPTH = 2, /* a model folder may have its files in a folder of its own */
	NAME_HASH = 16,   /* characters of a cache file's name */
};

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Adds what tells the files at PATH from others: names, sizes and times. */
static void add_files(struct buffer *text, const char *path, size_t depth)
{
	struct stat status;
	struct dirent **entries = NULL;
	if (stat(path, &status) < 0)
		return;
	if (!S_ISDIR(status.st_mode)) {
		buffer_add_format(text, "%s %lld %lld.%09ld\n", path, (long long)status.st_size,
			(long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
		return;
	}
	int count = depth > 0 ? scandir(path, &entries, is_visible, alphasort) : 0;
	for (int i = 0; i < count; i++) {
		char *file = memory_format("%s/%s", path, entries[i]->d_name);
		add_files(text, file, depth - 1);
		free(file);
		free(entries[i]);
	}
	free(entries);
}

/* The SHA-256 of what a plugin's work comes from: its file, its version, its options and the files that they
 * name. */
static void identify(const struct knowledge_base_part *part, char hash[HASH_SIZE])
{
	struct buffer text = {0};
	const struct ss_plugin *plugin = part->plugin;
	buffer_add_format(&text, "%s %s %s\n", plugin->name, plugin->version, part->hash);
	for (size_t i = 0; plugin->options != NULL && plugin->options[i].name != NULL; i++) {
		/* Who may ask changes nothing in a vector. */
		if (plugin->options[i].type == SS_OPTION_SECRET ||
			plugin->options[i].type == SS_OPTION_SECRETS)
			continue;
		char *value = json_text(part->options[i]);
		buffer_add_format(&text, "%s %s\n", plugin->options[i].name, value);
		free(value);
		if (plugin->options[i].type == SS_OPTION_PATH)
			add_files(&text, value_as_string(part->options[i], NULL), FOLDER_DEPTH);
	}
	hash_sha256(buffer_text(&text), text.length, hash);
	buffer_free(&text);
}

void knowledge_base_embedder(
	const struct knowledge_base_part *embedder, char id[KNOWLEDGE_BASE_EMBEDDER])
{
	char hash[HASH_SIZE];
	identify(embedder, hash);
	(void)snprintf(id, KNOWLEDGE_BASE_EMBEDDER, "%.*s", KNOWLEDGE_BASE_EMBEDDER - 1, hash);
}

/* One file for each base and the plugins that work on it, whatever changes in them. */
static char *cache_file(const struct config *config)
{
	char hash[HASH_SIZE];
	char *what = memory_format(
		"%s\n%s\n%s", config->articles, config->embedder.name, config->index.name);
	hash_sha256(what, strlen(what), hash);
	free(what);
	return memory_format("%s/%.*s.vectors", config->cache, NAME_HASH, hash);
}

struct knowledge *knowledge_base_new(const struct config *config, const struct articles *articles,
	const struct knowledge_base_part *embedder, const struct knowledge_base_part *index,
	const struct log *log, struct ss_error *err)
{
	char embedder_hash[HASH_SIZE];
	char index_hash[HASH_SIZE];
	struct knowledge_options options = knowledge_defaults();
	struct knowledge_cache cache = {.embedder = embedder_hash, .log = log};
	char *file = config->cache != NULL ? cache_file(config) : NULL;
	if (config->question_weight + config->answer_weight + config->lexical_weight > 0) {
		options.question_weight = config->question_weight;
		options.answer_weight = config->answer_weight;
		options.lexical_weight = config->lexical_weight;
	}
	identify(embedder, embedder_hash);
	identify(index, index_hash);
	cache.file = file;
	cache.index = plugin_index_saves(index->plugin) ? index_hash : NULL;
	options.cache = file != NULL ? &cache : NULL;
	struct knowledge *knowledge = knowledge_new(articles, embedder->plugin->embedder,
		embedder->instance, index->plugin->index, index->instance, &options, err);
	free(file);
	return knowledge;
}
