#include "service/abstention.h"

#include <criterion/criterion.h>

static struct abstention_base usual(void)
{
	return abstention_learn(NULL, 0);
}

/* An article that clearly answers. */
static const struct abstention_signs clear = {
	.question = 0.8,
	.answer_lead = 0.25,
	.coverage_lead = 0.5,
	.words = 9,
	.drift = 0.15,
	.sentence_gain = 0,
};

/* The best of articles that are about other things. */
static const struct abstention_signs unrelated = {
	.question = 0.2,
	.answer_lead = 0.02,
	.coverage_lead = 0,
	.unknown = 1,
	.words = 9,
	.drift = 0.2,
	.sentence_gain = -0.3,
};

Test(abstention, is_sure_of_what_is_clear)
{
	struct abstention_base base = usual();
	cr_expect_gt(abstention_confidence(&base, &clear), 0.95);
	cr_expect_lt(abstention_confidence(&base, &unrelated), 0.05);
}

Test(abstention, grows_with_every_sign_for_the_article)
{
	struct abstention_base base = usual();
	double middle = abstention_confidence(&base, &(struct abstention_signs){.question = 0.5});
	const struct abstention_signs more[] = {
		{.question = 0.6},
		{.question = 0.5, .answer_lead = 0.2},
		{.question = 0.5, .coverage_lead = 0.2},
		{.question = 0.5, .words = 30},
		{.question = 0.5, .drift = -0.1},
		{.question = 0.5, .sentence_gain = 0.1},
	};
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		cr_expect_gt(abstention_confidence(&base, &more[i]), middle, "sign %zu", i);
}

Test(abstention, asks_for_more_where_unrelated_articles_are_near)
{
	double near[100];
	for (size_t i = 0; i < 100; i++)
		near[i] = i % 2 == 0 ? 0.7 : 0.6;
	struct abstention_base base = usual();
	struct abstention_base close = abstention_learn(near, 100);
	cr_expect_lt(abstention_confidence(&close, &clear), abstention_confidence(&base, &clear));
	cr_expect_float_eq(close.mean, (100 * 0.65 + 20 * 0.43) / 120, 1e-9);
}

Test(abstention, by_words_grows_with_every_sign_and_is_careful)
{
	const struct abstention_words some = {.score = 0.4, .lead = 0.1, .words = 6};
	const struct abstention_words more[] = {
		{.score = 0.5, .lead = 0.1, .words = 6},
		{.score = 0.4, .lead = 0.2, .words = 6},
		{.score = 0.4, .lead = 0.1, .words = 12},
	};
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		cr_expect_gt(
			abstention_by_words(&more[i]), abstention_by_words(&some), "sign %zu", i);
	cr_expect_lt(abstention_by_words(&some), 0.2);
	cr_expect_lt(abstention_by_words(&(struct abstention_words){.words = 100}), 0.2);
	cr_expect_gt(abstention_by_words(
			     &(struct abstention_words){.score = 0.6, .lead = 0.4, .words = 8}),
		0.8);
}

Test(abstention, learns_little_from_few_questions)
{
	const double one = 0.9;
	struct abstention_base base = abstention_learn(&one, 1);
	cr_expect_lt(base.mean, 0.5);
	cr_expect_gt(base.spread, 0.05);
}
