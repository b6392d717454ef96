#include "service/metrics_models.h"

#include "base/buffer.h"
#include "service/metrics.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
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

TestSuite(metrics_models, .init = set_up, .fini = tear_down, .timeout = 300);

static void expect_printed(const char *part)
{
	struct buffer text = {0};
	metrics_print(metrics, &text);
	cr_expect_not_null(
		strstr(buffer_text(&text), part), "%s\nis not in\n%s", part, buffer_text(&text));
	buffer_free(&text);
}

static void expect_totals(const char *json)
{
	struct ss_value *totals = metrics_models(metrics);
	char *text = json_text(totals);
	cr_expect_str_eq(text, json);
	free(text);
	value_unref(totals);
}

#define LLAMA                                                                                      \
	"gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"groq\","                            \
	"gen_ai_request_model=\"llama/3\""

Test(metrics_models, add_up_what_workers_count_under_one_name)
{
	enum { WORKERS = 4, TIMES = 1000 };
	for (int i = 0; i < WORKERS; i++) {
		struct metrics_part *part = metrics_take(metrics);
		if (fork() > 0)
			continue;
		/* Each worker names its models in an order of its own, all of them at the same time. */
		const char *names[] = {"groq/llama/3", "extractive"};
		(void)metrics_model(part, names[i % 2]);
		(void)metrics_model(part, names[1 - i % 2]);
		const struct metrics_model model = metrics_model(part, "groq/llama/3");
		for (int k = 0; k < TIMES; k++) {
			metrics_model_add(&model, MODEL_ANSWERED, 1);
			metrics_model_observe(&model, MODEL_INPUT_TOKENS, 100);
			metrics_model_observe(&model, MODEL_OUTPUT_TOKENS, 3);
			metrics_model_observe(&model, MODEL_DURATION, 20000000);
			metrics_model_add(&model, MODEL_COST, 250000);
		}
		metrics_model_add(&model, MODEL_FAILED, 1);
		metrics_model_add(&model, MODEL_SKIPPED, 1);
		metrics_model_set(&model, MODEL_IN_FLIGHT, 2);
		_exit(0);
	}
	for (int i = 0; i < WORKERS; i++) {
		int status = 0;
		cr_assert_gt(wait(&status), 0);
		cr_assert_eq(status, 0);
	}
	expect_printed("\nsmartsupport_model_calls_total{" LLAMA ",outcome=\"answered\"} 4000\n");
	expect_printed("\nsmartsupport_model_calls_total{" LLAMA ",outcome=\"skipped\"} 4\n");
	expect_printed("\nsmartsupport_model_cost_total{" LLAMA "} 1\n");
	expect_printed("\nsmartsupport_model_in_flight{" LLAMA "} 8\n");
	expect_printed("\n# TYPE gen_ai_client_token_usage histogram\n");
	/* Which of the models comes first is up to who named it first. */
	expect_printed("\ngen_ai_client_token_usage_bucket{" LLAMA
		       ",gen_ai_token_type=\"input\",le=\"1\"} 0\n");
	expect_printed(
		"\ngen_ai_client_token_usage_sum{" LLAMA ",gen_ai_token_type=\"output\"} 12000\n");
	expect_printed("\ngen_ai_client_operation_duration_seconds_count{" LLAMA "} 4000\n");
	expect_printed("{gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"smartsupport\","
		       "gen_ai_request_model=\"extractive\",outcome=\"answered\"} 0\n");
	expect_totals(
		"[{\"avg_duration\":0.02,\"calls\":4004,\"cost\":1.0,\"failed\":4,"
		"\"input_tokens\":400000,\"model\":\"groq/llama/3\",\"output_tokens\":12000}]");
}

Test(metrics_models, forget_what_is_under_way_in_a_worker_that_is_gone)
{
	struct metrics_part *part = metrics_take(metrics);
	const struct metrics_model model = metrics_model(part, "groq/llama/3");
	metrics_model_set(&model, MODEL_QUEUE, 3);
	metrics_model_set(&model, MODEL_BREAKER_OPEN, 1);
	metrics_model_add(&model, MODEL_FAILED, 5);
	expect_printed("\nsmartsupport_model_breaker_open{" LLAMA "} 1\n");
	metrics_give(part);
	expect_printed("\nsmartsupport_model_breaker_open{" LLAMA "} 0\n");
	expect_printed("\nsmartsupport_model_queue_length{" LLAMA "} 0\n");
	expect_printed("\nsmartsupport_model_calls_total{" LLAMA ",outcome=\"failed\"} 5\n");
}

Test(metrics_models, count_nothing_without_a_part_or_room)
{
	enum { NAMES = 16 };
	char name[32];
	struct metrics_part *part = metrics_take(metrics);
	const struct metrics_model nobody = metrics_model(NULL, "a");
	metrics_model_add(&nobody, MODEL_ANSWERED, 1);
	metrics_model_observe(&nobody, MODEL_DURATION, 1);
	cr_expect_null(metrics_model_budget(&nobody));
	for (int i = 0; i < NAMES; i++) {
		(void)snprintf(name, sizeof name, "model%d", i);
		cr_expect_not_null(metrics_model(part, name).part);
	}
	const struct metrics_model last = metrics_model(part, "one more");
	cr_expect_null(last.part);
	metrics_model_add(&last, MODEL_ANSWERED, 1);
	cr_expect_not_null(metrics_model(part, "model3").part, "those that have a row keep it");
	expect_totals("[]");
}

Test(metrics_models, share_the_budget_of_a_name_among_workers)
{
	struct metrics_model first = metrics_model(metrics_take(metrics), "groq/a");
	struct metrics_model second = metrics_model(metrics_take(metrics), "groq/a");
	struct metrics_model other = metrics_model(metrics_take(metrics), "groq/b");
	cr_expect_eq(metrics_model_budget(&first), metrics_model_budget(&second));
	cr_expect_neq(metrics_model_budget(&first), metrics_model_budget(&other));
}

Test(metrics_models, print_names_as_labels_must_be_written)
{
	const struct metrics_model model = metrics_model(metrics_take(metrics), "a\"b/c\\d\ne");
	metrics_model_add(&model, MODEL_ANSWERED, 1);
	expect_printed("gen_ai_provider_name=\"a\\\"b\",gen_ai_request_model=\"c\\\\d e\"");
}
