#include "conformance/plugin.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "conformance/plugin_case.h"
#include "plugin/plugin.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SAID_LIMIT = 600,
	INSTANCES = 4,
	ROUNDS = 5,
	WINDOWS = 6,
	LEAK_BYTES = 16,
	THREAD_WAIT_MS = 2000
};

void plugin_case_fail(struct plugin_case *one, const char *what, const char *expected, char *came)
{
	if (one->what != NULL) {
		free(came);
		return;
	}
	one->what = memory_string(what);
	one->expected = memory_string(expected);
	one->came = came;
}

bool plugin_case_create(struct plugin_case *one)
{
	struct ss_error err = {0};
	one->host = ss_test_host_new(one->plugin);
	if (ss_test_create(one->host, one->trial->options, &err) < 0) {
		plugin_case_fail(one, "create() with the options that are given with --options",
			"an instance",
			memory_string(
				err.text[0] != '\0' ? err.text : "an error without a sentence"));
		return false;
	}
	return ss_test_instance(one->host) != NULL || one->plugin->kind != SS_LLM;
}

void plugin_case_destroy(struct plugin_case *one)
{
	ss_test_host_free(one->host);
	one->host = NULL;
}

/* The cases of a kind; NULL: none but those of all kinds. */
static const struct plugin_trying *cases_of(enum ss_plugin_kind kind)
{
	switch (kind) {
	case SS_AGENT:
		return plugin_agent_cases;
	case SS_LLM:
		return plugin_model_cases;
	case SS_EMBEDDER:
		return plugin_embedder_cases;
	case SS_INDEX:
		return plugin_index_cases;
	case SS_STORAGE:
		break;
	}
	return NULL;
}

void plugin_case_work(struct plugin_case *one)
{
	const struct plugin_trying *first = cases_of(one->plugin->kind);
	if (plugin_case_create(one) && first != NULL)
		first->run(one);
	plugin_case_destroy(one);
}

/* Of all kinds. */

static void load(struct plugin_case *one)
{
	struct ss_error err = {0};
	if (plugin_load(one->trial->file, &err) == NULL)
		plugin_case_fail(
			one, "the file", "a plugin for this server", memory_string(err.text));
}

static void look_at_symbols(struct plugin_case *one)
{
	char *symbols = plugin_symbols(one->trial->file);
	if (symbols != NULL && symbols[0] != '\0')
		plugin_case_fail(one, "what the file exports",
			"smartsupport_plugin alone; build it with -fvisibility=hidden",
			memory_format("also %.400s", symbols));
	free(symbols);
}

static void make_one(struct plugin_case *one)
{
	(void)plugin_case_create(one);
	plugin_case_destroy(one);
}

static void *work_on(void *context)
{
	for (size_t i = 0; i < ROUNDS; i++)
		plugin_case_work(context);
	return NULL;
}

/* How much memory more is in use after ROUNDS rounds of work; 0 when it is not more. They are done on a thread of their own,
 * with which the memory goes that malloc() keeps for a thread, and would count as used. */
static size_t grown(struct plugin_case *one)
{
	pthread_t thread;
	size_t held = mallinfo2().uordblks;
	if (pthread_create(&thread, NULL, work_on, one) != 0)
		return 0;
	(void)pthread_join(thread, NULL);
	size_t kept = mallinfo2().uordblks;
	return kept > held ? kept - held : 0;
}

/* Caches fill now and then; a leak grows every time. Where a leak checker is built in, that one finds what these figures would. */
static void look_for_leaks(struct plugin_case *one)
{
	size_t least = grown(one); /* and the caches of libraries are filled */
	for (size_t i = 0; i < WINDOWS; i++) {
		size_t more = grown(one);
		least = more < least ? more : least;
	}
	if (least >= (size_t)ROUNDS * LEAK_BYTES)
		plugin_case_fail(one, "memory after instances were made, used and destroyed",
			"as much as before",
			memory_format("%zu bytes more with each", least / ROUNDS));
}

static size_t count_threads(void)
{
	size_t count = 0;
	DIR *tasks = opendir("/proc/self/task");
	for (const struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;)
		count += entry->d_name[0] != '.';
	if (tasks != NULL)
		(void)closedir(tasks);
	return count;
}

/* A library may keep threads for all instances; more with each instance are the plugin's. */
static void look_for_threads(struct plugin_case *one)
{
	plugin_case_work(one);
	size_t first = count_threads();
	for (size_t i = 0; i < INSTANCES; i++)
		plugin_case_work(one);
	for (int waited = 0; count_threads() > first && waited < THREAD_WAIT_MS; waited++)
		(void)usleep(1000);
	size_t last = count_threads();
	if (last > first)
		plugin_case_fail(one, "threads after instances were destroyed", "as many as before",
			memory_format("%zu more after %d instances", last - first, INSTANCES));
}

static const struct plugin_trying loading = {"file",
	"it is a plugin for this server: its ABI, descriptor, tables and symbols", load, true};

/* What is tried before the cases of the kind, and after them. */
static const struct plugin_trying before[] = {
	{"file", "it exports its descriptor and nothing else", look_at_symbols, true},
	{"instance", "it is made of its options and destroyed", make_one, true},
	{NULL, NULL, NULL, false},
};
static const struct plugin_trying after[] = {
	{"instance", "it leaves nothing in memory", look_for_leaks, true},
	{"instance", "it leaves no threads", look_for_threads, true},
	{NULL, NULL, NULL, false},
};

/* Processes. */

static void limit(const struct plugin_trial *trial)
{
	(void)alarm(trial->timeout_s);
	const struct rlimit no_core = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &no_core);
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit memory = {
		(rlim_t)trial->memory_mib << 20, (rlim_t)trial->memory_mib << 20};
	(void)setrlimit(RLIMIT_AS, &memory);
#endif
}

/* Runs the case here, and writes its mistake to FD: three texts, each with a NUL behind it. */
static void run_here(const struct plugin_trying *trying, struct plugin_case *one, int fd)
{
	if (trying->alone || plugin_case_create(one))
		trying->run(one);
	plugin_case_destroy(one);
	if (one->what == NULL)
		return;
	(void)dprintf(fd, "%s%c%s%c%s%c", one->what, 0, one->expected, 0, one->came, 0);
	free(one->what);
	free(one->expected);
	free(one->came);
}

/* What is in the file FD, new, at most LIMIT bytes of it and the last ones. */
static char *read_back(int fd, size_t limit, size_t *length)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > (off_t)limit ? end - (off_t)limit : 0;
	char *text = memory_new((size_t)(end - from) + 1);
	ssize_t got = pread(fd, text, (size_t)(end - from), from);
	*length = got > 0 ? (size_t)got : 0;
	return text;
}

/* Tells what the process came to, which ended with STATUS, wrote its mistake to NOTE and messages to SAID. */
static bool tell(const struct plugin_trying *trying, const struct plugin_trial *trial, int status,
	int note, int said, conformance_told *told, void *context)
{
	size_t length = 0, said_length = 0;
	char *mistake = read_back(note, 65536, &length);
	char *words = read_back(said, SAID_LIMIT, &said_length);
	char *came = NULL;
	struct conformance_outcome outcome = {
		trying->area, trying->sentence, false, NULL, NULL, NULL};
	while (said_length > 0 && words[said_length - 1] == '\n')
		words[--said_length] = '\0';
	const char *more = said_length > 0 ? words : "it said nothing";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		came = memory_format("none after %u s", trial->timeout_s);
	else if (WIFSIGNALED(status))
		came = memory_format(
			"signal %d, %s: %s", WTERMSIG(status), strsignal(WTERMSIG(status)), more);
	else if (WEXITSTATUS(status) != 0)
		came = memory_format("the exit code %d: %s", WEXITSTATUS(status), more);
	if (came != NULL) {
		outcome.what = "the process that the plugin runs in";
		outcome.expected = "an end in good order";
		outcome.came = came;
	} else if (length > 0) {
		outcome.what = mistake;
		outcome.expected = mistake + strlen(mistake) + 1;
		outcome.came = outcome.expected + strlen(outcome.expected) + 1;
	} else {
		outcome.ok = true;
	}
	told(context, &outcome);
	free(came);
	free(mistake);
	free(words);
	return outcome.ok;
}

/* Runs a case in a process of its own; whether it was well. */
static bool run_one(const struct plugin_trying *trying, const struct plugin_trial *trial,
	const struct ss_plugin *plugin, conformance_told *told, void *context)
{
	int status = 0;
	int note = memfd_create("mistake", MFD_CLOEXEC), said = memfd_create("said", MFD_CLOEXEC);
	pid_t child = note >= 0 && said >= 0 ? fork() : -1;
	if (child == 0) {
		struct plugin_case one = {.trial = trial, .plugin = plugin};
		(void)dup2(said, STDERR_FILENO);
		(void)dup2(said, STDOUT_FILENO);
		limit(trial);
		run_here(trying, &one, note);
		/* Where there is a leak checker, it looks now. */
		exit(EXIT_SUCCESS);
	}
	bool ok = false;
	if (child > 0) {
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		ok = tell(trying, trial, status, note, said, told, context);
	} else {
		const struct conformance_outcome outcome = {trying->area, trying->sentence, false,
			"a process for the case", "one", strerror(errno)};
		told(context, &outcome);
	}
	if (note >= 0)
		(void)close(note);
	if (said >= 0)
		(void)close(said);
	return ok;
}

static bool run_all(const struct plugin_trying *rows, const struct plugin_trial *trial,
	const struct ss_plugin *plugin, conformance_told *told, void *context)
{
	for (const struct plugin_trying *row = rows; row != NULL && row->run != NULL; row++) {
		bool wanted = trial->only == NULL || strstr(row->sentence, trial->only) != NULL;
		bool needed =
			row->run == make_one; /* without an instance nothing else can be tried */
		if ((wanted || needed) && !run_one(row, trial, plugin, told, context) && needed)
			return false;
	}
	return true;
}

const struct ss_plugin *conformance_plugin(
	const struct plugin_trial *trial, conformance_told *told, void *context)
{
	struct ss_error err = {0};
	/* Loading runs code of the plugin, so that is tried elsewhere first. */
	if (!run_one(&loading, trial, NULL, told, context))
		return NULL;
	const struct ss_plugin *plugin = plugin_load(trial->file, &err);
	if (plugin != NULL && run_all(before, trial, plugin, told, context)) {
		(void)run_all(cases_of(plugin->kind), trial, plugin, told, context);
		(void)run_all(after, trial, plugin, told, context);
	}
	return plugin;
}
