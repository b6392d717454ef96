/* Files, read whole. Any thread. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <smartsupport/error.h>

#include <stdbool.h>
#include <stddef.h>

/* Reads the file at PATH into *DATA (NUL-terminated, the caller frees it) and its *LENGTH in bytes.
 * Fails when it cannot be read or is larger than LIMIT bytes; the error names PATH. */
int file_read(const char *path, size_t limit, char **data, size_t *length, struct ss_error *err);

/* Writes the file anew in one step: whoever reads PATH sees the old or the new bytes. */
int file_write(const char *path, const char *data, size_t length, struct ss_error *err);

/* Makes the folders of the file PATH that are missing, for this user alone. One that cannot be made shows when the file is opened. */
void file_make_folders(const char *path);

/* A name beside PATH for what will be PATH when it is whole, PATH.partial-ID. The caller frees it. */
char *file_partial_name(const char *path);

/* Brings the file PARTIAL to the disk and gives it the name PATH, in one step. A file PATH that is there already is
 * replaced if it MAY_REPLACE, else that is an error. PARTIAL is gone in any case. */
int file_place(const char *partial, const char *path, bool may_replace, struct ss_error *err);

/* PATH as seen from the folder of FILE, unless it is absolute. The caller frees it. */
char *file_beside(const char *file, const char *path);

/* PATH, seen from the working folder, as an absolute path. The caller frees it. */
char *file_absolute(const char *path);

#endif
