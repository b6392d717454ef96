#include "value/value.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Values count their references alone, so the sanitizers are what finds one too few or too many. */

Test(value, lives_as_long_as_anybody_refers_to_it)
{
	struct ss_value *value = value_text("shared");
	struct ss_value *other = value_ref(value);
	cr_expect_eq(other, value);
	value_unref(value);
	cr_expect_str_eq(value_as_string(other, NULL), "shared");
	value_unref(other);
	value_unref(NULL);
	cr_expect_null(value_ref(NULL));
}

Test(value, list_takes_its_items_and_gives_them_back_with_itself)
{
	struct ss_value *kept = value_text("kept");
	struct ss_value *items[] = {value_int(1), value_ref(kept), value_null()};
	struct ss_value *list = value_list(items, array_length(items));
	cr_expect_eq(value_count(list), 3);
	cr_expect_eq(value_at(list, 1), kept);
	value_unref(list);
	cr_expect_str_eq(value_as_string(kept, NULL), "kept");
	value_unref(kept);
}

Test(value, map_sorts_its_keys_by_their_bytes)
{
	const char *const keys[] = {"b", "", "a", "\xc3\xa9", "B", "ab"};
	static const char *const sorted[] = {"", "B", "a", "ab", "b", "\xc3\xa9"};
	struct ss_value *values[array_length(keys)];
	for (size_t i = 0; i < array_length(keys); i++)
		values[i] = value_text(keys[i]);
	struct ss_value *map = value_map(keys, values, array_length(keys));
	cr_assert_eq(value_count(map), array_length(keys));
	for (size_t i = 0; i < array_length(keys); i++) {
		cr_expect_str_eq(value_key_at(map, i), sorted[i]);
		cr_expect_str_eq(value_as_string(value_at(map, i), NULL), sorted[i]);
		cr_expect_eq(value_get(map, sorted[i]), value_at(map, i));
	}
	cr_expect_null(value_get(map, "c"));
	value_unref(map);
}

Test(value, map_keeps_the_last_of_equal_keys_and_frees_the_others)
{
	enum { COUNT = 200 };
	const char *keys[COUNT];
	struct ss_value *values[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		keys[i] = i % 3 == 0 ? "three" : i % 3 == 1 ? "one" : "two";
		values[i] = value_int((int64_t)i);
	}
	struct ss_value *map = value_map(keys, values, COUNT);
	cr_assert_eq(value_count(map), 3);
	cr_expect_eq(value_as_int(value_get(map, "three")), 198);
	cr_expect_eq(value_as_int(value_get(map, "one")), 199);
	cr_expect_eq(value_as_int(value_get(map, "two")), 197);
	value_unref(map);
}

Test(value, map_copies_its_keys)
{
	char key[] = "key";
	const char *const keys[] = {key};
	struct ss_value *values[] = {value_bool(true)};
	struct ss_value *map = value_map(keys, values, 1);
	key[0] = 'X';
	cr_expect(value_as_bool(value_get(map, "key")));
	value_unref(map);
}

Test(value, map_of_entries_leaves_out_those_without_a_value)
{
	struct ss_value *map = value_map_make(
		{"b", value_int(2)}, {"nothing", NULL}, {"a", value_null()}, {"b", value_int(3)});
	cr_expect_eq(value_count(map), 2);
	cr_expect_str_eq(value_key_at(map, 0), "a");
	cr_expect_eq(value_as_int(value_get(map, "b")), 3);
	value_unref(map);
}

Test(value, map_with_another_entry_leaves_the_map_as_it_is)
{
	struct ss_value *map = value_map_make({"a", value_int(1)}, {"b", value_int(2)});
	struct ss_value *more = value_map_with(map, "c", value_int(3));
	struct ss_value *other = value_map_with(map, "a", value_int(4));
	cr_expect_eq(value_count(map), 2);
	cr_expect_eq(value_count(more), 3);
	cr_expect_eq(value_as_int(value_get(more, "b")), 2);
	cr_expect_eq(value_as_int(value_get(more, "c")), 3);
	cr_expect_eq(value_count(other), 2);
	cr_expect_eq(value_as_int(value_get(other, "a")), 4);
	value_unref(map);
	value_unref(more);
	value_unref(other);
}

Test(value, may_be_empty)
{
	struct ss_value *list = value_list(NULL, 0);
	struct ss_value *map = value_map(NULL, NULL, 0);
	struct ss_value *string = value_string(NULL, 0);
	cr_expect_eq(value_count(list), 0);
	cr_expect_null(value_at(list, 0));
	cr_expect_eq(value_count(map), 0);
	cr_expect_null(value_get(map, ""));
	cr_expect_null(value_at(map, 0));
	cr_expect_str_eq(value_as_string(string, NULL), "");
	cr_expect_not(value_equal(list, map));
	value_unref(list);
	value_unref(map);
	value_unref(string);
}

Test(value, string_keeps_its_length_and_its_nuls)
{
	struct ss_value *value = value_string("a\0b", 3);
	size_t length = 0;
	cr_expect_eq(memcmp(value_as_string(value, &length), "a\0b", 4), 0);
	cr_expect_eq(length, 3);
	value_unref(value);
	value = value_text(NULL);
	cr_expect_eq(value_type(value), SS_NULL);
	value_unref(value);
}

/* One value of each type, in the order of enum ss_type. */
static void one_of_each(struct ss_value *values[SS_MAP + 1])
{
	struct ss_value *item[] = {value_int(1)};
	const char *const key[] = {"k"};
	values[SS_NULL] = value_null();
	values[SS_BOOL] = value_bool(true);
	values[SS_INT] = value_int(-7);
	values[SS_NUMBER] = value_number(2.5);
	values[SS_STRING] = value_text("text");
	values[SS_LIST] = value_list(item, 1);
	item[0] = value_int(1);
	values[SS_MAP] = value_map(key, item, 1);
}

Test(value, accessors_give_nothing_for_another_type)
{
	struct ss_value *values[SS_MAP + 1];
	one_of_each(values);
	for (int type = SS_NULL; type <= SS_MAP; type++) {
		const struct ss_value *value = values[type];
		size_t length = 99;
		cr_expect_eq(value_type(value), (enum ss_type)type);
		cr_expect_eq(value_as_bool(value), type == SS_BOOL);
		cr_expect_eq(value_as_int(value), type == SS_INT ? -7 : 0);
		cr_expect_eq(value_as_number(value), type == SS_INT      ? -7
						     : type == SS_NUMBER ? 2.5
									 : 0);
		cr_expect_str_eq(value_as_string(value, &length), type == SS_STRING ? "text" : "");
		cr_expect_eq(length, type == SS_STRING ? 4 : 0);
		cr_expect_eq(value_as_text(value).length, length);
		cr_expect_eq(value_count(value), type == SS_LIST || type == SS_MAP ? 1 : 0);
		cr_expect_eq(value_at(value, 0) != NULL, type == SS_LIST || type == SS_MAP);
		cr_expect_null(value_at(value, 1));
		cr_expect_str_eq(value_key_at(value, 0), type == SS_MAP ? "k" : "");
		cr_expect_str_eq(value_key_at(value, 1), "");
		cr_expect_eq(value_get(value, "k") != NULL, type == SS_MAP);
	}
	for (int type = SS_NULL; type <= SS_MAP; type++)
		value_unref(values[type]);
}

Test(value, accessors_take_null_for_the_null_value)
{
	size_t length = 99;
	cr_expect_eq(value_type(NULL), SS_NULL);
	cr_expect_not(value_as_bool(NULL));
	cr_expect_eq(value_as_int(NULL), 0);
	cr_expect_eq(value_as_number(NULL), 0);
	cr_expect_str_eq(value_as_string(NULL, &length), "");
	cr_expect_eq(length, 0);
	cr_expect_eq(value_count(NULL), 0);
	cr_expect_null(value_at(NULL, 0));
	cr_expect_str_eq(value_key_at(NULL, 0), "");
	cr_expect_null(value_get(NULL, "k"));
	struct ss_value *null = value_null();
	cr_expect(value_equal(NULL, null));
	value_unref(null);
}

Test(value, equals_itself_and_no_value_of_another_type)
{
	struct ss_value *left[SS_MAP + 1];
	struct ss_value *right[SS_MAP + 1];
	one_of_each(left);
	one_of_each(right);
	for (int a = SS_NULL; a <= SS_MAP; a++) {
		for (int b = SS_NULL; b <= SS_MAP; b++)
			cr_expect_eq(value_equal(left[a], right[b]), a == b, "%d %d", a, b);
	}
	for (int type = SS_NULL; type <= SS_MAP; type++) {
		value_unref(left[type]);
		value_unref(right[type]);
	}
}

/* Takes both. */
static void expect_equal(struct ss_value *a, struct ss_value *b, bool equal)
{
	cr_expect_eq(value_equal(a, b), equal);
	cr_expect_eq(value_equal(b, a), equal);
	value_unref(a);
	value_unref(b);
}

Test(value, integer_equals_the_double_of_the_same_number_only)
{
	expect_equal(value_int(3), value_number(3.0), true);
	expect_equal(value_int(3), value_number(3.5), false);
	expect_equal(value_int(0), value_number(-0.0), true);
	expect_equal(value_int(9007199254740992), value_number(9007199254740992.0), true);
	expect_equal(value_int(9007199254740993), value_number(9007199254740992.0), false);
	expect_equal(value_int(INT64_MAX), value_number(9223372036854775808.0), false);
	expect_equal(value_int(INT64_MIN), value_number(-9223372036854775808.0), true);
	expect_equal(value_int(0), value_number((double)NAN), false);
	expect_equal(value_number((double)NAN), value_number((double)NAN), false);
	expect_equal(value_int(INT64_MAX), value_number((double)INFINITY), false);
}

Test(value, strings_are_equal_by_all_their_bytes)
{
	expect_equal(value_string("a\0b", 3), value_string("a\0b", 3), true);
	expect_equal(value_string("a\0b", 3), value_string("a\0c", 3), false);
	expect_equal(value_text("a"), value_string("a\0", 2), false);
}

Test(value, lists_and_maps_are_equal_by_what_is_in_them)
{
	struct ss_value *two[] = {value_int(1), value_int(2)};
	struct ss_value *three[] = {value_int(1), value_int(2), value_int(3)};
	expect_equal(value_list(two, 2), value_list(three, 3), false);
	expect_equal(value_map_make({"a", value_int(1)}, {"b", value_int(2)}),
		value_map_make({"b", value_number(2)}, {"a", value_int(1)}), true);
	expect_equal(
		value_map_make({"a", value_int(1)}), value_map_make({"b", value_int(1)}), false);
	expect_equal(
		value_map_make({"a", value_int(1)}), value_map_make({"a", value_int(2)}), false);
}

Test(value, names_its_types)
{
	static const char *const names[] = {
		"null", "bool", "int", "number", "string", "list", "map"};
	for (int type = SS_NULL; type <= SS_MAP; type++)
		cr_expect_str_eq(value_type_name((enum ss_type)type), names[type]);
}

static void *ref_and_unref(void *value)
{
	for (int i = 0; i < 20000; i++) {
		struct ss_value *mine = value_ref(value);
		if (value_count(mine) != 1)
			return value;
		value_unref(mine);
	}
	value_unref(value);
	return NULL;
}

Test(value, counts_its_references_on_several_threads)
{
	pthread_t threads[4];
	struct ss_value *items[] = {value_text("x")};
	struct ss_value *value = value_list(items, 1);
	for (size_t i = 0; i < array_length(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, ref_and_unref, value_ref(value)), 0);
	value_unref(value);
	for (size_t i = 0; i < array_length(threads); i++) {
		void *failed = NULL;
		(void)pthread_join(threads[i], &failed);
		cr_expect_null(failed);
	}
}

Test(value, table_for_plugins_has_every_function)
{
	const struct ss_value_functions *f = &value_functions;
	cr_expect_eq(f->struct_size, sizeof *f);
	cr_expect(
		f->null && f->boolean && f->integer && f->number && f->string && f->list && f->map);
	cr_expect(f->from_json && f->ref && f->unref && f->type && f->as_bool && f->as_int);
	cr_expect(f->as_number && f->as_string && f->count && f->at && f->key_at && f->get);
	struct ss_value *value = f->from_json("[1]", 3, NULL);
	cr_expect_eq(f->as_int(f->at(value, 0)), 1);
	f->unref(value);
}

Test(list, grows_where_it_is_only_while_nobody_else_holds_it)
{
	struct ss_value *item = value_int(7);
	struct ss_value *more = value_list(&item, 1);
	struct ss_value *list = value_list(NULL, 0);
	for (int i = 0; i < 100; i++)
		list = value_list_append(list, more);
	cr_expect_eq(value_count(list), 100);
	cr_expect_eq(value_as_int(value_at(list, 99)), 7);
	struct ss_value *held = value_ref(list);
	struct ss_value *longer = value_list_append(list, more);
	cr_expect_neq(longer, held);
	cr_expect_eq(value_count(held), 100);
	cr_expect_eq(value_count(longer), 101);
	struct ss_value *joined = value_list_join(held, longer);
	cr_expect_eq(value_count(joined), 201);
	value_unref(joined);
	value_unref(longer);
	value_unref(held);
	value_unref(more);
}
