/*
 * Memory. For every room, on any thread.
 *
 * The functions never return NULL: a process that cannot get the little memory that its own
 * structures need says so and ends, and the master starts another. What was acknowledged is in the
 * store, so nothing is lost. Sizes that a stranger could choose are bounded where they enter.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* SIZE zeroed bytes; free() gives them back. */
void *memory_new(size_t size);

/* COUNT zeroed items of SIZE bytes. */
void *memory_array(size_t count, size_t size);

/* OLD grown or shrunk to COUNT items of SIZE bytes; what is new is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size);

/* A copy of TEXT, or NULL for NULL. */
char *memory_string(const char *text);

/* A NUL-terminated copy of LENGTH bytes of TEXT. */
char *memory_text(const char *text, size_t length);

/* Formats into a new string. */
__attribute__((format(printf, 1, 2))) char *memory_format(const char *format, ...);

/* Copies the structure FROM, of which its sender knows LENGTH bytes, to TO, of SIZE bytes: what both know; the rest of TO is
 * zeros. */
void memory_copy_known(void *to, size_t size, const void *from, size_t length);

#define memory_make(type) ((type *)memory_new(sizeof(type)))

#define array_length(array) (sizeof(array) / sizeof((array)[0]))

#endif
