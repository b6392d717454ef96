/* Users as operators describe them. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static void describes_users(struct probe *probe)
{
	const char *id = probe_name(probe, "ann");
	const struct ss_value *stored =
		probe_store_user(probe, (struct ss_user){
						.id = id,
						.name = "Ann 😀",
						.email = "ann@example.org",
						.vip = 1,
						.metadata = "{\"plan\":{\"seats\":3}}",
						.is_new = true,
						.at_ns = probe->now_ns,
					});
	const char *at = probe_time(probe, probe->now_ns);
	const char *expected = probe_format(probe,
		"{\"conversations\":0,\"created_at\":\"%s\",\"email\":\"ann@example.org\","
		"\"id\":\"%s\",\"metadata\":{\"plan\":{\"seats\":3}},\"name\":\"Ann 😀\","
		"\"updated_at\":\"%s\",\"vip\":true}",
		at, id, at);
	probe_expect_json(probe, "a new user", expected, stored);
	probe_expect_json(probe, "the same, read by the id", expected, probe_user(probe, id));
	const struct ss_turn_key key = {.user_id = id};
	probe_expect_json(probe, "the user in a turn's context",
		probe_format(probe, "{\"id\":\"%s\",\"name\":\"Ann 😀\",\"vip\":true}", id),
		value_get(probe_context(probe, &key), "user"));
}

static void changes_what_is_given(struct probe *probe)
{
	const char *id = probe_name(probe, "ann");
	struct ss_user user = {.id = id,
		.name = "Ann",
		.email = "ann@example.org",
		.vip = 1,
		.metadata = "{\"a\":1}",
		.is_new = true,
		.at_ns = probe->now_ns};
	(void)probe_store_user(probe, user);
	user = (struct ss_user){
		.id = id, .name = "", .vip = -1, .at_ns = probe->now_ns + PROBE_SECOND_NS};
	probe_expect_json(probe, "a user whose name was taken away",
		probe_format(probe,
			"{\"conversations\":0,\"created_at\":\"%s\",\"email\":\"ann@example.org\","
			"\"id\":\"%s\",\"metadata\":{\"a\":1},\"updated_at\":\"%s\",\"vip\":true}",
			probe_time(probe, probe->now_ns), id, probe_time(probe, user.at_ns)),
		probe_store_user(probe, user));
	user = (struct ss_user){.id = id,
		.email = "",
		.vip = 0,
		.metadata = "{}",
		.at_ns = user.at_ns + PROBE_SECOND_NS};
	probe_expect_json(probe, "a user who has nothing left",
		probe_format(probe,
			"{\"conversations\":0,\"created_at\":\"%s\",\"id\":\"%s\",\"metadata\":{},"
			"\"updated_at\":\"%s\",\"vip\":false}",
			probe_time(probe, probe->now_ns), id, probe_time(probe, user.at_ns)),
		probe_store_user(probe, user));
}

static void changes_what_is_expected(struct probe *probe)
{
	const char *id = probe_name(probe, "ann");
	struct ss_user user = {
		.id = id, .name = "Ann", .vip = -1, .is_new = true, .at_ns = probe->now_ns};
	(void)probe_store_user(probe, user);
	user = (struct ss_user){.id = id, .name = "Bea", .vip = -1, .at_ns = probe->now_ns};
	user.expected_ns = probe->now_ns - PROBE_SECOND_NS;
	probe_refuse_user(probe, "a user who was changed at another time", user, SS_CONFLICT);
	user.expected_ns = probe->now_ns;
	const char *changed = probe_string(probe_store_user(probe, user), "updated_at");
	if (!probe->failed && strcmp(changed, probe_time(probe, probe->now_ns)) <= 0)
		probe_fail(probe, "the time of a change in the same moment", "a later one", "%s",
			changed);
	user.name = "Eve";
	probe_refuse_user(probe, "a user whom somebody else has changed", user, SS_CONFLICT);
	probe_expect(
		probe, "the name after that", "Bea", probe_string(probe_user(probe, id), "name"));
	user.id = probe_name(probe, "nobody");
	probe_refuse_user(probe, "a user who is not there, as expected", user, SS_NOT_FOUND);
}

static void refuses_what_is_wrong(struct probe *probe)
{
	static const char *const wrong[] = {"", "[]", "{", "1", "{\"a\":1} {}"};
	const char *id = probe_name(probe, "ann");
	struct ss_user user = {.id = id, .vip = -1, .at_ns = probe->now_ns};
	probe_refuse_user(probe, "changing a user who is not there", user, SS_NOT_FOUND);
	user.is_new = true;
	for (size_t i = 0; i < array_length(wrong); i++) {
		user.metadata = wrong[i];
		probe_refuse_user(probe, probe_format(probe, "the metadata \"%s\"", wrong[i]), user,
			SS_INVALID);
	}
	user.metadata = NULL;
	user.vip = 2;
	probe_refuse_user(probe, "a vip of 2", user, SS_INVALID);
	user.vip = 0;
	(void)probe_store_user(probe, user);
	user.name = "Other";
	probe_refuse_user(probe, "a new user whose id is there", user, SS_CONFLICT);
	if (!probe->failed && value_get(probe_user(probe, id), "name") != NULL)
		probe_fail(probe, "the name of a user that was refused", "none", "one");
	probe_expect_no_user(probe, probe_name(probe, "unknown"));
}

static void counts_conversations(struct probe *probe)
{
	struct ss_turn turns[3];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_first(probe, "ann");
	turns[2] = probe_first(probe, "bob");
	for (size_t i = 0; i < array_length(turns); i++)
		probe_store(probe, &turns[i]);
	const struct ss_value *user = probe_user(probe, turns[0].user_id);
	probe_expect_int(probe, "the conversations of a user whom a turn has brought", 2,
		value_as_int(value_get(user, "conversations")));
	probe_expect(probe, "when that one came", probe_time(probe, turns[0].asked_at_ns),
		probe_string(user, "created_at"));
	/* Known since the first question, so not new. */
	struct ss_user described = {.id = turns[0].user_id, .vip = 1, .at_ns = probe->now_ns};
	described.is_new = true;
	probe_refuse_user(probe, "a new user who has asked already", described, SS_CONFLICT);
	described.is_new = false;
	probe_expect_int(probe, "the conversations of a user who was described", 2,
		value_as_int(value_get(probe_store_user(probe, described), "conversations")));
}

/* Lists. */

/* The ids in all pages of the list, without what makes them unique, as "a b". */
static const char *list(struct probe *probe, struct ss_user_filter filter)
{
	const char *ids = "";
	filter.struct_size = sizeof filter;
	do {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		if (probe->failed)
			return "";
		int result = probe->storage->list_users(probe->instance, &filter, &page, &err);
		probe_expect_success(probe, "reading with list_users()", result, &err);
		const struct ss_value *kept = probe_keep(probe, result == 0 ? page : NULL);
		const struct ss_value *items = value_get(kept, "items");
		const struct ss_value *next = value_get(kept, "next");
		if (value_count(items) > filter.limit)
			probe_fail(probe, "a page of list_users()", "no more items than its limit",
				"%zu", value_count(items));
		for (size_t i = 0; i < value_count(items); i++) {
			const char *id = probe_string(value_at(items, i), "id");
			size_t unique = strlen(probe->run) + 1;
			if (strncmp(id, probe->run, unique - 1) == 0)
				ids = probe_format(probe, "%s%s%s", ids, ids[0] != '\0' ? " " : "",
					id + unique);
		}
		filter.after = next != NULL ? value_as_string(next, NULL) : NULL;
	} while (filter.after != NULL);
	return ids;
}

static void lists_users(struct probe *probe)
{
	static const char *const ids[] = {"b", "B", "a", "ab", "é", "ab😀", "b-x", "😀"};
	for (size_t i = 0; i < array_length(ids); i++)
		(void)probe_store_user(
			probe, (struct ss_user){
				       .id = probe_format(probe, "%s-%s", probe->run, ids[i]),
				       .vip = i % 3 == 0,
				       .is_new = true,
				       .at_ns = probe->now_ns,
			       });
	const struct {
		const char *prefix;
		int64_t vip;
		const char *expected;
	} rows[] = {
		{"", -1, "B a ab ab😀 b b-x é 😀"},
		{"", 1, "ab b b-x"},
		{"", 0, "B a ab😀 é 😀"},
		{"-a", -1, "a ab ab😀"},
		{"-ab", 0, "ab😀"},
		{"-b", 1, "b b-x"},
		{"-é", -1, "é"},
		{"-😀", -1, "😀"},
		{"-c", -1, ""},
	};
	for (size_t i = 0; i < array_length(rows); i++)
		probe_expect(probe,
			probe_format(probe, "the users whose ids begin with \"%s\", vip %lld",
				rows[i].prefix, (long long)rows[i].vip),
			rows[i].expected,
			list(probe, (struct ss_user_filter){
					    .prefix = probe_format(
						    probe, "%s%s", probe->run, rows[i].prefix),
					    .vip = rows[i].vip,
					    .limit = 2,
				    }));
	probe_expect(probe, "the users in a list of all", "B a ab ab😀 b b-x é 😀",
		list(probe, (struct ss_user_filter){.vip = -1, .limit = 3}));
	probe_expect(probe, "the users in a list of all that are vip", "ab b b-x",
		list(probe, (struct ss_user_filter){.vip = 1, .limit = 3}));
}

static void refuses_other_places(struct probe *probe)
{
	static const char *const wrong[] = {"", "x", "'", ".x"};
	for (size_t i = 0; i < array_length(wrong) && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_user_filter filter = {
			.struct_size = sizeof filter, .vip = -1, .after = wrong[i], .limit = 1};
		int result = probe->storage->list_users(probe->instance, &filter, &page, &err);
		probe_expect_refusal(probe,
			probe_format(probe, "list_users() after \"%s\"", wrong[i]), SS_INVALID,
			result, &err);
		if (result == 0)
			value_unref(page);
	}
}

static const struct probe_case cases[] = {
	{"a user is what was said of one, also to turns", describes_users},
	{"what is not given of a user stays, and what is empty goes", changes_what_is_given},
	{"a user is changed as expected, or not at all", changes_what_is_expected},
	{"a user that is wrong, there already or not there is refused", refuses_what_is_wrong},
	{"a user comes with the first question, and has so many conversations",
		counts_conversations},
	{"pages of users are by their ids, of those who are vip or not, and by a prefix",
		lists_users},
	{"a list of users does not go on from a place that no list gave", refuses_other_places},
};

const struct probe_area users_area = {"users", cases, array_length(cases)};
