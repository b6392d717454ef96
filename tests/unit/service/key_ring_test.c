#include "service/key_ring.h"

#include "base/log.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log silent;
static struct key_ring *ring;

static void set_up(void)
{
	silent = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	ring = key_ring_new(&silent);
}

static void tear_down(void)
{
	key_ring_free(ring);
}

TestSuite(key_ring, .init = set_up, .fini = tear_down);

/* The ring is told that the document ID is now TEXT, or gone when that is NULL. */
static void tell(const char *id, const char *text)
{
	struct ss_error err = {0};
	struct ss_value *data = text != NULL ? json_parse(text, strlen(text), &err) : NULL;
	struct ss_value *item = value_map_make({"id", value_text(id)}, {"data", data});
	struct ss_value *documents =
		value_map_make({"items", value_list(&item, 1)}, {"version", value_int(1)});
	key_ring_take(ring, documents);
	value_unref(documents);
}

static struct key_made make(enum key_role role, const char *space, int64_t expires_s)
{
	struct key_made made;
	const struct key_order order = {role, "the shop", space, expires_s};
	key_make(&order, &made);
	return made;
}

/* A key that is in the ring. */
static struct key_made add(enum key_role role, int64_t expires_s)
{
	struct key_made made = make(role, NULL, expires_s);
	tell(made.id, made.data);
	return made;
}

static enum key_verdict find(const char *token, int64_t now_s)
{
	const struct api_key *key;
	return key_ring_find(ring, token, now_s, &key);
}

Test(key_ring, knows_a_key_by_what_its_holder_sends)
{
	const struct api_key *key;
	struct key_made made = add(KEY_OPERATOR, 0);
	struct key_made other = add(KEY_ADMIN, 0);
	cr_assert_eq(key_ring_find(ring, made.token, 5, &key), KEY_VALID);
	cr_expect_str_eq(key->id, made.id);
	cr_expect_str_eq(key->name, "the shop");
	cr_expect_eq(key->role, KEY_OPERATOR);
	cr_expect_str_eq(key->last, made.token + strlen(made.token) - 4);
	cr_assert_eq(key_ring_find(ring, other.token, 5, &key), KEY_VALID);
	cr_expect_eq(key->role, KEY_ADMIN);
	cr_expect_eq(key_ring_count(ring), 2);
	free(made.data);
	free(other.data);
}

Test(key_ring, stores_nothing_that_lets_in)
{
	struct key_made made = make(KEY_CHAT, NULL, 0);
	/* Its last 43 letters, among which may be a _. */
	const char *secret = made.token + strlen(made.token) - 43;
	cr_expect_null(strstr(made.data, made.token));
	cr_expect_null(strstr(made.data, secret));
	cr_expect_eq(strlen(made.token), 64);
	free(made.data);
}

Test(key_ring, knows_nothing_that_differs_in_a_letter)
{
	struct key_made made = add(KEY_ADMIN, 0);
	for (size_t i = 0; i < strlen(made.token); i++) {
		char *wrong = memory_string(made.token);
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		cr_expect_eq(find(wrong, 5), KEY_UNKNOWN, "%s", wrong);
		wrong[i] = '\0';
		cr_expect_eq(find(wrong, 5), KEY_UNKNOWN, "%s", wrong);
		free(wrong);
	}
	char *longer = memory_format("%sA", made.token);
	cr_expect_eq(find(longer, 5), KEY_UNKNOWN);
	free(longer);
	free(made.data);
}

Test(key_ring, lets_a_key_expire_and_be_revoked)
{
	struct key_made made = add(KEY_ADMIN, 100);
	cr_expect_eq(find(made.token, 99), KEY_VALID);
	cr_expect_eq(find(made.token, 100), KEY_EXPIRED);
	struct ss_value *data = json_parse(made.data, strlen(made.data), NULL);
	struct ss_value *revoked = value_map_with(data, "revoked", value_bool(true));
	char *text = json_text(revoked);
	tell(made.id, text);
	cr_expect_eq(find(made.token, 99), KEY_REVOKED);
	cr_expect_eq(key_ring_count(ring), 1);
	tell(made.id, NULL);
	cr_expect_eq(find(made.token, 99), KEY_UNKNOWN);
	cr_expect_eq(key_ring_count(ring), 0);
	tell(made.id, NULL);
	cr_expect_eq(key_ring_count(ring), 0);
	value_unref(data);
	value_unref(revoked);
	free(text);
	free(made.data);
}

Test(key_ring, counts_what_it_cannot_read_and_lets_nobody_in_by_it)
{
	static const char *const texts[] = {"[]", "{}", "{\"role\":\"king\"}",
		"{\"role\":\"admin\",\"hash\":\"\"}", "{\"role\":\"admin\",\"hash\":\"00\"}",
		"{\"role\":1,\"hash\":2}"};
	struct key_made made = make(KEY_ADMIN, NULL, 0);
	for (size_t i = 0; i < array_length(texts); i++) {
		tell(made.id, texts[i]);
		cr_expect_eq(key_ring_count(ring), 1, "%s", texts[i]);
		cr_expect_eq(find(made.token, 5), KEY_UNKNOWN, "%s", texts[i]);
	}
	free(made.data);
}

Test(key_ring, gives_a_chat_key_a_space_of_its_own_unless_it_is_told_one)
{
	const struct api_key *key;
	struct key_made own = add(KEY_CHAT, 0);
	struct key_made shared = make(KEY_CHAT, "shop", 0);
	tell(shared.id, shared.data);
	cr_assert_eq(key_ring_find(ring, own.token, 5, &key), KEY_VALID);
	cr_expect_str_eq(key->space, own.id);
	cr_assert_eq(key_ring_find(ring, shared.token, 5, &key), KEY_VALID);
	cr_expect_str_eq(key->space, "shop");
	free(own.data);
	free(shared.data);
}

Test(key_ring, takes_spaces_that_cannot_be_mistaken)
{
	cr_expect(key_space_is_valid("shop-2_B"));
	cr_expect(key_space_is_valid("a123456789a123456789a123456789a123456789"));
	cr_expect_not(key_space_is_valid("a123456789a123456789a123456789a123456789b"));
	cr_expect_not(key_space_is_valid(""));
	cr_expect_not(key_space_is_valid("a:b"));
	cr_expect_not(key_space_is_valid("a b"));
}

Test(key_ring, keeps_many_in_order)
{
	enum { MANY = 100 };
	struct key_made made[MANY];
	for (size_t i = 0; i < MANY; i++)
		made[i] = add(KEY_CHAT, 0);
	for (size_t i = 0; i < MANY; i += 2)
		tell(made[i].id, NULL);
	for (size_t i = 0; i < MANY; i++) {
		cr_expect_eq(find(made[i].token, 5), i % 2 == 0 ? KEY_UNKNOWN : KEY_VALID);
		free(made[i].data);
	}
}
