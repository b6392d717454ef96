/*
 * Values, as <smartsupport/value.h> describes them: immutable, reference-counted, on any thread.
 * Every room uses these functions directly; plugins get the same ones through their host's table.
 */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include <smartsupport/value.h>

SS_BEGIN_C

struct ss_value *value_null(void);
struct ss_value *value_bool(bool boolean);
struct ss_value *value_int(int64_t integer);
struct ss_value *value_number(double number);
struct ss_value *value_string(const char *text, size_t length);
/* A copy of the NUL-terminated TEXT; null for NULL. */
struct ss_value *value_text(const char *text);
/* Takes the COUNT ITEMS; the array stays the caller's. */
struct ss_value *value_list(struct ss_value *const *items, size_t count);
/* Copies the KEYS and takes the VALUES. Of equal keys the last one counts. */
struct ss_value *value_map(const char *const *keys, struct ss_value *const *values, size_t count);

/* A list of the items of LIST and then those of MORE. */
struct ss_value *value_list_join(const struct ss_value *list, const struct ss_value *more);
/* The same of LIST (taken). It grows where it is when nobody else holds it, which costs no more than MORE. */
struct ss_value *value_list_append(struct ss_value *list, const struct ss_value *more);

/* Of NULL, NULL. */
struct ss_value *value_ref(const struct ss_value *value);
void value_unref(struct ss_value *value);

enum ss_type value_type(const struct ss_value *value);
bool value_as_bool(const struct ss_value *value);
int64_t value_as_int(const struct ss_value *value);
double value_as_number(const struct ss_value *value);
const char *value_as_string(const struct ss_value *value, size_t *length);
struct ss_text value_as_text(const struct ss_value *value);
size_t value_count(const struct ss_value *value);
const struct ss_value *value_at(const struct ss_value *value, size_t index);
const char *value_key_at(const struct ss_value *value, size_t index);
const struct ss_value *value_get(const struct ss_value *value, const char *key);

/* Whether VALUE has at most LEVELS levels of lists and maps. */
bool value_is_shallow(const struct ss_value *value, size_t levels);

/* The bytes that VALUE and all that it holds take; what it holds twice counts twice. */
size_t value_size(const struct ss_value *value);

/* Deep equality; an integer equals a double of the same number. */
bool value_equal(const struct ss_value *a, const struct ss_value *b);

/* A hash that is the same for values that are equal. */
uint64_t value_hash(const struct ss_value *value);

/* "string", "list", …: for messages. */
const char *value_type_name(enum ss_type type);

/* One entry of value_map_of(). */
struct value_entry {
	const char *key;
	struct ss_value *value; /* taken */
};

/* A map of the COUNT ENTRIES; those whose value is NULL are left out. */
struct ss_value *value_map_of(const struct value_entry *entries, size_t count);

/* MAP with the entry KEY, whose VALUE is taken; new. */
struct ss_value *value_map_with(
	const struct ss_value *map, const char *key, struct ss_value *value);

#define value_map_make(...)                                                                        \
	value_map_of((const struct value_entry[]){__VA_ARGS__},                                    \
		sizeof((const struct value_entry[]){__VA_ARGS__}) / sizeof(struct value_entry))

/* What plugins get. */
extern const struct ss_value_functions value_functions;

SS_END_C

#endif
