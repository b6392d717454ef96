/* Lines of text in columns, for the terminal. Texts are UTF-8 and may be anybody's. No state. */
#ifndef LEARN_TABLE_H
#define LEARN_TABLE_H

#include "base/buffer.h"

#include <smartsupport/value.h>

/* Adds TEXT on one line: cut to COLUMNS columns of the terminal, with an ellipsis, and without control
 * characters. */
void table_line(struct buffer *buffer, struct ss_text text, size_t columns);

/* Adds TEXT as table_line() does, with spaces up to COLUMNS: behind it, or before it. */
void table_left(struct buffer *buffer, const char *text, size_t columns);
void table_right(struct buffer *buffer, const char *text, size_t columns);

/* The same as table_right() for a formatted text. */
__attribute__((format(printf, 3, 4))) void table_cell(
	struct buffer *buffer, size_t columns, const char *format, ...);

#endif
