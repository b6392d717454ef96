#include "learn/logistic.h"

#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Steps that L-BFGS remembers (Nocedal, Wright: Numerical Optimization, algorithm 7.5). */
enum { MEMORY = 12 };

struct fit {
	const struct logistic_problem *problem;
	size_t size;  /* of the vectors below */
	double total; /* of the examples' weights */
	double *parameters;
	double *gradient;
	double *direction;
	double *tried;
	double *tried_gradient;
	double *steps;   /* [MEMORY][size], a ring */
	double *changes; /* [MEMORY][size], of the gradient */
	double inverse[MEMORY];
	size_t remembered;
};

static double dot(const double *a, const double *b, size_t size)
{
	double sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += a[i] * b[i];
	return sum;
}

static void add_scaled(double *to, double factor, const double *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] += factor * from[i];
}

void logistic_scores(const double *parameters, const double *input, size_t width,
	size_t labels_count, double *scores)
{
	memcpy(scores, parameters + width * labels_count, labels_count * sizeof *scores);
	for (size_t i = 0; i < width; i++) {
		for (size_t label = 0; label < labels_count; label++)
			scores[label] += input[i] * parameters[i * labels_count + label];
	}
}

void logistic_softmax(double *scores, size_t count, double temperature)
{
	double highest = scores[0];
	double sum = 0;
	for (size_t i = 1; i < count; i++)
		highest = fmax(highest, scores[i]);
	for (size_t i = 0; i < count; i++) {
		scores[i] = exp((scores[i] - highest) / temperature);
		sum += scores[i];
	}
	for (size_t i = 0; i < count; i++)
		scores[i] /= sum;
}

/* The loss at PARAMETERS; its derivative goes to GRADIENT. */
static double loss_at(const struct fit *fit, const double *parameters, double *gradient)
{
	const struct logistic_problem *problem = fit->problem;
	size_t labels = problem->labels_count;
	size_t width = problem->width;
	double *scores = memory_array(labels, sizeof *scores);
	double loss = 0;
	memset(gradient, 0, fit->size * sizeof *gradient);
	for (size_t row = 0; row < problem->rows; row++) {
		const double *input = problem->inputs + row * width;
		double weight = problem->weights[row] / fit->total;
		if (weight == 0)
			continue;
		logistic_scores(parameters, input, width, labels, scores);
		logistic_softmax(scores, labels, 1);
		loss -= weight * log(fmax(scores[problem->labels[row]], 1e-300));
		scores[problem->labels[row]] -= 1;
		for (size_t label = 0; label < labels; label++)
			scores[label] *= weight;
		for (size_t i = 0; i < width; i++) {
			for (size_t label = 0; label < labels; label++)
				gradient[i * labels + label] += input[i] * scores[label];
		}
		add_scaled(gradient + width * labels, 1, scores, labels);
	}
	free(scores);
	add_scaled(gradient, problem->l2, parameters, width * labels);
	return loss + problem->l2 / 2 * dot(parameters, parameters, width * labels);
}

/* The direction to go: minus the gradient times the inverse Hessian's estimate. */
static void find_direction(struct fit *fit)
{
	double factors[MEMORY];
	size_t size = fit->size;
	size_t count = fit->remembered < MEMORY ? fit->remembered : MEMORY;
	for (size_t i = 0; i < size; i++)
		fit->direction[i] = -fit->gradient[i];
	for (size_t i = 1; i <= count; i++) {
		size_t slot = (fit->remembered - i) % MEMORY;
		factors[slot] =
			fit->inverse[slot] * dot(fit->steps + slot * size, fit->direction, size);
		add_scaled(fit->direction, -factors[slot], fit->changes + slot * size, size);
	}
	if (count > 0) {
		size_t slot = (fit->remembered - 1) % MEMORY;
		const double *change = fit->changes + slot * size;
		double scale = 1 / (fit->inverse[slot] * dot(change, change, size));
		for (size_t i = 0; i < size; i++)
			fit->direction[i] *= scale;
	}
	for (size_t i = count; i >= 1; i--) {
		size_t slot = (fit->remembered - i) % MEMORY;
		double factor =
			fit->inverse[slot] * dot(fit->changes + slot * size, fit->direction, size);
		add_scaled(fit->direction, factors[slot] - factor, fit->steps + slot * size, size);
	}
}

/* Remembers the step just made, unless it tells nothing of the curvature. */
static void remember(struct fit *fit)
{
	size_t slot = fit->remembered % MEMORY;
	double *step = fit->steps + slot * fit->size;
	double *change = fit->changes + slot * fit->size;
	for (size_t i = 0; i < fit->size; i++) {
		step[i] = fit->tried[i] - fit->parameters[i];
		change[i] = fit->tried_gradient[i] - fit->gradient[i];
	}
	double curvature = dot(step, change, fit->size);
	if (curvature <= 1e-14)
		return;
	fit->inverse[slot] = 1 / curvature;
	fit->remembered++;
}

/* Goes along the direction until the loss has fallen enough (Armijo); false when it does not. */
static bool search_line(struct fit *fit, double *loss)
{
	double slope = dot(fit->gradient, fit->direction, fit->size);
	double length = fit->remembered == 0 ? 1 / (1 + sqrt(-slope)) : 1;
	if (slope >= 0)
		return false;
	for (int tries = 0; tries < 40; tries++) {
		memcpy(fit->tried, fit->parameters, fit->size * sizeof *fit->tried);
		add_scaled(fit->tried, length, fit->direction, fit->size);
		double reached = loss_at(fit, fit->tried, fit->tried_gradient);
		if (reached > *loss + 1e-4 * length * slope) {
			length /= 2;
			continue;
		}
		remember(fit);
		memcpy(fit->parameters, fit->tried, fit->size * sizeof *fit->tried);
		memcpy(fit->gradient, fit->tried_gradient, fit->size * sizeof *fit->tried);
		*loss = reached;
		return true;
	}
	return false;
}

static double largest(const double *values, size_t size)
{
	double found = 0;
	for (size_t i = 0; i < size; i++)
		found = fmax(found, fabs(values[i]));
	return found;
}

void logistic_fit(
	const struct logistic_problem *problem, double tolerance, size_t steps, double *parameters)
{
	size_t size = (problem->width + 1) * problem->labels_count;
	double *space = memory_array(size * (4 + 2 * MEMORY), sizeof *space);
	struct fit fit = {
		.problem = problem,
		.size = size,
		.parameters = parameters,
		.gradient = space,
		.direction = space + size,
		.tried = space + 2 * size,
		.tried_gradient = space + 3 * size,
		.steps = space + 4 * size,
		.changes = space + (4 + MEMORY) * size,
	};
	for (size_t i = 0; i < problem->rows; i++)
		fit.total += problem->weights[i];
	double loss = loss_at(&fit, parameters, fit.gradient);
	for (size_t i = 0; i < steps && largest(fit.gradient, size) > tolerance; i++) {
		find_direction(&fit);
		if (!search_line(&fit, &loss))
			break;
	}
	free(space);
}
