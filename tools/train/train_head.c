/*
 * train_head: makes a head for the agents categorizer and sentiment from labelled texts, and says how
 * good it is on texts that it has not seen.
 *
 *     train_head --task category --data kb/training/category.jsonl --embedder FILE.so \
 *                --model FOLDER --out kb/heads/category.json [--test FILE.jsonl] [--report]
 *
 * With --test and without --data an existing head is tested. The same input gives the same file.
 */
#include "base/file.h"
#include "base/memory.h"
#include "common/head.h"
#include "train/dataset.h"
#include "train/embedding.h"
#include "train/evaluate.h"
#include "train/trainer.h"
#include "value/value.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct command {
	const char *task;
	const char *data;
	const char *embedder;
	const char *model;
	const char *out;
	const char *test;
	uint64_t seed;
	bool report;
};

static const char usage[] =
	"usage: train_head --task category|sentiment --embedder FILE.so --model FOLDER\n"
	"                  --out FILE.json [--data FILE.jsonl] [--test FILE.jsonl]\n"
	"                  [--seed NUMBER] [--report]\n"
	"  --data    train on these lines, {\"text\": \"...\", \"category\": \"Billing\"}, and "
	"write the head\n"
	"  --test    then try the head on these lines\n"
	"  --report  list the lines that it gets wrong\n";

static int read_command(int count, char **arguments, struct command *command)
{
	static const struct option options[] = {
		{"task", required_argument, NULL, 't'},
		{"data", required_argument, NULL, 'd'},
		{"embedder", required_argument, NULL, 'e'},
		{"model", required_argument, NULL, 'm'},
		{"out", required_argument, NULL, 'o'},
		{"test", required_argument, NULL, 'x'},
		{"seed", required_argument, NULL, 's'},
		{"report", no_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	char *end = NULL;
	for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;) {
		switch (c) {
		case 't':
			command->task = optarg;
			break;
		case 'd':
			command->data = optarg;
			break;
		case 'e':
			command->embedder = optarg;
			break;
		case 'm':
			command->model = optarg;
			break;
		case 'o':
			command->out = optarg;
			break;
		case 'x':
			command->test = optarg;
			break;
		case 's':
			command->seed = strtoull(optarg, &end, 10);
			if (*optarg == '\0' || *end != '\0')
				return -1;
			break;
		case 'r':
			command->report = true;
			break;
		default:
			return -1;
		}
	}
	bool task = command->task != NULL && (strcmp(command->task, "category") == 0 ||
						     strcmp(command->task, "sentiment") == 0);
	bool complete = command->embedder != NULL && command->model != NULL && command->out != NULL;
	bool work = command->data != NULL || command->test != NULL;
	return task && complete && work && optind == count ? 0 : -1;
}

static int train(const struct command *command, struct embedding *embedding, struct ss_error *err)
{
	int result = -1;
	struct buffer head = {0};
	float *vectors = NULL;
	struct dataset *dataset = dataset_load(command->data, command->task, err);
	if (dataset == NULL)
		return -1;
	vectors = embedding_of(embedding, dataset, err);
	if (vectors != NULL) {
		trainer_train(
			&(struct trainer_settings){
				.task = command->task,
				.dataset = dataset,
				.vectors = vectors,
				.dimension = embedding_dimension(embedding),
				.embedder = embedding_name(embedding),
				.seed = command->seed,
				.report = command->report,
			},
			&head);
		result = file_write(command->out, head.data, head.length, err);
	}
	buffer_free(&head);
	free(vectors);
	dataset_free(dataset);
	return result;
}

/* Applies HEAD to DATASET and prints how that went. */
static int try_head(const struct command *command, const struct head *head,
	const struct dataset *dataset, const float *vectors, size_t dimension, struct ss_error *err)
{
	size_t count = head_labels(head);
	double *probabilities = memory_array(dataset->count * count, sizeof *probabilities);
	size_t *labels = memory_array(dataset->count, sizeof *labels);
	char **names = memory_array(count, sizeof *names);
	int result = 0;
	for (size_t i = 0; i < count; i++)
		names[i] = memory_string(head_label(head, i));
	for (size_t row = 0; row < dataset->count && result == 0; row++) {
		const struct example *example = &dataset->examples[row];
		const char *label = dataset->labels[example->label];
		while (labels[row] < count && strcmp(names[labels[row]], label) != 0)
			labels[row]++;
		if (labels[row] == count)
			result = ss_fail_as(err, SS_INVALID, "%s:%zu: the head has no label \"%s\"",
				dataset->path, example->line, label);
		else
			result = head_apply(head, vectors + row * dimension, dimension,
				example->text, probabilities + row * count, err);
	}
	if (result == 0)
		evaluate_print(dataset->path, dataset, labels, probabilities, names, count,
			command->report);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	free(labels);
	free(probabilities);
	return result;
}

static int test(const struct command *command, struct embedding *embedding, struct ss_error *err)
{
	int result = -1;
	float *vectors = NULL;
	struct dataset *dataset = NULL;
	struct head *head = head_load(&value_functions, command->out, command->task, err);
	if (head != NULL)
		dataset = dataset_load(command->test, command->task, err);
	if (dataset != NULL)
		vectors = embedding_of(embedding, dataset, err);
	if (vectors != NULL)
		result = try_head(
			command, head, dataset, vectors, embedding_dimension(embedding), err);
	free(vectors);
	dataset_free(dataset);
	head_free(head);
	return result;
}

int main(int count, char **arguments)
{
	struct command command = {.seed = 1};
	struct ss_error err = {0};
	if (read_command(count, arguments, &command) < 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	struct embedding *embedding = embedding_new(command.embedder, command.model, &err);
	int result = embedding != NULL ? 0 : -1;
	if (result == 0 && command.data != NULL)
		result = train(&command, embedding, &err);
	if (result == 0 && command.test != NULL)
		result = test(&command, embedding, &err);
	embedding_free(embedding);
	if (result < 0)
		(void)fprintf(stderr, "train_head: %s\n", err.text);
	return result < 0 ? 1 : 0;
}
