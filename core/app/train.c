/* `smartsupport train`: makes a head from labelled texts and compares it with the one in use. */
#include "app/command.h"
#include "app/progress.h"
#include "app/runtime.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "common/head.h"
#include "graph/graph.h"
#include "learn/comparison.h"
#include "learn/table.h"
#include "learn/trainer.h"
#include "support/support.h"
#include "value/json.h"
#include "value/value.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_LIMIT = 100, BATCH = 64, USUAL_FOLDS = 5, LABEL_SHOWN = 60 };

static const char help[] =
	"Usage: smartsupport train --task NAME --data FILE [--data FILE…] --out HEAD.json "
	"[OPTION…]\n\n"
	"Makes a head, which decides on a label for a text, from labelled texts, and shows what it "
	"does\n"
	"better and worse than the one in use. The same files and seed give the same head.\n\n"
	"  -t, --task NAME     what is decided, as in category or sentiment\n"
	"  -d, --data FILE     JSONL, a line {\"text\": \"…\", \"NAME\": \"label\"} each, or CSV "
	"(*.csv)\n"
	"                      whose first line names the columns text and NAME; may be repeated\n"
	"  -o, --out FILE      where the head is written\n"
	"  -s, --seed N        how the examples are dealt out; 1 by default\n"
	"  -f, --folds N       the parts that are left out one after the other, 2 to 20; 5 by "
	"default\n"
	"      --compare FILE  the head to compare with; by default the one that the configured\n"
	"                      workflow names for NAME\n"
	"  -c, --config FILE   the configuration that names the embedder and the workflow\n"
	"  -h, --help          this text\n";

struct arguments {
	const char *task, *out, *compare, *config;
	const char *data[FILES_LIMIT];
	size_t data_count;
	uint64_t seed;
	size_t folds;
};

/* Whether the agent of NODE has a field TASK that it writes. */
static bool decides(const struct graph_node *node, const char *task)
{
	for (size_t i = 0; i < node->field_count; i++) {
		const struct ss_field *field = &node->plugin->fields[i];
		if (strcmp(field->name, task) == 0 && (field->access & SS_WRITES) != 0)
			return true;
	}
	return false;
}

/* The option `head` of the node of GRAPH, or of its inner workflows, whose agent decides on TASK: a new string,
 * or NULL. */
static char *find_head(const struct graph *graph, const char *task)
{
	char *found = NULL;
	for (size_t i = 0; i < graph->node_count && found == NULL; i++) {
		const struct graph_node *node = &graph->nodes[i];
		if (node->workflow != NULL)
			found = find_head(node->workflow, task);
		else if (decides(node, task) && value_type(graph_option(node, "head")) == SS_STRING)
			found = memory_string(value_as_string(graph_option(node, "head"), NULL));
	}
	return found;
}

/* The head that the configured workflow uses for the task: a new string, or NULL when there is none. */
static int find_used(const struct config *config, const char *task, char **path)
{
	struct diagnostics diagnostics = {0};
	struct plugins *plugins = runtime_plugins(config, false);
	struct graph *graph = graph_load(config->workflow, plugins, support_inputs, &diagnostics);
	int result = graph != NULL ? 0 : -1;
	char *named = graph != NULL ? find_head(graph, task) : NULL;
	char *real = named != NULL ? realpath(named, NULL) : NULL;
	*path = real != NULL ? real : named;
	if (real != NULL)
		free(named);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	graph_free(graph);
	plugins_free(plugins);
	return result;
}

/* Says before the work what would prevent the head from being written after it. */
static int check_out(const char *path, struct ss_error *err)
{
	struct stat status;
	char *folder = file_beside(path, ".");
	int result = 0;
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		result = ss_fail_as(err, SS_INVALID, "%s: cannot be written: it is no file", path);
	else if (access(folder, W_OK | X_OK) < 0)
		result = ss_fail_as(err, SS_INVALID, "%s: cannot be written: the folder %s: %s",
			path, folder, strerror(errno));
	free(folder);
	return result;
}

/* The vectors of all texts of DATASET, [count][dimension]; the caller frees them. */
static float *embed(const struct runtime *runtime, const struct dataset *dataset, size_t *dimension,
	struct ss_error *err)
{
	void *instance;
	struct ss_text texts[BATCH];
	const struct ss_embedder_operations *embedder = runtime_embedder(runtime, &instance);
	struct progress progress = progress_begin("embedding");
	*dimension = embedder->dimension(instance);
	float *vectors = memory_array(dataset->count * *dimension, sizeof *vectors);
	for (size_t done = 0; done < dataset->count;) {
		size_t count = dataset->count - done < BATCH ? dataset->count - done : BATCH;
		for (size_t i = 0; i < count; i++)
			texts[i] = dataset->examples[done + i].text;
		if (embedder->embed(instance, texts, count, vectors + done * *dimension, err) < 0) {
			free(vectors);
			vectors = NULL;
			break;
		}
		done += count;
		progress_show(&progress, done, dataset->count);
	}
	progress_end(&progress);
	return vectors;
}

static void on_progress(void *context, size_t done, size_t total)
{
	progress_show(context, done, total);
}

static void print_labels(const char *task, const struct dataset *dataset)
{
	struct buffer text = {0};
	size_t *counts = memory_array(dataset->labels_count, sizeof *counts);
	for (size_t i = 0; i < dataset->count; i++)
		counts[dataset->examples[i].label]++;
	buffer_add_format(&text, "%s: %zu examples", task, dataset->count);
	for (size_t i = 0; i < dataset->labels_count; i++) {
		buffer_add_string(&text, i == 0 ? ": " : ", ");
		table_line(&text, text_of(dataset->labels[i]), LABEL_SHOWN);
		buffer_add_format(&text, " %zu", counts[i]);
	}
	(void)puts(buffer_text(&text));
	buffer_free(&text);
	free(counts);
}

/* What training begins with. */
struct training {
	const struct arguments *arguments;
	const struct dataset *dataset;
	const struct head *used; /* NULL: none */
	const char *used_path;
	const char *embedder;
	const float *vectors;
	size_t dimension;
};

/* What the file of the head in use tells of how good it was on what it was not made from. */
static void print_origin(const char *path)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	if (file_read(path, HEAD_FILE_LIMIT, &text, &length, &err) < 0)
		return;
	struct ss_value *head = json_parse(text, length, &err);
	const struct ss_value *trained = value_get(head, "trained");
	if (value_type(value_get(trained, "accuracy")) == SS_NUMBER)
		(void)printf(
			"When it was trained, on %lld examples, it had an accuracy of %.1f %%, a "
			"macro F1 of %.3f and a\ncalibration error of %.3f on those that were "
			"left out.\n",
			(long long)value_as_int(value_get(trained, "examples")),
			value_as_number(value_get(trained, "accuracy")) * 100,
			value_as_number(value_get(trained, "macro_f1")),
			value_as_number(value_get(trained, "calibration_error")));
	value_unref(head);
	free(text);
}

static void print_comparison(const struct training *training, const struct trained *trained)
{
	struct ss_error err = {0};
	struct buffer text = {0};
	struct comparison comparison;
	comparison_begin(&comparison, training->dataset, trained->left_out);
	if (training->used != NULL &&
		comparison_add(&comparison, training->used, training->used_path, training->vectors,
			training->dimension, &err) < 0)
		(void)fprintf(stderr, "smartsupport: %s: not compared: %s\n", training->used_path,
			err.text);
	comparison_print_figures(&comparison, &text);
	(void)fputs(buffer_text(&text), stdout);
	if (comparison.used != NULL) {
		print_origin(training->used_path);
		buffer_free(&text);
		comparison_print_changes(&comparison, &text);
		(void)fputs(buffer_text(&text), stdout);
	}
	comparison_end(&comparison);
	buffer_free(&text);
}

static int write_head(
	const struct arguments *arguments, const struct trained *trained, struct ss_error *err)
{
	if (trained->head.length > HEAD_FILE_LIMIT)
		return ss_fail_as(err, SS_LIMIT,
			"%s: the head has %zu bytes, but only %d are read; train it for fewer "
			"labels",
			arguments->out, trained->head.length, HEAD_FILE_LIMIT);
	return file_write(arguments->out, trained->head.data, trained->head.length, err);
}

static int train(const struct training *training, struct ss_error *err)
{
	const struct arguments *arguments = training->arguments;
	struct trained trained = {0};
	struct progress progress = progress_begin("training");
	trainer_train(
		&(struct trainer_settings){
			.task = arguments->task,
			.dataset = training->dataset,
			.vectors = training->vectors,
			.dimension = training->dimension,
			.embedder = training->embedder,
			.seed = arguments->seed,
			.folds = arguments->folds,
			.progress = on_progress,
			.context = &progress,
		},
		&trained);
	progress_end(&progress);
	(void)printf("seed %llu, %zu folds: penalty %g, temperature %.3f\n\n",
		(unsigned long long)arguments->seed, arguments->folds, trained.penalty,
		trained.temperature);
	print_comparison(training, &trained);
	int result = write_head(arguments, &trained, err);
	trained_free(&trained);
	return result;
}

/* Embeds the examples and trains on them. */
static int run(const struct config *config, struct training *training, struct ss_error *err)
{
	int result = -1;
	struct diagnostics diagnostics = {0};
	struct log log = log_new(STDERR_FILENO, SS_LOG_WARNING, false);
	struct runtime *runtime = runtime_new_embedder(config, &log, &diagnostics);
	float *vectors = NULL;
	if (runtime == NULL)
		(void)ss_fail(err, "%s: the embedder cannot be used", config->document->file);
	else
		vectors = embed(runtime, training->dataset, &training->dimension, err);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (vectors != NULL) {
		training->vectors = vectors;
		training->embedder = config->embedder.name;
		result = train(training, err);
	}
	free(vectors);
	runtime_free(runtime);
	return result;
}

/* Loads the head to compare with into *HEAD; that there is none in use is no mistake. */
static int load_used(const struct arguments *arguments, const struct config *config,
	struct head **head, char **path, struct ss_error *err)
{
	*path = memory_string(arguments->compare);
	if (*path == NULL && find_used(config, arguments->task, path) < 0)
		return ss_fail(err,
			"%s has mistakes, so the head in use is unknown; name one with --compare",
			config->workflow);
	if (*path == NULL) {
		(void)fprintf(stderr,
			"smartsupport: %s uses no head for %s, so there is nothing to compare "
			"with\n",
			config->workflow, arguments->task);
		return 0;
	}
	*head = head_load(&value_functions, *path, arguments->task, err);
	if (*head != NULL || arguments->compare != NULL)
		return *head != NULL ? 0 : -1;
	(void)fprintf(stderr, "smartsupport: nothing to compare with: %s\n", err->text);
	return 0;
}

static int run_all(
	const struct arguments *arguments, const struct config *config, struct ss_error *err)
{
	int result = -1;
	int64_t started_ns = clock_monotonic_ns();
	struct training training = {.arguments = arguments};
	struct head *used = NULL;
	char *used_path = NULL;
	struct dataset *dataset =
		dataset_load(arguments->data, arguments->data_count, arguments->task, err);
	if (dataset != NULL && dataset_check(dataset, arguments->folds, err) == 0 &&
		check_out(arguments->out, err) == 0 &&
		load_used(arguments, config, &used, &used_path, err) == 0) {
		training.dataset = dataset;
		training.used = used;
		training.used_path = used_path;
		print_labels(arguments->task, dataset);
		result = run(config, &training, err);
	}
	if (result == 0)
		(void)printf(
			"\n%s is written, after %.1f s. Use it as the option head of the agent "
			"that decides on %s.\n",
			arguments->out, (double)(clock_monotonic_ns() - started_ns) / 1e9,
			arguments->task);
	head_free(used);
	free(used_path);
	dataset_free(dataset);
	return result;
}

/* Reads a whole number from LEAST to MOST. */
static int read_number(
	const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	char *end = NULL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= least &&
		*number <= most)
		return 0;
	(void)fprintf(stderr,
		"smartsupport: %s takes a whole number from %llu to %llu, not \"%s\"\n", option,
		(unsigned long long)least, (unsigned long long)most, text);
	return -1;
}

enum { COMPARE = 256 };

/* Reads one option; -1 when it is wrong, and a message. */
static int read_option(int option, struct arguments *arguments)
{
	uint64_t number;
	switch (option) {
	case 't':
		arguments->task = optarg;
		return 0;
	case 'd':
		if (arguments->data_count == FILES_LIMIT) {
			(void)fprintf(stderr, "smartsupport: --data may be given %d times\n",
				FILES_LIMIT);
			return -1;
		}
		arguments->data[arguments->data_count++] = optarg;
		return 0;
	case 'o':
		arguments->out = optarg;
		return 0;
	case 's':
		return read_number("--seed", optarg, 0, INT64_MAX, &arguments->seed);
	case 'f':
		if (read_number("--folds", optarg, 2, TRAINER_FOLDS_LIMIT, &number) < 0)
			return -1;
		arguments->folds = (size_t)number;
		return 0;
	case COMPARE:
		arguments->compare = optarg;
		return 0;
	case 'c':
		arguments->config = optarg;
		return 0;
	default:
		(void)fputs(help, stderr);
		return -1;
	}
}

int command_train(int argc, char **argv)
{
	static const struct option options[] = {
		{"task", required_argument, NULL, 't'},
		{"data", required_argument, NULL, 'd'},
		{"out", required_argument, NULL, 'o'},
		{"seed", required_argument, NULL, 's'},
		{"folds", required_argument, NULL, 'f'},
		{"compare", required_argument, NULL, COMPARE},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arguments arguments = {.seed = 1, .folds = USUAL_FOLDS};
	struct ss_error err = {0};
	int option;
	while ((option = getopt_long(argc, argv, "t:d:o:s:f:c:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (read_option(option, &arguments) < 0)
			return 2;
	}
	if (optind < argc || arguments.task == NULL || arguments.task[0] == '\0' ||
		arguments.out == NULL || arguments.data_count == 0) {
		(void)fprintf(
			stderr, "smartsupport: train needs --task, --data and --out\n\n%s", help);
		return 2;
	}
	struct config *config = command_config(arguments.config);
	if (config == NULL)
		return 1;
	int result = run_all(&arguments, config, &err);
	if (result < 0)
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	config_free(config);
	return result < 0 ? 1 : 0;
}
