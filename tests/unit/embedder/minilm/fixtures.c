#include "fixtures.h"

#include "base/file.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 64 << 20 };

static const struct ss_host host = {.struct_size = sizeof host, .values = &value_functions};

void need_file(const char *path)
{
	if (access(path, R_OK) < 0)
		cr_skip_test("%s is missing; run tools/setup", path);
}

struct ss_value *read_json(const char *path)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	cr_assert_eq(file_read(path, FILE_LIMIT, &text, &length, &err), 0, "%s", err.text);
	struct ss_value *value = json_parse(text, length, &err);
	cr_assert_not_null(value, "%s: %s", path, err.text);
	free(text);
	return value;
}

int create_precise(const char *folder, int64_t max_tokens, const char *precision, void **instance,
	struct ss_error *err)
{
	struct ss_value *model = value_text(folder);
	struct ss_value *tokens = value_int(max_tokens);
	struct ss_value *word = value_text(precision);
	const struct ss_value *options[] = {model, tokens, word};
	const struct ss_setup setup = {
		.struct_size = sizeof setup, .host = &host, .name = "minilm", .options = options};
	int result = smartsupport_plugin.embedder->create(&setup, instance, err);
	value_unref(model);
	value_unref(tokens);
	value_unref(word);
	return result;
}

int create_instance(const char *folder, int64_t max_tokens, void **instance, struct ss_error *err)
{
	return create_precise(folder, max_tokens, "auto", instance, err);
}

void *real_instance(int64_t max_tokens)
{
	struct ss_error err = {0};
	void *instance = NULL;
	need_file(MODEL_FILE);
	cr_assert_eq(create_instance(MODEL_FOLDER, max_tokens, &instance, &err), 0, "%s", err.text);
	return instance;
}

float *embed_texts(void *instance, const char *const *texts, size_t count)
{
	struct ss_error err = {0};
	size_t dimension = smartsupport_plugin.embedder->dimension(instance);
	struct ss_text *items = memory_array(count, sizeof *items);
	float *vectors = memory_array(count * dimension, sizeof *vectors);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct ss_text){texts[i], strlen(texts[i])};
	cr_assert_eq(smartsupport_plugin.embedder->embed(instance, items, count, vectors, &err), 0,
		"%s", err.text);
	free(items);
	return vectors;
}

double cosine(const float *a, const float *b, size_t dimension)
{
	double product = 0, squares_a = 0, squares_b = 0;
	for (size_t i = 0; i < dimension; i++) {
		product += (double)a[i] * (double)b[i];
		squares_a += (double)a[i] * (double)a[i];
		squares_b += (double)b[i] * (double)b[i];
	}
	return product / sqrt(squares_a * squares_b);
}

float random_float(void)
{
	static uint32_t state = 1;
	state = state * 1664525u + 1013904223u;
	return (float)(state >> 8) / (float)(1 << 23) - 1;
}

float *random_floats(size_t count)
{
	float *floats = memory_array(count, sizeof *floats);
	for (size_t i = 0; i < count; i++)
		floats[i] = random_float();
	return floats;
}

double product(const float *a, const float *b, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

char *folder_new(void)
{
	char *path = memory_string("/tmp/minilm-test-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	return path;
}

void folder_remove(char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(path);
	cr_assert_not_null(folder);
	while ((entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	cr_assert_eq(rmdir(path), 0);
	free(path);
}

void folder_write(const char *folder, const char *name, const void *data, size_t length)
{
	struct ss_error err = {0};
	char *path = memory_format("%s/%s", folder, name);
	cr_assert_eq(file_write(path, data, length, &err), 0, "%s", err.text);
	free(path);
}

void folder_link(const char *folder, const char *name, const char *target)
{
	char *path = memory_format("%s/%s", folder, name);
	cr_assert_eq(symlink(target, path), 0);
	free(path);
}

unsigned char *safetensors_bytes(
	const char *header, const void *data, size_t length, size_t *file_length)
{
	uint64_t header_length = strlen(header);
	*file_length = sizeof header_length + header_length + length;
	unsigned char *bytes = memory_new(*file_length);
	memcpy(bytes, &header_length, sizeof header_length);
	memcpy(bytes + sizeof header_length, header, header_length);
	if (length > 0)
		memcpy(bytes + sizeof header_length + header_length, data, length);
	return bytes;
}
