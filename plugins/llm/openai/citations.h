/*
 * Citations in an answer while it is made: [id] of an article that was given becomes [n], by the order of first use,
 * and one of an article that was not given goes, with the blanks before it.
 *
 * What stands in brackets is a citation when it is the id of an article that was given, or several with commas or
 * semicolons between them; and, so that none is left that was made up, when it looks like an id: letters, digits and
 * . _ : / - without a blank, in lower case unless an id that was given has capitals, and neither a single letter nor
 * right behind a word, as an index is, unless it has a hyphen. A link [text](address) stays.
 *
 * White space at the end waits, since it goes with a citation that goes, and an answer does not end with any.
 */
#ifndef OPENAI_CITATIONS_H
#define OPENAI_CITATIONS_H

#include "text.h"

/* Bytes that a citation has at most; a longer bracket is text. */
enum { CITATION_LIMIT = 400, CITATION_GAP = 32 };

struct citations {
	const struct ss_value_functions *values;
	const struct ss_value *articles; /* a list of maps with an id; held */
	size_t *order;                   /* the articles that are cited, as they came */
	size_t count;
	bool capitals; /* an id has them */
	char bracket[CITATION_LIMIT];
	size_t bracket_length; /* 0: there is none */
	bool closed;           /* it is whole, and what follows tells what it is */
	char gap[CITATION_GAP];
	size_t gap_length;
	bool dropped; /* a citation went after the gap */
	char last;    /* byte that came out; 0 in the beginning */
};

/* Holds ARTICLES, which may be NULL. -1 for want of memory. */
int citations_begin(struct citations *citations, const struct ss_value_functions *values,
	const struct ss_value *articles);

/* Adds to OUT what can be said of the answer after the next PART of it. */
void citations_read(struct citations *citations, struct ss_text part, struct text *out);

/* The same at the answer's end. */
void citations_finish(struct citations *citations, struct text *out);

/* The ids of the articles that are cited, in the order of their numbers: a new list. */
struct ss_value *citations_sources(const struct citations *citations);

void citations_end(struct citations *citations);

#endif
