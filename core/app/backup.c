/* `smartsupport backup`: a copy of all that is stored, while servers go on. */
#include "app/command.h"
#include "app/storage_tool.h"
#include "app/stored.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: smartsupport backup [--force] [--json] FILE\n\n"
	"Writes all that is stored to the new file FILE, as it is at one moment, while servers go "
	"on. FILE is\n"
	"there when it is whole, checked and on the disk. To restore it see docs/storage.md.\n\n"
	"  -f, --force        FILE may be there already, and is replaced\n"
	"  -j, --json         print {file, bytes} as JSON\n"
	"  -c, --config FILE  the configuration that names the store\n"
	"  -h, --help         this text\n";

struct arguments {
	const char *config, *file;
	bool force, json;
};

/* PostgreSQL has its own tool. */

static void add_quoted(struct buffer *line, const char *text)
{
	buffer_add_string(line, "'");
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buffer_add_string(line, "'\\'");
		buffer_add_char(line, *text);
	}
	buffer_add_string(line, "'");
}

/* Adds the parameters of QUERY, which begins behind the question mark, but those that hold a password. */
static void add_parameters(struct buffer *url, const char *query)
{
	const char *before = "?";
	while (*query != '\0') {
		size_t length = strcspn(query, "&");
		bool secret = strncmp(query, "password=", 9) == 0 ||
			      strncmp(query, "sslpassword=", 12) == 0;
		if (!secret && length > 0) {
			buffer_add_format(url, "%s%.*s", before, (int)length, query);
			before = "&";
		}
		query += length + (query[length] == '&');
	}
}

/* URL without its passwords; new. */
static char *without_password(const char *url)
{
	struct buffer plain = {0};
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	size_t authority = strcspn(host, "/?");
	const char *at = memrchr(host, '@', authority);
	size_t user = at != NULL ? (size_t)(at - host) : 0;
	const char *colon = memchr(host, ':', user);
	const char *query = strchr(host, '?');
	size_t name = colon != NULL ? (size_t)(colon - host) : user;
	buffer_add_format(&plain, "%.*s%.*s", (int)(host - url), url, (int)name, host);
	host += user;
	buffer_add_format(&plain, "%.*s", (int)strcspn(host, "?"), host);
	if (query != NULL)
		add_parameters(&plain, query + 1);
	return buffer_take(&plain);
}

/* The storage makes no backups itself: tells what does. Returns 1, as there is none. */
static int tell_how(struct runtime *runtime, const struct arguments *arguments)
{
	const char *url = runtime_storage_text(runtime, "url");
	if (url == NULL) {
		(void)fputs("smartsupport: this storage makes no backups; use the tools of where "
			    "it keeps things\n",
			stderr);
		return 1;
	}
	struct buffer line = {0};
	char *plain = without_password(url);
	buffer_add_string(&line, "pg_dump --format=custom --file=");
	add_quoted(&line, arguments->file);
	buffer_add_string(&line, " --dbname=");
	add_quoted(&line, plain);
	(void)fprintf(stderr,
		"smartsupport: PostgreSQL is backed up by its own tool, while servers go on; with "
		"the password\nin PGPASSWORD or ~/.pgpass, if it needs one, run\n\n  %s\n\n",
		buffer_text(&line));
	free(plain);
	buffer_free(&line);
	return 1;
}

/* Whether FILE is the store itself, which a backup must not replace. */
static bool is_store(struct runtime *runtime, const char *file)
{
	struct stat store, backup;
	const char *path = runtime_storage_text(runtime, "path");
	if (path == NULL || stat(path, &store) < 0 || stat(file, &backup) < 0)
		return false;
	if (store.st_dev != backup.st_dev || store.st_ino != backup.st_ino)
		return false;
	(void)fprintf(stderr, "smartsupport: %s: is the store itself; name another file\n", file);
	return true;
}

/* Whether the storage makes backups, and may make one there. When not, it was told. */
static bool can_make(const struct arguments *arguments)
{
	struct storage_tool tool;
	bool can = storage_tool_open(&tool, arguments->config);
	if (can && runtime_storage(tool.runtime)->backup == NULL)
		can = tell_how(tool.runtime, arguments) == 0;
	else if (can)
		can = !is_store(tool.runtime, arguments->file);
	storage_tool_close(&tool);
	return can;
}

static int call_backup(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	const char *const *path = context;
	return storage->backup(instance, *path, err);
}

/* Makes the backup, beside the file that it is to replace if it may. */
static bool make(struct stored *stored, const struct arguments *arguments)
{
	struct ss_error err = {0};
	const char *file = arguments->file;
	char *partial = arguments->force ? file_partial_name(file) : NULL;
	const char *path = partial != NULL ? partial : file;
	bool made = stored_run(stored, call_backup, &path, NULL);
	if (made && partial != NULL && file_place(partial, file, true, &err) < 0)
		made = stored_fail(&err) == 0;
	free(partial);
	return made;
}

static void report(const struct arguments *arguments)
{
	struct stat status = {0};
	(void)stat(arguments->file, &status);
	if (!arguments->json) {
		(void)printf("%s has all that is stored, %lld bytes.\n", arguments->file,
			(long long)status.st_size);
		return;
	}
	struct ss_value *all = value_map_make(
		{"file", value_text(arguments->file)}, {"bytes", value_int(status.st_size)});
	play_print_json(all);
	value_unref(all);
}

static int back_up(const struct arguments *arguments)
{
	struct stored stored;
	if (!can_make(arguments) || !storage_is_current(arguments->config))
		return 1;
	int code = 1;
	if (stored_open(&stored, arguments->config) && make(&stored, arguments))
		code = 0;
	stored_close(&stored);
	if (code == 0)
		report(arguments);
	return code;
}

int command_backup(int argc, char **argv)
{
	static const struct option options[] = {
		{"force", no_argument, NULL, 'f'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arguments arguments = {0};
	int option;
	while ((option = getopt_long(argc, argv, "fjc:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'f')
			arguments.force = true;
		else if (option == 'j')
			arguments.json = true;
		else if (option == 'c')
			arguments.config = optarg;
		else
			break;
	}
	if (option != -1 || optind != argc - 1 || argv[optind][0] == '\0') {
		(void)fputs(help, stderr);
		return 2;
	}
	arguments.file = argv[optind];
	return back_up(&arguments);
}
