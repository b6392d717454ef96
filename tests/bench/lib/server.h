/* The server that a benchmark measures: started for it, in a folder of its own. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <netinet/in.h>
#include <smartsupport/error.h>
#include <sys/types.h>

struct server {
	pid_t pid;
	struct sockaddr_in address;
	char folder[64];
	int log; /* the server's standard error */
};

/* Starts PROGRAM with CONFIG and WORKERS (0: one a core) and waits until it listens. */
int server_start(struct server *server, const char *program, const char *config, int workers,
	struct ss_error *err);

/* Stops it and removes its folder. Fails when it does not end with 0. */
int server_stop(struct server *server, struct ss_error *err);

/* Reads http://127.0.0.1:PORT. */
int server_address(const char *url, struct sockaddr_in *address, struct ss_error *err);

struct server_memory {
	size_t processes;
	size_t pss_kib; /* shared pages count in part for each process that has them */
	size_t rss_kib;
};

/* The memory of the process PID and its children. */
struct server_memory server_memory(pid_t pid);

/* The processor time that they have taken so far, in seconds. */
double server_cpu_seconds(pid_t pid);

#endif
