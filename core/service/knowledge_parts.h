/*
 * What making a knowledge base (knowledge.c), its vectors (knowledge_vectors.c) and searching it
 * (knowledge_search.c) share.
 */
#ifndef SERVICE_KNOWLEDGE_PARTS_H
#define SERVICE_KNOWLEDGE_PARTS_H

#include "service/abstention.h"
#include "service/knowledge.h"
#include "service/lexical.h"

#include <stdint.h>

/* An article with its vectors. */
struct knowledge_article {
	struct ss_value *article; /* NULL: the place is free */
	const float *vectors;     /* [questions + passages][dimension]: first of its questions */
	const float *sentences;   /* [sentence_count][dimension]; not in the index */
	size_t questions, passages, sentence_count;
	float *own;   /* what both point into; NULL: the vectors of the base */
	bool indexed; /* the index has its vectors; else a search looks at each of them */
};

struct knowledge {
	struct knowledge_options options;
	const struct ss_embedder_operations *embedder;
	void *embedder_instance;
	const struct ss_index_operations *index;
	void *index_instance;
	struct lexical *lexical;            /* by the numbers of the places */
	struct knowledge_article *articles; /* by places */
	size_t count, capacity;             /* of the places */
	float *vectors; /* of all articles when the base was made: [vector and sentence][dimension] */
	size_t *article_of; /* [index_count]: the place of each vector; NO_ARTICLE: it counts no more */
	size_t index_count; /* vectors that the index has */
	size_t gone;        /* of them, that count no more */
	size_t dimension;
	struct abstention_base base;
	struct lexical_score *lexical_scores; /* [capacity], of the search that is going on */
	bool *is_candidate;                   /* [capacity], the same */
};

#define NO_ARTICLE SIZE_MAX

/* The texts that the vectors are of, in their order. */
struct knowledge_texts {
	char **items;
	size_t count, capacity;
};

/* How many of the texts are questions, passages and sentences. */
struct knowledge_counts {
	size_t questions, passages, sentences;
};

/* Adds the questions and passages of ARTICLE, or its sentences, to TEXTS and says how many. */
void knowledge_add_texts(struct knowledge_texts *texts, const struct ss_value *article,
	struct knowledge_counts *counts);
void knowledge_add_sentences(struct knowledge_texts *texts, const struct ss_value *article,
	struct knowledge_counts *counts);
void knowledge_free_texts(struct knowledge_texts *texts);

/* Makes the words of the place NUMBER those of ARTICLE. */
void knowledge_put_words(
	struct knowledge *knowledge, size_t number, const struct ss_value *article);

/* Makes the vectors of TEXTS and the index of the first index_count, with what the cache keeps of them. */
int knowledge_fill(
	struct knowledge *knowledge, const struct knowledge_texts *texts, struct ss_error *err);

/* Asks the base the question number QUESTION of the article at PLACE, which is left out: how similar the best of the others is. 1;
 * 0 when there is none, -1 when it fails. */
int knowledge_near_others(struct knowledge *knowledge, size_t place, size_t question,
	double *similarity_of_best, struct ss_error *err);

const char *knowledge_id(const struct knowledge *knowledge, size_t place);

#endif
