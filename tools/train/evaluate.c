#include "train/evaluate.h"

#include "base/memory.h"
#include "train/logistic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 10 };

size_t evaluate_best(const double *probabilities, size_t count)
{
	size_t best = 0;
	for (size_t i = 1; i < count; i++) {
		if (probabilities[i] > probabilities[best])
			best = i;
	}
	return best;
}

/* Fills in what the confusion matrix tells. */
static void read_confusion(
	struct evaluation *result, const size_t *confusion, size_t rows, size_t count)
{
	double labels = 0;
	for (size_t label = 0; label < count; label++) {
		double right = (double)confusion[label * count + label];
		double truth = 0;
		double predicted = 0;
		for (size_t other = 0; other < count; other++) {
			truth += (double)confusion[label * count + other];
			predicted += (double)confusion[other * count + label];
		}
		result->accuracy += right / (double)rows;
		if (truth == 0)
			continue;
		labels++;
		result->macro_recall += right / truth;
		result->macro_f1 += 2 * right / (truth + predicted);
	}
	result->macro_recall /= fmax(labels, 1);
	result->macro_f1 /= fmax(labels, 1);
}

/* The mean distance of confidence and accuracy (Naeini, Cooper, Hauskrecht 2015). */
static double calibration_error(
	const size_t *labels, const double *probabilities, size_t rows, size_t count)
{
	double confidence[BINS] = {0};
	double right[BINS] = {0};
	double error = 0;
	for (size_t row = 0; row < rows; row++) {
		const double *mine = probabilities + row * count;
		size_t best = evaluate_best(mine, count);
		size_t bin = (size_t)fmin(mine[best] * BINS, BINS - 1);
		confidence[bin] += mine[best];
		right[bin] += best == labels[row];
	}
	for (size_t bin = 0; bin < BINS; bin++)
		error += fabs(confidence[bin] - right[bin]) / (double)rows;
	return error;
}

struct evaluation evaluate(const size_t *labels, const double *probabilities, size_t rows,
	size_t labels_count, size_t *confusion)
{
	struct evaluation result = {0};
	size_t *counts = memory_array(labels_count * labels_count, sizeof *counts);
	for (size_t row = 0; row < rows; row++) {
		const double *mine = probabilities + row * labels_count;
		counts[labels[row] * labels_count + evaluate_best(mine, labels_count)]++;
		result.log_loss -= log(fmax(mine[labels[row]], 1e-12)) / (double)rows;
	}
	read_confusion(&result, counts, rows, labels_count);
	result.calibration_error = calibration_error(labels, probabilities, rows, labels_count);
	if (confusion != NULL)
		memcpy(confusion, counts, labels_count * labels_count * sizeof *counts);
	free(counts);
	return result;
}

static double loss_at(
	const size_t *labels, const double *scores, size_t rows, size_t count, double temperature)
{
	double loss = 0;
	double *mine = memory_array(count, sizeof *mine);
	for (size_t row = 0; row < rows; row++) {
		memcpy(mine, scores + row * count, count * sizeof *mine);
		logistic_softmax(mine, count, temperature);
		loss -= log(fmax(mine[labels[row]], 1e-12));
	}
	free(mine);
	return loss;
}

double evaluate_temperature(
	const size_t *labels, const double *scores, size_t rows, size_t labels_count)
{
	/* Golden section on the logarithm; the loss has one valley in it. */
	const double golden = (sqrt(5) - 1) / 2;
	double low = log(0.05);
	double high = log(20);
	for (int step = 0; step < 40; step++) {
		double left = high - golden * (high - low);
		double right = low + golden * (high - low);
		if (loss_at(labels, scores, rows, labels_count, exp(left)) <
			loss_at(labels, scores, rows, labels_count, exp(right)))
			high = right;
		else
			low = left;
	}
	return exp((low + high) / 2);
}

static void print_confusion(const size_t *confusion, char *const *names, size_t count)
{
	printf("  %-12s", "");
	for (size_t i = 0; i < count; i++)
		printf(" %10.10s", names[i]);
	printf("\n");
	for (size_t truth = 0; truth < count; truth++) {
		printf("  %-12.12s", names[truth]);
		for (size_t i = 0; i < count; i++)
			printf(" %10zu", confusion[truth * count + i]);
		printf("\n");
	}
}

void evaluate_print(const char *title, const struct dataset *dataset, const size_t *labels,
	const double *probabilities, char *const *names, size_t count, bool mistakes)
{
	size_t *confusion = memory_array(count * count, sizeof *confusion);
	struct evaluation result =
		evaluate(labels, probabilities, dataset->count, count, confusion);
	printf("%s: %zu examples, accuracy %.4f, macro F1 %.4f, macro recall %.4f, "
	       "expected calibration error %.4f, log loss %.4f\n",
		title, dataset->count, result.accuracy, result.macro_f1, result.macro_recall,
		result.calibration_error, result.log_loss);
	print_confusion(confusion, names, count);
	for (size_t row = 0; row < dataset->count && mistakes; row++) {
		const double *mine = probabilities + row * count;
		size_t best = evaluate_best(mine, count);
		if (best != labels[row])
			printf("%s:%zu: %s, not %s (%.2f): %s\n", dataset->path,
				dataset->examples[row].line, names[best], names[labels[row]],
				mine[best], dataset->examples[row].text.data);
	}
	free(confusion);
}
