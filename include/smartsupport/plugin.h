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
#include "storage.h"

SS_BEGIN_C

/* What a plugin is for: which of its operations the host calls. */
enum ss_plugin_kind {
	SS_AGENT = 1, /* a node's work in a workflow: struct ss_agent_operations */
	SS_LLM,       /* answers a prompt: struct ss_llm_operations */
	SS_STORAGE,   /* keeps what must be remembered: struct ss_storage_operations */
	SS_EMBEDDER,  /* turns texts into vectors: struct ss_embedder_operations */
	SS_INDEX,     /* finds the nearest vectors: struct ss_index_operations */
};

/* What an option may be in the configuration, and what of it create() gets. */
enum ss_option_type {
	SS_OPTION_BOOL = 1, /* true or false */
	SS_OPTION_INT,      /* bounded by min and max */
	SS_OPTION_NUMBER,   /* bounded by min and max */
	SS_OPTION_STRING,   /* any text */
	SS_OPTION_CHOICE,   /* one of the words in `choices` */
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
	SS_OPTION_SECRETS, /* map from string to such a secret. Since 1.3 */
};

/* One option. A table of them ends with a row whose name is NULL. */
struct ss_option {
	const char *name;         /* lower case, digits and _ */
	enum ss_option_type type; /* what is accepted */
	/* The default as it would be written in YAML; NULL when the option must be given. */
	const char *fallback;
	double min;          /* for numbers; both 0: unbounded */
	double max;          /* likewise, included as well */
	const char *choices; /* for SS_OPTION_CHOICE: words separated by spaces */
	const char *help;    /* one sentence */
};

/* What an agent does with a field: bits of `access`. */
enum ss_access {
	SS_READS = 1,  /* read() gives it */
	SS_WRITES = 2, /* write() and overwrite() may set it */
	SS_OPTIONAL =
		4, /* the workflow may leave the field out: reads give NULL, writes are dropped */
};

/* One field of the state that an agent uses. A table of them ends with a row whose name is NULL. */
struct ss_field {
	const char *name;  /* as the workflow's state has it */
	enum ss_type type; /* an enum field of a workflow counts as SS_STRING; SS_NULL: any type */
	unsigned access;   /* of enum ss_access */
	const char *help;  /* one sentence */
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
	const struct ss_host *host;            /* outlives the instance */
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
	/* Makes *INSTANCE, for one node of a workflow. -1 and ERR when it cannot: then the configuration is not
	 * taken over, and destroy() is not called. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	/* Frees INSTANCE, which no run uses any more. */
	void (*destroy)(void *instance);
	/* Does the node's work. Fills ERR when it returns SS_FAILED. */
	enum ss_result (*run)(void *instance, struct ss_run *run, struct ss_error *err);
};

/* A model that answers. All callbacks are called on the loop thread and must not block. */
struct ss_llm_operations {
	/* Makes *INSTANCE; -1 and ERR when it cannot. Since 1.3 it may succeed with *INSTANCE NULL: by its options and the environment there is nothing to ask,
	 * and the model is left out. destroy() is not called then. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	/* Frees INSTANCE, of which no generation is under way any more. */
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
	/* Makes *INSTANCE; -1 and ERR when it cannot. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	/* Frees INSTANCE, which nobody calls any more. */
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
	/* Makes *INSTANCE, which holds nothing; -1 and ERR when it cannot. */
	int (*create)(const struct ss_setup *setup, void **instance, struct ss_error *err);
	/* Frees INSTANCE, which nobody calls any more. */
	void (*destroy)(void *instance);
	/* Replaces what the index holds by VECTORS [count][dimension]; the row number is the id. */
	int (*build)(void *instance, const float *vectors, size_t count, size_t dimension,
		struct ss_error *err);
	/* For each of the COUNT QUERIES [count][dimension] the K nearest: IDS [count][k] (-1 where there
	 * are fewer) and SCORES [count][k], the inner products, best first. */
	int (*search)(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
		float *scores, struct ss_error *err);
	/* Since 1.2; both of the following or neither, for an index that takes long to build. */

	/* Gives what the index holds as *LENGTH new *BYTES, which the caller frees with free(); none (NULL and 0)
	 * when building it anew is as quick. */
	int (*save)(void *instance, void **bytes, size_t *length, struct ss_error *err);
	/* Replaces what the index holds by the LENGTH BYTES that save() gave of COUNT vectors [dimension]; when they
	 * are not of such an index it fails, and the index holds what it held. */
	int (*load)(void *instance, const void *bytes, size_t length, size_t count,
		size_t dimension, struct ss_error *err);
};

/* The descriptor of a plugin. It and all that it points to never change. */
struct ss_plugin {
	unsigned abi_major;              /* SS_ABI_MAJOR */
	unsigned abi_minor;              /* SS_ABI_MINOR */
	size_t struct_size;              /* sizeof(struct ss_plugin) */
	enum ss_plugin_kind kind;        /* which of the operations below there are */
	const char *name;                /* lower case, digits and _ */
	const char *version;             /* of the plugin */
	const char *licence;             /* SPDX */
	const char *summary;             /* one sentence */
	const struct ss_option *options; /* ends with a row whose name is NULL; NULL for none */
	const struct ss_field *fields;   /* agents: the same; NULL for none */
	unsigned services; /* agents: of enum ss_services; what is not here is refused */
	/* The operations of its kind; the other pointers are NULL. */

	const struct ss_agent_operations *agent;       /* of SS_AGENT */
	const struct ss_llm_operations *llm;           /* of SS_LLM */
	const struct ss_storage_operations *storage;   /* of SS_STORAGE */
	const struct ss_embedder_operations *embedder; /* of SS_EMBEDDER */
	const struct ss_index_operations *index;       /* of SS_INDEX */

	/* Of agents. */

	unsigned running; /* agents: of enum ss_running; 0: it does not block. Since 1.1 */
};

/* The one symbol that a plugin exports, defined as
 *     SS_EXPORT const struct ss_plugin smartsupport_plugin = { ... }; */
extern SS_EXPORT const struct ss_plugin smartsupport_plugin;

SS_END_C

#endif
