/*
 * Text to words, as BERT's models were trained with: invisible characters removed, accents and case
 * folded away, split at white space, around punctuation and around Chinese characters. Follows Hugging
 * Face's BertNormalizer and BertPreTokenizer. Those know Unicode 8, utf8proc knows a later version: the two
 * differ for the marks and punctuation that Unicode added since, which no vocabulary of 2018 has. Any thread.
 */
#ifndef MINILM_WORDS_H
#define MINILM_WORDS_H

#include <smartsupport/value.h>

enum { WORD_CHARACTERS_LIMIT = 256 };

struct words_rules {
	bool clean_text;           /* remove control characters, make all white space blanks */
	bool handle_chinese_chars; /* every Chinese character is a word */
	bool strip_accents; /* decompose characters and remove what was over and under them */
	bool lowercase;
	size_t characters; /* a word that has more is passed on as unknown; 1 to WORD_CHARACTERS_LIMIT */
};

/* One word of LENGTH bytes (UTF-8), borrowed for the call; NULL when it has too many characters.
 * Returns whether the caller wants more words. */
typedef bool words_take(void *context, const char *word, size_t length);

/* Calls TAKE for the words of TEXT in their order. Bytes that are not valid UTF-8 count as U+FFFD. */
void words_split(
	const struct words_rules *rules, struct ss_text text, words_take *take, void *context);

#endif
