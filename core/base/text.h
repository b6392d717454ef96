/* UTF-8 text: validity, lengths in characters, blankness. Any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <smartsupport/value.h>

/* The number of characters (code points) of TEXT, or -1 when it is not valid UTF-8. */
ptrdiff_t text_characters(struct ss_text text);

/* Whether TEXT has nothing but white space and invisible characters. TEXT is valid UTF-8. */
bool text_blank(struct ss_text text);

/* The text of a NUL-terminated string. */
struct ss_text text_of(const char *string);

/* How many bytes of STRING, at most LIMIT, can be shown without cutting a character: the precision of
 * a "%.*s". */
int text_fit(const char *string, int limit);

/* TEXT with its characters composed (Unicode's form NFC), each run of blanks and line ends as one blank, and none
 * at its ends: new and NUL-terminated, with *LENGTH bytes. What is not valid UTF-8 keeps its characters. */
char *text_tidy(struct ss_text text, size_t *length);

/* The same with neither case nor punctuation, and with characters that mean the same made one (NFKC): two texts
 * that say the same in other letters become equal. */
char *text_fold(struct ss_text text, size_t *length);

/* The number of edits (insert, delete, replace, swap of neighbours) from A to B; for "did you mean". */
size_t text_distance(const char *a, const char *b);

#endif
