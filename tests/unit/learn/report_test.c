#include "learn/report.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct question items[5];
static struct outcome outcomes[5];
static struct questions questions = {items, 5};
static struct evaluation *evaluation;

/* Five questions: category and confidence of three, an article of two, none of one. */
static void set_up(void)
{
	static char billing[] = "Billing";
	static char evil[] = "<b>\"Tech\" & more";
	static char a[] = "a";
	static char b[] = "b";
	for (size_t i = 0; i < 5; i++) {
		items[i].text = (struct ss_text){"say <script>\033[2J", 16};
		items[i].place = (struct lines_place){"q.jsonl", i + 1};
		outcomes[i].confidence[QUESTION_CATEGORY] = 0.5;
		outcomes[i].confidence[QUESTION_SENTIMENT] = NAN;
		outcomes[i].labels[QUESTION_CATEGORY] = billing;
	}
	items[0].labels[QUESTION_CATEGORY] = billing;
	items[1].labels[QUESTION_CATEGORY] = evil;
	items[2].labels[QUESTION_CATEGORY] = billing;
	items[2].article = a;
	items[2].answer = ANSWER_EXISTS;
	outcomes[2].searched = outcomes[2].known_answer = true;
	outcomes[2].rank = 1;
	outcomes[2].first = a;
	outcomes[2].sureness = 0.8;
	items[3].article = a;
	items[3].answer = ANSWER_EXISTS;
	outcomes[3].searched = outcomes[3].known_answer = outcomes[3].abstained = true;
	outcomes[3].rank = 4;
	outcomes[3].first = b;
	outcomes[3].sureness = 0.4;
	items[4].answer = ANSWER_NONE;
	outcomes[4].searched = outcomes[4].known_answer = outcomes[4].abstained = true;
	outcomes[4].first = b;
	outcomes[4].sureness = 0.2;
	evaluation = evaluation_new(&questions, outcomes, 0.05);
}

static void tear_down(void)
{
	evaluation_free(evaluation);
}

TestSuite(evaluation, .init = set_up, .fini = tear_down);
TestSuite(report, .init = set_up, .fini = tear_down);

static double figure(const char *name)
{
	const struct figure *row = evaluation_figure(name);
	cr_assert_not_null(row, "%s", name);
	return row->read(evaluation);
}

Test(evaluation, has_the_figures_that_one_gets_by_hand)
{
	/* Of Billing 2 of 2 are found, 2 of 3 found are right: F1 0.8; of the other label none. */
	cr_expect_float_eq(figure("accuracy.category"), 2.0 / 3, 1e-12);
	cr_expect_float_eq(figure("macro_f1.category"), 0.4, 1e-12);
	cr_expect_float_eq(figure("macro_recall.category"), 0.5, 1e-12);
	cr_expect_float_eq(
		evaluation->tasks[QUESTION_CATEGORY].figures->calibration_error, 1.0 / 6, 1e-12);
	cr_expect_float_eq(figure("recall@1"), 0.5, 1e-12);
	cr_expect_float_eq(figure("recall@3"), 0.5, 1e-12);
	cr_expect_float_eq(figure("recall@5"), 1, 1e-12);
	cr_expect_float_eq(figure("mrr"), (1 + 0.25) / 2, 1e-12);
	cr_expect_float_eq(figure("abstained"), 1, 1e-12);
	cr_expect_float_eq(figure("answered"), 0.5, 1e-12);
	/* Risks 0, 1/2 and 2/3, so only the surest is answered. */
	cr_expect_float_eq(figure("coverage"), 1.0 / 3, 1e-12);
	cr_expect_float_eq(evaluation->curve.area, (0 + 1.0 / 2 + 2.0 / 3) / 3, 1e-12);
	cr_expect_float_eq(evaluation->threshold, 0.6, 1e-12);
}

Test(evaluation, knows_no_figure_without_labels)
{
	cr_expect(isnan(figure("accuracy.sentiment")));
	evaluation_free(evaluation);
	questions.count = 2;
	evaluation = evaluation_new(&questions, outcomes, 0.05);
	cr_expect(isnan(figure("recall@1")));
	cr_expect(isnan(figure("abstained")));
	cr_expect(isnan(figure("coverage")));
	cr_expect_null(evaluation_figure("accuracy"));
	questions.count = 5;
}

static struct minimum minimums[2];

static struct report make_report(void)
{
	minimums[0] = (struct minimum){evaluation_figure("recall@1"), 0.5, figure("recall@1")};
	minimums[1] = (struct minimum){evaluation_figure("mrr"), 0.9, figure("mrr")};
	return (struct report){
		.evaluation = evaluation,
		.file = "q.jsonl",
		.articles = "kb",
		.workflow = "w.yaml",
		.node = "retrieve",
		.option = "min_score",
		.minimums = minimums,
		.minimum_count = 2,
	};
}

Test(report, tells_at_the_terminal_what_to_write_where)
{
	struct buffer text = {0};
	const struct report report = make_report();
	report_text(&report, &text);
	static const char *const wanted[] = {
		"q.jsonl: 5 questions\n",
		"The category of 3 questions\n  accuracy                   66.7 %\n",
		"  <b>\"Tech\" & more              1      0.0 %      0.0 %      0.000\n",
		"  q.jsonl:2: Billing, not <b>\"Tech\" & more (0.50): say <script> [2J\n",
		"The article of 2 questions, among those of kb\n",
		"  q.jsonl:4: b, not a (0.40): say <script> [2J\n",
		"  finds nothing             100.0 %  of 1 that no article answers\n",
		"  1 wrong:\n  q.jsonl:4: nothing, not a (0.40): say <script> [2J\n\nRisk",
		"At most 5 % wrong: the threshold 0.6 answers 33.3 % of the questions",
		"In w.yaml write under nodes, retrieve:\n    options: {min_score: 0.6}\n",
		"  recall@1                   0.5000  reaches 0.5\n",
		"  mrr                        0.6250  is less than 0.9\n",
	};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		cr_expect_not_null(strstr(text.data, wanted[i]), "%s\n%s", wanted[i], text.data);
	cr_expect_null(strchr(text.data, '\033'));
	buffer_free(&text);
}

Test(report, has_the_same_as_json)
{
	const struct report report = make_report();
	struct ss_value *value = report_json(&report);
	const struct ss_value *category = value_get(value, "category");
	char *confusion = json_text(value_get(category, "confusion"));
	cr_expect_str_eq(confusion, "[[0,1],[0,2]]");
	char *chosen = json_text(value_get(value_get(value, "abstention"), "chosen"));
	cr_expect_str_eq(
		chosen, "{\"coverage\":0.3333333333333333,\"risk\":0.0,\"threshold\":0.6}");
	cr_expect_null(value_get(value, "sentiment"));
	cr_expect_eq(value_count(value_get(value_get(value, "retrieval"), "mistakes")), 1);
	cr_expect_not(
		value_as_bool(value_get(value_at(value_get(value, "minimums"), 1), "reached")));
	free(confusion);
	free(chosen);
	value_unref(value);
}

Test(report, escapes_what_others_wrote_in_the_page)
{
	struct buffer page = {0};
	const struct report report = make_report();
	report_html(&report, &page);
	cr_expect_not_null(strstr(page.data, "&lt;b&gt;&quot;Tech&quot; &amp; more"));
	cr_expect_not_null(strstr(page.data, "say &lt;script&gt; [2J"));
	cr_expect_null(strstr(page.data, "<script"));
	cr_expect_null(strstr(page.data, "nan"));
	cr_expect_not_null(strstr(page.data, "<tr class=\"missed\"><th scope=\"row\">mrr</th>"));
	buffer_free(&page);
}
