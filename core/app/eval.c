/* `smartsupport eval`: measures the configured workflow and its knowledge base with labelled questions. */
#include "app/command.h"
#include "app/progress.h"
#include "app/runtime.h"
#include "app/trial.h"
#include "base/file.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "learn/report.h"
#include "service/articles.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MINIMUMS_LIMIT = 100, LEAST_QUEUE = 1024 };

/* The option of the agent that searches under which the threshold is set. */
static const char threshold_option[] = "min_confidence";

static const char help[] =
	"Usage: smartsupport eval FILE.jsonl [OPTION…]\n\n"
	"Puts labelled questions to the configured workflow and its knowledge base, and shows how "
	"good\n"
	"they are. A line of FILE is {\"text\": \"…\"} with any of the labels category, sentiment, "
	"article\n"
	"(the id of the one that answers) and should_abstain (true: no article does). Nothing is "
	"stored.\n\n"
	"  -a, --articles FILE    search these articles (a JSON list of {id, title, content, "
	"category},\n"
	"                         or a folder) and not the configured ones\n"
	"  -w, --max-wrong SHARE  choose the threshold so that at most this share of the answers "
	"is\n"
	"                         wrong; 5% by default\n"
	"  -m, --min NAME=VALUE   exit with 1 when this figure is smaller; may be repeated\n"
	"  -j, --json             print everything as JSON\n"
	"      --html FILE        write a page with plots\n"
	"  -c, --config FILE      the configuration to measure\n"
	"  -h, --help             this text\n\n"
	"NAME is one of\n";

struct arguments {
	const char *file, *articles, *html, *config;
	double max_wrong;
	struct minimum minimums[MINIMUMS_LIMIT];
	size_t minimum_count;
	bool json;
};

static void print_help(FILE *stream)
{
	(void)fputs(help, stream);
	for (const struct figure *figure = evaluation_figures; figure->name != NULL; figure++)
		(void)fprintf(stream, "  %-22s %s\n", figure->name, figure->help);
}

/* Reads a share: 0.05 or 5%. */
static int read_share(const char *option, const char *text, double *share)
{
	char *end = NULL;
	*share = strtod(text, &end);
	bool percent = end != text && strcmp(end, "%") == 0;
	if (percent)
		*share /= 100;
	if (end != text && (percent || *end == '\0') && *share >= 0 && *share <= 1)
		return 0;
	(void)fprintf(stderr,
		"smartsupport: %s takes a share, as in 0.05 or 5%%, from 0 to 1, not \"%s\"\n",
		option, text);
	return -1;
}

static int read_minimum(const char *text, struct arguments *arguments)
{
	const char *equals = strchr(text, '=');
	char *name = equals != NULL ? memory_text(text, (size_t)(equals - text)) : NULL;
	const struct figure *figure = name != NULL ? evaluation_figure(name) : NULL;
	free(name);
	if (figure == NULL) {
		(void)fprintf(stderr,
			"smartsupport: --min takes NAME=VALUE, as in recall@1=0.9, not \"%s\"; the "
			"names are",
			text);
		for (figure = evaluation_figures; figure->name != NULL; figure++)
			(void)fprintf(stderr, " %s", figure->name);
		(void)fputc('\n', stderr);
		return -1;
	}
	if (arguments->minimum_count == MINIMUMS_LIMIT) {
		(void)fprintf(
			stderr, "smartsupport: --min may be given %d times\n", MINIMUMS_LIMIT);
		return -1;
	}
	struct minimum *minimum = &arguments->minimums[arguments->minimum_count++];
	minimum->figure = figure;
	return read_share("--min", equals + 1, &minimum->least);
}

/* Checks that what the questions want can be. */
static int check_labels(
	const struct graph *graph, const struct questions *questions, struct ss_error *err)
{
	for (size_t i = 0; i < QUESTION_TASKS; i++) {
		size_t slot = graph_slot(graph, question_tasks[i]);
		for (size_t row = 0; row < questions->count; row++) {
			const struct question *question = &questions->items[row];
			struct ss_error why = {0};
			if (question->labels[i] == NULL)
				continue;
			if (slot == GRAPH_NO_SLOT)
				return ss_fail_as(err, SS_INVALID,
					"%s:%zu: the workflow %s has no field %s",
					question->place.path, question->place.line, graph->file,
					question_tasks[i]);
			struct ss_value *value = graph_fit_value(
				&graph->fields[slot], value_text(question->labels[i]), &why);
			value_unref(value);
			if (value == NULL)
				return ss_fail_as(err, SS_INVALID, "%s:%zu: %s of %s",
					question->place.path, question->place.line, why.text,
					graph->file);
		}
	}
	return 0;
}

static int compare_id(const void *id, const void *item)
{
	const struct ss_value *const *article = item;
	return strcmp(id, value_as_string(value_get(*article, "id"), NULL));
}

static int check_articles(const char *path, const struct questions *questions, struct ss_error *err)
{
	struct diagnostics diagnostics = {0};
	int result = 0;
	struct articles *articles = articles_load(path, &diagnostics);
	if (articles == NULL)
		result = ss_fail_as(err, SS_INVALID, "%s: the articles cannot be used", path);
	for (size_t row = 0; result == 0 && row < questions->count; row++) {
		const struct question *question = &questions->items[row];
		if (question->article == NULL ||
			bsearch(question->article, articles->items, articles->count,
				sizeof(struct ss_value *), compare_id) != NULL)
			continue;
		result = ss_fail_as(err, SS_INVALID, "%s:%zu: there is no article \"%s\" in %s",
			question->place.path, question->place.line, question->article, path);
	}
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	articles_free(articles);
	return result;
}

/* The node that searches, in GRAPH or its inner workflows. */
static void find_node(const struct graph *graph, struct report *report)
{
	for (size_t i = 0; i < graph->node_count && report->node == NULL; i++) {
		const struct graph_node *node = &graph->nodes[i];
		if (node->workflow != NULL) {
			find_node(node->workflow, report);
		} else if ((node->plugin->services & SS_USES_KNOWLEDGE) != 0 &&
			   graph_option(node, threshold_option) != NULL) {
			report->workflow = graph->file;
			report->node = node->name;
			report->option = threshold_option;
		}
	}
}

static void print_report(const struct report *report, bool json)
{
	struct buffer text = {0};
	if (json) {
		struct ss_value *value = report_json(report);
		char *indented = json_text_indented(value);
		buffer_add_string(&text, indented);
		buffer_add_char(&text, '\n');
		free(indented);
		value_unref(value);
	} else {
		report_text(report, &text);
	}
	(void)fputs(buffer_text(&text), stdout);
	buffer_free(&text);
}

static int write_page(const struct report *report, const char *path, struct ss_error *err)
{
	struct buffer page = {0};
	report_html(report, &page);
	int result = file_write(path, page.data, page.length, err);
	buffer_free(&page);
	return result;
}

/* Tells of the figures that are too small. */
static int check_minimums(const struct report *report)
{
	int result = 0;
	for (size_t i = 0; i < report->minimum_count; i++) {
		const struct minimum *minimum = &report->minimums[i];
		if (report_reached(minimum))
			continue;
		result = -1;
		if (isnan(minimum->value))
			(void)fprintf(stderr,
				"smartsupport: %s is asked for, but %s has no labels for it\n",
				minimum->figure->name, report->file);
		else
			(void)fprintf(stderr, "smartsupport: %s is %.4f, less than %g\n",
				minimum->figure->name, minimum->value, minimum->least);
	}
	return result;
}

/* Returns the exit code. */
static int tell(struct arguments *arguments, const struct config *config, const struct graph *graph,
	const struct questions *questions, const struct outcome *outcomes)
{
	struct ss_error err = {0};
	struct evaluation *evaluation = evaluation_new(questions, outcomes, arguments->max_wrong);
	struct report report = {
		.evaluation = evaluation,
		.file = arguments->file,
		.articles = config->articles,
		.minimums = arguments->minimums,
		.minimum_count = arguments->minimum_count,
	};
	for (size_t i = 0; i < arguments->minimum_count; i++)
		arguments->minimums[i].value = arguments->minimums[i].figure->read(evaluation);
	find_node(graph, &report);
	print_report(&report, arguments->json);
	int code = check_minimums(&report) < 0 ? 1 : 0;
	if (arguments->html != NULL && write_page(&report, arguments->html, &err) < 0) {
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
		code = 1;
	}
	evaluation_free(evaluation);
	return code;
}

static void on_progress(void *context, size_t done, size_t total)
{
	progress_show(context, done, total);
}

static int run(struct arguments *arguments, const struct config *config, struct event_base *base,
	struct runtime *runtime, const struct questions *questions)
{
	struct ss_error err = {0};
	struct outcome *outcomes = NULL;
	struct progress progress = progress_begin("asking");
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	const struct trial_options options = {
		.base = base,
		.runtime = runtime,
		.log = &log,
		.questions = questions,
		.progress = on_progress,
		.context = &progress,
	};
	int code = 1;
	if (check_labels(runtime_graph(runtime), questions, &err) == 0)
		outcomes = trial_run(&options, &err);
	progress_end(&progress);
	if (outcomes != NULL)
		code = tell(arguments, config, runtime_graph(runtime), questions, outcomes);
	else
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	trial_free(outcomes, questions->count);
	return code;
}

static int evaluate(
	struct arguments *arguments, const struct config *config, const struct questions *questions)
{
	struct diagnostics diagnostics = {0};
	struct log log = log_new(STDERR_FILENO, SS_LOG_WARNING, false);
	struct event_base *base = event_base_new();
	struct runtime *runtime =
		runtime_new(config, base, &log, NULL, RUNTIME_ANSWER, &diagnostics);
	int code = runtime != NULL ? run(arguments, config, base, runtime, questions) : 1;
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	runtime_free(runtime);
	event_base_free(base);
	return code;
}

static int load_and_evaluate(struct arguments *arguments)
{
	struct ss_error err = {0};
	int code = 1;
	struct config *config = command_config(arguments->config);
	if (config == NULL)
		return 1;
	/* Many questions are asked at once, and none shall be refused for that. */
	if (config->queue_limit < LEAST_QUEUE)
		config->queue_limit = LEAST_QUEUE;
	char *articles = arguments->articles != NULL ? memory_string(arguments->articles)
						     : realpath(config->articles, NULL);
	if (articles != NULL) {
		free(config->articles);
		config->articles = articles;
	}
	struct questions *questions = questions_load(arguments->file, &err);
	if (questions != NULL && check_articles(config->articles, questions, &err) == 0)
		code = evaluate(arguments, config, questions);
	else
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	questions_free(questions);
	config_free(config);
	return code;
}

enum { HTML = 256 };

/* Reads one option; -1 when it is wrong, and a message. */
static int read_option(int option, struct arguments *arguments)
{
	switch (option) {
	case 'a':
		arguments->articles = optarg;
		return 0;
	case 'w':
		return read_share("--max-wrong", optarg, &arguments->max_wrong);
	case 'm':
		return read_minimum(optarg, arguments);
	case 'j':
		arguments->json = true;
		return 0;
	case HTML:
		arguments->html = optarg;
		return 0;
	case 'c':
		arguments->config = optarg;
		return 0;
	default:
		print_help(stderr);
		return -1;
	}
}

int command_eval(int argc, char **argv)
{
	static const struct option options[] = {
		{"articles", required_argument, NULL, 'a'},
		{"max-wrong", required_argument, NULL, 'w'},
		{"min", required_argument, NULL, 'm'},
		{"json", no_argument, NULL, 'j'},
		{"html", required_argument, NULL, HTML},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arguments arguments = {.max_wrong = 0.05};
	int option;
	while ((option = getopt_long(argc, argv, "a:w:m:jc:h", options, NULL)) != -1) {
		if (option == 'h') {
			print_help(stdout);
			return 0;
		}
		if (read_option(option, &arguments) < 0)
			return 2;
	}
	if (optind + 1 != argc) {
		(void)fputs("smartsupport: eval takes one file of questions\n\n", stderr);
		print_help(stderr);
		return 2;
	}
	arguments.file = argv[optind];
	return load_and_evaluate(&arguments);
}
