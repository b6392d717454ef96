#include "service/abstention.h"

#include <criterion/criterion.h>

static struct abstention_base usual(void)
{
	return abstention_learn(NULL, NULL, 0);
}

/* An article that clearly answers. */
static const struct abstention_signs clear = {
	.question = 0.8,
	.answer = 0.7,
	.answer_lead = 0.25,
	.lexical_lead = 0.3,
	.coverage = 0.8,
	.lead = 5,
};

/* The best of articles that are about other things. */
static const struct abstention_signs unrelated = {
	.question = 0.2,
	.answer = 0.15,
	.answer_lead = 0.02,
	.lexical_lead = 0,
	.coverage = 0,
	.unknown = 1,
	.lead = 1,
};

Test(abstention, is_sure_of_what_is_clear)
{
	struct abstention_base base = usual();
	cr_expect_gt(abstention_confidence(&base, &clear), 0.95);
	cr_expect_lt(abstention_confidence(&base, &unrelated), 0.05);
}

Test(abstention, grows_with_every_sign)
{
	struct abstention_base base = usual();
	double middle = abstention_confidence(&base, &(struct abstention_signs){.question = 0.5});
	const struct abstention_signs more[] = {
		{.question = 0.6},
		{.question = 0.5, .answer = 0.2},
		{.question = 0.5, .answer_lead = 0.2},
		{.question = 0.5, .lexical_lead = 0.2},
		{.question = 0.5, .coverage = 0.5},
		{.question = 0.5, .lead = 3},
	};
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		cr_expect_gt(abstention_confidence(&base, &more[i]), middle, "sign %zu", i);
}

Test(abstention, asks_for_more_where_unrelated_articles_are_near)
{
	double near[100], answers[100];
	for (size_t i = 0; i < 100; i++) {
		near[i] = i % 2 == 0 ? 0.7 : 0.6;
		answers[i] = 0.5;
	}
	struct abstention_base base = usual();
	struct abstention_base close = abstention_learn(near, answers, 100);
	cr_expect_lt(abstention_confidence(&close, &clear), abstention_confidence(&base, &clear));
	cr_expect_float_eq(close.question_mean, (100 * 0.65 + 20 * 0.43) / 120, 1e-9);
}

Test(abstention, learns_little_from_few_questions)
{
	const double one = 0.9;
	struct abstention_base base = abstention_learn(&one, &one, 1);
	cr_expect_lt(base.question_mean, 0.5);
	cr_expect_gt(base.question_spread, 0.05);
}
