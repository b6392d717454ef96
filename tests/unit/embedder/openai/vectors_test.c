#include "embedder/openai/vectors.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ss_error err;

static int read_reply(const char *json, size_t count, size_t dimension, float *vectors)
{
	struct ss_value *reply = json_parse(json, strlen(json), &err);
	cr_assert_not_null(reply, "%s", err.text);
	int result = vectors_read(&value_functions, reply, count, dimension, vectors, &err);
	value_unref(reply);
	return result;
}

Test(vectors, are_in_the_order_of_the_texts_and_of_length_1)
{
	float vectors[4];
	cr_assert_eq(read_reply("{\"data\": [{\"index\": 1, \"embedding\": [0, -2]}, "
				"{\"index\": 0, \"embedding\": [3, 4.0]}]}",
			     2, 2, vectors),
		0, "%s", err.text);
	cr_expect_float_eq(vectors[0], 0.6, 1e-6);
	cr_expect_float_eq(vectors[1], 0.8, 1e-6);
	cr_expect_float_eq(vectors[2], 0, 1e-6);
	cr_expect_float_eq(vectors[3], -1, 1e-6);
}

Test(vectors, keep_their_order_where_they_have_no_numbers)
{
	float vectors[2];
	cr_assert_eq(read_reply("{\"data\": [{\"embedding\": [2]}, {\"embedding\": [-1]}]}", 2, 1,
			     vectors),
		0, "%s", err.text);
	cr_expect_eq(vectors[0], 1);
	cr_expect_eq(vectors[1], -1);
}

Test(vectors, are_refused_when_they_are_not_those_that_were_asked_for)
{
	static const struct {
		const char *json, *part;
	} cases[] = {
		{"{}", "there are 0 vectors for 2 texts"},
		{"{\"data\": {\"a\": 1, \"b\": 2}}", "there are 0 vectors"},
		{"{\"data\": [{\"embedding\": [1, 0]}]}", "there are 1 vectors for 2 texts"},
		{"{\"data\": [{\"embedding\": [1, 0]}, {\"embedding\": [1]}]}",
			"a vector has 1 numbers, not 2"},
		{"{\"data\": [{\"embedding\": [1, 0]}, {\"embedding\": \"AAAA\"}]}",
			"a vector has 0 numbers"},
		{"{\"data\": [{\"embedding\": [1, 0]}, {\"embedding\": [1, null]}]}",
			"is no number"},
		{"{\"data\": [{\"embedding\": [1, 0]}, {\"embedding\": [0, 0]}]}",
			"has no direction"},
		{"{\"data\": [{\"embedding\": [1, 0]}, {\"embedding\": [1e300, 1e300]}]}",
			"has no direction"},
		{"{\"data\": [{\"index\": 0, \"embedding\": [1, 0]}, "
		 "{\"index\": 0, \"embedding\": [1, 0]}]}",
			"not numbered as the texts are"},
		{"{\"data\": [{\"index\": 2, \"embedding\": [1, 0]}, "
		 "{\"index\": -1, \"embedding\": [1, 0]}]}",
			"not numbered as the texts are"},
	};
	float vectors[4];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_expect_eq(read_reply(cases[i].json, 2, 2, vectors), -1, "%s", cases[i].json);
		cr_expect_not_null(strstr(err.text, cases[i].part), "%s", err.text);
	}
}

Test(vectors, tell_their_dimension)
{
	static const char json[] = "{\"data\": [{\"embedding\": [1, 2, 3]}]}";
	struct ss_value *reply = json_parse(json, strlen(json), &err);
	cr_expect_eq(vectors_dimension(&value_functions, reply), 3);
	cr_expect_eq(vectors_dimension(&value_functions, NULL), 0);
	value_unref(reply);
}
