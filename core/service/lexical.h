/*
 * A lexical index: which words a text shares with a query, by BM25 (Robertson and Zaragoza, "The
 * Probabilistic Relevance Framework: BM25 and Beyond", 2009) over stems (Snowball's English stemmer).
 * Codes such as TB-3301 count as one word, and codes and numbers weigh more than words. A phrase that
 * the query has in double quotes counts once more for the texts that have it in this order.
 * Made once and then searched, by one thread at a time.
 */
#ifndef SERVICE_LEXICAL_H
#define SERVICE_LEXICAL_H

#include <smartsupport/value.h>

struct lexical;

struct lexical *lexical_new(void);
void lexical_free(struct lexical *lexical);

/* Adds a text of PARTS (COUNT of them, read as one). The first one is number 0. */
void lexical_add(struct lexical *lexical, const struct ss_text *parts, size_t count);

/* Writes to SCORES, one for each text that was added, how much of the query TEXT it covers: the share of the
 * BM25 score that a text full of the query's words would have; 0..1. Words that no text has count as rare. */
void lexical_search(struct lexical *lexical, struct ss_text text, float *scores);

#endif
