/* JSON text (RFC 8259) to values and back, through json-c. Any thread. */
#ifndef VALUE_JSON_H
#define VALUE_JSON_H

#include "base/buffer.h"

#include <smartsupport/value.h>

/* Levels of lists and maps that are read; deeper text is refused. */
enum { JSON_DEPTH = 32 };

/* Parses LENGTH bytes that hold one JSON text and nothing else. Refuses invalid UTF-8, duplicate
 * member names and those with a NUL, integers beyond 64 bits, numbers beyond a double and anything
 * that RFC 8259 does not allow; the error names the place by its offset in bytes, or the duplicate
 * name. */
struct ss_value *json_parse(const char *text, size_t length, struct ss_error *err);

/* The same for text of our own, which may have up to DEPTH levels. */
struct ss_value *json_parse_deep(const char *text, size_t length, int depth, struct ss_error *err);

/* Whether VALUE is not nested so deep that json_parse() refuses what json_print() makes of it. */
bool json_reads_back(const struct ss_value *value);

/* Appends VALUE as JSON without white space; members are in the order of their keys. A number that is
 * not finite becomes null, a byte that is not UTF-8 the replacement character: whoever made the value, the
 * text is JSON. */
void json_print(struct buffer *buffer, const struct ss_value *value);

/* The same as a new string that the caller frees. */
char *json_text(const struct ss_value *value);

/* The same for people to read: on many lines, indented. */
char *json_text_indented(const struct ss_value *value);

#endif
