/* `smartsupport user`: all that is stored of a user, to be handed over or to be erased. */
#include "app/command.h"
#include "app/storage_tool.h"
#include "app/stored.h"
#include "app/user_export.h"
#include "base/file.h"
#include "base/memory.h"
#include "value/value.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: smartsupport user export ID [--output FILE]\n"
	"       smartsupport user erase ID [--yes] [--json]\n\n"
	"  export  prints all that is stored of the user ID as one JSON document: the profile, "
	"conversations\n"
	"          with their messages and feedback, journals, events, requests that are done "
	"once, and\n"
	"          questions without an answer\n"
	"  erase   deletes all of it for good, but not from backups\n\n"
	"  -o, --output FILE  export into the new file FILE, which is there when it is whole\n"
	"  -y, --yes          erase without asking\n"
	"  -j, --json         print what was erased as JSON\n"
	"  -c, --config FILE  the configuration that names the store\n"
	"  -h, --help         this text\n";

struct arguments {
	const char *config, *action, *id, *output;
	bool yes, json;
};

static int fail_file(const char *path)
{
	(void)fprintf(stderr, "smartsupport: %s: cannot be written: %s\n", path, strerror(errno));
	return 1;
}

/* Closes what was written to PARTIAL, and gives it its name if CODE is 0. */
static int finish_file(FILE *out, const char *partial, const char *path, int code)
{
	struct ss_error err = {0};
	if (fclose(out) != 0 && code == 0)
		code = fail_file(path);
	if (code == 0 && file_place(partial, path, false, &err) < 0)
		return stored_fail(&err);
	if (code != 0)
		(void)unlink(partial);
	return code;
}

static int export_to_file(struct stored *stored, const struct arguments *arguments)
{
	if (access(arguments->output, F_OK) == 0) {
		errno = EEXIST;
		return fail_file(arguments->output);
	}
	char *partial = file_partial_name(arguments->output);
	/* For its owner only, as the store is. */
	int fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	int code = 1;
	if (out == NULL) {
		code = fail_file(arguments->output);
	} else {
		if (user_export(stored, arguments->id, out))
			code = fflush(out) == 0 ? 0 : fail_file(arguments->output);
		code = finish_file(out, partial, arguments->output, code);
	}
	free(partial);
	return code;
}

static int export_user(struct stored *stored, const struct arguments *arguments)
{
	if (arguments->output != NULL)
		return export_to_file(stored, arguments);
	return user_export(stored, arguments->id, stdout) ? 0 : 1;
}

/* Erasing. */

static bool confirm(const char *id)
{
	char answer[16] = "";
	(void)fprintf(stderr,
		"Everything that is stored of the user %s is deleted for good. Go on? (yes/no) ",
		id);
	if (fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0)
		return true;
	(void)fputs("\nsmartsupport: nothing was erased; answer yes, or give --yes\n", stderr);
	return false;
}

static void print_erased(const char *id, const struct ss_value *erased)
{
	(void)printf("All that was stored of the user %s is erased:", id);
	for (size_t i = 0; i < value_count(erased); i++)
		(void)printf("%s %lld %s", i > 0 ? "," : "",
			(long long)value_as_int(value_at(erased, i)), value_key_at(erased, i));
	(void)puts(".");
}

static int erase_user(struct stored *stored, const struct arguments *arguments)
{
	if (!arguments->yes && !confirm(arguments->id))
		return 1;
	struct ss_value *erased = stored_erase(stored, arguments->id);
	if (erased == NULL)
		return 1;
	if (arguments->json)
		play_print_json(erased);
	else
		print_erased(arguments->id, erased);
	value_unref(erased);
	return 0;
}

static const struct action {
	const char *name;
	int (*run)(struct stored *stored, const struct arguments *arguments);
} actions[] = {
	{"export", export_user},
	{"erase", erase_user},
};

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"yes", no_argument, NULL, 'y'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "o:yjc:h", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			arguments->output = optarg;
			break;
		case 'y':
			arguments->yes = true;
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
	if (optind == argc - 2) {
		arguments->action = argv[optind];
		arguments->id = argv[optind + 1];
		return 0;
	}
	(void)fputs(help, stderr);
	return 3;
}

static const struct action *find_action(const struct arguments *arguments)
{
	for (size_t i = 0; i < array_length(actions); i++) {
		if (strcmp(actions[i].name, arguments->action) == 0)
			return &actions[i];
	}
	(void)fputs(help, stderr);
	return NULL;
}

int command_user(int argc, char **argv)
{
	struct stored stored;
	struct arguments arguments = {0};
	int done = read_arguments(argc, argv, &arguments);
	if (done > 0)
		return done - 1;
	const struct action *action = find_action(&arguments);
	if (action == NULL)
		return 2;
	if (!storage_is_current(arguments.config))
		return 1;
	int code = stored_open(&stored, arguments.config) ? action->run(&stored, &arguments) : 1;
	stored_close(&stored);
	return code;
}
