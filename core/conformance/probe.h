/*
 * A probe: one case of the suite at work on a store. The functions that act on it do nothing once it has a mistake,
 * and give nothing, so that a case reads from its beginning to its end as if nothing could go wrong; the first mistake
 * is what the case came to. What they return lives as long as the probe. One thread.
 */
#ifndef CONFORMANCE_PROBE_H
#define CONFORMANCE_PROBE_H

#include "base/arena.h"
#include "base/id.h"
#include "base/memory.h"
#include "conformance/storage.h"

/* Many times what a store needs, so that a slow one is not taken for a wrong one; in rounds of waiting. */
enum { PROBE_PATIENCE = 5000 };

#define PROBE_SECOND_NS INT64_C(1000000000)
#define PROBE_HOUR_NS   (3600 * PROBE_SECOND_NS)

struct probe {
	const struct ss_storage_operations *storage;
	const struct ss_setup *setup;
	void *instance;
	bool open;
	bool failed;
	char *what, *expected, *came; /* of the mistake */
	struct arena_pool pool;
	struct arena memory;
	char run[ID_SIZE]; /* what its names have that no others have */
	int64_t now_ns;    /* before all its turns; ten minutes ago */
	int64_t turns;     /* that were made */
	struct ss_value **values;
	size_t value_count;
	const char **journals; /* that were begun */
	size_t journal_count;
};

struct probe_case {
	const char *sentence;
	void (*run)(struct probe *probe);
};

struct probe_area {
	const char *name;
	const struct probe_case *cases;
	size_t count;
};

extern const struct probe_area context_area, turns_area, figures_area, feedback_area,
	unanswered_area, journals_area, leases_area, together_area, conversations_area,
	changes_area, users_area, analytics_area, erasure_area, documents_area, events_area,
	deliveries_area, requests_area, retention_area, watch_area;

/* A probe of the store that PLUGIN opens with SETUP, which is opened. */
struct probe *probe_new(const struct ss_plugin *plugin, const struct ss_setup *setup);
/* Deletes its journals and closes the store. */
void probe_free(struct probe *probe);

/* Another instance of the store, and the end of one. */
void *probe_open(struct probe *probe);
void probe_close(struct probe *probe, void *instance);
/* Closes the store and opens it again. */
void probe_reopen(struct probe *probe);

/* Expectations. WHAT says what was looked at. */

__attribute__((format(printf, 4, 5))) void probe_fail(
	struct probe *probe, const char *what, const char *expected, const char *came, ...);
void probe_expect(struct probe *probe, const char *what, const char *expected, const char *came);
void probe_expect_int(struct probe *probe, const char *what, int64_t expected, int64_t came);
/* VALUE as JSON is EXPECTED. */
void probe_expect_json(
	struct probe *probe, const char *what, const char *expected, const struct ss_value *value);
/* The string VALUE is TEXT, byte by byte. */
void probe_expect_text(struct probe *probe, const char *what, struct ss_text expected,
	const struct ss_value *value);
/* A call gave RESULT, which must be 0. */
void probe_expect_success(
	struct probe *probe, const char *what, int result, const struct ss_error *err);
/* A call was refused with STATUS and a sentence. */
void probe_expect_refusal(struct probe *probe, const char *what, enum ss_status status, int result,
	const struct ss_error *err);

/* Names. */

/* NAME with what no other probe's names have. */
const char *probe_name(struct probe *probe, const char *name);
/* A new id, as the server makes them. */
const char *probe_id(struct probe *probe, const char *prefix);
__attribute__((format(printf, 2, 3))) const char *probe_format(
	struct probe *probe, const char *format, ...);
/* As values have it: RFC 3339. */
const char *probe_time(struct probe *probe, int64_t utc_ns);
/* COUNT characters of TEXT, again and again. */
struct ss_text probe_long_text(struct probe *probe, const char *text, size_t count);

/* VALUE (taken) lives as long as the probe; NULL for NULL. */
const struct ss_value *probe_keep(struct probe *probe, struct ss_value *value);

/* Turns. */

/* The first turn of a new conversation of USER, or another one of the conversation of TURN, each with texts of its
 * own ("question 1", "answer 1", …) and a second after the one before. */
struct ss_turn probe_first(struct probe *probe, const char *user);
struct ss_turn probe_next(struct probe *probe, const struct ss_turn *turn);

/* Stores TURN, or COUNT TURNS at once, which must work. */
void probe_store(struct probe *probe, const struct ss_turn *turn);
void probe_store_all(struct probe *probe, const struct ss_turn *turns, size_t count);
/* As commit_turns(), with ERRORS that are SS_OK before. */
int probe_commit(
	struct probe *probe, const struct ss_turn *turns, size_t count, struct ss_error *errors);
/* TURN is refused with STATUS. */
void probe_refuse(
	struct probe *probe, const char *what, const struct ss_turn *turn, enum ss_status status);

/* What turn_context() gives for KEY, whose size need not be filled in. */
const struct ss_value *probe_context(struct probe *probe, const struct ss_turn_key *key);
/* The texts of messages, as "question 1|answer 1". */
const char *probe_texts(struct probe *probe, const struct ss_value *messages);
/* The last LIMIT texts of TURN's conversation. */
const char *probe_history(struct probe *probe, const struct ss_turn *turn, size_t limit);
/* How many turns the statistics count in NAME of GROUP ("categories" or "sentiments"). */
int64_t probe_counted(struct probe *probe, const char *group, const char *name);
const struct ss_value *probe_stats(struct probe *probe);

/* The counts of one article, as "views 1, helpful 0, not helpful 0"; the ids of those in a range, as "a|b". */
const char *probe_article(struct probe *probe, const char *id);
const char *probe_articles(struct probe *probe, const char *first, const char *last);
void probe_vote(struct probe *probe, const struct ss_turn *turn, int64_t was_helpful);

/* Conversations and users. */

/* What read_conversation() gives for ID, and the messages that fit FILTER, whose size need not be filled in. */
const struct ss_value *probe_conversation(struct probe *probe, const char *id);
const struct ss_value *probe_messages(struct probe *probe, const struct ss_message_filter *filter);
/* The texts of all messages of a conversation, as "question 1|answer 1". */
const char *probe_said(struct probe *probe, const char *conversation_id);

/* A change of TURN's conversation at the time of its answer. */
struct ss_conversation_change probe_changing(const struct ss_turn *turn);
/* What the conversation is after CHANGE, which must work; or must be refused with STATUS. */
const struct ss_value *probe_change(struct probe *probe, struct ss_conversation_change change);
void probe_refuse_change(struct probe *probe, const char *what,
	struct ss_conversation_change change, enum ss_status status);
void probe_delete_conversation(struct probe *probe, const char *id);
/* There is no conversation ID. */
void probe_expect_no_conversation(struct probe *probe, const char *id);

/* A user as the probe stores one, and what read_user() gives then; or it must be refused with STATUS. */
const struct ss_value *probe_store_user(struct probe *probe, struct ss_user user);
void probe_refuse_user(
	struct probe *probe, const char *what, struct ss_user user, enum ss_status status);
const struct ss_value *probe_user(struct probe *probe, const char *id);
void probe_expect_no_user(struct probe *probe, const char *id);

/* Rates TURN's answer at the time GIVEN_AT_NS. */
void probe_rate(
	struct probe *probe, const struct ss_turn *turn, int64_t rating, int64_t given_at_ns);

/* Journals. */

/* What begins the journal of the turn ID, whose lease OWNER holds for an hour. */
struct ss_journal_write probe_beginning(struct probe *probe, const char *id, const char *owner);
int probe_try_write(
	struct probe *probe, const struct ss_journal_write *write, struct ss_error *err);
/* Writes, which must work; or must be refused with STATUS. */
void probe_write(struct probe *probe, struct ss_journal_write write);
void probe_refuse_write(struct probe *probe, const char *what, struct ss_journal_write write,
	enum ss_status status);
/* The journal of the turn ID. */
const struct ss_value *probe_journal(struct probe *probe, const char *id);
/* The same, whose lease OWNER takes for an hour; the lease of GONE counts as over. Must work, or be refused. */
const struct ss_value *probe_take(
	struct probe *probe, const char *id, const char *owner, const char *gone);
void probe_refuse_taking(struct probe *probe, const char *what, const char *id, const char *owner,
	const char *gone, enum ss_status status);

/* Documents and events. */

/* Stores a document, at the probe's time, which must work or be refused with STATUS; DATA NULL removes it. */
void probe_put(struct probe *probe, enum ss_document_kind kind, const char *id, const char *data,
	int64_t expected);
void probe_refuse_putting(struct probe *probe, const char *what, const struct ss_document *document,
	enum ss_status status);
/* What read_documents() gives for FILTER, whose size need not be filled in. */
const struct ss_value *probe_documents(struct probe *probe, struct ss_document_filter filter);
/* The version that KIND has reached. */
int64_t probe_version(struct probe *probe, enum ss_document_kind kind);

/* The id of a new webhook. */
const char *probe_webhook(struct probe *probe);
/* Stores a turn of USER at AT_NS with an event of TYPE, for WEBHOOK if that is not NULL; the event's id. */
const char *probe_event(struct probe *probe, const char *user, const char *type,
	const char *webhook, int64_t at_ns);
/* What list_events() gives for FILTER, whose size need not be filled in. */
const struct ss_value *probe_events(struct probe *probe, struct ss_event_filter filter);
/* What is at KEY in those of LIST of which it begins with PREFIX, without that and in their order, as "a|b". */
const char *probe_column(
	struct probe *probe, const struct ss_value *list, const char *key, const char *prefix);
/* Claims deliveries as OWNER for a minute, until there are no more that are due; those of WEBHOOK as a list. */
const struct ss_value *probe_claim(struct probe *probe, const char *owner, const char *gone,
	const char *webhook, size_t limit);
/* What list_deliveries() gives for FILTER, whose size need not be filled in. */
const struct ss_value *probe_deliveries(struct probe *probe, struct ss_delivery_filter filter);
/* Finishes the delivery CLAIMED, of OWNER: 0, or the status of the refusal. */
enum ss_status probe_finish(struct probe *probe, const struct ss_value *claimed, const char *owner,
	const char *status, int64_t retry_ns);

const char *probe_string(const struct ss_value *map, const char *key);

/* Waits a moment. */
void probe_pause(void);

#endif
