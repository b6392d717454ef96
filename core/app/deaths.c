#include "app/deaths.h"

#include "base/crash.h"
#include "base/memory.h"
#include "base/symbols.h"
#include "service/metrics.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Nodes that one death counts for, of a plugin that several have. */
enum { BLAMED = 16 };

static const char *name_of_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* Where FRAME, which is in FILE (NULL: in none), is, as in "read_price+0x12 in /usr/lib/x.so (+0x1139)". */
static void describe_frame(const struct crash_frame *frame, const char *file,
	const struct symbols *symbols, char *text, size_t size)
{
	char name[200];
	unsigned long long offset = (unsigned long long)frame->offset;
	if (file == NULL)
		(void)snprintf(text, size, "%#llx, which is of no file", offset);
	else if (symbols_name(symbols, frame->offset, name, sizeof name))
		(void)snprintf(text, size, "%s in %s (+%#llx)", name, file, offset);
	else
		(void)snprintf(text, size, "%s (+%#llx)", file, offset);
}

static void tell_frames(const struct crash *crash, const struct log *log)
{
	char text[CRASH_PATH + 300];
	struct symbols *symbols[CRASH_FILES] = {0};
	int files = crash->file_count < CRASH_FILES ? crash->file_count : CRASH_FILES;
	for (int i = 0; i < files; i++)
		symbols[i] = symbols_read(crash->files[i]);
	for (int i = 0; i < crash->frame_count && i < CRASH_FRAMES; i++) {
		const struct crash_frame *frame = &crash->frames[i];
		bool known = frame->file >= 0 && frame->file < files;
		describe_frame(frame, known ? crash->files[frame->file] : NULL,
			known ? symbols[frame->file] : NULL, text, sizeof text);
		log_error(log, "#%d %s", i, text);
	}
	for (int i = 0; i < files; i++)
		symbols_free(symbols[i]);
}

static bool is_node(const struct call_site *site)
{
	return site->name.node[0] != '\0';
}

char *deaths_place(const struct calls_part *part)
{
	bool sure = false;
	const struct call_site *site = NULL;
	if (part == NULL)
		return memory_string("");
	const char *plugin = crash_plugin(part);
	if (calls_blamed(part, &site, 1, &sure) > 0 && sure) {
		const struct call_name *name = &site->name;
		bool node = is_node(site);
		return memory_format(", in %s of the %s %s (%s)%s%s%s%s",
			calls_operation(part, site), name->kind, name->agent, name->file,
			node ? " of the node " : "", name->node, node ? " of the workflow " : "",
			name->workflow);
	}
	if (plugin != NULL)
		return memory_format(", in the plugin %s", plugin);
	return memory_string("");
}

static void tell_crash(
	const struct calls_part *part, const struct crash *crash, const struct log *log)
{
	char how[80];
	char *place = deaths_place(part);
	if (crash->signal == 0)
		(void)snprintf(how, sizeof how, "ended since exit() was called");
	else if (calls_hung(part))
		(void)snprintf(how, sizeof how, "hung, and was ended");
	else
		(void)snprintf(how, sizeof how, "crashed by signal %d (%s)", crash->signal,
			strsignal(crash->signal));
	log_error(log, "it %s on the thread %.15s%s; where it was, the innermost first:", how,
		crash->name, place);
	free(place);
	tell_frames(crash, log);
}

static void set_quarantined(struct deaths *deaths)
{
	struct call_suspect suspects[CALLS_ROWS];
	metrics_set(deaths->part, METRIC_QUARANTINED, calls_quarantined(deaths->calls, suspects));
}

static void count(struct deaths *deaths, const struct call_site *site, const struct log *log)
{
	const struct call_name *name = &site->name;
	unsigned before = calls_count(deaths->calls, site);
	if (before < CALLS_DEATHS)
		log_error(log,
			"a worker has died over the node %s of the workflow %s, by the agent %s "
			"(%s); "
			"with the next one the node is put in quarantine",
			name->node, name->workflow, name->agent, name->file);
	else if (before == CALLS_DEATHS)
		log_error(log,
			"%d workers have died over the node %s of the workflow %s, by the agent %s "
			"(%s): it is in quarantine. It is not called any more; its on_error takes "
			"its "
			"place, or the question goes to a human. Mend or remove %s, and reload "
			"with "
			"SIGHUP, which lifts the quarantine",
			CALLS_DEATHS, name->node, name->workflow, name->agent, name->file,
			name_of_file(name->file));
	set_quarantined(deaths);
}

/* Counts the death for the nodes over which it was. */
static void blame(struct deaths *deaths, const struct calls_part *part, const struct log *log)
{
	bool sure = false;
	const struct call_site *sites[BLAMED];
	size_t blamed = calls_blamed(part, sites, BLAMED, &sure);
	for (size_t i = 0; sure && i < blamed; i++) {
		if (is_node(sites[i]))
			count(deaths, sites[i], log);
	}
	if (!sure && blamed > 0 && is_node(sites[0]))
		log_warning(log,
			"no agent was being called; the one that was called last, %s (%s) of the "
			"node %s, may have done damage that showed later",
			sites[0]->name.agent, sites[0]->name.file, sites[0]->name.node);
}

static enum metric cause_of(const struct calls_part *part, int status)
{
	if (calls_hung(part))
		return METRIC_DEATHS_HANG;
	return WIFSIGNALED(status) ? METRIC_DEATHS_SIGNAL : METRIC_DEATHS_EXIT;
}

void deaths_tell(struct deaths *deaths, const struct calls_part *part, pid_t pid, int status,
	const struct log *log)
{
	char id[16];
	if (part == NULL)
		return;
	const struct crash *crash = crash_of(part);
	(void)snprintf(id, sizeof id, "%d", (int)pid);
	struct log own = log_with(log, "worker", id);
	metrics_add(deaths->part, cause_of(part, status), 1);
	if (crash != NULL)
		tell_crash(part, crash, &own);
	/* Who is killed from outside has not done it: not by the operator, and not for want of memory. */
	if (crash != NULL || calls_hung(part) || !WIFSIGNALED(status))
		blame(deaths, part, &own);
}

void deaths_show(const struct calls_part *part, pid_t pid, const struct log *log)
{
	char id[16];
	if (part == NULL || crash_of(part) == NULL)
		return;
	(void)snprintf(id, sizeof id, "%d", (int)pid);
	struct log own = log_with(log, "worker", id);
	tell_crash(part, crash_of(part), &own);
}

void deaths_lift(struct deaths *deaths)
{
	calls_lift(deaths->calls);
	set_quarantined(deaths);
}
