#include "learn/classification.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

size_t classification_best(const double *probabilities, size_t count)
{
	size_t best = 0;
	for (size_t i = 1; i < count; i++) {
		if (probabilities[i] > probabilities[best])
			best = i;
	}
	return best;
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* Fills in what the confusion matrix tells. */
static void read_confusion(struct classification *figures)
{
	size_t count = figures->label_count;
	double right_ones = 0;
	double labels = 0;
	for (size_t label = 0; label < count; label++) {
		struct label_figures *mine = &figures->labels[label];
		double right = (double)figures->confusion[label * count + label];
		for (size_t other = 0; other < count; other++) {
			mine->truth += figures->confusion[label * count + other];
			mine->found += figures->confusion[other * count + label];
		}
		mine->precision = share(right, (double)mine->found);
		mine->recall = share(right, (double)mine->truth);
		mine->f1 = share(2 * right, (double)mine->truth + (double)mine->found);
		right_ones += right;
		if (mine->truth == 0)
			continue;
		labels++;
		figures->macro_recall += mine->recall;
		figures->macro_f1 += mine->f1;
	}
	figures->accuracy = share(right_ones, (double)figures->count);
	figures->macro_recall = share(figures->macro_recall, labels);
	figures->macro_f1 = share(figures->macro_f1, labels);
}

/* The mean distance of confidence and accuracy (Naeini, Cooper, Hauskrecht 2015). */
static void calibrate(struct classification *figures, const struct verdict *verdicts, size_t count)
{
	double known = 0;
	double error = 0;
	for (size_t i = 0; i < count; i++) {
		if (isnan(verdicts[i].confidence))
			continue;
		double place = verdicts[i].confidence * CLASSIFICATION_BINS;
		struct calibration_bin *bin =
			&figures->bins[(size_t)fmin(fmax(place, 0), CLASSIFICATION_BINS - 1)];
		bin->count++;
		bin->confidence += verdicts[i].confidence;
		bin->accuracy += verdicts[i].found == verdicts[i].truth;
		known++;
	}
	for (size_t i = 0; i < CLASSIFICATION_BINS; i++) {
		struct calibration_bin *bin = &figures->bins[i];
		error += fabs(bin->confidence - bin->accuracy);
		bin->confidence = share(bin->confidence, (double)bin->count);
		bin->accuracy = share(bin->accuracy, (double)bin->count);
	}
	figures->calibration_error = known > 0 ? error / known : NAN;
}

struct classification *classification_new(
	const struct verdict *verdicts, size_t count, size_t label_count)
{
	struct classification *figures = memory_make(struct classification);
	figures->count = count;
	figures->label_count = label_count;
	figures->confusion = memory_array(label_count * label_count, sizeof *figures->confusion);
	figures->labels = memory_array(label_count, sizeof *figures->labels);
	for (size_t i = 0; i < count; i++)
		figures->confusion[verdicts[i].truth * label_count + verdicts[i].found]++;
	read_confusion(figures);
	calibrate(figures, verdicts, count);
	return figures;
}

void classification_free(struct classification *classification)
{
	if (classification == NULL)
		return;
	free(classification->confusion);
	free(classification->labels);
	free(classification);
}
