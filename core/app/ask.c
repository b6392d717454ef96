/* `smartsupport ask`: one question through the workflow, in the terminal. Nothing is stored. */
#include "app/command.h"
#include "app/runtime.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "support/support.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_LIMIT = 4000 };

static const char help[] =
	"Usage: smartsupport ask [--json] [--user ID] [--config FILE] QUESTION\n\n"
	"Answers the question with the configured workflow and shows how it came to the answer.\n"
	"Nothing is stored.\n\n"
	"  -j, --json         print the reply and the trace as JSON\n"
	"  -u, --user ID      who asks; by default terminal_user\n"
	"  -c, --config FILE  the configuration to use\n"
	"  -h, --help         this text\n";

struct asking {
	struct event_base *base;
	bool json;
	int code;
};

static const char *text(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

static void print_label(
	const char *name, const struct ss_value *reply, const char *key, const char *confidence)
{
	const struct ss_value *known = value_get(value_get(reply, "metadata"), confidence);
	(void)printf("%-11s %s", name, text(reply, key));
	if (known != NULL)
		(void)printf(" (confidence %.2f)", value_as_number(known));
	(void)printf("\n");
}

static void print_priority(const struct ss_value *reply)
{
	const struct ss_value *factors =
		value_get(value_get(reply, "metadata"), "priority_factors");
	(void)printf(
		"%-11s %lld", "Priority", (long long)value_as_int(value_get(reply, "priority")));
	for (size_t i = 0; i < value_count(factors); i++) {
		const struct ss_value *factor = value_at(factors, i);
		const char *value = text(factor, "value");
		(void)printf("%s%s%s%s %+g", i == 0 ? " = " : ", ", text(factor, "factor"),
			value[0] != '\0' ? " " : "", value,
			value_as_number(value_get(factor, "weight")));
	}
	(void)printf("\n");
}

/* The stages of the search that did not run, if any. */
static void print_missing(const struct ss_value *missing)
{
	const struct ss_value *stages = value_get(missing, "stages");
	for (size_t i = 0; i < value_count(stages); i++)
		(void)printf("%s%s", i == 0 ? "Missing     " : ", ",
			value_as_string(value_at(stages, i), NULL));
	if (missing != NULL)
		(void)printf(": %s\n", text(missing, "error"));
}

static void print_articles(const struct ss_value *articles, const struct ss_value *retrieval)
{
	if (value_count(articles) == 0)
		(void)printf("%-11s none fits", "Articles");
	for (size_t i = 0; i < value_count(articles); i++) {
		const struct ss_value *article = value_at(articles, i);
		(void)printf("%s%-11s %.2f  %s (%s)", i == 0 ? "" : "\n", i == 0 ? "Articles" : "",
			value_as_number(value_get(article, "score")), text(article, "title"),
			text(article, "id"));
		if (i == 0 && retrieval != NULL)
			(void)printf(", confidence %.2f",
				value_as_number(value_get(retrieval, "confidence")));
	}
	if (value_as_bool(value_get(retrieval, "abstained")))
		(void)printf(": %s, confidence %.2f of %s", text(retrieval, "reason"),
			value_as_number(value_get(retrieval, "confidence")),
			text(retrieval, "best"));
	(void)printf("\n");
	print_missing(value_get(retrieval, "missing"));
}

/* The nodes in the order in which they finished, with the conditions that decided. */
static void print_route(const struct ss_value *trace)
{
	(void)printf("%-11s ", "Route");
	for (size_t i = 0; i < value_count(trace); i++) {
		const struct ss_value *entry = value_at(trace, i);
		const struct ss_value *taken = value_get(entry, "taken");
		(void)printf("%s%s", i > 0 ? " > " : "", text(entry, "node"));
		if (strcmp(text(entry, "status"), "done") != 0)
			(void)printf(" [%s: %s]", text(entry, "status"), text(entry, "error"));
		for (size_t j = 0; j < value_count(taken); j++) {
			if (text(value_at(taken, j), "when")[0] != '\0')
				(void)printf(" (%s)", text(value_at(taken, j), "when"));
		}
	}
	(void)printf("\n");
}

/* What became of the models that were asked, when there is something to say. */
static void print_models(const struct ss_value *models)
{
	for (size_t i = 0; i < value_count(models); i++) {
		const struct ss_value *model = value_at(models, i);
		const struct ss_value *input = value_get(model, "input_tokens");
		const struct ss_value *output = value_get(model, "output_tokens");
		const struct ss_value *duration = value_get(model, "duration_ms");
		const char *error = text(model, "error");
		(void)printf("%-11s %s %s", i == 0 ? "Models" : "", text(model, "model"),
			text(model, "status"));
		if (input != NULL && output != NULL)
			(void)printf(" (%lld + %lld tokens, %.1f ms)",
				(long long)value_as_int(input), (long long)value_as_int(output),
				value_as_number(duration));
		else if (duration != NULL)
			(void)printf(" (%.1f ms)", value_as_number(duration));
		(void)printf("%s%s\n", error[0] != '\0' ? ": " : "", error);
	}
}

static void print_reply(const struct ss_value *reply, const struct ss_value *trace)
{
	const struct ss_value *metadata = value_get(reply, "metadata");
	(void)printf("%s\n\n", text(reply, "response"));
	print_label("Category", reply, "category", "category_confidence");
	print_label("Sentiment", reply, "sentiment", "sentiment_confidence");
	print_priority(reply);
	(void)printf("%-11s %s%s%s\n", "Escalated",
		value_as_bool(value_get(metadata, "escalated")) ? "yes" : "no",
		text(metadata, "escalation_reason")[0] != '\0' ? ": " : "",
		text(metadata, "escalation_reason"));
	print_articles(value_get(metadata, "kb_results"), value_get(metadata, "retrieval"));
	print_models(value_get(metadata, "models"));
	print_route(trace);
	(void)printf("%-11s %.1f ms\n", "Time",
		value_as_number(value_get(metadata, "processing_time")) * 1e3);
}

static void on_replied(void *context, const struct ss_value *reply, const struct ss_value *trace,
	const struct ss_error *err)
{
	struct asking *asking = context;
	(void)event_base_loopbreak(asking->base);
	if (err != NULL) {
		(void)fprintf(stderr, "smartsupport: %s\n", err->text);
		asking->code = 1;
		return;
	}
	if (!asking->json) {
		print_reply(reply, trace);
		return;
	}
	struct ss_value *both =
		value_map_make({"reply", value_ref(reply)}, {"trace", value_ref(trace)});
	char *json = json_text(both);
	(void)printf("%s\n", json);
	free(json);
	value_unref(both);
}

static int ask(const struct config *config, const char *user, const char *message, bool json)
{
	struct diagnostics diagnostics = {0};
	struct ss_error err = {0};
	struct log log = log_new(STDERR_FILENO, SS_LOG_WARNING, false);
	struct asking asking = {.base = event_base_new(), .json = json};
	struct runtime *runtime =
		runtime_new(config, asking.base, &log, NULL, RUNTIME_ANSWER, &diagnostics);
	const struct support_question question = {
		.user_id = user,
		.message = text_of(message),
	};
	if (runtime == NULL) {
		asking.code = 1;
	} else if (support_ask(runtime_support(runtime), &question, &log, on_replied, &asking,
			   &err) == NULL) {
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
		asking.code = 1;
	} else {
		(void)event_base_dispatch(asking.base);
	}
	runtime_free(runtime);
	event_base_free(asking.base);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	return asking.code;
}

static int check_message(const char *message)
{
	ptrdiff_t characters = text_characters(text_of(message));
	if (characters < 0)
		(void)fputs("smartsupport: the question is not valid UTF-8\n", stderr);
	else if (characters > MESSAGE_LIMIT)
		(void)fprintf(stderr,
			"smartsupport: the question has %td characters; at most %d "
			"are answered\n",
			characters, MESSAGE_LIMIT);
	else if (text_blank(text_of(message)))
		(void)fputs("smartsupport: the question is blank\n", stderr);
	else
		return 0;
	return -1;
}

/* All words after the options are the question, so that quotes may be forgotten. */
static char *join(char **words, int count)
{
	struct buffer buffer = {0};
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_char(&buffer, ' ');
		buffer_add_string(&buffer, words[i]);
	}
	return buffer_take(&buffer);
}

int command_ask(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"user", required_argument, NULL, 'u'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *file = NULL;
	const char *user = "terminal_user";
	bool json = false;
	int option;
	while ((option = getopt_long(argc, argv, "ju:c:h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'u':
			user = optarg;
			break;
		case 'c':
			file = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			return 0;
		default:
			(void)fputs(help, stderr);
			return 2;
		}
	}
	if (optind == argc) {
		(void)fprintf(stderr,
			"smartsupport: ask needs a question, as in: smartsupport ask \"How do I "
			"reset my password?\"\n\n%s",
			help);
		return 2;
	}
	char *message = join(argv + optind, argc - optind);
	struct config *config = NULL;
	int code = 1;
	if (check_message(message) == 0 && (config = command_config(file)) != NULL)
		code = ask(config, user, message, json);
	config_free(config);
	free(message);
	return code;
}
