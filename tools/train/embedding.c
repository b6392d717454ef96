#include "train/embedding.h"

#include "base/log.h"
#include "base/memory.h"
#include "config/options.h"
#include "plugin/plugin.h"
#include "value/value.h"

#include <stdlib.h>
#include <unistd.h>

enum { BATCH = 32 }; /* texts; longer batches only need more memory */

struct embedding {
	struct ss_host host; /* first: log() gets back to the embedding by it */
	struct log log;
	const struct ss_plugin *plugin;
	void *instance;
};

__attribute__((format(printf, 3, 4))) static void write_log(
	const struct ss_host *host, enum ss_log_level level, const char *format, ...)
{
	const struct embedding *embedding = (const struct embedding *)host;
	va_list arguments;
	va_start(arguments, format);
	log_write_arguments(&embedding->log, level, format, arguments);
	va_end(arguments);
}

/* Reads the plugin's options: MODEL and else the defaults. */
static int read_options(const struct embedding *embedding, const char *model,
	struct ss_value **values, struct ss_error *err)
{
	char *folder = realpath(model, NULL);
	struct diagnostics diagnostics = {0};
	struct yaml_node key = {.kind = YAML_SCALAR, .text = memory_string("model")};
	struct yaml_node value = {.kind = YAML_SCALAR, .text = folder, .quoted = true};
	struct yaml_node *keys[] = {&key};
	struct yaml_node *items[] = {&value};
	struct yaml_node root = {.kind = YAML_MAPPING, .count = 1, .keys = keys, .items = items};
	char file[] = "the command line";
	struct yaml_document document = {.file = file, .root = &root};
	int result = 0;
	if (folder == NULL)
		result = ss_fail_as(err, SS_NOT_FOUND, "%s: there is no such folder", model);
	else if (options_read(&document, &root, &root, embedding->plugin->options, NULL,
			 embedding->plugin->name, values, &diagnostics) < 0)
		result = ss_fail_as(err, SS_INVALID, "%s", diagnostics.items[0].text);
	diagnostics_free(&diagnostics);
	free(key.text);
	free(folder);
	return result;
}

struct embedding *embedding_new(const char *path, const char *model, struct ss_error *err)
{
	struct embedding *embedding = memory_make(struct embedding);
	embedding->log = log_new(STDERR_FILENO, SS_LOG_WARNING, false);
	embedding->host = (struct ss_host){
		.struct_size = sizeof embedding->host,
		.values = &value_functions,
		.log = write_log,
	};
	embedding->plugin = plugin_load(path, err);
	if (embedding->plugin == NULL)
		goto fail;
	if (embedding->plugin->kind != SS_EMBEDDER) {
		(void)ss_fail_as(err, SS_INVALID, "%s is not an embedder", path);
		goto fail;
	}
	size_t count = options_count(embedding->plugin->options);
	struct ss_value **values = memory_array(count + 1, sizeof(struct ss_value *));
	struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &embedding->host,
		.name = embedding->plugin->name,
		.options = (const struct ss_value *const *)values,
	};
	int result = read_options(embedding, model, values, err);
	if (result == 0)
		result = embedding->plugin->embedder->create(&setup, &embedding->instance, err);
	options_free(values, count);
	free(values);
	if (result < 0)
		goto fail;
	return embedding;
fail:
	embedding_free(embedding);
	return NULL;
}

void embedding_free(struct embedding *embedding)
{
	if (embedding == NULL)
		return;
	if (embedding->instance != NULL)
		embedding->plugin->embedder->destroy(embedding->instance);
	free(embedding);
}

size_t embedding_dimension(const struct embedding *embedding)
{
	return embedding->plugin->embedder->dimension(embedding->instance);
}

const char *embedding_name(const struct embedding *embedding)
{
	return embedding->plugin->name;
}

float *embedding_of(
	struct embedding *embedding, const struct dataset *dataset, struct ss_error *err)
{
	size_t dimension = embedding_dimension(embedding);
	float *vectors = memory_array(dataset->count * dimension, sizeof *vectors);
	struct ss_text texts[BATCH];
	for (size_t done = 0; done < dataset->count;) {
		size_t count = dataset->count - done < BATCH ? dataset->count - done : BATCH;
		for (size_t i = 0; i < count; i++)
			texts[i] = dataset->examples[done + i].text;
		if (embedding->plugin->embedder->embed(embedding->instance, texts, count,
			    vectors + done * dimension, err) < 0) {
			free(vectors);
			return NULL;
		}
		done += count;
	}
	return vectors;
}
