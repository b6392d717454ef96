#include "common/head.h"

#include "common/lexical_features.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The members of a good head; a test replaces one. */
static const struct {
	const char *name;
	const char *json;
} members[] = {
	{"version", "1"},
	{"task", "\"mood\""},
	{"labels", "[\"Good\", \"Bad\"]"},
	{"dimension", "2"},
	{"features", "[{\"name\": \"exclamations\", \"mean\": 1, \"scale\": 2}]"},
	{"weights", "[[1, 0, 0], [0, 1, 3]]"},
	{"bias", "[0.5, 0]"},
	{"temperature", "2"},
};

static char json[1024];

/* A head with the member NAME replaced by VALUE; NULL for none. */
static const char *head_with(const char *name, const char *value)
{
	size_t at = 0;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		bool replaced = name != NULL && strcmp(members[i].name, name) == 0;
		at += (size_t)snprintf(json + at, sizeof json - at, "%c\"%s\": %s",
			i == 0 ? '{' : ',', members[i].name, replaced ? value : members[i].json);
	}
	(void)snprintf(json + at, sizeof json - at, "}");
	return json;
}

static struct head *parse(const char *text, struct ss_error *err)
{
	return head_parse(&value_functions, text, strlen(text), "mood.json", "mood", err);
}

static void refused(const char *name, const char *value, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(parse(head_with(name, value), &err), "%s", json);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
	cr_expect_not_null(strstr(err.text, "mood.json"), "%s", err.text);
}

Test(head, weighs_the_vector_and_the_features)
{
	struct ss_error err = {0};
	struct head *head = parse(head_with(NULL, NULL), &err);
	cr_assert_not_null(head, "%s", err.text);
	cr_expect_eq(head_labels(head), 2);
	cr_expect_str_eq(head_label(head, 1), "Bad");
	double probabilities[2];
	const float vector[] = {0.6f, 0.8f};
	cr_assert_eq(
		head_apply(head, vector, 2, (struct ss_text){"Oh!!", 4}, probabilities, &err), 0);
	/* Good: 0.5 + 0.6; Bad: 0.8 + 3 * (2 - 1) / 2; both through 2. */
	double expected = 1 / (1 + exp((1.1 - 2.3) / 2));
	cr_expect_float_eq(probabilities[1], expected, 1e-6);
	cr_expect_float_eq(probabilities[0], 1 - expected, 1e-6);
	head_free(head);
}

Test(head, refuses_another_version)
{
	refused("version", "2", "\"version\" is 2, but this server reads version 1");
	refused("version", "\"1\"", "\"version\" must be a whole number");
}

Test(head, refuses_labels_that_are_damaged)
{
	refused("labels", "7", "\"labels\" must be a list");
	refused("labels", "[]", "\"labels\" has 0 entries");
	refused("labels", "[\"A\", \"A\"]", "\"labels\" has \"A\" twice");
	refused("labels", "[\"A\", 1]", "\"labels\" entry 2 is no name");
}

Test(head, refuses_a_dimension_out_of_bounds)
{
	refused("dimension", "0", "\"dimension\" must be a whole number from 1 to 8192");
	refused("dimension", "1e9", "\"dimension\" must be a whole number");
	refused("dimension", "100000", "\"dimension\" must be a whole number");
}

Test(head, refuses_features_that_it_does_not_know)
{
	refused("features", "[{\"name\": \"moon\", \"mean\": 0, \"scale\": 1}]",
		"\"features\" has moon, which this version does not know");
	refused("features", "[{\"name\": \"exclamations\", \"mean\": 0, \"scale\": 0}]",
		"the scale of exclamations is not above 0");
	refused("features", "[3]", "must have a name, a mean and a scale");
	refused("features", "null", "\"features\" must be a list");
}

Test(head, refuses_weights_of_another_size)
{
	refused("weights", "[[1, 0, 0]]", "\"weights\" has 1 entries, not 2");
	refused("weights", "[[1, 0, 0], [0, 1]]", "\"weights\" row 2 must have 3 numbers");
	refused("weights", "[[1, 0, 0], [0, \"1\", 2]]", "\"weights\" row 2, entry 2 is no number");
	refused("weights", "[[1, 0, 0], [0, 1e300, 2]]", "\"weights\" row 2, entry 2 is no number");
	refused("bias", "[1]", "\"bias\" has 1 entries, not 2");
	refused("bias", "[1, null]", "\"bias\" entry 2 is no number");
}

Test(head, refuses_a_temperature_that_is_not_above_zero)
{
	refused("temperature", "0", "\"temperature\" must be a number above 0");
	refused("temperature", "null", "\"temperature\" must be a number above 0");
}

Test(head, refuses_what_is_not_json)
{
	struct ss_error err = {0};
	cr_expect_null(parse("{\"version\": 1", &err));
	cr_expect_not_null(strstr(err.text, "mood.json: is not JSON"), "%s", err.text);
	cr_expect_null(parse("[]", &err));
	cr_expect_not_null(strstr(err.text, "must be a JSON object"), "%s", err.text);
}

Test(head, refuses_a_file_that_is_too_large)
{
	struct ss_error err = {0};
	char path[] = "/tmp/head-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_eq(ftruncate(fd, HEAD_FILE_LIMIT + 1), 0);
	(void)close(fd);
	cr_expect_null(head_load(&value_functions, path, "mood", &err));
	cr_expect_eq(err.status, SS_LIMIT);
	cr_expect_not_null(strstr(err.text, "a head has at most 4194304 bytes"), "%s", err.text);
	(void)unlink(path);
}

Test(head, refuses_vectors_that_it_cannot_use)
{
	struct ss_error err = {0};
	struct head *head = parse(head_with(NULL, NULL), &err);
	double probabilities[2];
	const float three[] = {1, 0, 0};
	const float broken[] = {1, NAN};
	const struct ss_text text = {"", 0};
	cr_expect_eq(head_apply(head, three, 3, text, probabilities, &err), -1);
	cr_expect_not_null(strstr(err.text, "vectors of 2 numbers, but the embedder gives 3"));
	cr_expect_eq(head_apply(head, broken, 2, text, probabilities, &err), -1);
	cr_expect_not_null(strstr(err.text, "entry 1 is no number"), "%s", err.text);
	head_free(head);
}

Test(head, loads_the_ones_that_are_shipped)
{
	static const char *const tasks[] = {"category", "sentiment"};
	for (size_t i = 0; i < 2; i++) {
		struct ss_error err = {0};
		char path[512];
		(void)snprintf(path, sizeof path, SS_SOURCE_DIR "/kb/heads/%s.json", tasks[i]);
		struct head *head = head_load(&value_functions, path, tasks[i], &err);
		cr_assert_not_null(head, "%s", err.text);
		cr_expect_eq(head_labels(head), 4);
		head_free(head);
	}
}
