/* The tests' stores in PostgreSQL, beside what support/storage/store.h says: a server for all tests of the program, a
 * schema for each of them. */
#ifndef TESTS_STORAGE_POSTGRESQL_SCHEMA_H
#define TESTS_STORAGE_POSTGRESQL_SCHEMA_H

#include "support/storage/store.h"

/* The url of the test's schema, by the socket. Valid until the test ends. */
const char *schema_url(void);

/* From here on the test has a database of its own and not only a schema. Before anything is opened. */
void schema_alone(void);

/* The loopback port of the server. */
const char *schema_port(void);

/* An instance on URL, with statement_timeout of TIMEOUT_S seconds. */
void *schema_try(const char *url, double timeout_s, struct ss_error *err);

/* Opening URL must fail with STATUS and a sentence that has WORDS in it, and no part of the password. */
void schema_refused(const char *url, enum ss_status status, const char *words);

/* Ends the connections of all instances on the test's schema. */
void schema_cut(void);

#endif
