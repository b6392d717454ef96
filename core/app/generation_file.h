/* Where a server tells other programs how its generations are. */
#ifndef APP_GENERATION_FILE_H
#define APP_GENERATION_FILE_H

#include "config/config.h"

/* The file of the server with CONFIG, which was read from the file PATH: it has the address in its name, and the configuration. New; NULL
 * when there is no folder for caches. */
char *generation_file(const struct config *config, const char *path);

/* The file of a server that runs with the configuration PATH, at whatever address, and *COUNT of how many there are. New; NULL when there
 * is none. */
char *generation_file_of_another(const struct config *config, const char *path, size_t *count);

#endif
