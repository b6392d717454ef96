#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A head for vectors of two numbers: Technical to the right, Billing up, General to the left. */
static const char head[] =
	"{\"version\": 1, \"task\": \"category\", \"labels\": [\"Billing\", \"General\", "
	"\"Technical\"],"
	"\"dimension\": 2, \"features\": [], \"weights\": [[0, 4], [-4, 0], [4, 0]],"
	"\"bias\": [0, 0, 0], \"temperature\": 1}";

static struct ss_test_host *host;
static char folder[] = "/tmp/categorizer-XXXXXX";
static char path[64];
static char options[512];

static void begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/head.json", folder);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	(void)fputs(head, file);
	(void)fclose(file);
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_dimension(host, 2);
	ss_test_vector(host, "It crashes", (const float[]){1, 0});
	ss_test_vector(host, "I was charged twice", (const float[]){0.1f, 1});
	ss_test_vector(host, "Hello", (const float[]){-1, 0});
	ss_test_vector(host, "Hm", (const float[]){0.7f, 0.71f});
}

static void end(void)
{
	ss_test_host_free(host);
	(void)unlink(path);
	(void)rmdir(folder);
}

TestSuite(categorizer, .init = begin, .fini = end);

/* The options for the head above, and MORE, which begins with a comma unless it is empty. */
static const char *with(const char *more)
{
	(void)snprintf(options, sizeof options, "{head: %s%s}", path, more);
	return options;
}

static void create(const char *values, const char *more)
{
	struct ss_error err = {0};
	ss_test_values(host, "category", values);
	cr_assert_eq(ss_test_create(host, with(more), &err), 0, "%s", err.text);
}

static void refused(const char *values, const char *more, const char *why)
{
	struct ss_error err = {0};
	ss_test_values(host, "category", values);
	cr_assert_eq(ss_test_create(host, with(more), &err), -1);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

static const char *category_of(const char *message)
{
	struct ss_error err = {0};
	ss_test_set_text(host, "message", message);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_text(host, "category");
}

static double confidence(void)
{
	return ss_test_table(host)->values->as_number(ss_test_written(host, "category_confidence"));
}

Test(categorizer, writes_the_label_that_the_head_finds_with_its_confidence)
{
	create("Technical Billing General", "");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	cr_expect_float_eq(confidence(), 0.9817, 1e-3); /* e^4 / (e^4 + 1 + e^-4) */
	cr_expect_str_eq(category_of("I was charged twice"), "Billing");
	cr_expect_str_eq(category_of("Hello"), "General");
}

Test(categorizer, never_writes_a_label_that_the_workflow_does_not_have)
{
	create("Technical Billing", "");
	const char *category = category_of("Hello");
	cr_expect_str_eq(category, "Billing");
	cr_expect_float_eq(confidence(), 0.9820, 1e-3, "the others share what was General's");
}

Test(categorizer, writes_the_fallback_when_it_is_not_sure)
{
	create("Technical Billing General", ", min_confidence: 0.9, fallback: General");
	cr_expect_str_eq(category_of("Hm"), "General");
	cr_expect_lt(confidence(), 0.01, "the confidence is the written label's");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
}

Test(categorizer, keeps_an_unsure_label_when_there_is_no_fallback)
{
	create("Technical Billing General", ", min_confidence: 0.9");
	cr_expect_str_eq(category_of("Hm"), "Billing");
}

Test(categorizer, lets_keywords_decide_before_the_head_is_asked)
{
	create("Technical Billing General Shipping",
		", keywords: {Shipping: [parcel, 'delivery date']}");
	cr_expect_str_eq(category_of("Where is my PARCEL?"), "Shipping");
	cr_expect_eq(confidence(), 1);
	cr_expect_str_eq(category_of("the Delivery  date, please"), "Shipping");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

Test(categorizer, matches_keywords_as_whole_words_only)
{
	create("Technical Billing General Shipping", ", keywords: {Shipping: [crash]}");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	cr_expect_str_eq(category_of("It's a crash!"), "Shipping");
}

Test(categorizer, takes_the_longest_keyword_of_several)
{
	create("Technical Billing General Shipping",
		", keywords: {Billing: [delivery], Shipping: ['delivery date']}");
	cr_expect_str_eq(category_of("Which delivery date?"), "Shipping");
	cr_expect_str_eq(category_of("The delivery fee"), "Billing");
}

Test(categorizer, does_without_the_field_for_the_confidence)
{
	ss_test_leave_out(host, "category_confidence");
	create("Technical Billing General", "");
	cr_expect_str_eq(category_of("Hello"), "General");
}

Test(categorizer, works_where_the_category_is_a_plain_string)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, with(""), &err), 0, "%s", err.text);
	cr_expect_str_eq(category_of("It crashes"), "Technical");
}

Test(categorizer, refuses_a_value_that_nothing_can_decide_on)
{
	refused("Technical Billing Shipping", "",
		"the field category has the value \"Shipping\", which nothing can decide on");
}

Test(categorizer, refuses_keywords_for_an_unknown_category)
{
	refused("Technical Billing General", ", keywords: {Shiping: [parcel]}",
		"keywords names \"Shiping\", which the field category does not have; its values "
		"are "
		"Technical, Billing, General");
}

Test(categorizer, refuses_a_fallback_that_is_no_category)
{
	refused("Technical Billing General", ", fallback: Other",
		"fallback names \"Other\", which the field category does not have");
}

Test(categorizer, refuses_a_keyword_without_letters)
{
	refused("Technical Billing General", ", keywords: {Billing: ['$$']}",
		"keywords: \"$$\" of Billing has no letter or digit");
}

Test(categorizer, refuses_a_head_that_knows_none_of_the_categories)
{
	refused("Shipping Returns", ", keywords: {Shipping: [parcel], Returns: [return]}",
		"knows no value of the field category");
}

Test(categorizer, names_the_head_file_that_is_missing)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, "{head: /nowhere/category.json}", &err), -1);
	cr_expect_str_eq(err.text,
		"/nowhere/category.json: cannot read the head: No such file or directory");
}

Test(categorizer, fails_the_run_when_head_and_embedder_do_not_fit)
{
	struct ss_error err = {0};
	ss_test_dimension(host, 3);
	create("Technical Billing General", "");
	ss_test_set_text(host, "message", "It crashes");
	cr_expect_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect_not_null(strstr(err.text, "vectors of 2 numbers, but the embedder gives 3"));
}

Test(categorizer, fails_with_the_embedders_reason)
{
	struct ss_error err = {0};
	create("Technical Billing General", "");
	ss_test_set_text(host, "message", "It crashes");
	ss_test_fail(host, SS_TEST_EMBED, SS_TIMEOUT, "the embedder took too long");
	cr_expect_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect_eq(err.status, SS_TIMEOUT);
	cr_expect_str_eq(err.text, "the embedder took too long");
	ss_test_refuse(host, SS_TEST_EMBED, SS_LIMIT, "the queue is full");
	cr_expect_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect_str_eq(err.text, "the queue is full");
}

#define VALUES "Technical Billing General"

/* A prompt file beside the head, removed with end_prompt(). */
static char prompt_path[80];

static const char *begin_prompt(const char *strategy)
{
	static char more[256];
	(void)snprintf(prompt_path, sizeof prompt_path, "%s/prompt.md", folder);
	FILE *file = fopen(prompt_path, "w");
	cr_assert_not_null(file);
	(void)fputs("One of three labels.", file);
	(void)fclose(file);
	(void)snprintf(more, sizeof more, ", strategy: %s, prompt: %s", strategy, prompt_path);
	return more;
}

static void end_prompt(void)
{
	(void)unlink(prompt_path);
}

TestSuite(strategy, .init = begin, .fini = end);

static const char *by(void)
{
	return ss_test_written_text(host, "category_by");
}

/* A category of the head, with its confidence for the label. */
static double confidence_of(double x, double y, size_t label)
{
	double exponents[] = {exp(4 * x), exp(4 * y), exp(-4 * x)};
	return exponents[label] / (exponents[0] + exponents[1] + exponents[2]);
}

Test(strategy, is_local_and_asks_no_model)
{
	create(VALUES, "");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	cr_expect_str_eq(by(), "local");
	cr_expect_eq(ss_test_calls(host, SS_TEST_GENERATE), 0);
}

Test(strategy, needs_a_prompt_to_ask_a_model)
{
	refused(VALUES, ", strategy: llm",
		"strategy: llm asks a language model and needs a prompt; name its file, as in "
		"prompt: ../prompts/category.md");
	refused(VALUES, ", strategy: cascade", "strategy: cascade asks");
	refused(VALUES, ", strategy: model", "strategy must be one of: local llm cascade");
}

Test(strategy, llm_takes_the_models_word)
{
	create(VALUES, begin_prompt("llm"));
	ss_test_answer(host, "{\"label\": \"billing\"}", "[]", "groq/llama");
	cr_expect_str_eq(category_of("It crashes"), "Billing");
	cr_expect_str_eq(by(), "groq/llama");
	cr_expect_float_eq(confidence(), confidence_of(1, 0, 1), 1e-6);
	end_prompt();
}

Test(strategy, llm_tells_the_model_what_to_do_and_which_labels_there_are)
{
	create(VALUES, begin_prompt("llm"));
	(void)category_of("It crashes");
	const struct ss_prompt *prompt = ss_test_last_prompt(host);
	cr_expect_str_eq(prompt->instructions.data, "One of three labels.");
	cr_expect_str_eq(prompt->question.data, "It crashes");
	cr_expect_eq(prompt->use, SS_PROMPT_TASK);
	cr_expect_not_null(prompt->schema);
	cr_expect_gt(prompt->max_tokens, 0);
	cr_expect_null(prompt->articles);
	end_prompt();
}

Test(strategy, cascade_asks_only_when_the_head_is_not_sure)
{
	create(VALUES, begin_prompt("cascade"));
	ss_test_answer(host, "General", "[]", "m");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	cr_expect_str_eq(by(), "local");
	cr_expect_eq(ss_test_calls(host, SS_TEST_GENERATE), 0);
	cr_expect_str_eq(category_of("Hm"), "General");
	cr_expect_str_eq(by(), "m");
	cr_expect_eq(ss_test_calls(host, SS_TEST_GENERATE), 1);
	end_prompt();
}

Test(strategy, keeps_the_heads_label_when_the_models_is_none)
{
	create(VALUES, begin_prompt("llm"));
	ss_test_answer(host, "Shipping! And set the priority to 1.", "[]", "m");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	cr_expect_str_eq(by(), "local");
	cr_expect_not_null(strstr(ss_test_log(host), "none of the labels"));
	cr_expect_null(strstr(ss_test_log(host), "Shipping"));
	end_prompt();
}

Test(strategy, keeps_the_heads_label_when_the_model_fails)
{
	create(VALUES, begin_prompt("llm"));
	ss_test_fail(host, SS_TEST_GENERATE, SS_UNAVAILABLE, "it is away");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	ss_test_refuse(host, SS_TEST_GENERATE, SS_UNAVAILABLE, "no model is configured");
	cr_expect_str_eq(category_of("I was charged twice"), "Billing");
	cr_expect_str_eq(by(), "local");
	cr_expect_not_null(strstr(ss_test_log(host), "it is away"));
	cr_expect_not_null(strstr(ss_test_log(host), "no model is configured"));
	end_prompt();
}

Test(strategy, keeps_the_heads_label_when_the_model_takes_too_long)
{
	char more[256];
	(void)snprintf(more, sizeof more, "%s, model_timeout: 1500ms", begin_prompt("llm"));
	create(VALUES, more);
	ss_test_waits_first(host);
	ss_test_answer(host, "Billing", "[]", "m");
	cr_expect_str_eq(category_of("It crashes"), "Technical");
	cr_expect_str_eq(by(), "local");
	cr_expect_str_eq(ss_test_asked(host, SS_TEST_WAIT), "1.5");
	cr_expect_str_eq(category_of("It crashes"), "Technical", "a late answer hurt the next run");
	end_prompt();
}

Test(strategy, lets_keywords_decide_alone)
{
	char more[256];
	(void)snprintf(more, sizeof more, "%s, keywords: {General: [office]}", begin_prompt("llm"));
	create(VALUES, more);
	ss_test_answer(host, "Billing", "[]", "m");
	cr_expect_str_eq(category_of("Your office?"), "General");
	cr_expect_str_eq(by(), "keywords");
	cr_expect_eq(ss_test_calls(host, SS_TEST_GENERATE), 0);
	end_prompt();
}
