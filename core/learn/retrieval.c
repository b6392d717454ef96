#include "learn/retrieval.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct retrieval retrieval_figures(const size_t *ranks, size_t count)
{
	struct retrieval figures = {.count = count};
	for (size_t i = 0; i < count; i++) {
		size_t rank = ranks[i] <= RETRIEVAL_RANKS ? ranks[i] : 0;
		figures.ranks[rank]++;
		figures.mrr += rank > 0 ? 1 / (double)rank / (double)count : 0;
	}
	for (size_t rank = 1; rank <= 5; rank++) {
		double share = (double)figures.ranks[rank] / fmax((double)count, 1);
		figures.recall_1 += rank <= 1 ? share : 0;
		figures.recall_3 += rank <= 3 ? share : 0;
		figures.recall_5 += share;
	}
	return figures;
}

static int compare_confidence(const void *a, const void *b)
{
	const struct search_verdict *left = a;
	const struct search_verdict *right = b;
	return (left->confidence < right->confidence) - (left->confidence > right->confidence);
}

/* Adds the risks at FROM + 1 to TO answered questions, of which the wrong ones come evenly. */
static double area_between(size_t from, size_t to, double wrong_before, double wrong_after)
{
	double area = 0;
	for (size_t answered = from + 1; answered <= to; answered++) {
		double part = (double)(answered - from) / (double)(to - from);
		area += (wrong_before + part * (wrong_after - wrong_before)) / (double)answered;
	}
	return area;
}

struct coverage_curve coverage_curve(const struct search_verdict *verdicts, size_t count)
{
	struct coverage_curve curve = {.questions = count};
	struct search_verdict *sorted = memory_array(count + 1, sizeof *sorted);
	double wrong = 0;
	curve.points = memory_array(count + 1, sizeof *curve.points);
	if (count > 0)
		memcpy(sorted, verdicts, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_confidence);
	for (size_t begin = 0, end; begin < count; begin = end) {
		double before = wrong;
		for (end = begin; end < count && sorted[end].confidence == sorted[begin].confidence;
			end++)
			wrong += !sorted[end].right;
		curve.area += area_between(begin, end, before, wrong) / (double)count;
		curve.points[curve.count++] = (struct coverage_point){
			.threshold = sorted[begin].confidence,
			.answered = end,
			.coverage = (double)end / (double)count,
			.risk = wrong / (double)end,
		};
	}
	free(sorted);
	return curve;
}

size_t coverage_choose(const struct coverage_curve *curve, double max_risk)
{
	for (size_t row = curve->count; row > 0; row--) {
		if (curve->points[row - 1].risk <= max_risk)
			return row - 1;
	}
	return curve->count;
}

double coverage_threshold(const struct coverage_curve *curve, size_t row)
{
	double high = curve->points[row].threshold;
	double low = row + 1 < curve->count ? curve->points[row + 1].threshold : high - 0.05;
	double scale = 10;
	for (int decimals = 2; decimals <= 6; decimals++) {
		scale *= 10;
		double middle = round((fmax(low, 0) + high) / 2 * scale) / scale;
		if (middle > low && middle <= high)
			return middle;
	}
	return high;
}
