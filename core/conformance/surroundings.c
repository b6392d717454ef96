#include "conformance/surroundings.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 64 }; /* descriptors that are looked at */

static char *tell_folder(void)
{
	char path[PATH_MAX];
	return memory_string(getcwd(path, sizeof path) != NULL ? path : "none");
}

static char *tell_umask(void)
{
	mode_t mask = umask(0);
	(void)umask(mask);
	return memory_format("%03o", (unsigned)mask);
}

static char *tell_locale(void)
{
	const char *name = setlocale(LC_ALL, NULL);
	return memory_string(name != NULL ? name : "none");
}

static char *tell_limits(void)
{
	static const struct {
		const char *name;
		__rlimit_resource_t resource;
	} limits[] = {
		{"open files", RLIMIT_NOFILE},
		{"memory", RLIMIT_AS},
		{"core dumps", RLIMIT_CORE},
		{"processor time", RLIMIT_CPU},
		{"file size", RLIMIT_FSIZE},
		{"stack", RLIMIT_STACK},
	};
	struct buffer text = {0};
	for (size_t i = 0; i < array_length(limits); i++) {
		struct rlimit limit = {0};
		(void)getrlimit(limits[i].resource, &limit);
		buffer_add_format(&text, "%s%s ", i > 0 ? ", " : "", limits[i].name);
		if (limit.rlim_cur == RLIM_INFINITY)
			buffer_add_string(&text, "unlimited");
		else
			buffer_add_format(&text, "%llu", (unsigned long long)limit.rlim_cur);
	}
	return buffer_take(&text);
}

/* Of the signals that the server or its libraries count on. */
static char *tell_signals(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGPIPE, SIGALRM, SIGSEGV,
		SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct buffer text = {0};
	for (size_t i = 0; i < array_length(signals); i++) {
		struct sigaction action;
		const char *how = "has a handler";
		(void)sigaction(signals[i], NULL, &action);
		if (action.sa_handler == SIG_DFL)
			how = "as usual";
		else if (action.sa_handler == SIG_IGN)
			how = "is ignored";
		buffer_add_format(
			&text, "%sSIG%s %s", i > 0 ? ", " : "", sigabbrev_np(signals[i]), how);
	}
	return buffer_take(&text);
}

static const struct {
	const char *name;
	char *(*tell)(void);
} parts[] = {
	{"the working folder of the process", tell_folder},
	{"the umask of the process", tell_umask},
	{"the locale of the process", tell_locale},
	{"the limits of the process", tell_limits},
	{"what the process does on signals", tell_signals},
};

enum { PARTS = array_length(parts) };

struct surroundings {
	char *texts[PARTS];
	struct stat files[FILES];
	bool open[FILES];
};

static bool is_open(int fd, struct stat *file)
{
	return fstat(fd, file) == 0;
}

struct surroundings *surroundings_new(void)
{
	struct surroundings *surroundings = memory_make(struct surroundings);
	for (size_t i = 0; i < PARTS; i++)
		surroundings->texts[i] = parts[i].tell();
	for (int fd = 0; fd < FILES; fd++)
		surroundings->open[fd] = is_open(fd, &surroundings->files[fd]);
	return surroundings;
}

void surroundings_free(struct surroundings *surroundings)
{
	for (size_t i = 0; i < PARTS; i++)
		free(surroundings->texts[i]);
	free(surroundings);
}

/* The first descriptor that was open and is closed or of another file; -1: none. */
static int lost_file(const struct surroundings *before)
{
	for (int fd = 0; fd < FILES; fd++) {
		struct stat now;
		const struct stat *then = &before->files[fd];
		if (before->open[fd] && (!is_open(fd, &now) || now.st_dev != then->st_dev ||
						now.st_ino != then->st_ino))
			return fd;
	}
	return -1;
}

const char *surroundings_changed(const struct surroundings *before, char **was, char **is)
{
	int fd = lost_file(before);
	if (fd >= 0) {
		*was = memory_format("descriptor %d open", fd);
		*is = memory_string("closed, and perhaps another file's by now");
		return "files of others";
	}
	for (size_t i = 0; i < PARTS; i++) {
		char *now = parts[i].tell();
		if (strcmp(now, before->texts[i]) != 0) {
			*was = memory_string(before->texts[i]);
			*is = now;
			return parts[i].name;
		}
		free(now);
	}
	return NULL;
}
