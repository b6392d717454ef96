/*
 * A lexical index: which words a text shares with a query, by BM25 (Robertson and Zaragoza, "The
 * Probabilistic Relevance Framework: BM25 and Beyond", 2009) over stems (Snowball's English stemmer).
 * Codes such as TB-3301 count as one word, and codes and numbers weigh more than words. A phrase of several
 * words that the query has in double quotes counts once more for the texts that have it in this order.
 * Used by one thread at a time.
 */
#ifndef SERVICE_LEXICAL_H
#define SERVICE_LEXICAL_H

#include <smartsupport/value.h>

struct lexical;

struct lexical *lexical_new(void);
void lexical_free(struct lexical *lexical);

/* Adds a text of PARTS (COUNT of them, read as one). The first one is number 0. */
void lexical_add(struct lexical *lexical, const struct ss_text *parts, size_t count);

/* Makes PARTS the text of this NUMBER, in place of what it was. Numbers without a text are passed over. */
void lexical_put(struct lexical *lexical, size_t number, const struct ss_text *parts, size_t count);

/* Forgets the text of this NUMBER, if there is one. */
void lexical_remove(struct lexical *lexical, size_t number);

/* How a text fits a query; each is from 0 to 1. */
struct lexical_score {
	float score; /* the share of the BM25 score that a text full of the query's words would have */
	float coverage; /* the share of the query's words that it has at all, by their weight */
	float named; /* the share of the query's codes and quoted phrases that it has; 0: there are none */
};

/* What a query has that is in no text. */
struct lexical_unknown {
	double share; /* of the query's words, by their weight; 0..1 */
	double subject; /* the same of the words without digits, which may say what the query is about */
	/* It names nothing but codes that no text has, of a kind of which the texts name others: TB-9999 where
	 * there is TB-3301, "error 12" where there are codes. */
	bool code;
};

/* Writes to SCORES, by their numbers, how the texts fit the query TEXT. Words that no text has count as rare. */
struct lexical_unknown lexical_search(
	struct lexical *lexical, struct ss_text text, struct lexical_score *scores);

/* TEXT without the words that no text has; what has digits stays. The caller frees it. */
char *lexical_known(struct lexical *lexical, struct ss_text text);

#endif
