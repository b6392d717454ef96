/*
 * Passages: an article's text in pieces that an embedder reads whole, and its sentences. It is cut at every Markdown heading, and what is
 * longer than a passage after a paragraph, else a line, a sentence or a word; then the next piece begins with the
 * last words of the one before, so that a sentence between two is whole in one of them. Any thread.
 *
 * An embedder's tokens are estimated, since only it knows its tokenizer: a word is one token and another for
 * every seven letters more, a sign is one, and so is a letter of a script that the common vocabularies hardly
 * have. For English this is a little more than WordPiece makes.
 */
#ifndef SERVICE_PASSAGE_H
#define SERVICE_PASSAGE_H

#include <smartsupport/value.h>

enum {
	PASSAGE_TOKENS = 220,        /* of a passage, at most; models read 256 with the title */
	PASSAGE_OVERLAP_TOKENS = 40, /* that a passage repeats of the one before */
	SENTENCE_WORDS = 4,          /* of a sentence, at least */
};

/* Where the next passage begins. */
struct passage_reader {
	struct ss_text content; /* what is left to read */
	struct ss_text section; /* what is left of the section */
	struct ss_text heading;
	bool in_code; /* between two fences */
};

struct passage {
	struct ss_text heading; /* of its section, without the signs; empty before the first one */
	struct ss_text text;
};

/* A reader of CONTENT, valid UTF-8 that is borrowed for the passages' life. */
struct passage_reader passage_read(struct ss_text content);

/* The next PASSAGE; false when there is none. */
bool passage_next(struct passage_reader *reader, struct passage *passage);

/* How many words TEXT has, by the blanks between them. */
size_t passage_words(struct ss_text text);

/* Moves the next SENTENCE from TEXT, which is left with what is behind it; false when there is none. It ends at a full
 * stop, a question mark or an exclamation mark before a blank, or with the line. What has few words, such as a number of
 * a list, is passed over. */
bool passage_next_sentence(struct ss_text *text, struct ss_text *sentence);

#endif
