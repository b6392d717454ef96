#include "service/abstention.h"

#include <math.h>

/* What is usual, the mean of the bases that the coefficients are from, and how many questions it counts as. */
#define USUAL_MEAN   0.43
#define USUAL_SPREAD 0.115
#define USUAL_COUNT  20.0

struct abstention_base abstention_learn(const double *similarities, size_t count)
{
	double n = (double)count;
	double sum = 0;
	double squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += similarities[i];
	double own = count > 0 ? sum / n : USUAL_MEAN;
	for (size_t i = 0; i < count; i++)
		squares += (similarities[i] - own) * (similarities[i] - own);
	return (struct abstention_base){
		.mean = (sum + USUAL_COUNT * USUAL_MEAN) / (n + USUAL_COUNT),
		.spread = sqrt(
			(squares + USUAL_COUNT * USUAL_SPREAD * USUAL_SPREAD) / (n + USUAL_COUNT)),
	};
}

double abstention_confidence(
	const struct abstention_base *base, const struct abstention_signs *signs)
{
	double question = (signs->question - base->mean) / base->spread;
	double sum = -2.86 + 1.63 * question + 5.51 * signs->answer_lead +
		     3.31 * signs->coverage_lead + 0.87 * signs->unknown +
		     0.60 * log(1 + signs->words) - 6.58 * signs->drift +
		     7.07 * signs->sentence_gain;
	return 1 / (1 + exp(-sum));
}

double abstention_by_words(const struct abstention_words *signs)
{
	double sum =
		-6.70 + 3.51 * signs->score + 9.69 * signs->lead + 1.06 * log(1 + signs->words);
	return 1 / (1 + exp(-sum));
}
