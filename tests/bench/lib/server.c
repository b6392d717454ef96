#include "lib/server.h"

#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_LIMIT_NS ((int64_t)60 * 1000000000)

static _Noreturn void be_server(
	const struct server *server, const char *program, const char *config, int workers, int log)
{
	char number[16];
	char url[128];
	(void)snprintf(number, sizeof number, "%d", workers);
	(void)snprintf(url, sizeof url, "sqlite:///%s/bench.db", server->folder);
	(void)setenv("PORT", "0", 1);
	(void)setenv("HOST", "127.0.0.1", 1);
	(void)setenv("WORKERS", number, 1);
	(void)setenv("DATABASE_URL", url, 1);
	(void)setenv("LOG_LEVEL", "info", 1);
	(void)setenv("LOG_FORMAT", "logfmt", 1);
	(void)dup2(log, STDERR_FILENO);
	/* The server must not outlive a benchmark that was killed. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)execl(program, program, "serve", "--config", config, (char *)NULL);
	(void)fprintf(stderr, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

int server_address(const char *url, struct sockaddr_in *address, struct ss_error *err)
{
	char host[64];
	unsigned port = 0;
	*address = (struct sockaddr_in){.sin_family = AF_INET};
	if (sscanf(url, "http://%63[0-9.]:%u", host, &port) != 2 || port > 65535 ||
		inet_pton(AF_INET, host, &address->sin_addr) != 1)
		return ss_fail(err, "\"%s\" is no address like http://127.0.0.1:8000", url);
	address->sin_port = htons((uint16_t)port);
	return 0;
}

/* Reads the log until it says where the server listens. */
static int wait_for_address(struct server *server, struct ss_error *err)
{
	char log[16384];
	size_t length = 0;
	int64_t end_ns = clock_monotonic_ns() + START_LIMIT_NS;
	for (;;) {
		struct pollfd ready = {.fd = server->log, .events = POLLIN};
		if (clock_monotonic_ns() > end_ns)
			return ss_fail(err, "the server does not listen after 60 s");
		if (poll(&ready, 1, 100) <= 0)
			continue;
		ssize_t got = read(server->log, log + length, sizeof log - 1 - length);
		if (got <= 0 || length == sizeof log - 1)
			return ss_fail(err, "the server did not start: %.*s", (int)length, log);
		length += (size_t)got;
		log[length] = '\0';
		const char *found = strstr(log, "listening on ");
		if (found != NULL && strchr(found, '\n') != NULL)
			return server_address(
				found + strlen("listening on "), &server->address, err);
	}
}

/* From now on the log goes nowhere; a full pipe would stop the server. */
static int swallow_log(struct server *server, struct ss_error *err)
{
	pid_t pid = fork();
	if (pid < 0)
		return ss_fail(err, "fork: %s", strerror(errno));
	if (pid == 0) {
		char bytes[65536];
		while (read(server->log, bytes, sizeof bytes) > 0)
			continue;
		_exit(0);
	}
	(void)close(server->log);
	server->log = -1;
	return 0;
}

int server_start(struct server *server, const char *program, const char *config, int workers,
	struct ss_error *err)
{
	int log[2];
	*server = (struct server){.log = -1};
	(void)snprintf(server->folder, sizeof server->folder, "/tmp/smartsupport-bench-XXXXXX");
	if (mkdtemp(server->folder) == NULL || pipe2(log, O_CLOEXEC) < 0)
		return ss_fail(err, "a folder or pipe for the server: %s", strerror(errno));
	server->pid = fork();
	if (server->pid == 0)
		be_server(server, program, config, workers, log[1]);
	(void)close(log[1]);
	server->log = log[0];
	if (server->pid > 0 && wait_for_address(server, err) == 0 && swallow_log(server, err) == 0)
		return 0;
	if (server->pid > 0)
		(void)kill(server->pid, SIGKILL);
	return -1;
}

static void remove_folder(const char *folder)
{
	static const char *const names[] = {"bench.db", "bench.db-wal", "bench.db-shm"};
	char path[128];
	for (size_t i = 0; i < array_length(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

int server_stop(struct server *server, struct ss_error *err)
{
	int status = 0;
	(void)kill(server->pid, SIGTERM);
	if (waitpid(server->pid, &status, 0) != server->pid)
		return ss_fail(err, "waiting for the server: %s", strerror(errno));
	remove_folder(server->folder);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return ss_fail(err, "the server did not end with 0");
	return 0;
}

struct process {
	pid_t parent;
	double cpu_seconds;
};

static struct process process_of(pid_t pid)
{
	char path[64];
	char text[512] = "";
	int parent = 0;
	unsigned long user = 0;
	unsigned long kernel = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return (struct process){0};
	const char *line = fgets(text, sizeof text, file);
	(void)fclose(file);
	/* The program's name may hold blanks and parentheses; what follows the last one is fixed. */
	const char *after = line != NULL ? strrchr(line, ')') : NULL;
	if (after == NULL || sscanf(after, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				     &parent, &user, &kernel) != 3)
		return (struct process){0};
	return (struct process){.parent = parent,
		.cpu_seconds = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK)};
}

static void add_memory(void *sum, pid_t pid)
{
	struct server_memory *memory = sum;
	char path[64];
	char line[256];
	size_t kib = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	memory->processes++;
	while (fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "Pss: %zu kB", &kib) == 1)
			memory->pss_kib += kib;
		else if (sscanf(line, "Rss: %zu kB", &kib) == 1)
			memory->rss_kib += kib;
	}
	(void)fclose(file);
}

/* Calls EACH for the process PID and its children. */
static void visit(pid_t pid, void (*each)(void *sum, pid_t pid), void *sum)
{
	DIR *processes = opendir("/proc");
	if (processes == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(processes)) != NULL;) {
		pid_t found = (pid_t)strtol(entry->d_name, NULL, 10);
		if (found > 0 && (found == pid || process_of(found).parent == pid))
			each(sum, found);
	}
	(void)closedir(processes);
}

struct server_memory server_memory(pid_t pid)
{
	struct server_memory memory = {0};
	visit(pid, add_memory, &memory);
	return memory;
}

static void add_cpu(void *sum, pid_t pid)
{
	double *seconds = sum;
	*seconds += process_of(pid).cpu_seconds;
}

double server_cpu_seconds(pid_t pid)
{
	double seconds = 0;
	visit(pid, add_cpu, &seconds);
	return seconds;
}
