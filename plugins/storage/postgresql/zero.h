/*
 * Texts with U+0000, which messages may have and PostgreSQL's texts may not. U+10FFFF, which Unicode keeps for such uses
 * within programs, stands before what is meant: 0 for U+0000, 1 for itself. Any thread.
 */
#ifndef POSTGRESQL_ZERO_H
#define POSTGRESQL_ZERO_H

#include <smartsupport/value.h>

/* Whether TEXT cannot be stored as it is, or what is stored as TEXT is not what is meant. */
bool zero_is_in(struct ss_text text);
bool zero_is_written_in(struct ss_text text);

/* A new text, *LENGTH bytes long, for free(); NULL when there is no memory. */
char *zero_write(struct ss_text text, size_t *length);
char *zero_read(struct ss_text text, size_t *length);

#endif
