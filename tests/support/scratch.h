/* Files that a test needs for its life, in a folder of its own below the build folder. */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include <stddef.h>

/* A new empty folder; give it to scratch_remove() in the end. */
char *scratch_new(void);

/* Writes LENGTH bytes of DATA to the file NAME in FOLDER. Returns its path, which the caller frees. */
char *scratch_file(const char *folder, const char *name, const char *data, size_t length);

/* The path of NAME in FOLDER, which need not exist. The caller frees it. */
char *scratch_path(const char *folder, const char *name);

/* Removes FOLDER with everything in it and frees the string. */
void scratch_remove(char *folder);

#endif
