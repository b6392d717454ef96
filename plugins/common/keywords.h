/*
 * Keywords: words and phrases that stand for a label. A keyword matches whole words only, in any
 * case, and with any white space between its words. Immutable; any thread.
 */
#ifndef COMMON_KEYWORDS_H
#define COMMON_KEYWORDS_H

#include <smartsupport/value.h>

struct keywords;

enum {
	KEYWORD_BYTES_LIMIT = 200,
	KEYWORDS_LIMIT = 2000, /* of all labels together */
};

/* The keywords in MAP, from label to a list of words and phrases. NULL and ERR, which names the label
 * and the keyword, when one has no letter or digit or is too long. */
struct keywords *keywords_new(
	const struct ss_value_functions *values, const struct ss_value *map, struct ss_error *err);

void keywords_free(struct keywords *keywords);

/* The label of the longest keyword that stands in TEXT, the first one of equally long ones; NULL when none
 * does. Borrowed from KEYWORDS. */
const char *keywords_find(const struct keywords *keywords, struct ss_text text);

/* Whether a keyword stands in TEXT where a clause begins: at its start, behind punctuation, or behind words like
 * "but", "sorry" and "it" there. */
bool keywords_begin_clause(const struct keywords *keywords, struct ss_text text);

/* Phrases that refuse what comes next, as in "no need": a keyword that begins at most REACH words behind one
 * counts for nothing. A refusal ends where its clause ends: at punctuation and at words like "but" and "I". */
struct keywords_refusals {
	const struct keywords *phrases;
	size_t reach;
};

/* The labels of all keywords that stand in TEXT, at most LIMIT, to LABELS. Longer ones are found first, and
 * what one covers counts for no other: of "file manager" and "manager" only the first is found in
 * "my file manager". REFUSALS may be NULL. Returns how many there are. Borrowed from KEYWORDS. */
size_t keywords_find_all(const struct keywords *keywords, const struct keywords_refusals *refusals,
	struct ss_text text, const char **labels, size_t limit);

#endif
