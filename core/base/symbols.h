/* Names of functions by where they lie in a program's or a plugin's file. Any thread, in no hurry. */
#ifndef BASE_SYMBOLS_H
#define BASE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

/* Reads the ELF file at PATH. NULL when it cannot be read or is none. */
struct symbols *symbols_read(const char *path);

/* NULL is allowed. */
void symbols_free(struct symbols *file);

/* Writes "function+0x1f" of what lies OFFSET bytes behind where the file begins when it is loaded, to TEXT. Static functions
 * have names as long as FILE is not stripped. False, and "" in TEXT, when there is no name, also of NULL, whatever is in the
 * file. */
bool symbols_name(const struct symbols *file, uint64_t offset, char *text, size_t size);

#endif
