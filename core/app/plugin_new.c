/* `smartsupport plugin new`: a folder with a plugin to begin with, from the templates in plugins/templates. */
#include "app/plugin_command.h"

#include "api/embedded.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "plugin/plugin.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name that all templates have, in their files' names as well. */
#define TEMPLATE_NAME "my_plugin"

static const char help[] =
	"Usage: smartsupport plugin new NAME --kind KIND [--folder FOLDER]\n\n"
	"Makes a folder with a plugin in C that works, its CMakeLists.txt, its test, and a README\n"
	"which tells how to build, test and run it. It needs the SDK that is installed with the\n"
	"server, and not the server's source.\n\n"
	"  -k, --kind KIND      agent, llm, storage, embedder or index\n"
	"  -f, --folder FOLDER  the folder, which must not be there; by default NAME\n"
	"  -h, --help           this text\n";

struct template
{
	enum ss_plugin_kind kind;
	const struct embedded_file *files;
	const size_t *count;
};

static const struct template templates[] = {
	{SS_AGENT, agent_template, &agent_template_count},
	{SS_LLM, llm_template, &llm_template_count},
	{SS_STORAGE, storage_template, &storage_template_count},
	{SS_EMBEDDER, embedder_template, &embedder_template_count},
	{SS_INDEX, index_template, &index_template_count},
};

/* TEXT with NAME in place of the templates' name; new. */
static char *named(const char *text, const char *name)
{
	struct buffer made = {0};
	for (const char *found; (found = strstr(text, TEMPLATE_NAME)) != NULL;
		text = found + strlen(TEMPLATE_NAME)) {
		buffer_add(&made, text, (size_t)(found - text));
		buffer_add_string(&made, name);
	}
	buffer_add_string(&made, text);
	return buffer_take(&made);
}

static char *path_of(const char *folder, const struct embedded_file *file, const char *name)
{
	char *file_name = named(file->name, name);
	char *path = memory_format("%s/%s", folder, file_name);
	free(file_name);
	return path;
}

/* Removes the first COUNT files of TEMPLATE and the folder, which were made by write_all(). */
static void remove_all(
	const struct template *template, size_t count, const char *folder, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		char *path = path_of(folder, &template->files[i], name);
		(void)unlink(path);
		free(path);
	}
	(void)rmdir(folder);
}

/* Makes FOLDER with the files of TEMPLATE for a plugin NAME; all of it or nothing. */
static int write_all(
	const struct template *template, const char *folder, const char *name, struct ss_error *err)
{
	if (mkdir(folder, 0777) < 0)
		return errno == EEXIST ? ss_fail_as(err, SS_CONFLICT,
						 "%s is there already; name another folder with "
						 "--folder",
						 folder)
				       : ss_fail(err, "cannot make the folder %s: %s", folder,
						 strerror(errno));
	for (size_t i = 0; i < *template->count; i++) {
		char *path = path_of(folder, &template->files[i], name);
		char *text = named(template->files[i].text, name);
		int written = file_write(path, text, strlen(text), err);
		free(text);
		free(path);
		if (written < 0) {
			remove_all(template, i, folder, name);
			return -1;
		}
	}
	return 0;
}

/* What a plugin cannot be called: what CMake has targets of its own for, and what would be a word of C. */
static int check_name(const char *name, struct ss_error *err)
{
	static const char *const taken[] = {"all", "auto", "break", "case", "char", "clean",
		"const", "continue", "default", "depend", "do", "double", "else", "enum", "extern",
		"float", "for", "goto", "help", "if", "inline", "install", "int", "long", "main",
		"options", "package", "register", "restrict", "return", "short", "signed", "sizeof",
		"static", "struct", "switch", "test", "typedef", "union", "unsigned", "void",
		"volatile", "while"};
	if (!plugin_name_is_good(name) || name[0] < 'a')
		return ss_fail_as(err, SS_INVALID,
			"\"%s\" is no name for a plugin: it begins with a-z, and has up to 64 of "
			"a-z, 0-9 "
			"and _",
			name);
	for (size_t i = 0; i < array_length(taken); i++) {
		if (strcmp(name, taken[i]) == 0)
			return ss_fail_as(err, SS_INVALID,
				"a plugin cannot be called \"%s\", which has a meaning in C or in "
				"CMake",
				name);
	}
	return 0;
}

/* Makes the plugin and says what was made. Returns the exit code. */
static int make(const char *name, const char *kind, const char *folder)
{
	struct ss_error err = {0};
	const struct template *template = NULL;
	for (size_t i = 0; i < array_length(templates); i++) {
		if (strcmp(plugin_kind_name(templates[i].kind), kind) == 0)
			template = &templates[i];
	}
	if (template == NULL)
		(void)ss_fail(&err,
			"there is no kind \"%s\" of plugins; it is agent, llm, storage, embedder "
			"or index",
			kind);
	else if (check_name(name, &err) == 0 && write_all(template, folder, name, &err) == 0) {
		for (size_t i = 0; i < *template->count; i++) {
			char *path = path_of(folder, &template->files[i], name);
			(void)puts(path);
			free(path);
		}
		(void)printf("\n%s/README.md tells how to build, test and run it.\n", folder);
		return 0;
	}
	(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	return 1;
}

int plugin_new(int argc, char **argv)
{
	static const struct option options[] = {
		{"kind", required_argument, NULL, 'k'},
		{"folder", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *kind = NULL, *folder = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "k:f:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'k')
			kind = optarg;
		else if (option == 'f')
			folder = optarg;
		else
			break;
	}
	if (option != -1 || optind + 1 != argc || kind == NULL) {
		(void)fputs(help, stderr);
		return 2;
	}
	return make(argv[optind], kind, folder != NULL ? folder : argv[optind]);
}
