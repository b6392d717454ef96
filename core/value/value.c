#include "value/value.h"

#include "base/memory.h"
#include "value/json.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *key;
	struct ss_value *value;
};

struct given_entry {
	const char *key;
	struct ss_value *value;
	size_t index;
};

struct ss_value {
	atomic_size_t references;
	enum ss_type type;
	size_t count; /* bytes of a string, items of a list, entries of a map */
	size_t size;  /* bytes of all that it holds */
	union {
		bool boolean;
		int64_t integer;
		double number;
		size_t capacity; /* of a list: the items that there is room for */
	} scalar;
	/* The bytes of a string with a NUL, the items of a list or the entries of a map. */
	_Alignas(max_align_t) unsigned char content[];
};

static char *text_in(const struct ss_value *value)
{
	return (char *)(uintptr_t)value->content;
}

static struct ss_value **items_in(const struct ss_value *value)
{
	return (struct ss_value **)(uintptr_t)value->content;
}

static struct entry *entries_in(const struct ss_value *value)
{
	return (struct entry *)(uintptr_t)value->content;
}

static struct ss_value *make(enum ss_type type, size_t count, size_t content_size)
{
	struct ss_value *value = memory_new(sizeof *value + content_size);
	atomic_init(&value->references, 1);
	value->type = type;
	value->count = count;
	value->size = sizeof *value + content_size;
	return value;
}

struct ss_value *value_null(void)
{
	return make(SS_NULL, 0, 0);
}

struct ss_value *value_bool(bool boolean)
{
	struct ss_value *value = make(SS_BOOL, 0, 0);
	value->scalar.boolean = boolean;
	return value;
}

struct ss_value *value_int(int64_t integer)
{
	struct ss_value *value = make(SS_INT, 0, 0);
	value->scalar.integer = integer;
	return value;
}

struct ss_value *value_number(double number)
{
	struct ss_value *value = make(SS_NUMBER, 0, 0);
	value->scalar.number = number;
	return value;
}

struct ss_value *value_string(const char *text, size_t length)
{
	struct ss_value *value = make(SS_STRING, length, length + 1);
	if (length > 0)
		memcpy(text_in(value), text, length);
	return value;
}

struct ss_value *value_text(const char *text)
{
	return text != NULL ? value_string(text, strlen(text)) : value_null();
}

struct ss_value *value_list(struct ss_value *const *items, size_t count)
{
	struct ss_value *value = make(SS_LIST, count, count * sizeof *items);
	if (count > 0)
		memcpy(items_in(value), items, count * sizeof *items);
	value->scalar.capacity = count;
	for (size_t i = 0; i < count; i++)
		value->size += value_size(items[i]);
	return value;
}

struct ss_value *value_list_append(struct ss_value *list, const struct ss_value *more)
{
	size_t count = list->count + value_count(more);
	struct ss_value *grown = list;
	if (atomic_load_explicit(&list->references, memory_order_acquire) != 1) {
		grown = value_list_join(list, more);
		value_unref(list);
		return grown;
	}
	if (count > list->scalar.capacity) {
		size_t capacity = count * 2;
		grown = memory_resize(list, 1, sizeof *list + capacity * sizeof(struct ss_value *));
		grown->scalar.capacity = capacity;
	}
	for (size_t i = 0; grown->count < count; i++) {
		struct ss_value *item = items_in(more)[i];
		items_in(grown)[grown->count++] = value_ref(item);
		grown->size += sizeof item + value_size(item);
	}
	return grown;
}

struct ss_value *value_list_join(const struct ss_value *list, const struct ss_value *more)
{
	size_t before = value_count(list);
	size_t count = before + value_count(more);
	struct ss_value *joined = make(SS_LIST, count, count * sizeof(struct ss_value *));
	joined->scalar.capacity = count;
	for (size_t i = 0; i < count; i++) {
		const struct ss_value *item =
			i < before ? items_in(list)[i] : items_in(more)[i - before];
		items_in(joined)[i] = value_ref(item);
		joined->size += value_size(item);
	}
	return joined;
}

/* By key; of equal keys, by the order in which they were given. */
static int compare_entries(const void *a, const void *b)
{
	const struct given_entry *left = a;
	const struct given_entry *right = b;
	int order = strcmp(left->key, right->key);
	return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

struct ss_value *value_map(const char *const *keys, struct ss_value *const *values, size_t count)
{
	struct given_entry *given = memory_array(count, sizeof *given);
	for (size_t i = 0; i < count; i++)
		given[i] = (struct given_entry){keys[i], values[i], i};
	qsort(given, count, sizeof *given, compare_entries);

	struct ss_value *map = make(SS_MAP, 0, count * sizeof(struct entry));
	struct entry *entries = entries_in(map);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && strcmp(given[i].key, given[i + 1].key) == 0) {
			value_unref(given[i].value);
			continue;
		}
		entries[map->count].key = memory_string(given[i].key);
		entries[map->count++].value = given[i].value;
		map->size += strlen(given[i].key) + 1 + value_size(given[i].value);
	}
	free(given);
	return map;
}

struct ss_value *value_map_of(const struct value_entry *entries, size_t count)
{
	const char **keys = memory_array(count, sizeof *keys);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].value == NULL)
			continue;
		keys[used] = entries[i].key;
		values[used++] = entries[i].value;
	}
	struct ss_value *map = value_map(keys, values, used);
	free(keys);
	free(values);
	return map;
}

struct ss_value *value_map_with(const struct ss_value *map, const char *key, struct ss_value *value)
{
	size_t count = value_count(map);
	struct value_entry *entries = memory_array(count + 1, sizeof *entries);
	for (size_t i = 0; i < count; i++)
		entries[i] =
			(struct value_entry){value_key_at(map, i), value_ref(value_at(map, i))};
	entries[count] = (struct value_entry){key, value};
	struct ss_value *more = value_map_of(entries, count + 1);
	free(entries);
	return more;
}

struct ss_value *value_ref(const struct ss_value *value)
{
	/* Only the count changes, which is no part of the value. */
	struct ss_value *counted = (struct ss_value *)(uintptr_t)value;
	if (counted != NULL)
		atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
	return counted;
}

void value_unref(struct ss_value *value)
{
	if (value == NULL ||
		atomic_fetch_sub_explicit(&value->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < value->count; i++) {
		if (value->type == SS_LIST)
			value_unref(items_in(value)[i]);
		if (value->type == SS_MAP) {
			free(entries_in(value)[i].key);
			value_unref(entries_in(value)[i].value);
		}
		if (value->type == SS_STRING)
			break;
	}
	free(value);
}

size_t value_size(const struct ss_value *value)
{
	return value != NULL ? value->size : 0;
}

enum ss_type value_type(const struct ss_value *value)
{
	return value != NULL ? value->type : SS_NULL;
}

bool value_as_bool(const struct ss_value *value)
{
	return value_type(value) == SS_BOOL && value->scalar.boolean;
}

int64_t value_as_int(const struct ss_value *value)
{
	double number = value_type(value) == SS_NUMBER ? value->scalar.number : 0;
	if (value_type(value) == SS_INT)
		return value->scalar.integer;
	/* Beyond 2^53 not every number is there. */
	return fabs(number) <= 9007199254740992 && number == trunc(number) ? (int64_t)number : 0;
}

double value_as_number(const struct ss_value *value)
{
	if (value_type(value) == SS_INT)
		return (double)value->scalar.integer;
	return value_type(value) == SS_NUMBER ? value->scalar.number : 0;
}

const char *value_as_string(const struct ss_value *value, size_t *length)
{
	bool is_string = value_type(value) == SS_STRING;
	if (length != NULL)
		*length = is_string ? value->count : 0;
	return is_string ? text_in(value) : "";
}

struct ss_text value_as_text(const struct ss_value *value)
{
	struct ss_text text;
	text.data = value_as_string(value, &text.length);
	return text;
}

size_t value_count(const struct ss_value *value)
{
	enum ss_type type = value_type(value);
	return type == SS_LIST || type == SS_MAP ? value->count : 0;
}

bool value_is_shallow(const struct ss_value *value, size_t levels)
{
	if (value_type(value) != SS_LIST && value_type(value) != SS_MAP)
		return true;
	if (levels == 0)
		return false;
	for (size_t i = 0; i < value_count(value); i++) {
		if (!value_is_shallow(value_at(value, i), levels - 1))
			return false;
	}
	return true;
}

const struct ss_value *value_at(const struct ss_value *value, size_t index)
{
	if (index >= value_count(value))
		return NULL;
	if (value->type == SS_LIST)
		return items_in(value)[index];
	return entries_in(value)[index].value;
}

const char *value_key_at(const struct ss_value *value, size_t index)
{
	if (value_type(value) != SS_MAP || index >= value->count)
		return "";
	return entries_in(value)[index].key;
}

static int compare_key(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->key);
}

const struct ss_value *value_get(const struct ss_value *value, const char *key)
{
	if (value_type(value) != SS_MAP)
		return NULL;
	const struct entry *found =
		bsearch(key, entries_in(value), value->count, sizeof *found, compare_key);
	return found != NULL ? found->value : NULL;
}

static bool equal_items(const struct ss_value *a, const struct ss_value *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->type == SS_MAP && strcmp(value_key_at(a, i), value_key_at(b, i)) != 0)
			return false;
		if (!value_equal(value_at(a, i), value_at(b, i)))
			return false;
	}
	return true;
}

/* Without rounding the integer, which may have more digits than a double. */
static bool same_number(int64_t integer, double number)
{
	return number >= -0x1p63 && number < 0x1p63 && (int64_t)number == integer &&
	       (double)(int64_t)number == number;
}

bool value_equal(const struct ss_value *a, const struct ss_value *b)
{
	enum ss_type type = value_type(a);
	if (type == SS_INT && value_type(b) == SS_NUMBER)
		return same_number(a->scalar.integer, b->scalar.number);
	if (type == SS_NUMBER && value_type(b) == SS_INT)
		return same_number(b->scalar.integer, a->scalar.number);
	if (type != value_type(b))
		return false;
	switch (type) {
	case SS_NULL:
		return true;
	case SS_BOOL:
		return a->scalar.boolean == b->scalar.boolean;
	case SS_INT:
		return a->scalar.integer == b->scalar.integer;
	case SS_NUMBER:
		return a->scalar.number == b->scalar.number;
	case SS_STRING:
		return a->count == b->count && memcmp(text_in(a), text_in(b), a->count) == 0;
	case SS_LIST:
	case SS_MAP:
		return equal_items(a, b);
	}
	return false;
}

/* A step of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash += value + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
		uint64_t word = 0;
		memcpy(&word, bytes + i, length - i < sizeof word ? length - i : sizeof word);
		hash = mix(hash, word);
	}
	return mix(hash, length);
}

/* Both zeros are the same. */
static uint64_t hash_number(double number)
{
	uint64_t bits = 0;
	number = number == 0 ? 0 : number;
	memcpy(&bits, &number, sizeof bits);
	return mix(SS_NUMBER, bits);
}

/* As the double that it equals, if there is one. Of those that none equals, as large ids, hundreds would be
 * rounded to the same double. */
static uint64_t hash_integer(int64_t integer)
{
	double number = (double)integer;
	return same_number(integer, number) ? hash_number(number) : mix(SS_INT, (uint64_t)integer);
}

uint64_t value_hash(const struct ss_value *value)
{
	enum ss_type type = value_type(value);
	uint64_t hash = (uint64_t)type;
	if (type == SS_INT)
		return hash_integer(value_as_int(value));
	if (type == SS_NUMBER)
		return hash_number(value_as_number(value));
	if (type == SS_BOOL)
		return mix(hash, value->scalar.boolean);
	if (type == SS_STRING)
		return hash_bytes(hash, text_in(value), value->count);
	for (size_t i = 0; i < value_count(value); i++) {
		const char *key = type == SS_MAP ? value_key_at(value, i) : "";
		hash = mix(hash_bytes(hash, key, strlen(key)), value_hash(value_at(value, i)));
	}
	return mix(hash, value_count(value));
}

const char *value_type_name(enum ss_type type)
{
	static const char *const names[] = {
		"null", "bool", "int", "number", "string", "list", "map"};
	return names[type];
}

const struct ss_value_functions value_functions = {
	.struct_size = sizeof value_functions,
	.null = value_null,
	.boolean = value_bool,
	.integer = value_int,
	.number = value_number,
	.string = value_string,
	.list = value_list,
	.map = value_map,
	.from_json = json_parse,
	.ref = value_ref,
	.unref = value_unref,
	.type = value_type,
	.as_bool = value_as_bool,
	.as_int = value_as_int,
	.as_number = value_as_number,
	.as_string = value_as_string,
	.count = value_count,
	.at = value_at,
	.key_at = value_key_at,
	.get = value_get,
};
