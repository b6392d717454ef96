#include "learn/trainer.h"

#include "base/memory.h"
#include "common/head.h"
#include "common/lexical_features.h"
#include "learn/calibration.h"
#include "learn/classification.h"
#include "learn/logistic.h"
#include "value/json.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A feature that few texts have gets no larger inputs than one of this spread. */
static const double least_scale = 0.25;

/* A feature's input is that much larger than an embedding's, so that the penalty is lighter on it: a
 * feature tells more than one number of an embedding. Chosen from 0.5, 1, 2 and 4 for the smallest
 * share of mistakes on what was left out. */
static const double feature_strength = 2;

/* Penalties to choose from, the weakest last: each starts from the solution of the one before. */
static const double penalties[] = {0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001};

static const double rough = 1e-4; /* the gradient's tolerance while choosing */
static const double fine = 1e-6;
enum { STEPS = 500 };

/* What cross-validation decides. */
struct choice {
	size_t penalty; /* row of the penalties */
	double temperature;
};

struct trainer {
	const struct trainer_settings *settings;
	size_t rows;
	size_t labels_count;
	size_t features;
	size_t *rows_used; /* [features]: rows of the table of lexical features */
	size_t width;      /* dimension + features */
	double *means;
	double *scales;
	double *inputs;     /* [rows][width] */
	size_t *labels;     /* [rows] */
	size_t *fold_of;    /* [rows] */
	double *weights;    /* [rows], by label */
	double *scores;     /* [penalty][rows][labels_count], of examples that were left out */
	double *parameters; /* [width + 1][labels_count] */
};

/* The embedding's numbers are about 1 in size then, as the features are. */
static double embedding_scale(const struct trainer *trainer)
{
	return sqrt((double)trainer->settings->dimension);
}

/* Mean and spread of each feature. */
static void measure_features(struct trainer *trainer, const double *values)
{
	double rows = (double)trainer->rows;
	for (size_t feature = 0; feature < trainer->features; feature++) {
		double sum = 0;
		double squares = 0;
		for (size_t row = 0; row < trainer->rows; row++)
			sum += values[row * trainer->features + feature];
		for (size_t row = 0; row < trainer->rows; row++) {
			double off = values[row * trainer->features + feature] - sum / rows;
			squares += off * off;
		}
		trainer->means[feature] = sum / rows;
		trainer->scales[feature] = fmax(sqrt(squares / rows), least_scale);
	}
}

/* The values of the features in use, [rows][features]; the caller frees them. */
static double *read_features(const struct trainer *trainer)
{
	double *values = memory_array(trainer->rows * trainer->features + 1, sizeof *values);
	double *all = memory_array(lexical_features_count(), sizeof *all);
	for (size_t row = 0; row < trainer->rows; row++) {
		lexical_features_read(trainer->settings->dataset->examples[row].text, all);
		for (size_t i = 0; i < trainer->features; i++)
			values[row * trainer->features + i] = all[trainer->rows_used[i]];
	}
	free(all);
	return values;
}

static void fill_inputs(struct trainer *trainer)
{
	const struct trainer_settings *settings = trainer->settings;
	double *values = read_features(trainer);
	measure_features(trainer, values);
	for (size_t row = 0; row < trainer->rows; row++) {
		double *input = trainer->inputs + row * trainer->width;
		const float *vector = settings->vectors + row * settings->dimension;
		for (size_t i = 0; i < settings->dimension; i++)
			*input++ = (double)vector[i] * embedding_scale(trainer);
		for (size_t i = 0; i < trainer->features; i++)
			*input++ = feature_strength *
				   (values[row * trainer->features + i] - trainer->means[i]) /
				   trainer->scales[i];
	}
	free(values);
}

/* Each label counts as much as any other, however many examples it has. */
static void balance(struct trainer *trainer)
{
	size_t *counts = memory_array(trainer->labels_count, sizeof *counts);
	for (size_t row = 0; row < trainer->rows; row++)
		counts[trainer->labels[row]]++;
	for (size_t row = 0; row < trainer->rows; row++)
		trainer->weights[row] =
			(double)trainer->rows /
			((double)trainer->labels_count * (double)counts[trainer->labels[row]]);
	free(counts);
}

/* Scores of the examples in FOLD by a fit on the others; PARAMETERS go on from where they are. */
static void score_fold(const struct trainer *trainer, size_t fold, double penalty,
	double *parameters, double *scores)
{
	double *weights = memory_array(trainer->rows, sizeof *weights);
	for (size_t row = 0; row < trainer->rows; row++)
		weights[row] = trainer->fold_of[row] == fold ? 0 : trainer->weights[row];
	logistic_fit(
		&(struct logistic_problem){
			.inputs = trainer->inputs,
			.labels = trainer->labels,
			.weights = weights,
			.rows = trainer->rows,
			.width = trainer->width,
			.labels_count = trainer->labels_count,
			.l2 = penalty,
		},
		rough, STEPS, parameters);
	for (size_t row = 0; row < trainer->rows; row++) {
		if (trainer->fold_of[row] == fold)
			logistic_scores(parameters, trainer->inputs + row * trainer->width,
				trainer->width, trainer->labels_count,
				scores + row * trainer->labels_count);
	}
	free(weights);
}

static struct calibration_set set_of(const struct trainer *trainer, size_t penalty, size_t without)
{
	return (struct calibration_set){
		.labels = trainer->labels,
		.scores = trainer->scores + penalty * trainer->rows * trainer->labels_count,
		.rows = trainer->rows,
		.labels_count = trainer->labels_count,
		.fold_of = trainer->fold_of,
		.without = without,
	};
}

/* Scores every example with each penalty by fits on the other folds. */
static void score_all(struct trainer *trainer)
{
	const struct trainer_settings *settings = trainer->settings;
	size_t size = (trainer->width + 1) * trainer->labels_count;
	size_t steps = settings->folds * array_length(penalties);
	for (size_t fold = 0; fold < settings->folds; fold++) {
		double *parameters = memory_array(size, sizeof *parameters);
		for (size_t i = 0; i < array_length(penalties); i++) {
			score_fold(trainer, fold, penalties[i], parameters,
				trainer->scores + i * trainer->rows * trainer->labels_count);
			if (settings->progress != NULL)
				settings->progress(settings->context,
					fold * array_length(penalties) + i + 1, steps);
		}
		free(parameters);
	}
}

/* The penalty and the temperature with the smallest log loss on what was left out, without a look at the fold
 * WITHOUT. */
static struct choice choose(const struct trainer *trainer, size_t without)
{
	struct choice best = {0};
	double least = INFINITY;
	for (size_t i = 0; i < array_length(penalties); i++) {
		const struct calibration_set set = set_of(trainer, i, without);
		double temperature = calibration_temperature(&set);
		double loss = calibration_loss(&set, temperature);
		if (loss < least) {
			least = loss;
			best = (struct choice){i, temperature};
		}
	}
	return best;
}

/* What is said of the examples of FOLD with what was chosen without them. */
static void predict_fold(const struct trainer *trainer, size_t fold, double *probabilities)
{
	size_t count = trainer->labels_count;
	struct choice chosen = choose(trainer, fold);
	const double *scores = set_of(trainer, chosen.penalty, fold).scores;
	for (size_t row = 0; row < trainer->rows; row++) {
		if (trainer->fold_of[row] != fold)
			continue;
		memcpy(probabilities + row * count, scores + row * count,
			count * sizeof *probabilities);
		logistic_softmax(probabilities + row * count, count, chosen.temperature);
	}
}

static void add_number(struct buffer *buffer, double number)
{
	buffer_add_format(buffer, "%.6g", number);
}

static void add_string(struct buffer *buffer, const char *text)
{
	struct ss_value *value = value_text(text);
	json_print(buffer, value);
	value_unref(value);
}

static void add_features(const struct trainer *trainer, struct buffer *head)
{
	buffer_add_string(head, "  \"features\": [");
	for (size_t i = 0; i < trainer->features; i++) {
		buffer_add_format(head, "%s\n    {\"name\": \"%s\", \"mean\": ", i > 0 ? "," : "",
			lexical_features[trainer->rows_used[i]].name);
		add_number(head, trainer->means[i]);
		buffer_add_string(head, ", \"scale\": ");
		add_number(head, trainer->scales[i]);
		buffer_add_string(head, "}");
	}
	buffer_add_string(head, trainer->features > 0 ? "\n  ],\n" : "],\n");
}

static void add_weights(const struct trainer *trainer, struct buffer *head)
{
	size_t labels = trainer->labels_count;
	buffer_add_string(head, "  \"weights\": [\n");
	for (size_t label = 0; label < labels; label++) {
		buffer_add_string(head, "    [");
		for (size_t i = 0; i < trainer->width; i++) {
			double weight = trainer->parameters[i * labels + label];
			weight *= i < trainer->settings->dimension ? embedding_scale(trainer)
								   : feature_strength;
			buffer_add_string(head, i > 0 ? "," : "");
			add_number(head, weight);
		}
		buffer_add_string(head, label + 1 < labels ? "],\n" : "]\n");
	}
	buffer_add_string(head, "  ],\n  \"bias\": [");
	for (size_t label = 0; label < labels; label++) {
		buffer_add_string(head, label > 0 ? ", " : "");
		add_number(head, trainer->parameters[trainer->width * labels + label]);
	}
	buffer_add_string(head, "],\n");
}

/* What the head was made from, and how good it was on what was left out. */
static void add_origin(const struct trainer *trainer, double penalty,
	const struct classification *figures, struct buffer *head)
{
	const struct dataset *dataset = trainer->settings->dataset;
	buffer_add_format(
		head, "  \"trained\": {\n    \"examples\": %zu,\n    \"labels\": {", trainer->rows);
	for (size_t label = 0; label < trainer->labels_count; label++) {
		size_t count = 0;
		for (size_t row = 0; row < trainer->rows; row++)
			count += trainer->labels[row] == label;
		buffer_add_string(head, label > 0 ? ", " : "");
		add_string(head, dataset->labels[label]);
		buffer_add_format(head, ": %zu", count);
	}
	buffer_add_string(head, "},\n    \"embedder\": ");
	add_string(head, trainer->settings->embedder);
	buffer_add_format(head,
		",\n    \"seed\": %llu,\n    \"l2\": %g,\n    \"folds\": %zu,\n"
		"    \"accuracy\": %.4f,\n    \"macro_f1\": %.4f,\n    \"calibration_error\": "
		"%.4f\n"
		"  }\n",
		(unsigned long long)trainer->settings->seed, penalty, trainer->settings->folds,
		figures->accuracy, figures->macro_f1, figures->calibration_error);
}

static void write_head(const struct trainer *trainer, struct choice chosen,
	const struct classification *figures, struct buffer *head)
{
	buffer_add_format(head, "{\n  \"version\": %d,\n  \"task\": ", HEAD_VERSION);
	add_string(head, trainer->settings->task);
	buffer_add_string(head, ",\n  \"labels\": [");
	for (size_t label = 0; label < trainer->labels_count; label++) {
		buffer_add_string(head, label > 0 ? ", " : "");
		add_string(head, trainer->settings->dataset->labels[label]);
	}
	buffer_add_format(head, "],\n  \"dimension\": %zu,\n", trainer->settings->dimension);
	add_features(trainer, head);
	add_weights(trainer, head);
	buffer_add_string(head, "  \"temperature\": ");
	add_number(head, chosen.temperature);
	buffer_add_string(head, ",\n");
	add_origin(trainer, penalties[chosen.penalty], figures, head);
	buffer_add_string(head, "}\n");
}

static void begin(struct trainer *trainer, const struct trainer_settings *settings)
{
	size_t rows = settings->dataset->count;
	size_t *rows_used = memory_array(lexical_features_count(), sizeof *rows_used);
	size_t features = 0;
	for (size_t i = 0; i < lexical_features_count(); i++) {
		if (strcmp(lexical_features[i].task, settings->task) == 0)
			rows_used[features++] = i;
	}
	size_t width = settings->dimension + features;
	size_t labels = settings->dataset->labels_count;
	*trainer = (struct trainer){
		.settings = settings,
		.rows = rows,
		.labels_count = labels,
		.features = features,
		.rows_used = rows_used,
		.width = width,
		.means = memory_array(features + 1, sizeof(double)),
		.scales = memory_array(features + 1, sizeof(double)),
		.inputs = memory_array(rows * width, sizeof(double)),
		.labels = memory_array(rows, sizeof(size_t)),
		.fold_of = memory_array(rows, sizeof(size_t)),
		.weights = memory_array(rows, sizeof(double)),
		.scores = memory_array(array_length(penalties) * rows * labels, sizeof(double)),
		.parameters = memory_array((width + 1) * labels, sizeof(double)),
	};
	for (size_t row = 0; row < rows; row++)
		trainer->labels[row] = settings->dataset->examples[row].label;
}

static void end(struct trainer *trainer)
{
	free(trainer->rows_used);
	free(trainer->means);
	free(trainer->scales);
	free(trainer->inputs);
	free(trainer->labels);
	free(trainer->fold_of);
	free(trainer->weights);
	free(trainer->scores);
	free(trainer->parameters);
}

static struct classification *judge(const struct trainer *trainer, const double *probabilities)
{
	size_t count = trainer->labels_count;
	struct verdict *verdicts = memory_array(trainer->rows, sizeof *verdicts);
	for (size_t row = 0; row < trainer->rows; row++) {
		const double *mine = probabilities + row * count;
		size_t best = classification_best(mine, count);
		verdicts[row] = (struct verdict){trainer->labels[row], best, mine[best]};
	}
	struct classification *figures = classification_new(verdicts, trainer->rows, count);
	free(verdicts);
	return figures;
}

void trainer_train(const struct trainer_settings *settings, struct trained *trained)
{
	struct trainer trainer;
	begin(&trainer, settings);
	dataset_deal(settings->dataset, settings->folds, settings->seed, trainer.fold_of);
	fill_inputs(&trainer);
	balance(&trainer);
	score_all(&trainer);
	trained->left_out = memory_array(trainer.rows * trainer.labels_count, sizeof(double));
	for (size_t fold = 0; fold < settings->folds; fold++)
		predict_fold(&trainer, fold, trained->left_out);
	struct choice chosen = choose(&trainer, SIZE_MAX);
	logistic_fit(
		&(struct logistic_problem){
			.inputs = trainer.inputs,
			.labels = trainer.labels,
			.weights = trainer.weights,
			.rows = trainer.rows,
			.width = trainer.width,
			.labels_count = trainer.labels_count,
			.l2 = penalties[chosen.penalty],
		},
		fine, STEPS, trainer.parameters);
	struct classification *figures = judge(&trainer, trained->left_out);
	write_head(&trainer, chosen, figures, &trained->head);
	trained->penalty = penalties[chosen.penalty];
	trained->temperature = chosen.temperature;
	classification_free(figures);
	end(&trainer);
}

void trained_free(struct trained *trained)
{
	buffer_free(&trained->head);
	free(trained->left_out);
	*trained = (struct trained){0};
}
