/*
 * The master: holds the listening socket, starts the workers, restarts those that die and handles
 * signals. It loads no plugin and answers nothing, so that nothing which could break is in it.
 *
 *   SIGTERM, SIGINT  the workers finish what they have and leave; exits with 0. A second one ends
 *                    everything at once, with 1.
 *   SIGHUP           starts new workers with the configuration as it is now. When all of them are
 *                    ready the old ones leave; when one cannot start, the old ones stay and the log
 *                    says why.
 */
#ifndef APP_MASTER_H
#define APP_MASTER_H

#include "config/config.h"

/* Serves until it is told to stop. CONFIG_FILE is read again by every worker. Returns the exit code. */
int master_run(const struct config *config, const char *config_file);

#endif
