/*
 * The streams benchmark: many customers whose answers a language model makes, all at once. The model is a process of
 * its own that gives each of them its tokens at a pace (lib/model.h). Measured is how long a token is on its way from the
 * model to the customer; the peer in the same run is the same client that asks the model itself, without the server.
 */
#include "lib/streams.h"
#include "base/memory.h"
#include "lib/model.h"
#include "lib/server.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: bench_streams [OPTION…]\n\n"
	"Starts a model that streams, and the server that asks it; opens streams to the model, and "
	"then\n"
	"to the server, and prints how long the tokens were on their way, and the memory of a "
	"stream.\n\n"
	"  -c, --streams N      streams at once (200)\n"
	"  -t, --tokens N       tokens of an answer (300)\n"
	"  -r, --rate N         tokens a second of each answer (50)\n"
	"  -w, --workers N      workers of the server (0: one a core)\n"
	"  -p, --program FILE   the server (build/smartsupport)\n"
	"  -h, --help           this text\n";

struct bench {
	size_t streams;
	int tokens;
	int rate;
	int workers;
	const char *program;
	pid_t server; /* whose memory is looked at halfway; 0: nobody's */
	struct server_memory halfway;
};

static void ask_server(void *context, size_t number, struct buffer *request)
{
	struct buffer body = {0};
	(void)context;
	buffer_add_format(&body,
		"{\"message\":\"How do I reset my password?\",\"user_id\":\"customer_%zu\","
		"\"stream\":true}",
		number);
	buffer_add_format(request,
		"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		body.length, buffer_text(&body));
	buffer_free(&body);
}

static void ask_model(void *context, size_t number, struct buffer *request)
{
	static const char body[] = "{\"model\":\"scripted\",\"stream\":true,\"messages\":[]}";
	(void)context;
	(void)number;
	buffer_add_format(request,
		"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		sizeof body - 1, body);
}

static void on_halfway(void *context)
{
	struct bench *bench = context;
	if (bench->server > 0)
		bench->halfway = server_memory(bench->server);
}

/* One run, printed. Gives the delay in milliseconds that 99 of 100 tokens do not exceed, or -1 when not all have come. */
static double measure(struct bench *bench, const char *name, const struct sockaddr_in *address,
	bool through_server, size_t streams)
{
	struct ss_error err = {0};
	struct streams_result result;
	const struct streams_options options = {
		.address = *address,
		.streams = streams,
		.request = through_server ? ask_server : ask_model,
		.token = through_server ? "data: {\"text\":" : "data: {\"id\":",
		.end = through_server ? "event: final" : "data: [DONE]",
		.duration_ns = ((int64_t)bench->tokens / bench->rate + 60) * 1000000000,
		.halfway = on_halfway,
		.tokens = streams * (size_t)bench->tokens,
		.context = bench,
	};
	double p99 = -1;
	if (streams_run(&options, &result, &err) < 0) {
		(void)fprintf(stderr, "bench_streams: %s: %s\n", name, err.text);
		streams_result_free(&result);
		return -1;
	}
	(void)printf("%-8s %8zu %9zu %9zu %8.1f %8.2f %8.2f %8.2f %8.2f\n", name, streams,
		result.complete, result.count, (double)result.duration_ns / 1e9,
		streams_percentile_ms(&result, 0.5), streams_percentile_ms(&result, 0.9),
		streams_percentile_ms(&result, 0.99), streams_percentile_ms(&result, 1));
	(void)fflush(stdout);
	if (result.complete == streams && result.count == options.tokens)
		p99 = streams_percentile_ms(&result, 0.99);
	streams_result_free(&result);
	return p99;
}

static void print_memory(const struct bench *bench, const struct server_memory *before)
{
	double grown_kib = (double)bench->halfway.pss_kib - (double)before->pss_kib;
	(void)printf(
		"memory before: %.1f MiB PSS in %zu processes; with %zu streams half way: %.1f "
		"MiB, %.1f KiB a stream\n",
		(double)before->pss_kib / 1024, before->processes, bench->streams,
		(double)bench->halfway.pss_kib / 1024, grown_kib / (double)bench->streams);
}

static int run(struct bench *bench, const struct model *model, const struct server *server)
{
	(void)printf("%-8s %8s %9s %9s %8s %8s %8s %8s %8s\n", "run", "streams", "complete",
		"tokens", "s", "p50 ms", "p90 ms", "p99 ms", "max ms");
	double direct = measure(bench, "direct", &model->address, false, bench->streams);
	/* The first streams find cold caches, which is not what this measures. */
	double warm_up = measure(bench, "warm-up", &server->address, true, 8);
	const struct server_memory before = server_memory(server->pid);
	double cpu_seconds = server_cpu_seconds(server->pid);
	bench->server = server->pid;
	double through = measure(bench, "server", &server->address, true, bench->streams);
	cpu_seconds = server_cpu_seconds(server->pid) - cpu_seconds;
	print_memory(bench, &before);
	if (direct < 0 || warm_up < 0 || through < 0) {
		(void)fprintf(stderr, "bench_streams: not all tokens have come\n");
		return -1;
	}
	(void)printf("the server took %.2f s of processor time, %.1f microseconds a token\n",
		cpu_seconds, cpu_seconds * 1e6 / ((double)bench->streams * (double)bench->tokens));
	(void)printf("a token takes %.2f ms more through the server at p99, %.1f times as long as "
		     "straight from the model\n",
		through - direct, through / direct);
	return 0;
}

static int run_all(struct bench *bench)
{
	struct ss_error err = {0};
	struct model model;
	struct server server;
	char url[64];
	const struct model_options options = {
		.tokens = bench->tokens,
		.pause_ms = 1000 / bench->rate,
		.first_ms = 1000 / bench->rate,
	};
	int code = -1;
	if (model_start(&model, &options, &err) < 0)
		goto fail;
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", ntohs(model.address.sin_port));
	(void)setenv("STREAMS_MODEL_URL", url, 1);
	if (server_start(&server, bench->program, SS_SOURCE_DIR "/tests/bench/streams.yaml",
		    bench->workers, &err) < 0)
		goto fail;
	code = run(bench, &model, &server);
	if (server_stop(&server, &err) < 0) {
		code = -1;
		goto fail;
	}
	model_stop(&model);
	return code;
fail:
	model_stop(&model);
	(void)fprintf(stderr, "bench_streams: %s\n", err.text);
	return code;
}

static int number_of(const char *text, int least, int most)
{
	char *end = NULL;
	long number = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || number < least || number > most) {
		(void)fprintf(stderr, "bench_streams: \"%s\" is no number from %d to %d\n", text,
			least, most);
		exit(2);
	}
	return (int)number;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"streams", required_argument, NULL, 'c'},
		{"tokens", required_argument, NULL, 't'},
		{"rate", required_argument, NULL, 'r'},
		{"workers", required_argument, NULL, 'w'},
		{"program", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct bench bench = {
		.streams = 200, .tokens = 300, .rate = 50, .program = SS_BUILD_DIR "/smartsupport"};
	int option;
	while ((option = getopt_long(argc, argv, "c:t:r:w:p:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			bench.streams = (size_t)number_of(optarg, 1, 400);
			break;
		case 't':
			bench.tokens = number_of(optarg, 1, 10000);
			break;
		case 'r':
			bench.rate = number_of(optarg, 1, 1000);
			break;
		case 'w':
			bench.workers = number_of(optarg, 0, 256);
			break;
		case 'p':
			bench.program = optarg;
			break;
		default:
			(void)fputs(help, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	return run_all(&bench) == 0 ? 0 : 1;
}
