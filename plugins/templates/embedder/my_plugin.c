/* The embedder my_plugin: texts are near that have the same words. Read it from the bottom. */
#include <smartsupport/smartsupport.h>

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The rows of the table below. */
enum { OPTION_DIMENSION };

struct my_plugin {
	size_t dimension;
};

static void destroy(void *instance)
{
	free(instance);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct my_plugin *my_plugin = calloc(1, sizeof *my_plugin);
	if (my_plugin == NULL)
		return ss_fail(err, "out of memory");
	my_plugin->dimension = (size_t)values->as_int(setup->options[OPTION_DIMENSION]);
	*instance = my_plugin;
	return 0;
}

/* Any thread. */
static size_t dimension(const void *instance)
{
	const struct my_plugin *my_plugin = instance;
	return my_plugin->dimension;
}

/* Counts the words of TEXT, each in the place that its hash (FNV-1a) decides. */
static void count_words(struct ss_text text, float *vector, size_t size)
{
	for (size_t at = 0; at < text.length;) {
		uint32_t hash = 2166136261u;
		size_t from = at;
		for (; at < text.length && isalnum((unsigned char)text.data[at]); at++)
			hash = (hash ^ (uint32_t)tolower((unsigned char)text.data[at])) * 16777619u;
		if (at > from)
			vector[hash % size] += 1;
		else
			at++;
	}
}

/* On the compute thread, one call at a time: it may take as long as it needs. */
static int embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	size_t size = my_plugin->dimension;
	(void)err;
	for (size_t i = 0; i < count; i++) {
		float *vector = vectors + i * size;
		float squares = 0;
		memset(vector, 0, size * sizeof *vector);
		vector[0] = 0.01f; /* a text without words needs a direction as well */
		count_words(texts[i], vector, size);
		for (size_t k = 0; k < size; k++)
			squares += vector[k] * vector[k];
		for (size_t k = 0; k < size; k++)
			vector[k] /= sqrtf(squares);
	}
	return 0;
}

/* What the configuration may have in the embedder's `options`. */
static const struct ss_option options[] = {
	[OPTION_DIMENSION] = {.name = "dimension",
		.type = SS_OPTION_INT,
		.fallback = "256",
		.min = 2,
		.max = 4096,
		.help = "How many numbers a vector has."},
	{.name = NULL},
};

static const struct ss_embedder_operations operations = {
	.create = create,
	.destroy = destroy,
	.dimension = dimension,
	.embed = embed,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_EMBEDDER,
	.name = "my_plugin",
	.version = "0.1.0",
	.licence = "MIT",
	.summary = "Makes vectors by the words of texts.",
	.options = options,
	.embedder = &operations,
};
