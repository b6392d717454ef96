#include "conformance/plugin.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "conformance/plugin_case.h"
#include "conformance/process.h"
#include "conformance/surroundings.h"
#include "plugin/plugin.h"
#include "value/value.h"

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

void plugin_case_forget(struct plugin_case *one)
{
	free(one->what);
	free(one->expected);
	free(one->came);
	one->what = one->expected = one->came = NULL;
}

const struct ss_value *plugin_case_values(const struct plugin_case *one, const char *field)
{
	return value_get(one->trial->values, field);
}

struct ss_test_host *plugin_case_host(const struct plugin_case *one)
{
	struct ss_test_host *host = ss_test_host_new(one->plugin);
	for (size_t i = 0; i < value_count(one->trial->values); i++) {
		struct buffer words = {0};
		const struct ss_value *list = value_at(one->trial->values, i);
		for (size_t at = 0; at < value_count(list); at++)
			buffer_add_format(&words, "%s ", value_as_string(value_at(list, at), NULL));
		ss_test_values(host, value_key_at(one->trial->values, i), buffer_text(&words));
		buffer_free(&words);
	}
	return host;
}

bool plugin_case_create(struct plugin_case *one)
{
	struct ss_error err = {0};
	one->host = plugin_case_host(one);
	if (ss_test_create(one->host, one->trial->options, &err) < 0) {
		plugin_case_fail(one, "create() with the options that are given with --options",
			"an instance",
			memory_string(
				err.text[0] != '\0' ? err.text : "an error without a sentence"));
		return false;
	}
	if (ss_test_instance(one->host) != NULL || one->plugin->kind != SS_LLM)
		return true;
	plugin_case_fail(one, "create() with the options that are given with --options",
		"an instance to be tried",
		memory_string("none: by these options and the environment the model is left out"));
	return false;
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
	if (plugin_case_create(one)) {
		if (one->plugin->kind == SS_STORAGE)
			plugin_storage_work(one);
		else
			first->run(one);
	}
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
	const size_t leak = (size_t)ROUNDS * LEAK_BYTES;
	size_t least = grown(one); /* and the caches of libraries are filled */
	for (size_t i = 0; i < WINDOWS && least >= leak; i++) {
		size_t more = grown(one);
		least = more < least ? more : least;
	}
	if (least >= leak)
		plugin_case_fail(one, "memory after instances were made, used and destroyed",
			"as much as before",
			memory_format("%zu bytes more with each", least / ROUNDS));
}

static size_t count_entries(const char *folder)
{
	size_t count = 0;
	DIR *entries = opendir(folder);
	for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
		count += entry->d_name[0] != '.';
	if (entries != NULL)
		(void)closedir(entries);
	return count;
}

static size_t count_threads(void)
{
	return count_entries("/proc/self/task");
}

/* A library may keep some open for all instances, as above. */
static void look_for_files(struct plugin_case *one)
{
	plugin_case_work(one);
	size_t first = count_entries("/proc/self/fd");
	for (size_t i = 0; i < INSTANCES; i++)
		plugin_case_work(one);
	size_t last = count_entries("/proc/self/fd");
	if (last > first)
		plugin_case_fail(one, "open files and connections after instances were destroyed",
			"as many as before",
			memory_format("%zu more after %d instances", last - first, INSTANCES));
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

/* What it is to leave as it was, for the server and the other plugins. */
static void look_around(struct plugin_case *one)
{
	char *was = NULL, *is = NULL;
	struct surroundings *before = surroundings_new();
	plugin_case_work(one);
	const char *changed = surroundings_changed(before, &was, &is);
	if (changed != NULL)
		plugin_case_fail(one, changed, was, is);
	free(was);
	surroundings_free(before);
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
	{"instance", "it leaves no files open", look_for_files, true},
	{"instance", "it leaves the process as it was", look_around, true},
	{NULL, NULL, NULL, false},
};

/* Processes. */

static void limit(const struct plugin_trial *trial)
{
	const struct rlimit no_core = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &no_core);
#ifdef __SANITIZE_ADDRESS__
	(void)trial;
#else
	const struct rlimit memory = {
		(rlim_t)trial->memory_mib << 20, (rlim_t)trial->memory_mib << 20};
	(void)setrlimit(RLIMIT_AS, &memory);
#endif
}

/* Runs the case here, and writes its mistake to FD, if there is one: three texts, each with a NUL behind it. At the end comes a
 * byte that tells that it was the end, and not an exit() of the plugin's. */
static void run_here(const struct plugin_trying *trying, struct plugin_case *one, int fd)
{
	if (trying->alone || plugin_case_create(one))
		trying->run(one);
	plugin_case_destroy(one);
	if (one->what != NULL)
		(void)dprintf(fd, "%s%c%s%c%s%c", one->what, 0, one->expected, 0, one->came, 0);
	(void)dprintf(fd, ".");
	plugin_case_forget(one);
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

/* What there is of a process that has ended. */
struct ending {
	struct process_end end;
	int note, said; /* files with its mistake and its messages */
};

/* What was not in good order about the end of a process, new; NULL: nothing. It had WORDS to say, and ENDED when it came to the end
 * of its case. */
static char *disorder(const struct ending *ending, const struct plugin_trial *trial,
	const char *words, bool ended)
{
	char memory[120] = "";
	const char *more = words[0] != '\0' ? words : "it said nothing";
	const struct process_end *end = &ending->end;
	if (end->memory_mib >= trial->memory_mib / 4 * 3)
		(void)snprintf(memory, sizeof memory,
			"; it had %zu MiB of memory, of %zu that --memory allows", end->memory_mib,
			trial->memory_mib);
	if (end->late)
		return memory_format("none after %u s%s", trial->timeout_s, memory);
	if (WIFSIGNALED(end->status))
		return memory_format("signal %d, %s: %s%s", WTERMSIG(end->status),
			strsignal(WTERMSIG(end->status)), more, memory);
	if (WEXITSTATUS(end->status) != 0)
		return memory_format(
			"the exit code %d: %s%s", WEXITSTATUS(end->status), more, memory);
	if (!ended)
		return memory_string("the plugin ended the process, as exit() does");
	return end->left ? memory_string("processes that the plugin had started went on; they were "
					 "ended")
			 : NULL;
}

/* Tells what the process of a case came to. */
static bool tell(const struct plugin_trying *trying, const struct plugin_trial *trial,
	const struct ending *ending, conformance_told *told, void *context)
{
	size_t length = 0, said_length = 0;
	char *mistake = read_back(ending->note, 65536, &length);
	char *words = read_back(ending->said, SAID_LIMIT, &said_length);
	struct conformance_outcome outcome = {
		trying->area, trying->sentence, false, NULL, NULL, NULL};
	while (said_length > 0 && words[said_length - 1] == '\n')
		words[--said_length] = '\0';
	char *came = disorder(ending, trial, words, length > 0 && mistake[length - 1] == '.');
	if (came != NULL) {
		outcome.what = "the process that the plugin runs in";
		outcome.expected = "an end in good order";
		outcome.came = came;
	} else if (length > 1) {
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
	struct ending ending = {0};
	int note = memfd_create("mistake", MFD_CLOEXEC), said = memfd_create("said", MFD_CLOEXEC);
	pid_t child = note >= 0 && said >= 0 ? fork() : -1;
	if (child == 0) {
		struct plugin_case one = {.trial = trial, .plugin = plugin};
		process_lead();
		(void)dup2(said, STDERR_FILENO);
		(void)dup2(said, STDOUT_FILENO);
		limit(trial);
		run_here(trying, &one, note);
		/* Where there is a leak checker, it looks now. */
		exit(EXIT_SUCCESS);
	}
	bool ok = false;
	if (child > 0) {
		process_wait(child, trial->timeout_s, &ending.end);
		ending.note = note;
		ending.said = said;
		ok = tell(trying, trial, &ending, told, context);
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
