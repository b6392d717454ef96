/* A proxy before the database that cuts the connection at a chosen moment. One connection at a time, on a thread of its
 * own, until the test's process ends. */
#ifndef TESTS_STORAGE_POSTGRESQL_PROXY_H
#define TESTS_STORAGE_POSTGRESQL_PROXY_H

/* Starts it before the loopback port TARGET; gives its own port. */
int proxy_start(const char *target);

/* The next answer of the database with WORD in it, which is what it says that it has done, is not handed on: the
 * connection is cut. */
void proxy_cut_next(const char *word);

/* Whether that has happened. */
int proxy_has_cut(void);

#endif
