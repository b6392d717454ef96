/*
 * The compute service: embeddings and knowledge base searches on a thread of their own. Requests that
 * wait are taken together as one batch; a text that is asked for several times is embedded once, and one whose vector
 * was kept elsewhere not at all. Vectors are as precise as they are kept (see vector_bytes.h).
 * Called on the loop thread; results come back as calls on the loop, never before the request's
 * function has returned.
 */
#ifndef SERVICE_COMPUTE_H
#define SERVICE_COMPUTE_H

#include <smartsupport/plugin.h>

struct event_base;
struct knowledge;
struct metrics_part;
struct compute;

struct compute_options {
	struct event_base *base;
	const struct ss_embedder_operations *embedder;
	void *embedder_instance;      /* used by the thread until compute_free() returns */
	struct knowledge *knowledge;  /* the same; NULL: there is none to search */
	size_t queue_limit;           /* requests that may wait */
	size_t cache_limit;           /* vectors of recent texts that are kept */
	struct metrics_part *metrics; /* NULL: nothing is counted */
};

/* COUNT vectors of DIMENSION floats, borrowed for the call; or an error. */
typedef void compute_embedded(void *context, const float *const *vectors, size_t count,
	size_t dimension, const struct ss_error *err);

/* A list of articles as ss_found gets it, and what the search did without (struct knowledge_found), both borrowed for
 * the call; or an error. */
typedef void compute_found(void *context, const struct ss_value *articles,
	const struct ss_value *missing, const struct ss_error *err);

struct compute *compute_new(const struct compute_options *options, struct ss_error *err);

/* Embeds COUNT (at least one) texts, which are copied. */
int compute_embed(struct compute *compute, const struct ss_text *texts, size_t count,
	compute_embedded *done, void *context, struct ss_error *err);

/* The bytes of a vector of this embedder. */
size_t compute_vector_size(const struct compute *compute);

/* Writes the vector of TEXT to BYTES [compute_vector_size()] if the cache has it; else returns false. */
bool compute_keep(const struct compute *compute, struct ss_text text, unsigned char *bytes);

/* Puts the vector of TEXT into the cache as compute_keep() wrote it, unless TEXT is there. What is not of the size
 * of a vector is left out. The embedder must be the same. */
void compute_restore(struct compute *compute, struct ss_text text, struct ss_bytes vector);

/* Embeds the search's text and then searches; SEARCH is copied. Where the embedder or the index fails, it finds what it
 * can without; an error is what leaves no room for a search, or ends the server. */
int compute_search(struct compute *compute, const struct ss_search *search, compute_found *done,
	void *context, struct ss_error *err);

/* A piece of work on the compute thread, with the knowledge base (NULL: there is none), which may be changed. 1: it is called
 * again when the questions that wait are answered, 0: it is done, -1 and ERR: it failed. */
typedef int compute_piece(struct knowledge *knowledge, void *context, struct ss_error *err);

/* ERR is NULL when the work is done. */
typedef void compute_ran(void *context, const struct ss_error *err);

/* Calls PIECE until it is done, and then DONE; both get CONTEXT. It ends with an error also when there is no room for the next
 * piece, or the server stops; what was done stays done. */
int compute_run(struct compute *compute, compute_piece *piece, compute_ran *done, void *context,
	struct ss_error *err);

/* Whether all stages of the last search ran; true before the first one. */
bool compute_is_complete(const struct compute *compute);

/* Finishes what was asked for, with its calls, and ends the thread. What these calls ask for may be refused
 * with SS_UNAVAILABLE. */
void compute_free(struct compute *compute);

#endif
