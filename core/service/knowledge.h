/*
 * The knowledge base: articles, their vectors in an index and their words. Built while a configuration is
 * loaded; searched on the compute thread, one search at a time.
 *
 * An article has a vector for its title, one for each other way to ask it, and one for each passage of its
 * answer, read under the title; and one for each sentence, which the ranking does without: they help to tell whether
 * the best article answers (abstention.h). Its score is a blend of how near the query is to the nearest question, how
 * near it is to the nearest passage, and how many of the query's words the article has. An article that has
 * a code or a quoted phrase of the query comes before those that do not.
 */
#ifndef SERVICE_KNOWLEDGE_H
#define SERVICE_KNOWLEDGE_H

#include "service/articles.h"

#include <smartsupport/plugin.h>

struct knowledge;
struct log;

/* Where the vectors are kept from one start to the next; see vector_file.h. */
struct knowledge_cache {
	const char *file;
	const char *embedder; /* the SHA-256 of all that decides what vector a text has */
	const char *
		index; /* the same of all that decides what the index saves; NULL: it cannot save */
	const struct log *log;
};

/* How a score is made. The weights add up to 1. */
struct knowledge_options {
	double question_weight; /* of the title and the other questions */
	double answer_weight;   /* of the passages */
	double lexical_weight;  /* of the words */
	double category_bonus; /* by which an article of the preferred category may lag and still lead */
	const struct knowledge_cache *cache; /* borrowed for knowledge_new(); NULL: there is none */
};

/* What was best on paraphrased questions for several bases (tests/unit/service/knowledge_quality_test.c). */
struct knowledge_options knowledge_defaults(void);

/* Embeds ARTICLES, which may be freed afterwards, as far as their vectors are not in the cache. The instances are
 * borrowed for the knowledge's life. */
struct knowledge *knowledge_new(const struct articles *articles,
	const struct ss_embedder_operations *embedder, void *embedder_instance,
	const struct ss_index_operations *index, void *index_instance,
	const struct knowledge_options *options, struct ss_error *err);

void knowledge_free(struct knowledge *knowledge);

struct knowledge_query {
	const char *text; /* UTF-8 */
	const float
		*vector; /* of the text: [dimension] floats of length 1; NULL: it cannot be had */
	const struct ss_error *failure; /* why it cannot */
	const char *prefer_category;    /* NULL for none */
	size_t top_k;
	double min_score; /* 0..1 */
};

/* What a search came to; the caller unrefs both. */
struct knowledge_found {
	struct ss_value *articles;
	struct ss_value *missing; /* NULL: every stage ran */
};

/* Finds the articles for QUERY, a list of at most top_k maps {id, title, content, category, score, scores: {question,
 * answer, lexical}}, best first, all with at least min_score. The first one has also `confidence`, how likely
 * it answers the query (0..1), and where a rule says that it does not, and so the confidence is 0, `doubt`:
 * "unknown_code" when the query names a code that no article has, "other_subject" when it would be much nearer without
 * the words that no article has ("delete my umbrella account").
 *
 * A plugin that fails does not end a search. Without the query's vector or the index the articles are found by their
 * words alone: `missing` is {stages: ["question", "answer"], error}, `scores` has only `lexical`, which is then the
 * score, and the confidence is one for this case. Where only the rule "other_subject" could not be asked, it is
 * {stages: ["other_subject"], error}. */
struct knowledge_found knowledge_search(
	struct knowledge *knowledge, const struct knowledge_query *query);

#endif
