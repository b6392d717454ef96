/*
 * The load benchmark: distinct questions over connections that stay open, and as the peer in the same
 * run the same client asking for /api/v1/health, which is as fast as the server's HTTP can be. Then the same
 * questions to a server whose first model is behind an API that is dead, which shall be as fast as one without it.
 */
#include "base/memory.h"
#include "lib/client.h"
#include "lib/questions.h"
#include "lib/server.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help[] =
	"Usage: bench_load [OPTION…]\n\n"
	"Starts the server in a folder of its own, asks it distinct questions over connections "
	"that\n"
	"stay open, and prints rate, latencies and memory. Each run ends after the number of "
	"requests\n"
	"or the time, whichever comes first.\n\n"
	"  -c, --connections N  connections at once (16)\n"
	"  -n, --requests N     requests of a run at most (20000)\n"
	"  -s, --seconds N      seconds of a run at most (10)\n"
	"      --customers N    who ask in turn (1000); what one asked before costs time as well\n"
	"  -w, --workers N      workers of the server (0: one a core)\n"
	"  -p, --program FILE   the server (build/smartsupport)\n"
	"      --config FILE    its configuration (config/smartsupport.yaml)\n"
	"  -u, --url URL        measure the server that runs at http://ADDRESS:PORT instead\n"
	"      --pid PID        its master, for the memory\n"
	"  -h, --help           this text\n";

struct bench {
	struct questions *questions;
	struct sockaddr_in address;
	size_t connections;
	size_t requests;
	size_t customers;
	int64_t seconds;
	size_t asked; /* in earlier runs, so that no question comes twice */
	size_t errors;
};

static void question(void *context, size_t number, struct buffer *request)
{
	const struct bench *bench = context;
	struct buffer body = {0};
	questions_body(bench->questions, bench->asked + number, bench->customers, &body);
	buffer_add_format(request,
		"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		body.length);
	buffer_add(request, body.data, body.length);
	buffer_free(&body);
}

static void health(void *context, size_t number, struct buffer *request)
{
	(void)context;
	(void)number;
	buffer_add_string(request, "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/* One run, printed. Gives its rate, or -1. */
static double measure(struct bench *bench, const char *name, size_t connections, size_t requests,
	void (*request)(void *context, size_t number, struct buffer *request))
{
	struct ss_error err = {0};
	struct client_result result;
	const struct client_options options = {
		.address = bench->address,
		.connections = connections,
		.requests = requests,
		.duration_ns = bench->seconds * 1000000000,
		.request = request,
		.context = bench,
	};
	double rate = -1;
	if (client_run(&options, &result, &err) < 0) {
		(void)fprintf(stderr, "bench_load: %s: %s\n", name, err.text);
		bench->errors++;
	} else {
		rate = client_rate(&result);
		(void)printf("%-10s %11zu %9zu %7zu %10.1f %8.2f %8.2f %8.2f %8.2f\n", name,
			connections, result.count, result.errors, rate,
			client_percentile_ms(&result, 0.5), client_percentile_ms(&result, 0.9),
			client_percentile_ms(&result, 0.99), client_percentile_ms(&result, 1));
		(void)fflush(stdout);
		bench->errors += result.errors;
	}
	bench->asked += requests;
	client_result_free(&result);
	return rate;
}

static void print_memory(const char *when, pid_t pid)
{
	if (pid <= 0)
		return;
	struct server_memory memory = server_memory(pid);
	(void)printf("memory %s: %.1f MiB PSS, %.1f MiB RSS in %zu processes\n", when,
		(double)memory.pss_kib / 1024, (double)memory.rss_kib / 1024, memory.processes);
}

static void run(struct bench *bench, pid_t pid)
{
	/* The first questions find cold caches, which is not what this measures. */
	size_t warm_up = bench->requests < 200 ? bench->requests : 200;
	print_memory("before", pid);
	(void)printf("%-10s %11s %9s %7s %10s %8s %8s %8s %8s\n", "run", "connections", "requests",
		"errors", "requests/s", "p50 ms", "p90 ms", "p99 ms", "max ms");
	(void)measure(bench, "warm-up", bench->connections, warm_up, question);
	double one = measure(bench, "questions", 1, bench->requests, question);
	double many = measure(bench, "questions", bench->connections, bench->requests, question);
	double one_health = measure(bench, "health", 1, bench->requests, health);
	double many_health = measure(bench, "health", bench->connections, bench->requests, health);
	print_memory("after", pid);
	if (one > 0 && many > 0 && one_health > 0 && many_health > 0)
		(void)printf("a question costs as much as %.1f requests of health with 1 "
			     "connection, %.1f with %zu\n",
			one_health / one, many_health / many, bench->connections);
}

/* The same questions where the model that is asked first cannot be reached, by turns with those to the server that has
 * none, so that both meet the same machine. */
static void compare(struct bench *bench, const struct server *local, const struct server *dead)
{
	enum { ROUNDS = 4 };
	size_t warm_up = bench->requests < 200 ? bench->requests : 200;
	double sums[2] = {0};
	bench->address = dead->address;
	(void)measure(bench, "warm-up", bench->connections, warm_up, question);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		bench->address = i % 2 == 0 ? local->address : dead->address;
		sums[i % 2] += measure(bench, i % 2 == 0 ? "local" : "dead API", bench->connections,
			bench->requests / ROUNDS, question);
	}
	(void)printf("with an API that is dead in front of the articles, %.2f times as many "
		     "questions a second as with the articles alone\n",
		sums[1] / sums[0]);
}

/* A socket that has an address and does not listen on it, in the variable that the configuration names. -1: none. */
static int hold_dead_address(struct ss_error *err)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	char url[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		if (fd >= 0)
			(void)close(fd);
		return ss_fail(err, "there is no address that nobody listens on");
	}
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
	(void)setenv("STREAMS_MODEL_URL", url, 1);
	return fd;
}

static int run_dead(struct bench *bench, const char *program, int workers,
	const struct server *local, struct ss_error *err)
{
	struct server server;
	int fd = hold_dead_address(err);
	if (fd < 0)
		return -1;
	int code = server_start(
		&server, program, SS_SOURCE_DIR "/tests/bench/streams.yaml", workers, err);
	if (code == 0) {
		compare(bench, local, &server);
		code = server_stop(&server, err);
	}
	(void)close(fd);
	return code;
}

static int run_with_server(
	struct bench *bench, const char *program, const char *config, int workers)
{
	static const char *const names[] = {"LLM_BASE_URL", "GROQ_API_KEY", "OPENAI_API_KEY"};
	struct ss_error err = {0};
	struct server server;
	/* No model of somebody's own answers here. */
	for (size_t i = 0; i < array_length(names); i++)
		(void)unsetenv(names[i]);
	if (server_start(&server, program, config, workers, &err) < 0)
		goto fail;
	bench->address = server.address;
	run(bench, server.pid);
	int code = run_dead(bench, program, workers, &server, &err);
	if (server_stop(&server, &err) == 0 && code == 0)
		return 0;
fail:
	(void)fprintf(stderr, "bench_load: %s\n", err.text);
	return -1;
}

static int run_at(struct bench *bench, const char *url, pid_t pid)
{
	struct ss_error err = {0};
	if (server_address(url, &bench->address, &err) < 0) {
		(void)fprintf(stderr, "bench_load: %s\n", err.text);
		return -1;
	}
	run(bench, pid);
	return 0;
}

static long number_of(const char *text, long least, long most)
{
	char *end = NULL;
	long number = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || number < least || number > most) {
		(void)fprintf(stderr, "bench_load: \"%s\" is no number from %ld to %ld\n", text,
			least, most);
		exit(2);
	}
	return number;
}

struct arguments {
	const char *program;
	const char *config;
	const char *url;
	pid_t pid;
	int workers;
};

/* Returns -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct bench *bench, struct arguments *arguments)
{
	static const struct option options[] = {
		{"connections", required_argument, NULL, 'c'},
		{"requests", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'},
		{"customers", required_argument, NULL, 'o'},
		{"workers", required_argument, NULL, 'w'},
		{"program", required_argument, NULL, 'p'},
		{"config", required_argument, NULL, 'f'},
		{"url", required_argument, NULL, 'u'},
		{"pid", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "c:n:s:w:p:u:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			bench->connections = (size_t)number_of(optarg, 1, 10000);
			break;
		case 'n':
			bench->requests = (size_t)number_of(optarg, 1, 100000000);
			break;
		case 's':
			bench->seconds = number_of(optarg, 1, 86400);
			break;
		case 'o':
			bench->customers = (size_t)number_of(optarg, 1, 100000000);
			break;
		case 'w':
			arguments->workers = (int)number_of(optarg, 0, 256);
			break;
		case 'p':
			arguments->program = optarg;
			break;
		case 'f':
			arguments->config = optarg;
			break;
		case 'u':
			arguments->url = optarg;
			break;
		case 'i':
			arguments->pid = (pid_t)number_of(optarg, 1, 4194304);
			break;
		default:
			(void)fputs(help, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	static const char *const files[] = {
		SS_SOURCE_DIR "/tests/data/questions.jsonl",
		SS_SOURCE_DIR "/tests/data/article_questions.jsonl",
		SS_SOURCE_DIR "/tests/data/ordinary_mix.jsonl",
	};
	struct ss_error err = {0};
	struct bench bench = {
		.connections = 16, .requests = 20000, .customers = 1000, .seconds = 10};
	struct arguments arguments = {
		.program = SS_BUILD_DIR "/smartsupport",
		.config = SS_SOURCE_DIR "/config/smartsupport.yaml",
	};
	int code = parse(argc, argv, &bench, &arguments);
	if (code >= 0)
		return code;
	bench.questions = questions_new(files, array_length(files), &err);
	if (bench.questions == NULL) {
		(void)fprintf(stderr, "bench_load: %s\n", err.text);
		return 1;
	}
	(void)printf("%zu texts, numbered so that no two questions are equal\n",
		questions_texts(bench.questions));
	code = arguments.url != NULL ? run_at(&bench, arguments.url, arguments.pid)
				     : run_with_server(&bench, arguments.program, arguments.config,
					       arguments.workers);
	questions_free(bench.questions);
	return code == 0 && bench.errors == 0 ? 0 : 1;
}
