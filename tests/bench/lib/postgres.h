/* A PostgreSQL that a benchmark measures: real and durable (fsync is on), in a temporary folder, gone at the end. */
#ifndef BENCH_POSTGRES_H
#define BENCH_POSTGRES_H

#include <smartsupport/error.h>
#include <sys/types.h>

struct bench_postgres {
	pid_t pid;
	int input; /* it ends with it, so with this process at the latest */
	char url[256];
};

int bench_postgres_start(struct bench_postgres *postgres, struct ss_error *err);
void bench_postgres_stop(struct bench_postgres *postgres);

#endif
