#include "service/abstention.h"

#include <math.h>

/* What is usual, the mean of the bases that the coefficients are from, and how many pairs it counts as. */
#define USUAL_QUESTION_MEAN   0.43
#define USUAL_QUESTION_SPREAD 0.115
#define USUAL_ANSWER_MEAN     0.37
#define USUAL_ANSWER_SPREAD   0.11
#define USUAL_COUNT           20.0

/* The mean and the spread of COUNT numbers, drawn towards what is usual. */
static void learn(const double *numbers, size_t count, double usual_mean, double usual_spread,
	double *mean, double *spread)
{
	double n = (double)count;
	double sum = 0;
	double squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += numbers[i];
	double own = count > 0 ? sum / n : usual_mean;
	for (size_t i = 0; i < count; i++)
		squares += (numbers[i] - own) * (numbers[i] - own);
	*mean = (sum + USUAL_COUNT * usual_mean) / (n + USUAL_COUNT);
	*spread = sqrt((squares + USUAL_COUNT * usual_spread * usual_spread) / (n + USUAL_COUNT));
}

struct abstention_base abstention_learn(
	const double *questions, const double *answers, size_t count)
{
	struct abstention_base base;
	learn(questions, count, USUAL_QUESTION_MEAN, USUAL_QUESTION_SPREAD, &base.question_mean,
		&base.question_spread);
	learn(answers, count, USUAL_ANSWER_MEAN, USUAL_ANSWER_SPREAD, &base.answer_mean,
		&base.answer_spread);
	return base;
}

double abstention_confidence(
	const struct abstention_base *base, const struct abstention_signs *signs)
{
	double question = (signs->question - base->question_mean) / base->question_spread;
	double answer = (signs->answer - base->answer_mean) / base->answer_spread;
	double sum = -4.18 + 1.58 * question + 0.23 * answer + 1.29 * signs->answer_lead +
		     2.44 * signs->lexical_lead + 1.45 * signs->coverage + 1.05 * signs->unknown +
		     0.24 * signs->lead;
	return 1 / (1 + exp(-sum));
}
