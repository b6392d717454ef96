/*
 * The HTTP benchmark: requests a second of what takes nothing, of a list and of questions, beside nginx that serves
 * files of the same sizes; what idle connections cost; and what slow clients do to the others. By turns, with the same
 * client, in one run.
 */
#include "base/memory.h"
#include "base/text.h"
#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/nginx.h"
#include "lib/questions.h"
#include "lib/server.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help[] =
	"Usage: bench_http [OPTION…]\n\n"
	"Starts the server, and nginx with files, and prints requests a second of both, the memory "
	"of\n"
	"idle connections, and the latency beside slow clients.\n\n"
	"  -c, --connections N  busy connections (16)\n"
	"  -s, --seconds N      of each run (1)\n"
	"  -r, --rounds N       runs of each kind; their median counts (5)\n"
	"  -i, --idle N         connections that are idle (5000)\n"
	"  -l, --slow N         slow clients (1000)\n"
	"  -w, --workers N      workers of either (2)\n"
	"  -p, --program FILE   the server (build/smartsupport)\n"
	"  -n, --nginx FILE     nginx (nginx)\n"
	"  -h, --help           this text\n";

#define LIST "/api/v1/kb/articles"

enum { MOST_ROUNDS = 25, CUSTOMERS = 1000, CALM = 4 /* connections beside a crowd */ };

enum kind { LIVEZ, ARTICLES, QUESTIONS, SMALL_FILE, LARGE_FILE, KINDS };

static const char *const names[KINDS] = {
	[LIVEZ] = "/livez",
	[ARTICLES] = LIST,
	[QUESTIONS] = "/api/v1/query",
	[SMALL_FILE] = "nginx, as /livez",
	[LARGE_FILE] = "nginx, as the list",
};

struct bench {
	struct questions *questions;
	struct server server;
	struct nginx nginx;
	size_t connections, idle, slow, asked;
	int rounds, workers;
	int64_t seconds;
	const char *program, *nginx_program;
};

static void question(void *context, size_t number, struct buffer *request)
{
	const struct bench *bench = context;
	struct buffer body = {0};
	questions_body(bench->questions, bench->asked + number, CUSTOMERS, &body);
	buffer_add_format(request,
		"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		body.length);
	buffer_add(request, body.data, body.length);
	buffer_free(&body);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void livez(void *context, size_t number, struct buffer *request)
{
	(void)context;
	(void)number;
	buffer_add_string(request, GET("/livez"));
}

static void articles(void *context, size_t number, struct buffer *request)
{
	(void)context;
	(void)number;
	buffer_add_string(request, GET(LIST));
}

static void small_file(void *context, size_t number, struct buffer *request)
{
	(void)context;
	(void)number;
	buffer_add_string(request, GET("/small.json"));
}

static void large_file(void *context, size_t number, struct buffer *request)
{
	(void)context;
	(void)number;
	buffer_add_string(request, GET("/large.json"));
}

struct figures {
	double rate, p50_ms, p99_ms;
};

/* One run. -1 when anything but 200 comes. */
static int measure(struct bench *bench, enum kind kind, size_t connections, int64_t seconds,
	struct figures *figures)
{
	static void (*const requests[KINDS])(void *, size_t, struct buffer *) = {
		livez, articles, question, small_file, large_file};
	struct ss_error err = {0};
	struct client_result result;
	const struct client_options options = {
		.address = kind >= SMALL_FILE ? bench->nginx.address : bench->server.address,
		.connections = connections,
		.requests = 100000000,
		.duration_ns = seconds * 1000000000,
		.request = requests[kind],
		.context = bench,
	};
	int code = client_run(&options, &result, &err);
	if (code < 0 || result.errors > 0 || result.count == 0) {
		(void)fprintf(stderr, "bench_http: %s: %zu errors %s\n", names[kind], result.errors,
			err.text);
		code = -1;
	}
	*figures = (struct figures){client_rate(&result), client_percentile_ms(&result, 0.5),
		client_percentile_ms(&result, 0.99)};
	bench->asked += result.count;
	client_result_free(&result);
	return code;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, compare);
	return values[count / 2];
}

/* All kinds by turns, so that all of them meet the same machine. */
static int measure_rates(struct bench *bench)
{
	static const enum kind peers[] = {
		[LIVEZ] = SMALL_FILE, [ARTICLES] = LARGE_FILE, [QUESTIONS] = SMALL_FILE};
	double rates[KINDS][MOST_ROUNDS], p50[KINDS][MOST_ROUNDS], p99[KINDS][MOST_ROUNDS];
	double middle[KINDS];
	/* The first round finds cold caches, and counts for nothing. */
	for (int i = -1; i < bench->rounds; i++) {
		for (size_t kind = 0; kind < KINDS; kind++) {
			struct figures figures;
			if (measure(bench, (enum kind)kind, bench->connections, bench->seconds,
				    &figures) < 0)
				return -1;
			if (i < 0)
				continue;
			rates[kind][i] = figures.rate;
			p50[kind][i] = figures.p50_ms;
			p99[kind][i] = figures.p99_ms;
		}
	}
	(void)printf("%-20s %12s %8s %8s %s\n", "", "requests/s", "p50 ms", "p99 ms",
		"of nginx with a file of the same size");
	for (size_t kind = 0; kind < KINDS; kind++)
		middle[kind] = median(rates[kind], bench->rounds);
	for (size_t kind = 0; kind < KINDS; kind++) {
		(void)printf("%-20s %12.0f %8.2f %8.2f", names[kind], middle[kind],
			median(p50[kind], bench->rounds), median(p99[kind], bench->rounds));
		if (kind < SMALL_FILE)
			(void)printf(" %.2f%s", middle[kind] / middle[peers[kind]],
				kind == QUESTIONS ? " (of the file for /livez)" : "");
		(void)printf("\n");
	}
	return 0;
}

static int measure_idle(const struct bench *bench, const char *name, pid_t pid,
	const struct sockaddr_in *address, const char *path)
{
	struct ss_error err = {0};
	struct crowd crowd;
	const struct server_memory before = server_memory(pid);
	if (crowd_start(&crowd, CROWD_IDLE, address, path, bench->idle, &err) < 0) {
		(void)fprintf(stderr, "bench_http: %s: %s\n", name, err.text);
		return -1;
	}
	const struct server_memory after = server_memory(pid);
	crowd_stop(&crowd);
	double kib = (double)after.pss_kib - (double)before.pss_kib;
	(void)printf("%s: %zu idle connections take %.1f MiB more (PSS of %zu processes, %.1f MiB "
		     "before), %.2f KiB each\n",
		name, bench->idle, kib / 1024, after.processes, (double)before.pss_kib / 1024,
		kib / (double)bench->idle);
	return 0;
}

/* Runs beside slow clients, by turns with some without. */
static int measure_slow(struct bench *bench, enum kind kind)
{
	double alone[MOST_ROUNDS], beside[MOST_ROUNDS];
	for (int i = 0; i < bench->rounds; i++) {
		struct ss_error err = {0};
		struct crowd crowd;
		struct figures figures;
		if (measure(bench, kind, CALM, bench->seconds, &figures) < 0)
			return -1;
		alone[i] = figures.p99_ms;
		if (crowd_start(&crowd, CROWD_SLOW, &bench->server.address, LIST, bench->slow,
			    &err) < 0) {
			(void)fprintf(stderr, "bench_http: %s\n", err.text);
			return -1;
		}
		int code = measure(bench, kind, CALM, bench->seconds, &figures);
		crowd_stop(&crowd);
		if (code < 0)
			return -1;
		beside[i] = figures.p99_ms;
	}
	double before = median(alone, bench->rounds), after = median(beside, bench->rounds);
	(void)printf("%s on %d connections: p99 %.2f ms alone, %.2f ms beside %zu slow clients, "
		     "%.2f times as long\n",
		names[kind], (int)CALM, before, after, bench->slow, after / before);
	return 0;
}

/* What GET PATH of the server gives; its body, to be freed. */
static char *fetch(const struct sockaddr_in *address, const char *path)
{
	struct buffer reply = {0};
	char bytes[16384];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length = snprintf(bytes, sizeof bytes,
		"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
	ssize_t got = -1;
	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
		send(fd, bytes, (size_t)length, MSG_NOSIGNAL) == length) {
		while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0)
			buffer_add(&reply, bytes, (size_t)got);
	}
	if (fd >= 0)
		(void)close(fd);
	const char *end = strstr(buffer_text(&reply), "\r\n\r\n");
	char *body = got == 0 && end != NULL ? memory_string(end + 4) : NULL;
	buffer_free(&reply);
	return body;
}

static int put_file(
	const struct bench *bench, const char *path, const char *name, struct ss_error *err)
{
	char *body = fetch(&bench->server.address, path);
	int code = body != NULL ? nginx_put(&bench->nginx, name, text_of(body), err)
				: ss_fail(err, "%s was not answered", path);
	if (code == 0)
		(void)printf("%s gives %zu bytes\n", path, strlen(body));
	free(body);
	return code;
}

static int run(struct bench *bench, struct ss_error *err)
{
	if (put_file(bench, "/livez", "small.json", err) < 0 ||
		put_file(bench, LIST, "large.json", err) < 0)
		return -1;
	if (measure_rates(bench) < 0 ||
		measure_idle(bench, "the server", bench->server.pid, &bench->server.address,
			"/livez") < 0 ||
		measure_idle(bench, "nginx", bench->nginx.pid, &bench->nginx.address,
			"/small.json") < 0 ||
		measure_slow(bench, LIVEZ) < 0 || measure_slow(bench, QUESTIONS) < 0)
		return ss_fail(err, "not all could be measured");
	return 0;
}

static int run_all(struct bench *bench)
{
	static const char *const keys[] = {"LLM_BASE_URL", "GROQ_API_KEY", "OPENAI_API_KEY"};
	struct ss_error err = {0}, end = {0};
	int code = -1;
	/* No model of somebody's own answers here. */
	for (size_t i = 0; i < array_length(keys); i++)
		(void)unsetenv(keys[i]);
	crowd_raise_limit();
	if (nginx_start(&bench->nginx, bench->nginx_program, bench->workers, &err) < 0)
		goto fail;
	if (server_start(&bench->server, bench->program, SS_SOURCE_DIR "/config/smartsupport.yaml",
		    bench->workers, &err) == 0) {
		code = run(bench, &err);
		if (server_stop(&bench->server, &end) < 0 && code == 0) {
			err = end;
			code = -1;
		}
	}
	nginx_stop(&bench->nginx);
fail:
	if (code < 0)
		(void)fprintf(stderr, "bench_http: %s\n", err.text);
	return code;
}

static long number_of(const char *text, long least, long most)
{
	char *end = NULL;
	long number = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || number < least || number > most) {
		(void)fprintf(stderr, "bench_http: \"%s\" is no number from %ld to %ld\n", text,
			least, most);
		exit(2);
	}
	return number;
}

/* Returns -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = {
		{"connections", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 's'},
		{"rounds", required_argument, NULL, 'r'},
		{"idle", required_argument, NULL, 'i'},
		{"slow", required_argument, NULL, 'l'},
		{"workers", required_argument, NULL, 'w'},
		{"program", required_argument, NULL, 'p'},
		{"nginx", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "c:s:r:i:l:w:p:n:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			bench->connections = (size_t)number_of(optarg, 1, 10000);
			break;
		case 's':
			bench->seconds = number_of(optarg, 1, 3600);
			break;
		case 'r':
			bench->rounds = (int)number_of(optarg, 1, MOST_ROUNDS);
			break;
		case 'i':
			bench->idle = (size_t)number_of(optarg, 1, 100000);
			break;
		case 'l':
			bench->slow = (size_t)number_of(optarg, 1, 100000);
			break;
		case 'w':
			bench->workers = (int)number_of(optarg, 1, 256);
			break;
		case 'p':
			bench->program = optarg;
			break;
		case 'n':
			bench->nginx_program = optarg;
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
		.connections = 16,
		.idle = 5000,
		.slow = 1000,
		.rounds = 5,
		.workers = 2,
		.seconds = 1,
		.program = SS_BUILD_DIR "/smartsupport",
		.nginx_program = "nginx",
	};
	int code = parse(argc, argv, &bench);
	if (code >= 0)
		return code;
	bench.questions = questions_new(files, array_length(files), &err);
	if (bench.questions == NULL) {
		(void)fprintf(stderr, "bench_http: %s\n", err.text);
		return 1;
	}
	code = run_all(&bench);
	questions_free(bench.questions);
	return code == 0 ? 0 : 1;
}
