/*
 * Whether an article answers a question, as a probability: a decision of its own beside the ranking, since the
 * best of several articles that all miss the question comes first as well. Any thread.
 *
 * It is a logistic regression. What a similarity means differs from base to base: where all articles are about one
 * product, unrelated ones are nearer than elsewhere. So the question's is taken relative to those that
 * the base has where the right article is missing, which the base itself tells: each of its questions is
 * asked with its own article left out (abstention_learn()). What it means differs from article to article, too.
 * So other signs are taken relative to the nearest of the article's own questions, which the article does answer: how much
 * nearer its sentences are to the one than to the other, and whether what sets them apart leads to another article.
 *
 * The coefficients were fitted on 630 paraphrased questions for 63 threads and 90 for the 30 articles in kb/,
 * each with its article in the base and without it, and 100 questions about other things for either base; the
 * questions for kb/ counted three times, so that both bases have a say. So it is the probability
 * where every second question has an answer; where most have one, it is higher.
 */
#ifndef SERVICE_ABSTENTION_H
#define SERVICE_ABSTENTION_H

#include <stddef.h>

/* How similar the best article's nearest question is to one that no article answers: mean and standard deviation. */
struct abstention_base {
	double mean, spread;
};

/* What a ranking tells of its first article. */
struct abstention_signs {
	double question;    /* how similar the nearest of the article's questions is */
	double answer_lead; /* of its best passage over that of all others; may be negative */
	double coverage_lead; /* of the share of the question's words that it has over the next ones' mean */
	double unknown; /* the share of the question's words that no article has */
	double words;   /* of the question; a longer one is less similar to what answers it */
	double drift; /* the cosine of what the question has beyond the nearest own one, and the best of other passages */
	double sentence_gain; /* by which a sentence comes nearer to the question than one to the nearest own question */
};

/* From COUNT such similarities. Few of them count little beside what is usual. */
struct abstention_base abstention_learn(const double *similarities, size_t count);

/* How likely the article answers the question, 0..1. */
double abstention_confidence(
	const struct abstention_base *base, const struct abstention_signs *signs);

/* What a ranking by words alone tells of its first article, where nothing can be embedded. */
struct abstention_words {
	double score; /* lexical */
	double lead;  /* of the score over the next one's */
	double words; /* of the question */
};

/* The same from these. Words say less than vectors, so it is careful: of the questions that it was fitted on, those of
 * the threads and the 90 and 100 for kb/ as above, each that the first article does not answer counted three times, so
 * that what is told by vectors and by words alone can be held against the same least confidence. */
double abstention_by_words(const struct abstention_words *signs);

#endif
