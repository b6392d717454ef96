#include "config/environment.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ENVIRONMENT_LIMIT = 64 * 1024 };

/* Where the names of the variables from the file are noted, with a blank before and behind each: beside
 * the variables themselves, and for as long as they. */
static const char noted[] = "SMARTSUPPORT_ENV_FILE_NAMES";

extern char **environ;

bool environment_names_key(const char *name, size_t length)
{
	static const char suffix[] = "_API_KEY";
	static const char *const others[] = {"SECRET_KEY", "SECRET_KEY_PREVIOUS"};
	for (size_t i = 0; i < array_length(others); i++) {
		if (strlen(others[i]) == length && memcmp(name, others[i], length) == 0)
			return true;
	}
	return length >= sizeof suffix &&
	       memcmp(name + length - (sizeof suffix - 1), suffix, sizeof suffix - 1) == 0;
}

void environment_wipe_keys(void)
{
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		char *equals = strchr(*variable, '=');
		if (equals != NULL &&
			environment_names_key(*variable, (size_t)(equals - *variable)))
			explicit_bzero(equals + 1, strlen(equals + 1));
	}
}

static void set_variable(const char *name, const char *value)
{
	if (getenv(name) != NULL)
		return;
	const char *before = getenv(noted);
	char *names = memory_format("%s%s ", before != NULL ? before : " ", name);
	(void)setenv(noted, names, 1);
	(void)setenv(name, value, 1);
	free(names);
}

bool environment_from_file(const char *name)
{
	const char *names = getenv(noted);
	char *wanted = memory_format(" %s ", name);
	bool found = names != NULL && strstr(names, wanted) != NULL;
	free(wanted);
	return found;
}

/* VALUE without the quotes around it. */
static char *unquote(char *value)
{
	size_t length = strlen(value);
	if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
		value[length - 1] = '\0';
		return value + 1;
	}
	return value;
}

static void read_line(const char *file, size_t number, char *line, struct diagnostics *diagnostics)
{
	size_t end = strlen(line);
	while (end > 0 && strchr(" \t\r", line[end - 1]) != NULL)
		line[--end] = '\0';
	line += strspn(line, " \t");
	if (line[0] == '\0' || line[0] == '#')
		return;
	char *equals = strchr(line, '=');
	size_t name =
		strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	if (equals == NULL || name == 0 || line + name != equals) {
		diagnostics_add(diagnostics, file, number, 1, "expected NAME=VALUE");
		return;
	}
	*equals = '\0';
	set_variable(line, unquote(equals + 1));
}

void environment_load(const char *file, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	char *text = NULL;
	size_t length = 0;
	(void)unsetenv(noted);
	if (file_read(file, ENVIRONMENT_LIMIT, &text, &length, &err) < 0) {
		if (err.status != SS_NOT_FOUND)
			diagnostics_add_error(diagnostics, file, &err);
		return;
	}
	char *line = text;
	for (size_t number = 1; line <= text + length; number++) {
		char *end = memchr(line, '\n', (size_t)(text + length - line));
		if (end == NULL)
			end = text + length;
		*end = '\0';
		if (line + strlen(line) != end)
			diagnostics_add(diagnostics, file, number, 1, "has a NUL character in it");
		else
			read_line(file, number, line, diagnostics);
		line = end + 1;
	}
	free(text);
}
