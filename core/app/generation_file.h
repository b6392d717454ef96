/* Where a server tells other programs how its generations are. */
#ifndef APP_GENERATION_FILE_H
#define APP_GENERATION_FILE_H

#include "config/config.h"

/* The file of the server with CONFIG, which was read from the file PATH: it has the address in its name, and the configuration. New; NULL
 * when there is no folder for caches. */
char *generation_file(const struct config *config, const char *path);

#endif
