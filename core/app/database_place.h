/* Looks at the place of a database without touching it, for `check`. What only the storage plugin can tell,
 * as what is in the file, shows when it opens it. */
#ifndef APP_DATABASE_PLACE_H
#define APP_DATABASE_PLACE_H

#include <smartsupport/error.h>

/* Whether this user could read and write a file at PATH, or create it in its folder, which must exist. */
int database_place_check(const char *path, struct ss_error *err);

#endif
