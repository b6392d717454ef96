/* A knowledge base of an embedder for which texts are near that have the same words, and of an index that looks at
 * all. One in a process. */
#ifndef SERVICE_FAKES_H
#define SERVICE_FAKES_H

#include <smartsupport/smartsupport.h>

enum { FAKES_DIMENSION = 64 };

struct fakes {
	struct knowledge *knowledge;
	/* What the last fakes_ask() was told. */
	struct ss_value *found;
	struct ss_value *missing;
	/* What the embedder and the index have done and are to do. */
	size_t largest_batch;
	size_t texts;
	const char *fails; /* why embed() fails */
	float *vectors;
	size_t count;
	const char *search_fails; /* why search() fails */
	size_t builds, loads;
	bool load_fails;
};

extern struct fakes fakes;
/* Their instance is `fakes`. */
extern const struct ss_embedder_operations fakes_embedder;
extern const struct ss_index_operations fakes_index;

/* The vector of TEXT, of FAKES_DIMENSION numbers. */
void fakes_embed(struct ss_text text, float *vector);

/* Frees everything, and begins anew. */
void fakes_forget(void);

struct ss_value *fakes_article(
	const char *id, const char *title, const char *content, const char *category);

/* Builds the knowledge of the COUNT ITEMS, which are taken. */
void fakes_know(struct ss_value **items, size_t count, struct ss_error *err);
/* Of "crash", "refund" and "reset". */
void fakes_know_three(void);

/* The ids found for TEXT, best first, with a space behind each. An embedder that fails has no vector for it. */
const char *fakes_ask(const char *text, const char *category, size_t top_k, double min_score);

#endif
