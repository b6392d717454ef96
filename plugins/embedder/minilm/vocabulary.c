#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

enum { PIECES_LIMIT = 1 << 22 };

struct piece {
	char *text; /* NUL-terminated, with its prefix; NULL: a free place */
	size_t length;
	int32_t id;
};

struct vocabulary {
	char *prefix;
	size_t prefix_length;
	uint64_t prefix_hash;
	size_t longest; /* bytes of the longest piece without its prefix */
	int32_t last;
	size_t mask; /* the number of places, a power of two, less one */
	struct piece *places;
};

/* FNV-1a, which can go on byte by byte from the hash of what came before. */
static const uint64_t hash_start = 14695981039346656037u;

static uint64_t hash_add(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * 1099511628211u;
}

static uint64_t hash_text(const char *text, size_t length)
{
	uint64_t hash = hash_start;
	for (size_t i = 0; i < length; i++)
		hash = hash_add(hash, (unsigned char)text[i]);
	return hash;
}

static size_t place_of(const struct vocabulary *vocabulary, uint64_t hash)
{
	return (size_t)(hash ^ hash >> 32) & vocabulary->mask;
}

/* The id of the piece PREFIX of PREFIX_LENGTH bytes and then TEXT of LENGTH bytes, or -1. */
static int32_t find(const struct vocabulary *vocabulary, uint64_t hash, size_t prefix_length,
	const char *text, size_t length)
{
	for (size_t i = place_of(vocabulary, hash);; i = (i + 1) & vocabulary->mask) {
		const struct piece *piece = &vocabulary->places[i];
		if (piece->text == NULL)
			return -1;
		if (piece->length == prefix_length + length &&
			memcmp(piece->text, vocabulary->prefix, prefix_length) == 0 &&
			memcmp(piece->text + prefix_length, text, length) == 0)
			return piece->id;
	}
}

static int add(struct vocabulary *vocabulary, const char *text, int64_t id)
{
	size_t length = strlen(text);
	size_t i = place_of(vocabulary, hash_text(text, length));
	while (vocabulary->places[i].text != NULL)
		i = (i + 1) & vocabulary->mask;
	char *copy = strdup(text);
	if (copy == NULL)
		return -1;
	vocabulary->places[i] = (struct piece){copy, length, (int32_t)id};
	if (vocabulary->last < (int32_t)id)
		vocabulary->last = (int32_t)id;
	if (length >= vocabulary->prefix_length &&
		memcmp(text, vocabulary->prefix, vocabulary->prefix_length) == 0 &&
		vocabulary->longest < length - vocabulary->prefix_length)
		vocabulary->longest = length - vocabulary->prefix_length;
	if (vocabulary->longest < length)
		vocabulary->longest = length;
	return 0;
}

static int add_all(struct vocabulary *vocabulary, const struct ss_value *pieces, const char *name,
	const struct ss_value_functions *values, struct ss_error *err)
{
	size_t count = values->count(pieces);
	for (size_t i = 0; i < count; i++) {
		const struct ss_value *id = values->at(pieces, i);
		const char *text = values->key_at(pieces, i);
		if (values->type(id) != SS_INT || values->as_int(id) < 0 ||
			values->as_int(id) >= PIECES_LIMIT)
			return ss_fail_as(err, SS_INVALID,
				"%.250s: model.vocab: the id of \"%.60s\" is not a whole number "
				"from 0 to %d",
				name, text, PIECES_LIMIT - 1);
		if (add(vocabulary, text, values->as_int(id)) < 0)
			return ss_fail(err, "%.250s: out of memory", name);
	}
	return 0;
}

struct vocabulary *vocabulary_new(const struct ss_value *pieces, const char *prefix,
	const char *name, const struct ss_value_functions *values, struct ss_error *err)
{
	size_t count = values->count(pieces);
	if (values->type(pieces) != SS_MAP || count == 0 || count > PIECES_LIMIT) {
		(void)ss_fail_as(err, SS_INVALID,
			"%.250s: model.vocab must map 1 to %d pieces to their ids", name,
			PIECES_LIMIT);
		return NULL;
	}
	struct vocabulary *vocabulary = calloc(1, sizeof *vocabulary);
	if (vocabulary == NULL)
		goto out_of_memory;
	size_t places = 16;
	while (places < 2 * count)
		places *= 2;
	vocabulary->mask = places - 1;
	vocabulary->prefix = strdup(prefix);
	vocabulary->places = calloc(places, sizeof *vocabulary->places);
	if (vocabulary->prefix == NULL || vocabulary->places == NULL)
		goto out_of_memory;
	vocabulary->prefix_length = strlen(prefix);
	vocabulary->prefix_hash = hash_text(prefix, vocabulary->prefix_length);
	if (add_all(vocabulary, pieces, name, values, err) == 0)
		return vocabulary;
	vocabulary_free(vocabulary);
	return NULL;
out_of_memory:
	(void)ss_fail(err, "%.250s: out of memory", name);
	vocabulary_free(vocabulary);
	return NULL;
}

int32_t vocabulary_id(const struct vocabulary *vocabulary, const char *piece)
{
	size_t length = strlen(piece);
	return find(vocabulary, hash_text(piece, length), 0, piece, length);
}

static bool at_character(const char *text, size_t length, size_t offset)
{
	return offset == length || ((unsigned char)text[offset] & 0xc0) != 0x80;
}

int32_t vocabulary_longest(const struct vocabulary *vocabulary, bool continues, const char *text,
	size_t length, size_t *used)
{
	int32_t longest = -1;
	size_t prefix_length = continues ? vocabulary->prefix_length : 0;
	uint64_t hash = continues ? vocabulary->prefix_hash : hash_start;
	size_t end = length < vocabulary->longest ? length : vocabulary->longest;
	for (size_t i = 0; i < end; i++) {
		hash = hash_add(hash, (unsigned char)text[i]);
		if (!at_character(text, length, i + 1))
			continue;
		int32_t id = find(vocabulary, hash, prefix_length, text, i + 1);
		if (id >= 0) {
			longest = id;
			*used = i + 1;
		}
	}
	return longest;
}

int32_t vocabulary_last(const struct vocabulary *vocabulary)
{
	return vocabulary->last;
}

void vocabulary_free(struct vocabulary *vocabulary)
{
	if (vocabulary == NULL)
		return;
	for (size_t i = 0; vocabulary->places != NULL && i <= vocabulary->mask; i++)
		free(vocabulary->places[i].text);
	free(vocabulary->places);
	free(vocabulary->prefix);
	free(vocabulary);
}
