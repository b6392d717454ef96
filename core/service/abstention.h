/*
 * Whether an article answers a question, as a probability: a decision of its own beside the ranking, since the
 * best of several articles that all miss the question comes first as well. Any thread.
 *
 * It is a logistic regression. What a similarity means differs from base to base: where all articles are about one
 * product, unrelated ones are nearer than elsewhere. So the similarities are taken relative to those that
 * the base has where the right article is missing, which the base itself tells: each of its questions is
 * asked with its own article left out (abstention_learn()).
 *
 * The coefficients were fitted on 630 paraphrased questions for 63 threads and 90 for the 30 articles in kb/,
 * each with its article in the base and without it, and 100 questions about other things for either base; the
 * questions for kb/ counted three times, so that both bases have a say. So it is the probability
 * where every second question has an answer; where most have one, it is higher.
 */
#ifndef SERVICE_ABSTENTION_H
#define SERVICE_ABSTENTION_H

#include <stddef.h>

/* How similar the best article is to a question that no article answers: mean and standard deviation. */
struct abstention_base {
	double question_mean, question_spread;
	double answer_mean, answer_spread;
};

/* What a ranking tells of its first article. */
struct abstention_signs {
	double question;    /* how similar the nearest of the article's questions is */
	double answer;      /* the same of its passages */
	double answer_lead; /* over the best passage of all others; negative when another is nearer */
	double lexical_lead; /* over the best one of all others */
	double coverage;     /* the share of the question's words that the article has */
	double unknown;      /* the share of the question's words that no article has */
	double lead; /* of its score over the mean of the next ten, in their standard deviations */
};

/* From COUNT pairs of similarities QUESTIONS and ANSWERS. Few of them count little beside what is usual. */
struct abstention_base abstention_learn(
	const double *questions, const double *answers, size_t count);

/* How likely the article answers the question, 0..1. */
double abstention_confidence(
	const struct abstention_base *base, const struct abstention_signs *signs);

#endif
