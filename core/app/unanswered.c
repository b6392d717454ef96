/* `smartsupport unanswered`: the questions that the knowledge base has no answer to. */
#include "app/command.h"
#include "app/stored.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] = "Usage: smartsupport unanswered [--most-asked] [--limit N]\n\n"
			   "Lists the questions that the articles have no answer to, the newest "
			   "first, with how often\n"
			   "they were asked and when last. Questions that differ only in case, "
			   "blanks and punctuation\n"
			   "are one.\n\n"
			   "  -m, --most-asked   those first that were asked most\n"
			   "  -n, --limit N      how many, by default 20\n"
			   "  -j, --json         print JSON\n"
			   "  -c, --config FILE  the configuration that names the store\n"
			   "  -h, --help         this text\n";

struct arguments {
	const char *config;
	size_t limit;
	bool most_asked, json;
};

static const char *text(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

/* Control characters of a customer's words are not for a terminal. */
static void print_question(const char *question)
{
	for (; *question != '\0'; question++)
		(void)putchar((unsigned char)*question < ' ' ? ' ' : *question);
	(void)putchar('\n');
}

static int list(struct stored *stored, const struct arguments *arguments)
{
	const struct ss_unanswered_filter filter = {.struct_size = sizeof filter,
		.most_asked = arguments->most_asked,
		.limit = arguments->limit};
	struct ss_value *page = stored_unanswered(stored, &filter);
	if (page == NULL)
		return 1;
	const struct ss_value *items = value_get(page, "items");
	if (arguments->json)
		play_print_json(items);
	for (size_t i = 0; !arguments->json && i < value_count(items); i++) {
		const struct ss_value *item = value_at(items, i);
		(void)printf("%5lld  %.19sZ  %-10s ",
			(long long)value_as_int(value_get(item, "count")), text(item, "last_at"),
			text(item, "category"));
		print_question(text(item, "question"));
	}
	value_unref(page);
	return 0;
}

/* A whole number from 1; false and a message when it is none. */
static bool read_limit(const char *given, size_t *limit)
{
	char *end = NULL;
	*limit = strtoul(given, &end, 10);
	if (given[0] >= '0' && given[0] <= '9' && *end == '\0' && *limit > 0)
		return true;
	(void)fprintf(
		stderr, "smartsupport: --limit takes a whole number from 1, not \"%s\"\n", given);
	return false;
}

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"most-asked", no_argument, NULL, 'm'},
		{"limit", required_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "mn:jc:h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			arguments->most_asked = true;
			break;
		case 'n':
			if (!read_limit(optarg, &arguments->limit))
				return 3;
			break;
		case 'j':
			arguments->json = true;
			break;
		case 'c':
			arguments->config = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			return 1;
		default:
			(void)fputs(help, stderr);
			return 3;
		}
	}
	if (optind == argc)
		return 0;
	(void)fputs(help, stderr);
	return 3;
}

int command_unanswered(int argc, char **argv)
{
	struct stored stored;
	struct arguments arguments = {.limit = 20};
	int done = read_arguments(argc, argv, &arguments);
	if (done > 0)
		return done - 1;
	int code = stored_open(&stored, arguments.config) ? list(&stored, &arguments) : 1;
	stored_close(&stored);
	return code;
}
