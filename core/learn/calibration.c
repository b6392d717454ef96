#include "learn/calibration.h"

#include "base/memory.h"
#include "learn/logistic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double calibration_loss(const struct calibration_set *set, double temperature)
{
	double loss = 0;
	double rows = 0;
	double *mine = memory_array(set->labels_count, sizeof *mine);
	for (size_t row = 0; row < set->rows; row++) {
		if (set->fold_of[row] == set->without)
			continue;
		memcpy(mine, set->scores + row * set->labels_count,
			set->labels_count * sizeof *mine);
		logistic_softmax(mine, set->labels_count, temperature);
		loss -= log(fmax(mine[set->labels[row]], 1e-12));
		rows++;
	}
	free(mine);
	return loss / fmax(rows, 1);
}

double calibration_temperature(const struct calibration_set *set)
{
	/* Golden section on the logarithm; the loss has one valley in it. */
	const double golden = (sqrt(5) - 1) / 2;
	double low = log(0.05);
	double high = log(20);
	double left = high - golden * (high - low);
	double right = low + golden * (high - low);
	double at_left = calibration_loss(set, exp(left));
	double at_right = calibration_loss(set, exp(right));
	for (int step = 0; step < 25; step++) {
		if (at_left < at_right) {
			high = right;
			right = left;
			at_right = at_left;
			left = high - golden * (high - low);
			at_left = calibration_loss(set, exp(left));
		} else {
			low = left;
			left = right;
			at_left = at_right;
			right = low + golden * (high - low);
			at_right = calibration_loss(set, exp(right));
		}
	}
	return exp((low + high) / 2);
}
