/*
 * Fuzzes the tokenizer. The first byte of the input chooses: with the high bit set the rest is read as
 * a tokenizer.json, else it is text for a small tokenizer whose flags are the low bits.
 *
 * From the project's folder:
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iinclude -Icore -Iplugins -Itests \
 *         tests/fuzz/tokenizer_fuzz.c plugins/embedder/minilm/{tokenizer,vocabulary,words,mapping}.c \
 *         core/value/{value,json}.c core/base/{memory,buffer,text}.c -ljson-c -lutf8proc -lm -o tokenizer_fuzz
 *     ./tokenizer_fuzz tests/fuzz/corpus/tokenizer
 */
#include "embedder/minilm/tokenizer.h"

#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { FLAGS = 4, LIMIT = 256, HIGH_BIT = 0x80 };

static struct tokenizer *tokenizers[1 << FLAGS];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const words[] = {"false", "true"};
	(void)argc;
	(void)argv;
	for (unsigned flags = 0; flags < 1 << FLAGS; flags++) {
		char json[1000];
		struct ss_error err = {0};
		(void)snprintf(json, sizeof json,
			"{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":%s,"
			"\"handle_chinese_chars\":%s,\"strip_accents\":%s,\"lowercase\":%s},"
			"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"vocab\":{"
			"\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##a\":4,\"##ab\":5,\"b\":6,"
			"\"##\xcc\x81\":7,\"\xe4\xb8\xad\":8,\"[\":9,\"##b\":10,\"sep\":11}}}",
			words[flags & 1], words[flags >> 1 & 1], words[flags >> 2 & 1],
			words[flags >> 3 & 1]);
		tokenizers[flags] =
			tokenizer_read(json, strlen(json), "fuzz", &value_functions, &err);
		if (tokenizers[flags] == NULL)
			abort();
	}
	return 0;
}

static void encode(const struct tokenizer *tokenizer, struct ss_text text)
{
	int32_t ids[LIMIT];
	size_t count = tokenizer_encode(tokenizer, text, ids, LIMIT);
	if (count < 2 || count > LIMIT)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (ids[i] < 0 || ids[i] > tokenizer_last(tokenizer))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_error err = {0};
	if (size == 0)
		return 0;
	const char *rest = (const char *)data + 1;
	if ((data[0] & HIGH_BIT) == 0) {
		encode(tokenizers[data[0] & ((1 << FLAGS) - 1)], (struct ss_text){rest, size - 1});
		return 0;
	}
	struct tokenizer *tokenizer =
		tokenizer_read(rest, size - 1, "fuzz", &value_functions, &err);
	if (tokenizer != NULL)
		encode(tokenizer, (struct ss_text){rest, size - 1});
	tokenizer_free(tokenizer);
	return 0;
}
