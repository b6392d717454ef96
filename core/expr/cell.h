/*
 * What an evaluation works with: cells, which are values while they are computed, and the limits.
 *
 * A cell is passed by copy. Scalars are in it; texts, lists and maps are borrowed from the state and the
 * constants, or were built in the evaluation's memory, which ends with it. Nothing here takes memory until
 * something is built.
 */
#ifndef EXPR_CELL_H
#define EXPR_CELL_H

#include "base/arena.h"
#include "expr/node.h"

enum {
	EXPR_BYTES_A_UNIT = 16, /* bytes of text that are looked at or built for one unit of cost */
	EXPR_FIRST_MEMORY = 512, /* bytes that may be built before memory is taken */
};

/* The first double that is too large for an int. */
#define TWO_TO_63 9223372036854775808.0

struct cell {
	enum ss_type type;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct ss_text text;
		struct {
			const struct ss_value *value; /* a borrowed list or map, or NULL */
			const struct built *built;    /* one that was built */
		};
	};
};

/* A list or map that was built. */
struct built {
	size_t count;        /* items, or entries */
	size_t size;         /* bytes that it takes as a value, with all that it holds */
	struct cell items[]; /* of a map: key, value, key, value, …, in the order of the keys */
};

struct evaluation {
	struct ss_value *const *values; /* of the variables */
	struct expr_error *error;       /* the first one that is not outvoted by && or || */
	bool failed;                    /* whether there is one */
	size_t cost;
	struct arena_pool pool;
	struct arena arena;
	size_t used; /* bytes of `first` */
	struct cell locals[EXPR_DEPTH_LIMIT];
	_Alignas(max_align_t) unsigned char first[EXPR_FIRST_MEMORY];
};

void evaluation_begin(
	struct evaluation *evaluation, struct ss_value *const *values, struct expr_error *error);
void evaluation_end(struct evaluation *evaluation);

/* Notes an error at OFFSET of the expression, unless there is one already, and is -1. */
#define evaluation_fail(evaluation, offset, ...)                                                   \
	(evaluation_note((evaluation), (offset), __VA_ARGS__), -1)
__attribute__((format(printf, 3, 4))) void evaluation_note(
	struct evaluation *evaluation, size_t offset, const char *format, ...);

/* Pays UNITS of cost for NODE; -1 when there is not that much left. */
int evaluation_spend(struct evaluation *evaluation, const struct expr_node *node, size_t units);

/* Pays for BYTES of text. */
int evaluation_spend_text(
	struct evaluation *evaluation, const struct expr_node *node, size_t bytes);

/* SIZE bytes that last as long as the evaluation. What they hold was paid for. */
void *evaluation_memory(struct evaluation *evaluation, size_t size);

/* Evaluates NODE. -1 after an error, which is noted. */
int evaluate(struct evaluation *evaluation, const struct expr_node *node, struct cell *out);

/* Evaluates NODE, a comprehension. */
int evaluate_comprehension(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out);

/* The value of matches(): ITEMS are the text and the pattern. */
int evaluate_matches(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out);

struct cell cell_of(const struct ss_value *value);
struct cell cell_bool(bool boolean);
struct cell cell_int(int64_t integer);
struct cell cell_number(double number);
struct cell cell_text(const char *data, size_t length);
struct cell cell_built(enum ss_type type, const struct built *built);

/* A copy of the LENGTH bytes at DATA, which NODE makes. */
int cell_new_text(struct evaluation *evaluation, const struct expr_node *node, const char *data,
	size_t length, struct cell *out);

bool cell_is_number(const struct cell *cell);

/* As a double, of an int as well. */
double cell_as_number(const struct cell *cell);

/* "an int", "null", …: for messages. */
const char *cell_a_type(enum ss_type type);

/* The items of a list or the entries of a map. */
size_t cell_count(const struct cell *cell);
struct cell cell_item(const struct cell *list, size_t index);
struct cell cell_key(const struct cell *map, size_t index);
struct cell cell_entry(const struct cell *map, size_t index);

/* Finds the value at KEY of MAP. */
bool cell_find(const struct cell *map, const struct cell *key, struct cell *out);

/* The order of keys of maps: bools, ints, texts. */
int cell_compare_keys(const void *a, const void *b);

/* Whether A equals B as CEL has it: numbers by their value, different types never. */
int cell_equal(struct evaluation *evaluation, const struct expr_node *node, const struct cell *a,
	const struct cell *b, bool *equal);

/* -1, 0 or 1 by CEL's order of numbers, texts (by code points) and bools; *ORDERED is false for NaN. */
int cell_compare(struct evaluation *evaluation, const struct expr_node *node, const struct cell *a,
	const struct cell *b, int *order, bool *ordered);

/* The bytes that CELL takes as a value, with all that it holds. */
size_t cell_size(const struct cell *cell);

/* A list or map of COUNT items or entries that NODE makes, to be filled; NULL when it costs too much. */
struct built *built_new(struct evaluation *evaluation, const struct expr_node *node,
	enum ss_type type, size_t count);

/* Sets the size of BUILT from what it was filled with; -1 when it is too large. */
int built_finish(struct evaluation *evaluation, const struct expr_node *node, enum ss_type type,
	struct built *built);

/* CELL, which NODE made, as a value: new; NULL when it cannot be one. */
struct ss_value *cell_value(
	struct evaluation *evaluation, const struct expr_node *node, const struct cell *cell);

#endif
