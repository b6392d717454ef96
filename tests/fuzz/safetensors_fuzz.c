/*
 * Fuzzes the reader of safetensors files: whatever it takes can be read to the last element.
 *
 * From the project's folder:
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iinclude -Icore -Iplugins -Itests \
 *         tests/fuzz/safetensors_fuzz.c plugins/embedder/minilm/{safetensors,model_config,mapping}.c \
 *         core/value/{value,json}.c core/base/{memory,buffer,text}.c -ljson-c -lutf8proc -lm -o safetensors_fuzz
 *     ./safetensors_fuzz tests/fuzz/corpus/safetensors
 */
#include "embedder/minilm/model_config.h"
#include "embedder/minilm/safetensors.h"

#include "value/value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct tensor *tensor)
{
	size_t count = 1;
	volatile float sum = 0;
	for (size_t i = 0; i < tensor->dimensions; i++)
		count *= tensor->shape[i];
	if (tensor->type == TENSOR_OTHER)
		return;
	for (size_t i = 0; i < count; i++) {
		float value = 0;
		tensor_widen(tensor, i, 1, &value);
		sum = sum + value;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_error err = {0};
	struct model_config config;
	const struct tensor *tensor;
	struct safetensors *weights = safetensors_read(data, size, "fuzz", &value_functions, &err);
	if (weights == NULL)
		return 0;
	for (size_t i = 0; (tensor = safetensors_at(weights, i)) != NULL; i++) {
		read_all(tensor);
		if (safetensors_find(weights, tensor->name) == NULL)
			abort();
	}
	(void)model_config_read(&config, "/nonexistent", weights, &value_functions, &err);
	safetensors_free(weights);
	return 0;
}
