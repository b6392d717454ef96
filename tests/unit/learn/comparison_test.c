#include "learn/comparison.h"

#include "common/head.h"
#include "load.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <string.h>

/* By the sign of the first number: Bad or Odd, which the examples do not have. */
static const char used_json[] =
	"{\"version\": 1, \"task\": \"mood\", \"labels\": [\"Odd\", \"Bad\"], \"dimension\": 2,"
	"\"features\": [], \"weights\": [[-9, 0], [9, 0]], \"bias\": [0, 0], \"temperature\": 1}";

static const char lines[] = "{\"text\": \"one\", \"mood\": \"Bad\"}\n"
			    "{\"text\": \"two\\nlines\", \"mood\": \"Bad\"}\n"
			    "{\"text\": \"three\", \"mood\": \"Good\"}\n";
/* What the new head says: Bad, Good, Good. */
static const double left_out[] = {0.9, 0.1, 0.2, 0.8, 0.3, 0.7};
static const float vectors[] = {1, 0, 1, 0, -1, 0};

static void expect(const struct buffer *text, const char *wanted)
{
	cr_expect_not_null(strstr(buffer_text(text), wanted), "%s", buffer_text(text));
}

Test(comparison, shows_what_is_better_and_what_is_worse)
{
	struct ss_error err = {0};
	struct buffer text = {0};
	struct comparison comparison;
	struct dataset *dataset = load_text("x.jsonl", lines, &err);
	struct head *used = head_parse(
		&value_functions, used_json, strlen(used_json), "used.json", "mood", &err);
	cr_assert_not_null(used, "%s", err.text);
	comparison_begin(&comparison, dataset, left_out);
	cr_assert_eq(comparison_add(&comparison, used, "used.json", vectors, 2, &err), 0);
	comparison_print_figures(&comparison, &text);
	comparison_print_changes(&comparison, &text);
	/* Two of three are right each; the F1 of Bad is 2/3 and 1, of Good 2/3 and 0. */
	expect(&text, "accuracy                       66.7 %       66.7 %\n");
	expect(&text, "macro F1                        0.667        0.500\n");
	expect(&text, "F1 Bad                          0.667        1.000\n");
	expect(&text, "F1 Good                         0.667        0.000\n");
	expect(&text, "Better: 1 example that only the new head gets right\n");
	expect(&text, "x.jsonl:3: Good, not Odd any more: three\n");
	expect(&text, "Worse: 1 example that only the head in use gets right\n");
	expect(&text, "x.jsonl:2: Good, not Bad: two lines\n");
	comparison_end(&comparison);
	buffer_free(&text);
	head_free(used);
	dataset_free(dataset);
}

Test(comparison, does_without_a_head_for_other_vectors)
{
	struct ss_error err = {0};
	struct buffer text = {0};
	struct comparison comparison;
	struct dataset *dataset = load_text("x.jsonl", lines, &err);
	struct head *used = head_parse(
		&value_functions, used_json, strlen(used_json), "used.json", "mood", &err);
	comparison_begin(&comparison, dataset, left_out);
	cr_expect_eq(comparison_add(&comparison, used, "used.json", vectors, 3, &err), -1);
	comparison_print_figures(&comparison, &text);
	expect(&text, "new head\n  accuracy                       66.7 %\n");
	comparison_end(&comparison);
	buffer_free(&text);
	head_free(used);
	dataset_free(dataset);
}
