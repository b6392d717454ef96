/*
 * The plugin contract: one exported constant, `smartsupport_plugin`, that describes a plugin.
 *
 * The host reads the descriptor and checks a configuration against it without running any of the
 * plugin's code. Then it calls create() once for each use in the configuration. An instance keeps
 * all of its state itself: a plugin has no mutable state at file scope, since several instances
 * live in one process.
 */
#ifndef SMARTSUPPORT_PLUGIN_H
#define SMARTSUPPORT_PLUGIN_H

#include "host.h"

SS_BEGIN_C

enum ss_plugin_kind {
	SS_AGENT = 1,
	SS_LLM,
	SS_STORAGE,
	SS_EMBEDDER,
	SS_INDEX,
};

enum ss_option_type {
	SS_OPTION_BOOL = 1,
	SS_OPTION_INT,    /* bounded by min and max */
	SS_OPTION_NUMBER, /* bounded by min and max */
	SS_OPTION_STRING,
	SS_OPTION_CHOICE, /* one of the words in `choices` */
	SS_OPTION_DURATION, /* written 250ms, 2s, 5m, 24h or 7d; given to the plugin as a number of seconds */
	SS_OPTION_PATH,        /* relative to the file that names it; given as an absolute path */
	SS_OPTION_STRINGS,     /* list of strings */
	SS_OPTION_NUMBERS,     /* map from string to number, each bounded by min and max */
	SS_OPTION_TEXTS,       /* map from string to string */
	SS_OPTION_LISTS,       /* map from string to list of strings */
	SS_OPTION_EXPRESSION,  /* agents: an expression over the state, for host->evaluate() */
	SS_OPTION_ASSIGNMENTS, /* agents: map from a field of the state to an expression, for
	                          host->assign(); an empty fallback is {} */
	/* Agents: the file of a Mustache template, relative to the file that names it, whose variables are fields of
	 * the state; for host->render(). An empty fallback: none. Given as an absolute path. Since 1.3 */
	SS_OPTION_PROMPT,
	/* A string that is no one's business: no message, schema or log shows it. The plugin copies it in create()
	 * to where it keeps it. Since 1.3 */
	SS_OPTION_SECRET,
};

/* One option. A table of them ends with a row whose name is NULL. */
struct ss_option {
	const char *name;
	enum ss_option_type type;
	/* The default as it would be written in YAML; NULL when the option must be given. */
	const char *fallback;
	double min, max;     /* for numbers; both 0: unbounded */
	const char *choices; /* for SS_OPTION_CHOICE: words separated by spaces */
	const char *help;    /* one sentence */
};

enum ss_access {
	SS_READS = 1,
	SS_WRITES = 2,
	SS_OPTIONAL =
		4, /* the workflow may leave the field out: reads give NULL, writes are dropped */
};

/* One field of the state that an agent uses. A table of them ends with a row whose name is NULL. */
struct ss_field {
	const char *name;
	enum ss_type type; /* an enum field of a workflow counts as SS_STRING; SS_NULL: any type */
	unsigned access;   /* of enum ss_access */
	const char *help;
};

/* What of the host an agent uses beside the state. */
enum ss_services {
	SS_USES_EMBEDDER = 1,  /* embed() */
	SS_USES_KNOWLEDGE = 2, /* search() */
	SS_USES_MODEL = 4,     /* generate() */
};

/* How an agent's run() is called. */
enum ss_running {
	/* It blocks: it waits for a file, another program or a library. It is called on a thread of a small pool
	 * that all such agents of the workflow share, while the turn's other nodes go on. It waits for a thread
	 * when all are at work, and its node's timeout counts that in. See struct ss_agent_operations. */
	SS_BLOCKS = 1,
	/* With SS_BLOCKS: run() may be called while another run() of the same instance is under way. Without
	 * it calls of an instance never overlap, so a node's next attempt waits for the one that still blocks. */
	SS_CONCURRENTLY = 2,
};

/* What create() gets. Everything is borrowed for the call, but for `host`, which outlives the instance. */
struct ss_setup {
	size_t struct_size;
	const struct ss_host *host;
	const char *name;                      /* of the node, or of the plugin */
	const struct ss_value *const *options; /* a value for each row of the options table */
	const struct ss_value *const
		*field_values; /* agents: for each row of the field table the list
	                                               of the field's values if it is an enum, else NULL */
};

/* An agent. All callbacks are called on the loop thread and must not block, but for the run() of an agent whose
 * descriptor says SS_BLOCKS.
 *
 * That one is called on another thread, each time on any of the pool's, and ends with what it returns. On this
 * thread and until it returns it may call, for its run, read, write, overwrite, allocate, evaluate, assign, go_to,
 * interrupt, answered and attempt, and what is for any thread. embed, search, generate and wait are refused; finish()
 * and SS_PENDING make the run fail. Several instances run at once, so what they share needs a lock.
 *
 * It is waited for until the node's timeout or deadline has passed or the turn has ended, and not longer: then what
 * it writes is refused, and what it returns is dropped. Its run, what it has read and what it has allocated stay
 * valid until it returns. It must return at some time: until then others miss its thread, and the server cannot end
 * in good order. destroy() is called when all runs have returned. */
struct ss_agent_operations {
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	void (*destroy)(void *instance);
	/* Does the node's work. Fills ERR when it returns SS_FAILED. */
	enum ss_result (*run)(void *instance, struct ss_run *run, struct ss_error *err);
};

/* A model that answers. All callbacks are called on the loop thread and must not block. */
struct ss_llm_operations {
	/* Since 1.3 it may succeed with *INSTANCE NULL: by its options and the environment there is nothing to ask,
	 * and the model is left out. destroy() is not called then. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	void (*destroy)(void *instance);
	/* Starts answering PROMPT and ends with host->conclude() or host->answer() for GENERATION, now or later.
	 * When it returns -1, neither must be called. */
	int (*generate)(void *instance, struct ss_generation *generation,
		const struct ss_prompt *prompt, struct ss_error *err);
	/* Since 1.3; NULL: it cannot be stopped. Nobody waits for GENERATION any more, which was started and has not
	 * ended: the model stops what it does for it. GENERATION is gone when this returns. */
	void (*cancel)(void *instance, struct ss_generation *generation);
	/* Since 1.3; NULL: the plugin's name. Who answers with INSTANCE, as replies and metrics say it: provider/model.
	 * Lives as long as the instance. */
	const char *(*name)(const void *instance);
};

/* An embedder turns texts into vectors. create() and destroy() on the loop thread; embed() on the
 * compute thread, one call at a time. */
struct ss_embedder_operations {
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	void (*destroy)(void *instance);
	/* The number of floats of a vector; any thread. */
	size_t (*dimension)(const void *instance);
	/* Writes COUNT vectors of length 1 to VECTORS [count][dimension], row by row. */
	int (*embed)(void *instance, const struct ss_text *texts, size_t count, float *vectors,
		struct ss_error *err);
};

/* An index finds the vectors with the largest inner product. create() and destroy() on the loop
 * thread, the others there or on the compute thread, one call at a time. */
struct ss_index_operations {
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	void (*destroy)(void *instance);
	/* Replaces what the index holds by VECTORS [count][dimension]; the row number is the id. */
	int (*build)(void *instance, const float *vectors, size_t count, size_t dimension,
		struct ss_error *err);
	/* For each of the COUNT QUERIES [count][dimension] the K nearest: IDS [count][k] (-1 where there
	 * are fewer) and SCORES [count][k], the inner products, best first. */
	int (*search)(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
		float *scores, struct ss_error *err);
	/* Since 1.2; both or neither. For an index that takes long to build: save() gives what it holds as *LENGTH
	 * new *BYTES, which the caller frees with free(); none (NULL and 0) when building it anew is as quick.
	 * load() replaces what the index holds by what save() gave of COUNT vectors [dimension]; when the bytes
	 * are not of such an index it fails, and the index holds what it held. */
	int (*save)(void *instance, void **bytes, size_t *length, struct ss_error *err);
	int (*load)(void *instance, const void *bytes, size_t length, size_t count,
		size_t dimension, struct ss_error *err);
};

/*
 * What a storage is told and tells. `smartsupport plugin check --storage FILE.so` tries whether one keeps to it.
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

/* Called on the store thread with a message of the user and its vector, both borrowed for the call. */
typedef void ss_vector_read(void *context, struct ss_text message, struct ss_bytes vector);

struct ss_turn_key {
	size_t struct_size;
	const char *user_id;
	const char *conversation_id; /* NULL for a new conversation */
	size_t history_limit;        /* messages */
	size_t recent_limit;         /* messages of the user's other conversations. Since 1.2 */
	/* Since 1.3. Called for each message in `history` and `recent` that is kept with a vector of EMBEDDER, in any
	 * order, before turn_context() returns; both NULL: for none. */
	const char *embedder;
	ss_vector_read *vector_read;
	void *vector_context;
	/* Without a conversation_id: the key of the thread that the turn continues (ss_turn.thread). Of the conversations
	 * of this user that have a turn with it, the one where that was answered last is the turn's; when there is none,
	 * the turn begins a new one. NULL: none. Since 1.3 */
	const char *thread;
};

/* One finished turn as it is stored. Strings are borrowed for the call; NULL where there is none. The ids and the
 * priority are given, the rest may be missing. */
struct ss_turn {
	size_t struct_size;
	const char *turn_id;
	const char *conversation_id;
	const char *user_id;
	bool new_conversation; /* else it goes on with one of this user */
	struct ss_text message;
	struct ss_text response;
	const char *category;
	const char *sentiment;
	int64_t priority; /* 1 to 10 */
	int64_t attempts; /* not below 0, as are the times and the duration */
	bool escalated;
	const char *escalation_reason;
	const char *answered_by; /* the node that answered */
	int64_t asked_at_ns;     /* Unix time, UTC */
	int64_t answered_at_ns;  /* Unix time, UTC */
	int64_t duration_ns;
	/* JSON: what the reply's metadata says, and what is only for the human who takes over, as handover_summary. */
	const char *metadata;
	/* Since 1.2. The articles that the response names, by their ids: each counts as seen once in this turn, also when
	 * it is there twice. */
	const char *const *shown;
	size_t shown_count;
	/* Of a question that the knowledge base has no answer to: a key that all questions have which say the same.
	 * Else NULL. */
	const char *unanswered;
	/* Since 1.3. The vector of the message, which goes when the message goes, and what tells the embedder that
	 * made it from others. No embedder: there is no vector. */
	const char *embedder;
	struct ss_bytes vector;
	/* Since 1.3. A key for all that was said up to the response, and of who said it, so that no two users have one:
	 * who asks on behind it, and knows nothing of conversations, is found by it. NULL: none. */
	const char *thread;
};

/* What a customer says of a turn's response. What is not given stays as it was. Strings are borrowed. */
struct ss_feedback {
	size_t struct_size;
	const char *turn_id;
	int64_t was_helpful; /* 1 or 0; -1: not given */
	int64_t rating;      /* 1 (bad) to 5 (good); 0: not given */
	const char *comment; /* NULL: not given */
	const char *issues;  /* a JSON list of strings; NULL: not given */
	int64_t given_at_ns; /* Unix time, UTC */
};

struct ss_unanswered_filter {
	size_t struct_size;
	bool most_asked; /* first, and of those that were asked as often the newest; else the newest */
	const char *after; /* what a list of this order gave as `next`; NULL: from the beginning */
	size_t limit;
};

/* The articles whose ids are from FIRST to LAST, both included, compared byte by byte. */
struct ss_article_range {
	size_t struct_size;
	const char *first, *last;
};

/* Journals. What happens in a turn of a workflow is kept as its journal: what the turn began with, and
 * entries that are only ever added, each about one task of the turn. Who goes on with a turn holds a lease
 * on its journal: its number, the fence, grows each time that somebody takes it, and what is written under
 * an older one is refused. So at most one process goes on with a turn, also when another one was only slow. */

struct ss_journal_entry {
	int64_t task;        /* the task that it is about */
	struct ss_text data; /* a JSON object */
};

/* What is written to the journal of one turn. Everything is borrowed for the call. */
struct ss_journal_write {
	size_t struct_size;
	const char *turn_id;
	const char *workflow;         /* the hash of its text; NULL unless the journal begins */
	struct ss_text workflow_text; /* of it; kept once for each hash */
	struct ss_text start;         /* what the turn begins with, a JSON object */
	int64_t fence; /* of the lease under which is written; the journal begins with this one */
	const char
		*owner; /* who holds the lease from now on; NULL: nobody, and anybody may take it */
	int64_t lease_ns;   /* for how long from now; 0 with an owner: the lease stays as it is */
	const char *status; /* "running", "interrupted", "done" or "failed"; NULL: as it is */
	const char *error;  /* of "failed", else NULL */
	const struct ss_journal_entry *entries;
	size_t entry_count;
	int64_t first; /* the number of the first entry in the journal, from 1; the others follow */
};

struct ss_journal_key {
	size_t struct_size;
	const char *turn_id;
	const char *owner; /* who takes the lease; NULL: it is only read */
	int64_t lease_ns;
	const char *gone; /* the lease of this owner counts as over; NULL: of none */
};

struct ss_journal_filter {
	size_t struct_size;
	const char *status; /* NULL: any */
	const char *
		before; /* those whose journals began before this turn's; NULL: from the newest on */
	size_t limit;
};

/* Storage keeps users, conversations and messages. Plain blocking code: all callbacks are called on
 * the store thread, one at a time for an instance. */
struct ss_storage_operations {
	/* Opens the store, creates it where that is possible, and brings its schema up to date. Another instance may be
	 * doing the same. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	void (*destroy)(void *instance);
	/* What a turn needs to know, in one read: *CONTEXT is a new map
	 *   user: {id, name, vip} (vip false and no name for a user not seen before),
	 *   history: list of {role ("user" or "assistant"), content, at (RFC 3339)}, oldest first: the last messages
	 *   of the conversation, a question and its answer after the other, in the order in which the turns were
	 *   stored; what their times say does not matter, as clocks differ,
	 *   recent: list of the same for what the user wrote last in other conversations than the turn's, by when
	 *   they were asked, oldest first; left out when recent_limit is 0,
	 *   conversation_id: of the key's thread; left out when it has none. Since 1.3.
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
	 * owner (if somebody holds the lease), lease_until, created_at, updated_at (RFC 3339), entries: list of
	 * {task, data}, by their numbers}; texts are as they were written. With an owner it takes the lease first: the
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
};

struct ss_plugin {
	unsigned abi_major; /* SS_ABI_MAJOR */
	unsigned abi_minor; /* SS_ABI_MINOR */
	size_t struct_size; /* sizeof(struct ss_plugin) */
	enum ss_plugin_kind kind;
	const char *name;                /* lower case, digits and _ */
	const char *version;             /* of the plugin */
	const char *licence;             /* SPDX */
	const char *summary;             /* one sentence */
	const struct ss_option *options; /* ends with a row whose name is NULL; NULL for none */
	const struct ss_field *fields;   /* agents: the same; NULL for none */
	unsigned services; /* agents: of enum ss_services; what is not here is refused */
	/* The operations of its kind; the other pointers are NULL. */
	const struct ss_agent_operations *agent;
	const struct ss_llm_operations *llm;
	const struct ss_storage_operations *storage;
	const struct ss_embedder_operations *embedder;
	const struct ss_index_operations *index;
	unsigned running; /* agents: of enum ss_running; 0: it does not block. Since 1.1 */
};

/* The one symbol that a plugin exports, defined as
 *     SS_EXPORT const struct ss_plugin smartsupport_plugin = { ... }; */
extern SS_EXPORT const struct ss_plugin smartsupport_plugin;

SS_END_C

#endif
