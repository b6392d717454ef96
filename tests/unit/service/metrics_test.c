#include "service/metrics.h"

#include "base/buffer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct metrics *metrics;

static void set_up(void)
{
	metrics = metrics_new();
	cr_assert_not_null(metrics);
}

static void tear_down(void)
{
	metrics_free(metrics);
}

TestSuite(metrics, .init = set_up, .fini = tear_down, .timeout = 300);

static void expect_printed(const char *part)
{
	struct buffer text = {0};
	metrics_print(metrics, &text);
	cr_expect_not_null(
		strstr(buffer_text(&text), part), "%s\nis not in\n%s", part, buffer_text(&text));
	buffer_free(&text);
}

Test(metrics, adds_up_what_all_processes_count)
{
	enum { PROCESSES = 4, TIMES = 10000 };
	for (int i = 0; i < PROCESSES; i++) {
		struct metrics_part *part = metrics_take(metrics);
		cr_assert_not_null(part);
		if (fork() > 0)
			continue;
		for (int k = 0; k < TIMES; k++)
			metrics_add(part, METRIC_CACHE_HITS, 1);
		metrics_set(part, METRIC_CACHE_ENTRIES, 3);
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;
		cr_assert_gt(wait(&status), 0);
		cr_assert_eq(status, 0);
	}
	cr_expect_eq(metrics_total(metrics, METRIC_CACHE_HITS), PROCESSES * TIMES);
	cr_expect_eq(metrics_total(metrics, METRIC_CACHE_ENTRIES), PROCESSES * 3);
	expect_printed("\nsmartsupport_embedder_cache_hits_total 40000\n");
}

Test(metrics, go_on_with_the_part_of_a_process_that_is_gone)
{
	struct metrics_part *first = metrics_take(metrics);
	struct metrics_part *second = metrics_take(metrics);
	metrics_add(first, METRIC_ANSWERED, 5);
	metrics_set(first, METRIC_WORKERS, 1);
	metrics_set(second, METRIC_WORKERS, 1);
	metrics_observe(first, METRIC_BATCH_SIZE, 2);
	metrics_give(first);
	cr_expect_eq(metrics_total(metrics, METRIC_ANSWERED), 5, "a counter never goes back");
	cr_expect_eq(metrics_total(metrics, METRIC_WORKERS), 1, "a gauge tells what is now");
	cr_expect_eq(metrics_take(metrics), first);
	metrics_add(first, METRIC_ANSWERED, 1);
	expect_printed("smartsupport_questions_total{outcome=\"answered\"} 6\n");
	expect_printed("smartsupport_embedder_batch_size_count 1\n");
}

Test(metrics, count_nothing_without_a_part)
{
	enum { PARTS = 1024 };
	for (int i = 0; i < PARTS; i++)
		cr_assert_not_null(metrics_take(metrics));
	cr_expect_null(metrics_take(metrics));
	metrics_add(NULL, METRIC_ANSWERED, 1);
	metrics_set(NULL, METRIC_WORKERS, 1);
	metrics_observe(NULL, METRIC_BATCH_SIZE, 1);
	metrics_give(NULL);
	cr_expect_eq(metrics_total(metrics, METRIC_ANSWERED), 0);
}

Test(metrics, print_histograms_with_all_that_is_below_each_bound)
{
	struct metrics_part *part = metrics_take(metrics);
	static const uint64_t sizes[] = {1, 2, 3, 4, 5, 256, 257};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		metrics_observe(part, METRIC_BATCH_SIZE, sizes[i]);
	metrics_observe(part, METRIC_DURATION, 1000000);
	metrics_observe(part, METRIC_DURATION, 30000000000);
	expect_printed(
		"# HELP smartsupport_embedder_batch_size Texts that were embedded together.\n"
		"# TYPE smartsupport_embedder_batch_size histogram\n"
		"smartsupport_embedder_batch_size_bucket{le=\"1\"} 1\n"
		"smartsupport_embedder_batch_size_bucket{le=\"2\"} 2\n"
		"smartsupport_embedder_batch_size_bucket{le=\"4\"} 4\n"
		"smartsupport_embedder_batch_size_bucket{le=\"8\"} 5\n");
	expect_printed("smartsupport_embedder_batch_size_bucket{le=\"256\"} 6\n"
		       "smartsupport_embedder_batch_size_bucket{le=\"+Inf\"} 7\n"
		       "smartsupport_embedder_batch_size_sum 528\n"
		       "smartsupport_embedder_batch_size_count 7\n");
	expect_printed("smartsupport_question_duration_seconds_bucket{le=\"0.001\"} 1\n");
	expect_printed("smartsupport_question_duration_seconds_bucket{le=\"20\"} 1\n"
		       "smartsupport_question_duration_seconds_bucket{le=\"+Inf\"} 2\n"
		       "smartsupport_question_duration_seconds_sum 30.001\n");
}

Test(metrics, tell_requests_and_nodes_by_their_names)
{
	struct metrics_part *first = metrics_take(metrics), *second = metrics_take(metrics);
	size_t ask = metrics_route(first, "askQuestion", "POST");
	cr_expect_eq(metrics_route(second, "askQuestion", "POST"), ask);
	cr_expect_neq(metrics_route(second, "askQuestion", "GET"), ask);
	metrics_request(first, ask, 200, 1000000);
	metrics_request(second, ask, 204, 2000000000);
	metrics_request(second, ask, 503, 100);
	metrics_request(second, metrics_route(second, NULL, NULL), 404, 100);
	metrics_node_ran(first, metrics_node(first, "say \"hello\""), 3000000);
	metrics_give(first);
	expect_printed("\n# TYPE smartsupport_http_request_duration_seconds histogram\n"
		       "smartsupport_http_request_duration_seconds_bucket{operation="
		       "\"askQuestion\",method=\"POST\",status=\"2xx\",le=\"0.0005\"} 0\n");
	expect_printed("\nsmartsupport_http_request_duration_seconds_sum{operation="
		       "\"askQuestion\",method=\"POST\",status=\"2xx\"} 2.001\n"
		       "smartsupport_http_request_duration_seconds_count{operation="
		       "\"askQuestion\",method=\"POST\",status=\"2xx\"} 2\n");
	expect_printed("_count{operation=\"askQuestion\",method=\"POST\",status=\"5xx\"} 1\n");
	expect_printed("_count{operation=\"other\",method=\"other\",status=\"4xx\"} 1\n");
	expect_printed("\nsmartsupport_node_duration_seconds_sum{node=\"say \\\"hello\\\"\"} "
		       "0.003\n");
}

Test(metrics, count_names_that_have_no_room_together)
{
	enum { NAMES = 127 };
	char name[32];
	struct metrics_part *part = metrics_take(metrics);
	for (int i = 0; i < NAMES + 2; i++) {
		(void)snprintf(name, sizeof name, "node_%d", i);
		metrics_node_ran(part, metrics_node(part, name), 1000);
	}
	expect_printed("smartsupport_node_duration_seconds_count{node=\"node_126\"} 1\n");
	expect_printed("smartsupport_node_duration_seconds_count{node=\"other\"} 2\n");
	metrics_node_ran(NULL, metrics_node(NULL, "node"), 1);
	metrics_request(NULL, metrics_route(NULL, "askQuestion", "POST"), 200, 1);
}

Test(metrics, tell_what_a_process_takes_as_long_as_it_is_there)
{
	struct metrics_part *part = metrics_take(metrics);
	struct buffer text = {0};
	double bytes = 0;
	metrics_set_process(part, getpid());
	metrics_print(metrics, &text);
	const char *found =
		strstr(buffer_text(&text), "\nprocess_resident_memory_bytes{worker=\"0\"} ");
	cr_assert_not_null(found);
	cr_assert_eq(sscanf(strchr(found, '}'), "} %lf", &bytes), 1);
	cr_expect_gt(bytes, 100000);
	metrics_give(part);
	text.length = 0;
	metrics_print(metrics, &text);
	cr_expect_null(strstr(buffer_text(&text), "{worker="));
	buffer_free(&text);
}
