/*
 * The contract of storage plugins: what one is told and what it tells. Plain blocking code: all callbacks but those that
 * say otherwise are called on a store thread, one at a time for an instance.
 *
 * `smartsupport plugin check --storage FILE.so` tries whether one keeps to it.
 *
 * Ids, keys and names are any UTF-8 text without NUL, of 1 to 255 characters, and compared byte by byte. A struct
 * ss_text may have any character, NUL as well, and a megabyte of them; it comes back byte by byte. JSON comes back as
 * it was written, with its blanks and the order of its members. Times are kept to the microsecond, a fraction of which
 * is cut off, and come back as 2026-01-31T09:05:00.123456Z.
 *
 * Any number of instances, in this process and others, use one store at once, as if each call were alone: what one
 * has stored the others see when its call has returned, figures are exact, and who must wait for another waits, or
 * tries again, inside the call.
 */
#ifndef SMARTSUPPORT_STORAGE_H
#define SMARTSUPPORT_STORAGE_H

#include "host.h"

SS_BEGIN_C

struct ss_setup;

/* Called on the store thread with a message of the user and its vector, both borrowed for the call. */
typedef void ss_vector_read(void *context, struct ss_text message, struct ss_bytes vector);

/* What turn_context() is asked about. */
struct ss_turn_key {
	size_t struct_size;
	const char *user_id;         /* who asks; may be unknown to the store */
	const char *conversation_id; /* NULL for a new conversation */
	size_t history_limit;        /* messages */
	size_t recent_limit;         /* messages of the user's other conversations. Since 1.2 */
	/* Since 1.3. Called for each message in `history` and `recent` that is kept with a vector of EMBEDDER, in any
	 * order, before turn_context() returns; both NULL: for none. */
	const char *embedder;
	ss_vector_read *vector_read; /* is told of them; given where `embedder` is */
	void *vector_context;        /* for it */
	/* Without a conversation_id: the key of the thread that the turn continues (ss_turn.thread). Of the conversations
	 * of this user that have a turn with it, the one where that was answered last is the turn's; when there is none,
	 * the turn begins a new one. NULL: none. Since 1.3 */
	const char *thread;
};

/* Something that other systems are told of; kept with what it is about, in the same transaction. One whose id is stored
 * already is passed over. Since 1.4 */
struct ss_event {
	const char *id;      /* unique */
	const char *type;    /* "query.created", … */
	struct ss_text data; /* a JSON object */
	/* The webhooks that it is delivered to, by their ids: each gets a delivery that is due at once. Those that are
	 * not stored any more are passed over. */
	const char *const *webhooks;
	size_t webhook_count; /* of them */
};

/* The events of one write, in their order. Their user and conversation are those of the write. */
struct ss_events {
	const struct ss_event *items; /* NULL for none */
	size_t count;                 /* of them */
};

/* One finished turn as it is stored. Strings are borrowed for the call; NULL where there is none. The ids and the
 * priority are given, the rest may be missing. */
struct ss_turn {
	size_t struct_size;
	const char *turn_id;         /* unique */
	const char *conversation_id; /* whose next turn it is */
	const char *user_id;         /* who asked */
	bool new_conversation;       /* else it goes on with one of this user */
	struct ss_text message;      /* of the user */
	struct ss_text response;     /* to it */
	const char *category;        /* a name that the workflow has */
	const char *sentiment;       /* likewise */
	int64_t priority;            /* 1 to 10 */
	int64_t attempts; /* of an answer; not below 0, as are the times and the duration */
	bool escalated;   /* a human shall take over, and the conversation waits for one */
	const char *escalation_reason; /* why, a sentence for that human */
	const char *answered_by;       /* the node that answered */
	int64_t asked_at_ns;           /* Unix time, UTC */
	int64_t answered_at_ns;        /* Unix time, UTC */
	int64_t duration_ns; /* from the question to the answer, on a clock that is not set */
	/* JSON: what the reply's metadata says, and what is only for the human who takes over, as handover_summary. */
	const char *metadata;
	/* Since 1.2. The articles that the response names, by their ids: each counts as seen once in this turn, also when
	 * it is there twice. */
	const char *const *shown;
	size_t shown_count; /* of them */
	/* Of a question that the knowledge base has no answer to: a key that all questions have which say the same.
	 * Else NULL. */
	const char *unanswered;
	/* Since 1.3. The vector of the message, which goes when the message goes, and what tells the embedder that
	 * made it from others. No embedder: there is no vector. */
	const char *embedder;
	struct ss_bytes vector; /* as vector_read() gets it back */
	/* Since 1.3. A key for all that was said up to the response, and of who said it, so that no two users have one:
	 * who asks on behind it, and knows nothing of conversations, is found by it. NULL: none. */
	const char *thread;
	struct ss_events events; /* at answered_at_ns. Since 1.4 */
	bool metadata_is_json; /* who gives it knows that it is, so nobody needs to find out. Since 1.4 */
};

/* What a customer says of a turn's response. What is not given stays as it was. Strings are borrowed. */
struct ss_feedback {
	size_t struct_size;
	const char *turn_id;     /* of the turn that it is about */
	int64_t was_helpful;     /* 1 or 0; -1: not given */
	int64_t rating;          /* 1 (bad) to 5 (good); 0: not given */
	const char *comment;     /* NULL: not given */
	const char *issues;      /* a JSON list of strings; NULL: not given */
	int64_t given_at_ns;     /* Unix time, UTC */
	struct ss_events events; /* at given_at_ns. Since 1.4 */
};

/* Which questions without an answer list_unanswered() gives. */
struct ss_unanswered_filter {
	size_t struct_size;
	bool most_asked; /* first, and of those that were asked as often the newest; else the newest */
	const char *after; /* what a list of this order gave as `next`; NULL: from the beginning */
	size_t limit;      /* of how many at most, 1 or more */
	const char *user_id; /* only those in this user's words; NULL: all. Since 1.4 */
};

/* The articles whose ids are from FIRST to LAST, both included, compared byte by byte. */
struct ss_article_range {
	size_t struct_size;
	const char *first; /* included, stored or not */
	const char *last;  /* likewise */
};

/* Journals. What happens in a turn of a workflow is kept as its journal: what the turn began with, and
 * entries that are only ever added, each about one task of the turn. Who goes on with a turn holds a lease
 * on its journal: its number, the fence, grows each time that somebody takes it, and what is written under
 * an older one is refused. So at most one process goes on with a turn, also when another one was only slow. */

/* What happened in one task of a turn. */
struct ss_journal_entry {
	int64_t task;        /* the task that it is about */
	struct ss_text data; /* a JSON object */
};

/* What is written to the journal of one turn. Everything is borrowed for the call. */
struct ss_journal_write {
	size_t struct_size;
	const char *turn_id;          /* of whose turn the journal is */
	const char *workflow;         /* the hash of its text; NULL unless the journal begins */
	struct ss_text workflow_text; /* of it; kept once for each hash */
	struct ss_text start;         /* what the turn begins with, a JSON object */
	int64_t fence; /* of the lease under which is written; the journal begins with this one */
	const char
		*owner; /* who holds the lease from now on; NULL: nobody, and anybody may take it */
	int64_t lease_ns;   /* for how long from now; 0 with an owner: the lease stays as it is */
	const char *status; /* "running", "interrupted", "done" or "failed"; NULL: as it is */
	const char *error;  /* of "failed", else NULL */
	const struct ss_journal_entry *entries; /* to be added; NULL for none */
	size_t entry_count;                     /* of them */
	int64_t first; /* the number of the first entry in the journal, from 1; the others follow */
	/* Of a journal that begins: whose turn it is, who need not be stored yet. NULL: nobody's. Since 1.4 */
	const char *user_id;
	const char *conversation_id; /* and of which conversation, likewise. Since 1.4 */
};

/* Which journal read_journal() gives, and whether its lease is taken. */
struct ss_journal_key {
	size_t struct_size;
	const char *turn_id; /* whose journal */
	const char *owner;   /* who takes the lease; NULL: it is only read */
	int64_t lease_ns;    /* for how long from now; with an owner */
	const char *gone;    /* the lease of this owner counts as over; NULL: of none */
};

/* Which journals list_journals() gives. */
struct ss_journal_filter {
	size_t struct_size;
	const char *status; /* NULL: any */
	const char *
		before; /* those whose journals began before this turn's; NULL: from the newest on */
	size_t limit;   /* of how many at most, 1 or more */
	const char *user_id; /* NULL: any. Since 1.4 */
	bool lease_over;     /* only those that nobody holds the lease of. Since 1.4 */
};

/* All that follows up to the operations is since 1.4.
 *
 * Lists. A filter's members that are NULL or 0 ask for nothing, but `limit`, which must be 1 or more. `after` is what a page gave as `next`; NULL begins with
 * the first. A page is a map {items: a list of at most `limit` maps, next: a text for `after` (unless this was the end)}.
 * Who goes from page to page sees each item once that nobody changes meanwhile, whatever others come and go. SS_INVALID
 * when `after` is none of a list of this order. Times in items are RFC 3339; what an item has not is left out. */

/* Which conversations list_conversations() gives. */
struct ss_conversation_filter {
	size_t struct_size;
	const char *user_id; /* whose they are */
	const char *status;  /* "active", "escalated" (waits for a human), "resolved" or "closed" */
	const char *category;  /* of the last turn */
	const char *sentiment; /* likewise */
	int64_t from_ns;       /* Unix time, UTC: those that were changed last then or later */
	int64_t to_ns;         /* likewise, but sooner */
	const char *after;     /* as above for all lists */
	size_t limit;          /* likewise */
};

/* Which messages list_messages() gives. */
struct ss_message_filter {
	size_t struct_size;
	const char *conversation_id; /* must be given, but with a turn_id */
	const char *turn_id;         /* the two messages of this turn */
	const char *after;           /* as above for all lists */
	size_t limit;                /* likewise */
};

/* What becomes of a conversation. */
struct ss_conversation_change {
	size_t struct_size;
	const char *conversation_id; /* of which */
	const char *user_id;         /* who must be its user; NULL: anybody */
	const char *status;          /* NULL: as it is */
	struct ss_text reply;        /* of a human; NULL data: none */
	const char *
		reply_id; /* of the message; one that is there already with the same words changes nothing */
	const char *author;      /* who replies; NULL: nobody knows */
	int64_t at_ns;           /* Unix time, UTC */
	struct ss_events events; /* at at_ns, when it changes something */
};

/* Which users list_users() gives. */
struct ss_user_filter {
	size_t struct_size;
	int64_t vip;        /* 1: those who are, 0: those who are not, -1: all */
	const char *prefix; /* of the id */
	const char *after;  /* as above for all lists */
	size_t limit;       /* likewise */
};

/* A user as an operator describes one. */
struct ss_user {
	size_t struct_size;
	const char *id;       /* of whom */
	const char *name;     /* NULL: as it was; empty: none */
	const char *email;    /* likewise */
	int64_t vip;          /* 1 or 0; -1: as it was */
	const char *metadata; /* a JSON object; NULL: as it was */
	bool is_new;          /* there must be none with this id; else there must be one */
	int64_t at_ns;        /* Unix time, UTC */
	int64_t expected_ns; /* of a change: the `updated_at` that there must be; 0: any. Each change makes it a later one */
};

/* A step of the erasure of a user. */
struct ss_erasure {
	size_t struct_size;
	const char *user_id; /* who is erased */
	size_t limit; /* of how many messages, journals, events, requests and questions at most, 1 or more */
};

/* The figures from FROM to before TO, both the beginnings of hours, in steps of an hour or a day of UTC. */
struct ss_analytics_range {
	size_t struct_size;
	int64_t from_ns; /* Unix time, UTC */
	int64_t to_ns;   /* likewise, not included */
	int64_t step_ns; /* 3600 s or 86400 s */
};

/* Documents: what operators make and every server holds in memory. */
enum ss_document_kind {
	SS_ARTICLES = 1, /* of the knowledge base */
	SS_HEADS,        /* what training made */
	SS_WEBHOOKS,     /* who is told of events */
	SS_API_KEYS,     /* who may call the API */
};

/* One document to be stored. */
struct ss_document {
	size_t struct_size;
	enum ss_document_kind kind; /* ids are unique within it */
	const char *id;             /* of which one */
	struct ss_text data;        /* a JSON object; NULL data: the document is removed */
	int64_t expected; /* the version that it must have; 0: it must not be there; -1: either */
	int64_t at_ns;    /* Unix time, UTC */
};

/* Which documents read_documents() gives. */
struct ss_document_filter {
	size_t struct_size;
	enum ss_document_kind kind; /* of one kind always */
	const char *id;             /* only this one */
	int64_t since; /* those that were changed behind this version, removed ones as well; 0: all that are there */
	size_t limit; /* with `since`; 0: none */
};

/* Which events list_events() gives. */
struct ss_event_filter {
	size_t struct_size;
	const char *type;            /* of this one */
	const char *conversation_id; /* of what was written about it */
	const char *user_id;         /* likewise */
	int64_t from_ns;             /* Unix time, UTC: what happened then or later */
	int64_t to_ns;               /* likewise, but sooner */
	bool oldest_first;           /* else the newest */
	const char *after;           /* as above for all lists */
	size_t limit;                /* likewise */
};

/* Takes deliveries that are due, for a time. */
struct ss_delivery_claim {
	size_t struct_size;
	const char *owner; /* who takes them */
	int64_t lease_ns;  /* from now */
	const char *gone;  /* the claims of this owner count as over; NULL: of none */
	size_t limit;      /* of how many at most, 1 or more */
};

/* What an attempt to deliver came to. */
struct ss_delivery_attempt {
	size_t struct_size;
	const char *delivery_id; /* of which one */
	const char *owner;       /* who claimed it */
	int64_t fence;           /* of the claim */
	int64_t at_ns;           /* when it began, Unix time, UTC */
	int64_t duration_ns;     /* until it ended */
	int64_t code;            /* of HTTP; 0: there was no answer */
	const char *error;       /* NULL: none */
	struct ss_text body;     /* of the answer, the beginning; NULL data: none */
	/* "delivered", "failed" for good, or "pending": it is due again after retry_ns from now. */
	const char *status;
	int64_t retry_ns; /* with "pending" */
};

/* Which deliveries list_deliveries() gives, or redeliver() makes due again. */
struct ss_delivery_filter {
	size_t struct_size;
	const char *webhook_id;  /* to whom */
	const char *event_id;    /* of what */
	const char *delivery_id; /* this one */
	const char *status;      /* "pending", "delivered" or "failed" */
	int64_t from_ns;         /* Unix time, UTC: of events that happened then or later */
	int64_t to_ns;           /* likewise, but sooner */
	const char *after;       /* not for redeliver() */
	size_t limit;            /* for redeliver() how many at most */
};

/* A request that is to be done once, whoever asks for it how often. */
struct ss_request_key {
	size_t struct_size;
	const char *scope; /* of whom the key is */
	const char *key;   /* the word for the request; unique in its scope */
	const char *
		fingerprint; /* of what is asked: another one under the same key is another request */
	const char *subject;         /* what it makes, as the id of a turn; the first one is kept */
	const char *user_id;         /* NULL: nobody's */
	const char *owner;           /* who does it */
	int64_t lease_ns;            /* from now: until then nobody else does it */
	int64_t keep_ns;             /* from now: for how long it is remembered */
	const char *gone;            /* the lease of this owner counts as over; NULL: of none */
	const char *conversation_id; /* that it is about, stored or not; NULL: none */
};

/* Which requests list_requests() gives. */
struct ss_request_filter {
	size_t struct_size;
	const char *user_id; /* must be given */
	const char *after;   /* as above for all lists */
	size_t limit;        /* likewise */
};

/* What a request that was claimed came to. */
struct ss_request_result {
	size_t struct_size;
	const char *scope; /* as it was claimed */
	const char *key;   /* likewise */
	const char *owner; /* who has claimed it */
	int64_t code;      /* of the answer; 0: it came to nothing, and whoever asks next does it */
	struct ss_text answer; /* that who asks again gets, byte by byte */
};

/* What purge() deletes. */
enum ss_purged {
	SS_PURGE_CONVERSATIONS =
		1, /* that were changed last before: with all that is of them, as delete_conversation() */
	SS_PURGE_EVENTS,     /* of before, without deliveries that are pending */
	SS_PURGE_DELIVERIES, /* of events of before, that are not pending */
	SS_PURGE_JOURNALS,   /* that were written to last before, and whose lease nobody holds */
	SS_PURGE_REQUESTS,   /* whose time to be kept ended before */
	SS_PURGE_DOCUMENTS,  /* that were removed before: what is left of them */
	SS_PURGE_ERASURES, /* that erase_user() was called for last before: what is left of their users */
};

/* What is old enough to be deleted. */
struct ss_purge {
	size_t struct_size;
	enum ss_purged what; /* only this */
	int64_t before_ns;   /* Unix time, UTC */
	size_t limit;        /* of how many at most, 1 or more */
};

/* What watch() waits for: the last versions that were seen; those of a kind that is not watched are -1. */
struct ss_watch {
	size_t struct_size;
	int64_t articles;   /* of SS_ARTICLES */
	int64_t heads;      /* of SS_HEADS */
	int64_t webhooks;   /* of SS_WEBHOOKS */
	int64_t api_keys;   /* of SS_API_KEYS */
	bool events;        /* also new events */
	int64_t timeout_ns; /* from now */
};

/* How migrate() is called. */
struct ss_migrate {
	size_t struct_size;
	int64_t to;   /* up to this step; 0: all */
	bool dry_run; /* nothing is changed */
};

/* Storage keeps users, conversations, messages, and what else a server must remember. */
struct ss_storage_operations {
	/* Opens the store, creates it where that is possible, and brings its schema up to date. Another instance may be
	 * doing the same. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	/* Closes the store and frees INSTANCE, which nobody calls any more. */
	void (*destroy)(void *instance);
	/* What a turn needs to know, in one read: *CONTEXT is a new map
	 *   user: {id, name, vip} (vip false and no name for a user not seen before),
	 *   history: list of {role ("user" or "assistant"), content, at (RFC 3339)}, oldest first: the last messages
	 *   of the conversation, a question and its answer after the other, in the order in which the turns were
	 *   stored; what their times say does not matter, as clocks differ,
	 *   recent: list of the same for what the user wrote last in other conversations than the turn's, by when
	 *   they were asked, oldest first; left out when recent_limit is 0,
	 *   conversation_id: of the key's thread; left out when it has none. Since 1.3,
	 *   status: of the conversation, as in ss_conversation_filter; left out for a new one. Since 1.4.
	 * SS_NOT_FOUND when the conversation does not exist or belongs to another user. */
	int (*turn_context)(void *instance, const struct ss_turn_key *key,
		struct ss_value **context, struct ss_error *err);
	/* Stores COUNT turns, 1 or more, in their order and in one transaction, durably before it returns. One may go on
	 * with a conversation that one before it begins. ERRORS has COUNT entries, each SS_OK before the call: a turn
	 * that cannot be stored fails alone with its entry filled, and leaves no trace. Returns -1 when the transaction
	 * as a whole failed and no turn is stored; then ERRORS[0] says why.
	 *
	 * A turn whose id is stored already succeeds and changes nothing when it says the same: ids, texts, category,
	 * sentiment, priority and whether it was escalated; the rest differs when a turn was run again. SS_CONFLICT
	 * when it says something else, or begins a conversation whose id there is. SS_NOT_FOUND when it goes on with a
	 * conversation that does not exist or belongs to another user. SS_INVALID when an id is missing or empty, a
	 * number is out of its bounds, or the metadata is not JSON. */
	int (*commit_turns)(
		void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors);
	/* Totals of all turns that were ever stored as a new map: total_queries, avg_response_time (seconds, of their
	 * duration_ns), active_conversations (those that wait for somebody or were gone on with lately, for as long as the
	 * storage chooses: some hours at least), categories and sentiments (maps from name to count, without turns that
	 * have none), escalated, escalation_rate (0..1). */
	int (*stats)(void *instance, struct ss_value **stats, struct ss_error *err);
	/* Whether turns can be stored now, as far as can be told without storing one. Cheap. */
	int (*check)(void *instance, struct ss_error *err);
	/* Writes to COUNT journals, 1 or more, in one transaction, durably before it returns; errors as in
	 * commit_turns(). SS_CONFLICT when a journal that begins is there already, when there is none to go on with, or
	 * when the lease is not the one of the fence any more; a lease that ran out and that nobody took still is.
	 * SS_INVALID when it has no turn_id, or one of the entries' numbers is there already with another entry. A
	 * journal begins as "running" unless it says something else. */
	int (*write_journals)(void *instance, const struct ss_journal_write *writes, size_t count,
		struct ss_error *errors);
	/* *JOURNAL is a new map {id, workflow, workflow_text, start, status, error (if it failed), fence,
	 * owner (if somebody holds the lease), lease_until, created_at, updated_at (RFC 3339), user_id and conversation_id (if
	 * it began with them; since 1.4), entries: list of {task, data}, by their numbers}; texts are as they were written. With an owner it takes the lease first: the
	 * fence grows by one, and the turn is "running" without an error. SS_CONFLICT when the lease is not over, also
	 * when the same owner has it, and says who holds it; or when the turn is "done". SS_NOT_FOUND when there is
	 * no journal. */
	int (*read_journal)(void *instance, const struct ss_journal_key *key,
		struct ss_value **journal, struct ss_error *err);
	/* *JOURNALS is a new list of what read_journal() gives, without texts (workflow_text and start) and entries. Those
	 * that began last are first, whatever was written to them since. */
	int (*list_journals)(void *instance, const struct ss_journal_filter *filter,
		struct ss_value **journals, struct ss_error *err);
	/* Deletes the journal with its entries; a new one may begin with its id. SS_CONFLICT while somebody holds the
	 * lease, SS_NOT_FOUND when there is none. */
	int (*delete_journal)(void *instance, const char *turn_id, struct ss_error *err);
	/* Since 1.2. Stores COUNT pieces of feedback in one transaction, durably before it returns; errors as in
	 * commit_turns(). A turn has one vote (was_helpful), which counts for each article that it shows; another
	 * one takes its place. SS_NOT_FOUND when the turn is not stored, SS_INVALID when the vote or the rating is out
	 * of its bounds. */
	int (*store_feedback)(void *instance, const struct ss_feedback *feedback, size_t count,
		struct ss_error *errors);
	/* *PAGE is a new map {items: list of {question, category (if it had one), count, first_at, last_at
	 * (RFC 3339)}, next: a text for `after` (unless this was the end)}: the questions without an answer, those
	 * that say the same as one, in the words and the category of the one that was asked last, whenever it was stored.
	 * Who goes from page to page sees each question once that nobody asks meanwhile, whatever others are asked.
	 * SS_INVALID when `after` is none of its texts. */
	int (*list_unanswered)(void *instance, const struct ss_unanswered_filter *filter,
		struct ss_value **page, struct ss_error *err);
	/* *COUNTS is a new list of {id, views, helpful, not_helpful} for those in RANGE that were ever shown, by
	 * their ids: in how many turns, and how many of these were voted helpful or not. */
	int (*article_counts)(void *instance, const struct ss_article_range *range,
		struct ss_value **counts, struct ss_error *err);

	/* Since 1.4, as all that follow. */

	/* Conversations, those first that were changed last: {id, user_id, status, category, sentiment, priority,
	 * message_count, question (the beginning of its first message, 200 characters at most), created_at,
	 * updated_at}. */
	int (*list_conversations)(void *instance, const struct ss_conversation_filter *filter,
		struct ss_value **page, struct ss_error *err);
	/* One of them; SS_NOT_FOUND. */
	int (*read_conversation)(void *instance, const char *conversation_id,
		struct ss_value **conversation, struct ss_error *err);
	/* Messages, the oldest first: {id, conversation_id, seq (from 1), role ("user", "assistant" or "human"), content, at}; one of a human
	 * has {author}; an answer has {turn_id, category, sentiment, priority, attempts, escalated, escalation_reason,
	 * answered_by, duration_ns, metadata (the JSON as it was written, a string)} and {feedback: {was_helpful (a bool),
	 * rating, comment, issues (a list), created_at, updated_at}} if there is some. SS_NOT_FOUND when there is no such
	 * conversation or turn. */
	int (*list_messages)(void *instance, const struct ss_message_filter *filter,
		struct ss_value **page, struct ss_error *err);
	/* Changes a conversation, durably and whole; *CONVERSATION is what it is then. A conversation that becomes resolved
	 * counts as one resolution in the hour of that. A reply of a human is a message that turn_context() gives with
	 * the role "assistant". A change that finds all as it asks for, or its reply there already, changes nothing and
	 * stores no events. SS_INVALID when the status is none or a reply has no id. SS_NOT_FOUND when there is none or it belongs to another user, SS_CONFLICT when there
	 * is another message with the reply's id. */
	int (*change_conversation)(void *instance, const struct ss_conversation_change *change,
		struct ss_value **conversation, struct ss_error *err);
	/* Deletes a conversation with its messages, what was said of them, its threads, the journals of its turns
	 * whoever holds them, its events with their deliveries, and requests. Figures stay. SS_NOT_FOUND. */
	int (*delete_conversation)(
		void *instance, const char *conversation_id, struct ss_error *err);

	/* Users by their ids: {id, name, email, vip (a bool), metadata (a map), created_at, updated_at}. */
	int (*list_users)(void *instance, const struct ss_user_filter *filter,
		struct ss_value **page, struct ss_error *err);
	/* One of them, with {conversations: how many}; SS_NOT_FOUND. */
	int (*read_user)(
		void *instance, const char *user_id, struct ss_value **user, struct ss_error *err);
	/* Stores USER; *STORED is what read_user() gives then. SS_CONFLICT when there is one who is new, or who was
	 * changed at another time than expected; SS_NOT_FOUND when there is none to be changed. */
	int (*store_user)(void *instance, const struct ss_user *user, struct ss_value **stored,
		struct ss_error *err);
	/* Begins to delete all that is known of a user, or goes on with it: the profile, conversations as
	 * delete_conversation() does, journals, events with their deliveries, requests, and questions without an answer in this
	 * user's words. In one short transaction, which deletes as much as the limit says at most, and one more where a turn's
	 * question would be left without its answer; a conversation goes with the first of its messages, which is the last to
	 * go. *ERASED is a new map {over: a bool, erased: {conversations, messages, journals, events, requests, questions}, how
	 * much it was since the erasure began}. Whoever calls until it is over erases everything. The first call leaves nothing in the
	 * profile and keeps that the erasure has begun, so that who calls next goes on with it; or purge() does when who
	 * began it has ended. What is stored of the user until it is over goes as well. Then nothing of all that can be found
	 * in the store's files, as far as the store can see to that. SS_NOT_FOUND when there is no trace, SS_INVALID when the
	 * limit is 0. */
	int (*erase_user)(void *instance, const struct ss_erasure *erasure,
		struct ss_value **erased, struct ss_error *err);

	/* *SERIES is a new list of {at, queries, escalated, resolved, response_time (the average, seconds), categories and
	 * sentiments (maps from name to count), ratings {count, average}}, the oldest first, of the steps in which there
	 * was something. A turn counts at the time of its question, a rating at that of the first feedback on its answer,
	 * with the answer's category and sentiment; there is no average of nothing. SS_INVALID when the range is not as
	 * its structure says. */
	int (*read_analytics)(void *instance, const struct ss_analytics_range *range,
		struct ss_value **series, struct ss_error *err);

	/* Stores COUNT documents in one transaction, durably; errors as in commit_turns(). Each gets the next version of
	 * its kind, which no other has. SS_CONFLICT when it has not the expected version, SS_NOT_FOUND when one that is not
	 * there is removed. */
	int (*store_documents)(void *instance, const struct ss_document *documents, size_t count,
		struct ss_error *errors);
	/* *FOUND is a new map {items: list of {id, version, data (a string; none: it is removed), created_at, updated_at},
	 * version: up to which the kind has been read; 0 when a limit has cut a list by id}. By version with `since`, else by
	 * id. Whoever asks with `since` set to the last `version` misses no change. */
	int (*read_documents)(void *instance, const struct ss_document_filter *filter,
		struct ss_value **found, struct ss_error *err);

	/* Events: {id, type, data (a string), user_id, conversation_id, at}. A page of oldest_first has always a `next`: what
	 * is stored later, by whomever, comes behind it, and nothing is passed over. So it may have what was stored just now a
	 * little later, when what others store at the same time is. */
	int (*list_events)(void *instance, const struct ss_event_filter *filter,
		struct ss_value **page, struct ss_error *err);
	/* *CLAIMED is a new list of {id, webhook_id, attempt (from 1), fence, event: {id, type, data (a string), at}}: deliveries
	 * that were due and are the claimer's now, those first that were due first. Nobody waits for another one who
	 * claims: each is given to one. `attempt` counts those that were finished; a claim that came to nothing is none. There
	 * may be deliveries to a webhook that was removed meanwhile. */
	int (*claim_deliveries)(void *instance, const struct ss_delivery_claim *claim,
		struct ss_value **claimed, struct ss_error *err);
	/* Stores what COUNT attempts came to, durably; errors as in commit_turns(). SS_CONFLICT when somebody else has claimed
	 * the delivery meanwhile or it is not pending, SS_NOT_FOUND when it is gone. */
	int (*finish_deliveries)(void *instance, const struct ss_delivery_attempt *attempts,
		size_t count, struct ss_error *errors);
	/* Deliveries, of the newest event first: {id, webhook_id, event_id, type, status, at (of the event), next_at (if it is
	 * pending; of one that is claimed, when the claim ends), attempts: list of {at, duration_ns, code, error, body}, the
	 * oldest first; the last ones of many}. */
	int (*list_deliveries)(void *instance, const struct ss_delivery_filter *filter,
		struct ss_value **page, struct ss_error *err);
	/* Makes deliveries that are not pending due again at once, with their attempts counted anew; *COUNT is of how many. */
	int (*redeliver)(void *instance, const struct ss_delivery_filter *filter, size_t *count,
		struct ss_error *err);
	/* *COUNTS is a new list of {webhook_id, pending, delivered, failed}, by id, of webhooks that have deliveries. */
	int (*delivery_counts)(void *instance, struct ss_value **counts, struct ss_error *err);

	/* Claims a request. *CLAIM is a new map {state: "claimed" (it is to be done now), "in_flight" (somebody does it),
	 * "done" or "other" (the key is another request's), subject, and of one that is done {code, answer}}. */
	int (*claim_request)(void *instance, const struct ss_request_key *key,
		struct ss_value **claim, struct ss_error *err);
	/* A request that is nobody's is then the user's whose conversation it is about. SS_CONFLICT when somebody else has
	 * claimed it meanwhile, or it is gone with its user or conversation. */
	int (*finish_request)(
		void *instance, const struct ss_request_result *result, struct ss_error *err);
	/* Requests of a user that are remembered: {key, subject, conversation_id, code and answer (of one that is done), until
	 * (when it is forgotten)}, in any order. */
	int (*list_requests)(void *instance, const struct ss_request_filter *filter,
		struct ss_value **page, struct ss_error *err);

	/* Deletes what is old, in one short transaction; *COUNT is how much it was, below the limit when no more is there. Of
	 * erasures it counts and deletes as erase_user() does. */
	int (*purge)(
		void *instance, const struct ss_purge *purge, size_t *count, struct ss_error *err);
	/* Waits until one of the watched kinds has another version, or there is a new event since the call before, or for
	 * the timeout; what another process stores shows within a second. *SEEN is a new map {articles, heads, webhooks,
	 * api_keys (the versions now), events (a bool)}. Called on a thread of its own, for an instance of its own. It
	 * returns soon after interrupt_watch(), which is for any thread; when nobody waits, the next call does. The first call of
	 * an instance tells of events when there are any, and one may be told of twice. */
	int (*watch)(void *instance, const struct ss_watch *watch, struct ss_value **seen,
		struct ss_error *err);
	/* Makes watch() of INSTANCE return, as above. Any thread. */
	void (*interrupt_watch)(void *instance);

	/* Tools; each may be NULL: there is no such thing. */

	/* Without an instance. *REPORT is a new map {from, to (the steps before and after), steps: list of {version, name} that were or would be
	 * applied}. Does not open the store otherwise, and creates it only without dry_run. SS_INVALID when `to` is not between
	 * what there is and what is known: there are no steps back. */
	int (*migrate)(const struct ss_setup *setup, const struct ss_migrate *migrate,
		struct ss_value **report, struct ss_error *err);
	/* Writes all that is stored at one moment to the new file PATH, while others go on; durable when it returns. */
	int (*backup)(void *instance, const char *path, struct ss_error *err);
	/* Checks all that is stored; *FAULTS is a new list of sentences, empty when it is sound. */
	int (*verify)(void *instance, struct ss_value **faults, struct ss_error *err);
};

SS_END_C

#endif
