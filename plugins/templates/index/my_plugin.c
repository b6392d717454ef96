/* The index my_plugin: compares with every vector that it holds. Read it from the bottom. */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

struct my_plugin {
	float *vectors; /* [count][dimension]; NULL: none */
	size_t count, dimension;
};

static void destroy(void *instance)
{
	struct my_plugin *my_plugin = instance;
	free(my_plugin->vectors);
	free(my_plugin);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	(void)setup;
	struct my_plugin *my_plugin = calloc(1, sizeof *my_plugin);
	if (my_plugin == NULL)
		return ss_fail(err, "out of memory");
	*instance = my_plugin;
	return 0;
}

static int build(
	void *instance, const float *vectors, size_t count, size_t dimension, struct ss_error *err)
{
	struct my_plugin *my_plugin = instance;
	float *copy = calloc(count > 0 ? count : 1, dimension * sizeof *copy);
	if (copy == NULL)
		return ss_fail(err, "out of memory for %zu vectors", count);
	if (count > 0)
		memcpy(copy, vectors, count * dimension * sizeof *copy);
	free(my_plugin->vectors);
	my_plugin->vectors = copy;
	my_plugin->count = count;
	my_plugin->dimension = dimension;
	return 0;
}

static float product(const float *a, const float *b, size_t dimension)
{
	float sum = 0;
	for (size_t i = 0; i < dimension; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Puts ID in its place among the K best, of which FOUND are there; the worst falls out. Of equal ones the first stays
 * ahead. */
static size_t insert(int64_t *ids, float *scores, size_t k, size_t found, int64_t id, float score)
{
	size_t at = found;
	while (at > 0 && scores[at - 1] < score)
		at--;
	if (at == k)
		return found;
	size_t last = found < k ? found : k - 1;
	memmove(ids + at + 1, ids + at, (last - at) * sizeof *ids);
	memmove(scores + at + 1, scores + at, (last - at) * sizeof *scores);
	ids[at] = id;
	scores[at] = score;
	return last + 1;
}

static int search(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	size_t dimension = my_plugin->dimension;
	(void)err;
	for (size_t q = 0; q < count; q++, ids += k, scores += k) {
		size_t found = 0;
		for (size_t i = 0; i < my_plugin->count && k > 0; i++)
			found = insert(ids, scores, k, found, (int64_t)i,
				product(queries + q * dimension, my_plugin->vectors + i * dimension,
					dimension));
		for (; found < k; found++) {
			ids[found] = -1;
			scores[found] = 0;
		}
	}
	return 0;
}

/* An index that takes long to build has save() and load() as well. */
static const struct ss_index_operations operations = {
	.create = create,
	.destroy = destroy,
	.build = build,
	.search = search,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_INDEX,
	.name = "my_plugin",
	.version = "0.1.0",
	.licence = "MIT",
	.summary = "Compares with every vector.",
	.index = &operations,
};
