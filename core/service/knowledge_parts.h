/*
 * What making a knowledge base (knowledge.c), its vectors (knowledge_vectors.c) and searching it
 * (knowledge_search.c) share.
 */
#ifndef SERVICE_KNOWLEDGE_PARTS_H
#define SERVICE_KNOWLEDGE_PARTS_H

#include "service/abstention.h"
#include "service/knowledge.h"
#include "service/lexical.h"

/* The vectors of article i are rows[i] to rows[i + 1] - 1: first its questions, from passage_rows[i] on its
 * passages. Behind those of all articles, and not in the index, come the sentences: those of article i are
 * sentence_rows[i] to sentence_rows[i + 1] - 1. */
struct knowledge {
	struct knowledge_options options;
	const struct ss_embedder_operations *embedder;
	void *embedder_instance;
	const struct ss_index_operations *index;
	void *index_instance;
	struct lexical *lexical;
	struct ss_value **articles;
	size_t count;
	size_t *rows;          /* [count + 1] */
	size_t *passage_rows;  /* [count] */
	size_t *sentence_rows; /* [count + 1] */
	size_t *article_of;    /* [vector] */
	float *vectors;        /* [vector and sentence][dimension] */
	size_t vector_count;   /* without the sentences */
	size_t dimension;
	struct abstention_base base;
	struct lexical_score *lexical_scores; /* [count], of the search that is going on */
	bool *is_candidate;                   /* [count], the same */
};

/* The texts that the vectors are of, in their order. */
struct knowledge_texts {
	char **items;
	size_t count, capacity;
};

/* Makes the vectors of TEXTS and the index, with what the cache keeps of them. */
int knowledge_fill(
	struct knowledge *knowledge, const struct knowledge_texts *texts, struct ss_error *err);

/* Asks the base questions of its own with their articles left out, to learn how near others come. */
int knowledge_calibrate(struct knowledge *knowledge, struct ss_error *err);

#endif
