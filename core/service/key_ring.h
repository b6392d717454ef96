/*
 * API keys: who may ask the server for what. A key is a word of 256 random bits that is shown once, when it is made. The store
 * has only its SHA-256: that cannot be turned round, and a hash that is slow on purpose would guard nothing more, as nobody
 * can try 2^256 words, but would cost every request its time. Each worker has all keys in memory, in a ring that follows
 * the store's documents.
 *
 * key_ring_*: loop thread. key_make(): any thread.
 */
#ifndef SERVICE_KEY_RING_H
#define SERVICE_KEY_RING_H

#include "base/hash.h"

#include <smartsupport/value.h>

struct key_ring;
struct log;

/* What a key may do. Each role may do what those before it may. */
enum key_role {
	KEY_NOBODY,
	KEY_CHAT,     /* ask questions, as users of its space */
	KEY_OPERATOR, /* see and do what those do who look after customers */
	KEY_ADMIN,    /* all of it */
};

enum {
	KEY_ID_SIZE = 24,    /* key_ and 16 hexadecimal digits */
	KEY_TOKEN_SIZE = 72, /* ssk_, the digits of the id, _ and 43 letters */
	KEY_SPACE_SIZE = 41,
	KEY_NAME_LENGTH = 100, /* characters */
};

struct api_key {
	char id[KEY_ID_SIZE];
	enum key_role role; /* KEY_NOBODY: what the store has of it cannot be read */
	char *name;
	char space[KEY_SPACE_SIZE]; /* of a chat key: whose users it has */
	char last[5];               /* letters of it */
	char hash[HASH_SIZE];
	int64_t expires_s; /* Unix time; 0: never */
	bool revoked;
};

enum key_verdict {
	KEY_VALID,
	KEY_UNKNOWN,
	KEY_EXPIRED,
	KEY_REVOKED,
};

/* "chat", "operator" or "admin"; NULL for KEY_NOBODY. */
const char *key_role_name(enum key_role role);
/* KEY_NOBODY when there is none of this NAME. */
enum key_role key_role_of(const char *name);

/* Whether TEXT can be a space: 1 to 40 letters, digits, - and _. */
bool key_space_is_valid(const char *text);

struct key_order {
	enum key_role role;
	const char *name;
	const char *space; /* NULL: the key's own */
	int64_t expires_s; /* 0: never */
};

struct key_made {
	char id[KEY_ID_SIZE];
	char token[KEY_TOKEN_SIZE]; /* what its holder sends */
	char *data;                 /* what the store keeps, JSON; the caller frees it */
};

/* Makes a key. */
void key_make(const struct key_order *order, struct key_made *made);

/* Reads what the store keeps of a key; DATA may be NULL. KEY has the role KEY_NOBODY, and ERR says why, when that cannot
 * be read. Free it. */
void key_read(
	struct api_key *key, const char *id, const struct ss_value *data, struct ss_error *err);
void key_free(struct api_key *key);

/* LOG is borrowed. */
struct key_ring *key_ring_new(const struct log *log);
void key_ring_free(struct key_ring *ring);

/* Takes changes of the documents of the kind SS_API_KEYS: a documents_changed() whose context is the ring. */
void key_ring_take(void *ring, const struct ss_value *documents);

/* How many keys there are, also such as are of no use any more. */
size_t key_ring_count(const struct key_ring *ring);

/* What TOKEN is at NOW_S, Unix time. *KEY is the key it is of, borrowed until the ring changes; NULL: of none. How long
 * this takes tells nothing of how much of a key is right. */
enum key_verdict key_ring_find(
	const struct key_ring *ring, const char *token, int64_t now_s, const struct api_key **key);

#endif
