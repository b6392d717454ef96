#include "base/calls.h"

#include "base/calls_parts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const operations[CALL_OPERATIONS] = {
	[CALL_CREATE] = "create()",
	[CALL_OPEN] = "create()",
	[CALL_DESTROY] = "destroy()",
	[CALL_RUN] = "run()",
	[CALL_WAITED] = "what it has wait() call",
	[CALL_EMBEDDED] = "what it has embed() call",
	[CALL_FOUND] = "what it has search() call",
	[CALL_GENERATED] = "what it has generate() call",
	[CALL_HTTP] = "what a request over HTTP calls",
};

static struct calls_part *own;
_Thread_local struct call_thread *calls_here;

struct calls_part *calls_own(void)
{
	return own;
}

/* The master's. */

struct calls *calls_new(void)
{
	struct calls *calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (calls == MAP_FAILED)
		return NULL;
	return calls;
}

void calls_free(struct calls *calls)
{
	if (calls != NULL)
		(void)munmap(calls, sizeof *calls);
}

struct calls_part *calls_take(struct calls *calls, bool fresh)
{
	for (size_t i = 0; i < CALLS_PARTS; i++) {
		struct calls_part *part = &calls->parts[i];
		if (part->taken)
			continue;
		part->whole = calls;
		part->taken = true;
		part->fresh = fresh;
		part->pid = 0;
		if (i >= atomic_load(&calls->used))
			atomic_store(&calls->used, i + 1);
		return part;
	}
	return NULL;
}

void calls_give(struct calls_part *part)
{
	if (part == NULL)
		return;
	atomic_store(&part->site_count, 0);
	atomic_store(&part->plugin_count, 0);
	atomic_store(&part->hung, false);
	memset(part->threads, 0, sizeof part->threads);
	memset(&part->crash, 0, sizeof part->crash);
	part->taken = false;
}

/* The site that CALL of a thread is for; NULL for none, whatever a plugin has written there. */
static const struct call_site *site_of(const struct calls_part *part, unsigned call)
{
	unsigned number = call / CALL_OPERATIONS;
	return number > 0 && number <= atomic_load(&part->site_count) ? &part->sites[number - 1]
								      : NULL;
}

static size_t depth_of(const struct call_thread *thread)
{
	unsigned depth = atomic_load(&thread->depth);
	return depth < CALLS_DEPTH ? depth : CALLS_DEPTH;
}

/* Adds SITE to the KNOWN SITES, unless it is there. */
static size_t add(
	const struct call_site **sites, size_t known, size_t count, const struct call_site *site)
{
	for (size_t i = 0; i < known; i++) {
		if (sites[i] == site)
			return known;
	}
	if (site == NULL || known == count)
		return known;
	sites[known] = site;
	return known + 1;
}

/* Adds those that THREAD is calling. */
static size_t add_thread(const struct calls_part *part, const struct call_thread *thread,
	const struct call_site **sites, size_t known, size_t count)
{
	for (size_t i = depth_of(thread); i > 0; i--)
		known = add(sites, known, count, site_of(part, atomic_load(&thread->calls[i - 1])));
	return known;
}

/* Those whose plugin is in FILE. */
static size_t add_file(const struct calls_part *part, const char *file,
	const struct call_site **sites, size_t count)
{
	size_t known = 0;
	for (size_t i = 0; file != NULL && i < atomic_load(&part->site_count); i++) {
		if (strcmp(part->sites[i].name.file, file) == 0)
			known = add(sites, known, count, &part->sites[i]);
	}
	return known;
}

size_t calls_blamed(
	const struct calls_part *part, const struct call_site **sites, size_t count, bool *sure)
{
	const struct crash *crash = crash_of(part);
	size_t known = 0;
	*sure = true;
	if (crash != NULL && crash->place < 0)
		return add_file(part, crash_plugin(part), sites, count);
	size_t place = crash != NULL && crash->place < CALLS_THREADS ? (size_t)crash->place : 0;
	/* The loop has the first place, and it is what hangs. */
	bool said = crash != NULL || calls_hung(part);
	for (size_t i = 0; i < CALLS_THREADS; i++) {
		if (!said || i == place)
			known = add_thread(part, &part->threads[i], sites, known, count);
	}
	if (known > 0)
		return known;
	*sure = false;
	return add(sites, 0, count, site_of(part, atomic_load(&part->threads[place].calls[0])));
}

const char *calls_operation(const struct calls_part *part, const struct call_site *site)
{
	const struct crash *crash = crash_of(part);
	for (size_t i = 0; i < CALLS_THREADS; i++) {
		const struct call_thread *thread = &part->threads[i];
		if (crash != NULL && crash->place != (int)i)
			continue;
		for (size_t k = CALLS_DEPTH; k > 0; k--) {
			unsigned call = atomic_load(&thread->calls[k - 1]);
			if (site_of(part, call) == site)
				return operations[call % CALL_OPERATIONS];
		}
	}
	return "a thread of its own";
}

bool calls_making(const struct calls_part *part)
{
	const struct call_thread *loop = &part->threads[0];
	unsigned call = depth_of(loop) > 0 ? atomic_load(&loop->calls[0]) : 0;
	return call > 0 && call % CALL_OPERATIONS == CALL_CREATE;
}

static struct call_row *row_of(struct calls *calls, uint64_t key)
{
	for (size_t i = 0; i < CALLS_ROWS; i++) {
		struct call_row *row = &calls->rows[i];
		if (row->key == key && atomic_load(&row->deaths) > 0)
			return row;
	}
	return NULL;
}

/* A row that nobody has, or that of those in no quarantine which has waited longest; at last any. */
static struct call_row *free_row(struct calls *calls)
{
	struct call_row *found = NULL;
	for (size_t i = 0; i < CALLS_ROWS; i++) {
		struct call_row *row = &calls->rows[i];
		unsigned deaths = atomic_load(&row->deaths);
		if (deaths == 0)
			return row;
		if (found == NULL || deaths < atomic_load(&found->deaths) ||
			(deaths == atomic_load(&found->deaths) &&
				atomic_load(&row->since_ns) < atomic_load(&found->since_ns)))
			found = row;
	}
	return found;
}

/* Lets every worker know whether the nodes with KEY are in quarantine. */
static void set_quarantined(struct calls *calls, uint64_t key)
{
	for (size_t i = 0; i < atomic_load(&calls->used); i++) {
		struct calls_part *part = &calls->parts[i];
		for (size_t k = 0; k < atomic_load(&part->site_count); k++) {
			if (part->sites[k].key == key)
				atomic_store(&part->sites[k].quarantined, true);
		}
	}
}

unsigned calls_count(struct calls *calls, const struct call_site *site)
{
	struct call_row *row = row_of(calls, site->key);
	if (row == NULL) {
		row = free_row(calls);
		atomic_store(&row->deaths, 0);
		row->key = site->key;
		row->name = site->name;
	}
	atomic_store(&row->since_ns, clock_utc_ns());
	unsigned deaths = atomic_fetch_add(&row->deaths, 1) + 1;
	if (deaths >= CALLS_DEATHS)
		set_quarantined(calls, site->key);
	return deaths;
}

void calls_lift(struct calls *calls)
{
	for (size_t i = 0; i < CALLS_ROWS; i++)
		atomic_store(&calls->rows[i].deaths, 0);
	/* What died while the fresh ones were starting counts for those before them. */
	for (size_t i = 0; i < atomic_load(&calls->used); i++) {
		struct calls_part *part = &calls->parts[i];
		for (size_t k = 0; part->fresh && k < atomic_load(&part->site_count); k++)
			atomic_store(&part->sites[k].quarantined, false);
	}
}

size_t calls_quarantined(const struct calls *calls, struct call_suspect *suspects)
{
	size_t count = 0;
	for (size_t i = 0; calls != NULL && i < CALLS_ROWS; i++) {
		const struct call_row *row = &calls->rows[i];
		struct call_suspect *suspect = &suspects[count];
		suspect->deaths = atomic_load(&row->deaths);
		if (suspect->deaths < CALLS_DEATHS)
			continue;
		suspect->name = row->name;
		suspect->since_ns = atomic_load(&row->since_ns);
		count++;
	}
	return count;
}

unsigned calls_beats(const struct calls_part *part)
{
	return atomic_load(&part->beats);
}

void calls_set_hung(struct calls_part *part)
{
	atomic_store(&part->hung, true);
}

bool calls_hung(const struct calls_part *part)
{
	return atomic_load(&part->hung);
}

/* A worker's. */

void calls_adopt(struct calls_part *part)
{
	calls_leave();
	own = part;
	if (part == NULL)
		return;
	part->pid = getpid();
	calls_join();
}

void calls_join(void)
{
	for (size_t i = 0; own != NULL && calls_here == NULL && i < CALLS_THREADS; i++) {
		struct call_thread *thread = &own->threads[i];
		if (atomic_exchange(&thread->used, true))
			continue;
		atomic_store(&thread->id, (int)gettid());
		calls_here = thread;
	}
}

void calls_leave(void)
{
	struct call_thread *thread = calls_here;
	if (thread == NULL)
		return;
	calls_here = NULL;
	atomic_store(&thread->depth, 0);
	atomic_store(&thread->calls[0], 0);
	atomic_store(&thread->used, false);
}

static void copy(char *to, const char *text, size_t size)
{
	(void)snprintf(to, size, "%s", text);
}

/* The first bytes of a hash of TEXT. */
static uint64_t number_of(const char *text, size_t length)
{
	char hash[HASH_SIZE];
	hash_sha256(text, length, hash)[16] = '\0';
	return strtoull(hash, NULL, 16);
}

static const struct call_plugin *plugin_of(const char *file)
{
	for (size_t i = 0; i < atomic_load(&own->plugin_count); i++) {
		if (strcmp(own->plugins[i].file, file) == 0)
			return &own->plugins[i];
	}
	return NULL;
}

void calls_load(const char *file)
{
	enum { LIMIT = 1 << 30 };
	char *data = NULL;
	size_t length = 0;
	size_t count = own != NULL ? atomic_load(&own->plugin_count) : CALLS_PLUGINS;
	if (count == CALLS_PLUGINS || strlen(file) >= CALLS_PATH || plugin_of(file) != NULL)
		return;
	struct call_plugin *plugin = &own->plugins[count];
	copy(plugin->file, file, sizeof plugin->file);
	plugin->hash = 0;
	if (file_read(file, LIMIT, &data, &length, NULL) == 0)
		plugin->hash = number_of(data, length);
	free(data);
	atomic_store(&own->plugin_count, count + 1);
}

/* Whether a worker of this generation is not to call the node with KEY. */
static bool starts_quarantined(uint64_t key)
{
	const struct call_row *row = own->fresh ? NULL : row_of(own->whole, key);
	return row != NULL && atomic_load(&row->deaths) >= CALLS_DEATHS;
}

struct call_site *calls_site(const struct call_name *name, const char *version, const void *plugin)
{
	Dl_info info = {0};
	char text[sizeof(struct call_name) + HASH_SIZE + 32];
	if (own == NULL)
		return NULL;
	size_t count = atomic_load(&own->site_count);
	const char *file = dladdr(plugin, &info) != 0 ? info.dli_fname : "";
	const struct call_plugin *loaded = plugin_of(file);
	int length = snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%llx", version, name->node,
		name->kind, name->agent, loaded != NULL ? (unsigned long long)loaded->hash : 0);
	uint64_t key = number_of(text, (size_t)length);
	for (size_t i = 0; i < count; i++) {
		if (own->sites[i].key == key)
			return &own->sites[i];
	}
	if (count == CALLS_SITES)
		return NULL;
	struct call_site *site = &own->sites[count];
	site->number = (unsigned)count + 1;
	site->key = key;
	site->name = *name;
	copy(site->name.file, file, sizeof site->name.file);
	/* First it can be found, then it is looked whether it was to be. */
	atomic_store(&site->quarantined, false);
	atomic_store(&own->site_count, count + 1);
	if (starts_quarantined(key))
		atomic_store(&site->quarantined, true);
	return site;
}

const struct call_site *call_current(void)
{
	const struct call_thread *here = calls_here;
	size_t depth = here != NULL ? depth_of(here) : 0;
	return depth > 0 ? site_of(own, atomic_load(&here->calls[depth - 1])) : NULL;
}

const struct call_site *calls_last(void)
{
	const struct call_site *last =
		calls_here != NULL ? site_of(own, atomic_load(&calls_here->calls[0])) : NULL;
	return last != NULL && last->name.node[0] != '\0' ? last : NULL;
}

void calls_beat(void)
{
	if (own == NULL)
		return;
	(void)atomic_fetch_add(&own->beats, 1);
	if (calls_here != NULL && atomic_load(&calls_here->depth) == 0)
		atomic_store(&calls_here->calls[0], 0);
}

void calls_begin_making(const struct call_site *site, enum call_operation operation)
{
	calls_beat();
	calls_begin(site, operation);
}

void calls_kill_thread(int id)
{
	calls_set_hung(own);
	(void)syscall(SYS_tgkill, getpid(), id, SIGABRT);
}
