/*
 * The words and phrases behind the lexical features: general English, nothing about one product. For
 * lexical_features.c and its tests only. Constant data, any thread.
 *
 * All entries are in small letters with plain apostrophes. A word that ends in * stands for every
 * word that begins so. The lists of words and phrases are sorted by their bytes.
 */
#ifndef COMMON_LEXICON_H
#define COMMON_LEXICON_H

#include <stddef.h>

/* The kinds of single words. A word may be of several kinds. */
enum lexicon_words {
	WORDS_NEGATION,
	WORDS_INTENSIFIER,
	WORDS_POSITIVE,
	WORDS_NEGATIVE, /* judgements */
	WORDS_FEELING,  /* unhappy feelings */
	WORDS_PROBLEM,  /* what goes wrong */
	WORDS_ANGER,
	WORDS_CONTEMPT,
	WORDS_SWEARING,
	WORDS_THREAT,
	WORDS_QUESTION, /* what a plain question begins with */
	WORDS_FILLER,   /* what may stand before the question */
	WORDS_BUT,
	WORDS_EMPHATIC, /* short words that tell something when they are in capitals */
	WORDS_ACRONYM,  /* in capitals without being shouted */
	/* What a message is about. */
	WORDS_MONEY,
	WORDS_ACCESS,
	WORDS_SOFTWARE,
	WORDS_COMPANY,
	WORDS_KINDS,
};

/* The kinds of phrases of two words and more. */
enum lexicon_phrases {
	PHRASES_THANKS,
	PHRASES_THANKS_AHEAD,
	PHRASES_POSITIVE,
	PHRASES_NO_PROBLEM, /* negated trouble: "no problem" */
	PHRASES_NEGATIVE,
	PHRASES_REPEATED,
	PHRASES_DURATION, /* of trouble: "for days" */
	PHRASES_DEMAND,
	PHRASES_THREAT,
	PHRASES_ANGER,
	PHRASES_SARCASM,
	PHRASES_REQUEST,
	PHRASES_KINDS,
};

struct lexicon_list {
	const char *const *entries;
	size_t count;
};

extern const struct lexicon_list lexicon_words[WORDS_KINDS];
extern const struct lexicon_list lexicon_phrases[PHRASES_KINDS];

/* The COUNT entries of LIST that begin with the byte FIRST. */
const char *const *lexicon_range(const struct lexicon_list *list, char first, size_t *count);

/* Emoticons and emoji, as UTF-8; each list ends with NULL. */
extern const char *const lexicon_smiles[];
extern const char *const lexicon_frowns[];
extern const char *const lexicon_rage[];

#endif
