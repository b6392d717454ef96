#include "tokenizer.h"

#include "mapping.h"
#include "vocabulary.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

static const size_t file_limit = (size_t)64 << 20;

struct tokenizer {
	struct words_rules rules;
	struct vocabulary *vocabulary;
	int32_t unknown, first, last; /* the ids of [UNK], [CLS] and [SEP] */
};

/* What reading needs in every step. */
struct reading {
	const char *name;
	const struct ss_value_functions *values;
	struct ss_error *err;
};

/* The member MEMBER of MAP, a string; FALLBACK when there is none. */
static const char *read_string(const struct reading *reading, const struct ss_value *map,
	const char *member, const char *fallback)
{
	const struct ss_value *value = reading->values->get(map, member);
	bool given = reading->values->type(value) == SS_STRING;
	return given ? reading->values->as_string(value, NULL) : fallback;
}

static bool read_flag(const struct reading *reading, const struct ss_value *map, const char *member,
	bool fallback)
{
	const struct ss_value *value = reading->values->get(map, member);
	bool given = reading->values->type(value) == SS_BOOL;
	return given ? reading->values->as_bool(value) : fallback;
}

/* Checks that the part SECTION of the file has the type TYPE. */
static int check_type(const struct reading *reading, const struct ss_value *root,
	const char *section, const char *type, const char *fallback)
{
	const struct ss_value *part = reading->values->get(root, section);
	const char *given = read_string(reading, part, "type", fallback);
	if (strcmp(given, type) == 0)
		return 0;
	return ss_fail_as(reading->err, SS_INVALID,
		"%.250s: %s.type is \"%.60s\"; only \"%s\" is supported", reading->name, section,
		given, type);
}

static int read_rules(
	const struct reading *reading, const struct ss_value *root, struct words_rules *rules)
{
	if (check_type(reading, root, "normalizer", "BertNormalizer", "null") < 0 ||
		check_type(reading, root, "pre_tokenizer", "BertPreTokenizer", "null") < 0)
		return -1;
	const struct ss_value *normalizer = reading->values->get(root, "normalizer");
	rules->clean_text = read_flag(reading, normalizer, "clean_text", true);
	rules->handle_chinese_chars = read_flag(reading, normalizer, "handle_chinese_chars", true);
	rules->lowercase = read_flag(reading, normalizer, "lowercase", true);
	/* Null means as for the case. */
	rules->strip_accents = read_flag(reading, normalizer, "strip_accents", rules->lowercase);
	return 0;
}

static int read_word_limit(
	const struct reading *reading, const struct ss_value *model, struct words_rules *rules)
{
	const struct ss_value *value = reading->values->get(model, "max_input_chars_per_word");
	int64_t limit = value == NULL ? 100 : reading->values->as_int(value);
	if (limit < 1 || limit > WORD_CHARACTERS_LIMIT)
		return ss_fail_as(reading->err, SS_INVALID,
			"%.250s: model.max_input_chars_per_word must be from 1 to %d",
			reading->name, WORD_CHARACTERS_LIMIT);
	rules->characters = (size_t)limit;
	return 0;
}

static int find_special(const struct reading *reading, const struct tokenizer *tokenizer,
	const char *piece, int32_t *id)
{
	*id = vocabulary_id(tokenizer->vocabulary, piece);
	if (*id >= 0)
		return 0;
	return ss_fail_as(reading->err, SS_INVALID, "%.250s: model.vocab has no \"%.60s\"",
		reading->name, piece);
}

static int read_model(
	const struct reading *reading, const struct ss_value *root, struct tokenizer *tokenizer)
{
	/* Files of older versions have no type here. */
	if (check_type(reading, root, "model", "WordPiece", "WordPiece") < 0)
		return -1;
	const struct ss_value *model = reading->values->get(root, "model");
	if (read_word_limit(reading, model, &tokenizer->rules) < 0)
		return -1;
	tokenizer->vocabulary = vocabulary_new(reading->values->get(model, "vocab"),
		read_string(reading, model, "continuing_subword_prefix", "##"), reading->name,
		reading->values, reading->err);
	if (tokenizer->vocabulary == NULL)
		return -1;
	const char *unknown = read_string(reading, model, "unk_token", "[UNK]");
	if (find_special(reading, tokenizer, unknown, &tokenizer->unknown) < 0 ||
		find_special(reading, tokenizer, "[CLS]", &tokenizer->first) < 0)
		return -1;
	return find_special(reading, tokenizer, "[SEP]", &tokenizer->last);
}

struct tokenizer *tokenizer_read(const char *json, size_t length, const char *name,
	const struct ss_value_functions *values, struct ss_error *err)
{
	struct reading reading = {name, values, err};
	struct ss_error reason = {0};
	struct tokenizer *tokenizer = NULL;
	struct ss_value *root = values->from_json(json, length, &reason);
	if (root == NULL) {
		(void)ss_fail_as(err, SS_INVALID, "%.250s: %.200s", name, reason.text);
		return NULL;
	}
	tokenizer = calloc(1, sizeof *tokenizer);
	if (tokenizer == NULL) {
		(void)ss_fail(err, "%.250s: out of memory", name);
		goto fail;
	}
	if (read_rules(&reading, root, &tokenizer->rules) < 0 ||
		read_model(&reading, root, tokenizer) < 0)
		goto fail;
	values->unref(root);
	return tokenizer;
fail:
	values->unref(root);
	tokenizer_free(tokenizer);
	return NULL;
}

struct tokenizer *tokenizer_open(
	const char *path, const struct ss_value_functions *values, struct ss_error *err)
{
	struct mapping mapping;
	if (mapping_open(&mapping, path, file_limit, err) < 0)
		return NULL;
	struct tokenizer *tokenizer =
		tokenizer_read((const char *)mapping.data, mapping.length, path, values, err);
	mapping_close(&mapping);
	return tokenizer;
}

/* One call of tokenizer_encode(). */
struct encoding {
	const struct tokenizer *tokenizer;
	int32_t *ids;
	size_t count;
	size_t limit; /* without the place of [SEP] */
};

/* The longest piece that fits, again and again. Returns the number of pieces, 0 when the word
 * cannot be made of them. */
static size_t split_word(const struct vocabulary *vocabulary, const char *word, size_t length,
	int32_t pieces[WORD_CHARACTERS_LIMIT])
{
	size_t count = 0, used = 0;
	for (size_t at = 0; at < length; at += used) {
		int32_t piece =
			vocabulary_longest(vocabulary, at > 0, word + at, length - at, &used);
		if (piece < 0)
			return 0;
		pieces[count++] = piece;
	}
	return count;
}

static bool encode_word(void *context, const char *word, size_t length)
{
	struct encoding *encoding = context;
	const struct tokenizer *tokenizer = encoding->tokenizer;
	int32_t pieces[WORD_CHARACTERS_LIMIT];
	size_t count = 0;
	if (word != NULL)
		count = split_word(tokenizer->vocabulary, word, length, pieces);
	if (count == 0)
		pieces[count++] = tokenizer->unknown;
	for (size_t i = 0; i < count && encoding->count < encoding->limit; i++)
		encoding->ids[encoding->count++] = pieces[i];
	return encoding->count < encoding->limit;
}

size_t tokenizer_encode(
	const struct tokenizer *tokenizer, struct ss_text text, int32_t *ids, size_t limit)
{
	struct encoding encoding = {tokenizer, ids, 0, limit - 1};
	ids[encoding.count++] = tokenizer->first;
	if (encoding.count < encoding.limit)
		words_split(&tokenizer->rules, text, encode_word, &encoding);
	ids[encoding.count++] = tokenizer->last;
	return encoding.count;
}

int32_t tokenizer_last(const struct tokenizer *tokenizer)
{
	return vocabulary_last(tokenizer->vocabulary);
}

void tokenizer_free(struct tokenizer *tokenizer)
{
	if (tokenizer == NULL)
		return;
	vocabulary_free(tokenizer->vocabulary);
	free(tokenizer);
}
