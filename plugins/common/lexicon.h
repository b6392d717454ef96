/*
 * The words and phrases behind the lexical features: general English, nothing about one product. For
 * lexical_features.c and its tests only. Constant data, any thread.
 *
 * All entries are in small letters with plain apostrophes. A word that ends in * stands for every
 * word that begins so. Lists end with NULL.
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

extern const char *const *const lexicon_words[WORDS_KINDS];
extern const char *const *const lexicon_phrases[PHRASES_KINDS];

/* Emoticons and emoji, as UTF-8. */
extern const char *const lexicon_smiles[];
extern const char *const lexicon_frowns[];
extern const char *const lexicon_rage[];

#endif
