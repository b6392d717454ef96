/* The tests' stores in SQLite files, beside what support/storage/store.h says. */
#ifndef TESTS_STORAGE_SQLITE_FILE_H
#define TESTS_STORAGE_SQLITE_FILE_H

#include "support/storage/store.h"

/* The path of NAME in the test's folder; of the database that the functions below use. Valid until the
 * test ends. */
const char *store_file(const char *name);
const char *store_path(void);

/* Opening PATH must fail with STATUS and a sentence that has PATH and WORDS in it. */
void store_refused(const char *path, enum ss_status status, const char *words);

#endif
