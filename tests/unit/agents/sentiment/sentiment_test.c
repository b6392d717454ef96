#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A head that looks at the wording only: anger words are Angry, thanks Positive. */
static const char head[] =
	"{\"version\": 1, \"task\": \"sentiment\","
	"\"labels\": [\"Angry\", \"Neutral\", \"Positive\"], \"dimension\": 2,"
	"\"features\": [{\"name\": \"anger_words\", \"mean\": 0, \"scale\": 0.5},"
	"{\"name\": \"thanks\", \"mean\": 0, \"scale\": 1}],"
	"\"weights\": [[0, 0, 4, 0], [0, 0, 0, 0], [0, 0, 0, 4]],"
	"\"bias\": [0, 2, 0], \"temperature\": 1}";

static struct ss_test_host *host;
static char folder[] = "/tmp/sentiment-XXXXXX";
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
	ss_test_values(host, "sentiment", "Positive Neutral Angry");
}

static void end(void)
{
	ss_test_host_free(host);
	(void)unlink(path);
	(void)rmdir(folder);
}

TestSuite(sentiment, .init = begin, .fini = end);

static int create(const char *more, struct ss_error *err)
{
	(void)snprintf(options, sizeof options, "{head: %s%s}", path, more);
	return ss_test_create(host, options, err);
}

static const char *sentiment_of(const char *message)
{
	struct ss_error err = {0};
	ss_test_set_text(host, "message", message);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_text(host, "sentiment");
}

Test(sentiment, hears_the_wording_that_the_head_was_trained_on)
{
	struct ss_error err = {0};
	cr_assert_eq(create("", &err), 0, "%s", err.text);
	cr_expect_str_eq(sentiment_of("Where are my invoices?"), "Neutral");
	cr_expect_str_eq(sentiment_of("This is unacceptable"), "Angry");
	cr_expect_str_eq(sentiment_of("Thanks a million"), "Positive");
	cr_expect_not_null(ss_test_written(host, "sentiment_confidence"));
}

Test(sentiment, writes_the_fallback_when_it_is_not_sure)
{
	struct ss_error err = {0};
	cr_assert_eq(create(", min_confidence: 0.9, fallback: Neutral", &err), 0, "%s", err.text);
	cr_expect_str_eq(sentiment_of("Thanks a million"), "Neutral");
}

Test(sentiment, has_no_keywords)
{
	struct ss_error err = {0};
	cr_assert_eq(create(", keywords: {Angry: [lawyer]}", &err), -1);
	cr_expect_not_null(strstr(err.text, "keywords"), "%s", err.text);
}

Test(sentiment, refuses_the_head_of_another_task)
{
	struct ss_error err = {0};
	FILE *file = fopen(path, "w");
	(void)fputs("{\"version\": 1, \"task\": \"category\"}", file);
	(void)fclose(file);
	cr_assert_eq(create("", &err), -1);
	cr_expect_not_null(strstr(err.text,
		"head.json: \"task\" is \"category\", but a head for \"sentiment\" is needed"));
}

Test(sentiment, refuses_a_value_that_the_head_does_not_know)
{
	struct ss_error err = {0};
	ss_test_values(host, "sentiment", "Positive Neutral Negative Angry");
	cr_assert_eq(create("", &err), -1);
	cr_expect_not_null(strstr(err.text, "has the value \"Negative\""), "%s", err.text);
}
