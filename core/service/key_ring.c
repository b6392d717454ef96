#include "service/key_ring.h"

#include "base/log.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	ID_BYTES = 8,
	SECRET_BYTES = 32,
	SECRET_LETTERS = 43,
	ID_DIGITS = 2 * ID_BYTES,
};

static const char id_start[] = "key_";
static const char token_start[] = "ssk_";

struct key_ring {
	const struct log *log;
	struct api_key *keys; /* by their ids */
	size_t count;
};

static const char *const role_names[] = {
	[KEY_CHAT] = "chat", [KEY_OPERATOR] = "operator", [KEY_ADMIN] = "admin"};

const char *key_role_name(enum key_role role)
{
	return role_names[role];
}

enum key_role key_role_of(const char *name)
{
	for (size_t i = KEY_CHAT; i < array_length(role_names); i++) {
		if (strcmp(role_names[i], name) == 0)
			return (enum key_role)i;
	}
	return KEY_NOBODY;
}

bool key_space_is_valid(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_");
	return length > 0 && length < KEY_SPACE_SIZE && text[length] == '\0';
}

static void fill_with_chance(unsigned char *bytes, size_t size)
{
	if (getrandom(bytes, size, 0) != (ssize_t)size)
		abort(); /* cannot happen: fewer than 256 bytes are never cut short */
}

static void hash_token(const char *token, char hash[HASH_SIZE])
{
	(void)hash_sha256(token, strlen(token), hash);
}

/* Writes BYTES in letters that need no escape anywhere (RFC 4648, 5), without the = at the end. */
static void write_secret(const unsigned char bytes[SECRET_BYTES], char *text)
{
	char letters[SECRET_LETTERS + 2];
	(void)EVP_EncodeBlock((unsigned char *)letters, bytes, SECRET_BYTES);
	for (size_t i = 0; i < SECRET_LETTERS; i++)
		text[i] = (char)(letters[i] == '+' ? '-' : letters[i] == '/' ? '_' : letters[i]);
	text[SECRET_LETTERS] = '\0';
	OPENSSL_cleanse(letters, sizeof letters);
}

void key_make(const struct key_order *order, struct key_made *made)
{
	unsigned char number[ID_BYTES], secret[SECRET_BYTES];
	char hash[HASH_SIZE];
	fill_with_chance(number, sizeof number);
	fill_with_chance(secret, sizeof secret);
	(void)strcpy(made->id, id_start);
	for (size_t i = 0; i < ID_BYTES; i++)
		(void)snprintf(made->id + sizeof id_start - 1 + 2 * i, 3, "%02x", number[i]);
	int length = snprintf(made->token, sizeof made->token, "%s%s_", token_start,
		made->id + sizeof id_start - 1);
	write_secret(secret, made->token + length);
	OPENSSL_cleanse(secret, sizeof secret);
	hash_token(made->token, hash);
	const char *last = made->token + strlen(made->token) - 4;
	bool is_chat = order->role == KEY_CHAT;
	struct ss_value *data = value_map_make({"name", value_text(order->name)},
		{"role", value_text(role_names[order->role])}, {"hash", value_text(hash)},
		{"last", value_text(last)},
		{"space", is_chat ? value_text(order->space != NULL ? order->space : made->id)
				  : NULL},
		{"expires_s", order->expires_s > 0 ? value_int(order->expires_s) : NULL});
	made->data = json_text(data);
	value_unref(data);
}

static const char *text_at(const struct ss_value *data, const char *name)
{
	const struct ss_value *value = value_get(data, name);
	return value_type(value) == SS_STRING ? value_as_string(value, NULL) : "";
}

static enum key_role read_role(
	const struct api_key *key, const struct ss_value *data, struct ss_error *err)
{
	enum key_role role = key_role_of(text_at(data, "role"));
	if (value_type(data) != SS_MAP)
		(void)ss_fail(err, "it is no JSON object");
	else if (role == KEY_NOBODY)
		(void)ss_fail(err, "its role is none of chat, operator and admin");
	else if (strlen(key->hash) != HASH_SIZE - 1)
		(void)ss_fail(err, "it has no hash");
	else if (role == KEY_CHAT && !key_space_is_valid(key->space))
		(void)ss_fail(err, "it is for chats and has no space");
	else
		return role;
	return KEY_NOBODY;
}

void key_read(
	struct api_key *key, const char *id, const struct ss_value *data, struct ss_error *err)
{
	*key = (struct api_key){
		.name = memory_string(text_at(data, "name")),
		.expires_s = value_as_int(value_get(data, "expires_s")),
		.revoked = value_as_bool(value_get(data, "revoked")),
	};
	(void)snprintf(key->id, sizeof key->id, "%s", id);
	(void)snprintf(key->space, sizeof key->space, "%s", text_at(data, "space"));
	(void)snprintf(key->last, sizeof key->last, "%s", text_at(data, "last"));
	(void)snprintf(key->hash, sizeof key->hash, "%s", text_at(data, "hash"));
	key->role = read_role(key, data, err);
}

void key_free(struct api_key *key)
{
	free(key->name);
	key->name = NULL;
}

struct key_ring *key_ring_new(const struct log *log)
{
	struct key_ring *ring = memory_make(struct key_ring);
	ring->log = log;
	return ring;
}

void key_ring_free(struct key_ring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->count; i++)
		key_free(&ring->keys[i]);
	free(ring->keys);
	free(ring);
}

/* Where ID is, or belongs. */
static size_t place_of(const struct key_ring *ring, const char *id)
{
	size_t low = 0;
	size_t high = ring->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(ring->keys[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct key_ring *ring, size_t place, const char *id)
{
	return place < ring->count && strcmp(ring->keys[place].id, id) == 0;
}

static void remove_key(struct key_ring *ring, size_t place)
{
	key_free(&ring->keys[place]);
	ring->count--;
	memmove(&ring->keys[place], &ring->keys[place + 1],
		(ring->count - place) * sizeof *ring->keys);
}

static void put_key(struct key_ring *ring, size_t place, const struct api_key *key)
{
	if (is_at(ring, place, key->id)) {
		key_free(&ring->keys[place]);
	} else {
		ring->keys = memory_resize(ring->keys, ring->count + 1, sizeof *ring->keys);
		memmove(&ring->keys[place + 1], &ring->keys[place],
			(ring->count - place) * sizeof *ring->keys);
		ring->count++;
	}
	ring->keys[place] = *key;
}

static void take_document(struct key_ring *ring, const struct ss_value *document)
{
	struct ss_error err = {0};
	struct api_key key;
	const char *fault = text_at(document, "fault");
	const struct ss_value *data = value_get(document, "data");
	const char *id = text_at(document, "id");
	size_t place = place_of(ring, id);
	if (data == NULL && fault[0] == '\0') {
		if (is_at(ring, place, id))
			remove_key(ring, place);
		return;
	}
	/* It counts as a key: who cannot read what the store says must not let everybody in. */
	key_read(&key, id, data, &err);
	if (key.role == KEY_NOBODY)
		log_warning(ring->log, "the API key %s lets nobody in: %s", id,
			fault[0] != '\0' ? fault : err.text);
	put_key(ring, place_of(ring, key.id), &key);
}

void key_ring_take(void *ring, const struct ss_value *documents)
{
	const struct ss_value *items = value_get(documents, "items");
	for (size_t i = 0; i < value_count(items); i++)
		take_document(ring, value_at(items, i));
}

size_t key_ring_count(const struct key_ring *ring)
{
	return ring->count;
}

enum key_verdict key_ring_find(
	const struct key_ring *ring, const char *token, int64_t now_s, const struct api_key **key)
{
	char id[KEY_ID_SIZE];
	char hash[HASH_SIZE];
	size_t start = sizeof token_start - 1;
	*key = NULL;
	if (strncmp(token, token_start, start) != 0 ||
		strlen(token) != start + ID_DIGITS + 1 + SECRET_LETTERS)
		return KEY_UNKNOWN;
	(void)snprintf(id, sizeof id, "%s%.*s", id_start, (int)ID_DIGITS, token + start);
	size_t place = place_of(ring, id);
	if (!is_at(ring, place, id))
		return KEY_UNKNOWN;
	const struct api_key *found = &ring->keys[place];
	hash_token(token, hash);
	if (found->role == KEY_NOBODY || CRYPTO_memcmp(hash, found->hash, HASH_SIZE) != 0)
		return KEY_UNKNOWN;
	*key = found;
	if (found->revoked)
		return KEY_REVOKED;
	return found->expires_s > 0 && found->expires_s <= now_s ? KEY_EXPIRED : KEY_VALID;
}
