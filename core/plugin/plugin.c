#include "plugin/plugin.h"

#include "base/calls.h"
#include "base/memory.h"
#include "config/diagnostics.h"
#include "plugin/copy.h"
#include "value/value.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct plugins {
	char **folders;
	size_t count;
	char *copies;
	struct ss_error trouble; /* with the copies */
	struct plugin_file *loaded;
	size_t loaded_count;
};

/* What a plugin must have in its table of operations. */
struct operation {
	const char *name;
	size_t offset;
};

static const struct operation agent_operations[] = {
	{"create", offsetof(struct ss_agent_operations, create)},
	{"destroy", offsetof(struct ss_agent_operations, destroy)},
	{"run", offsetof(struct ss_agent_operations, run)},
};

static const struct operation llm_operations[] = {
	{"create", offsetof(struct ss_llm_operations, create)},
	{"destroy", offsetof(struct ss_llm_operations, destroy)},
	{"generate", offsetof(struct ss_llm_operations, generate)},
};

static const struct operation embedder_operations[] = {
	{"create", offsetof(struct ss_embedder_operations, create)},
	{"destroy", offsetof(struct ss_embedder_operations, destroy)},
	{"dimension", offsetof(struct ss_embedder_operations, dimension)},
	{"embed", offsetof(struct ss_embedder_operations, embed)},
};

static const struct operation index_operations[] = {
	{"create", offsetof(struct ss_index_operations, create)},
	{"destroy", offsetof(struct ss_index_operations, destroy)},
	{"build", offsetof(struct ss_index_operations, build)},
	{"search", offsetof(struct ss_index_operations, search)},
};

/* All but the tools, which are at its end. */
static const struct operation storage_operations[] = {
	{"create", offsetof(struct ss_storage_operations, create)},
	{"destroy", offsetof(struct ss_storage_operations, destroy)},
	{"turn_context", offsetof(struct ss_storage_operations, turn_context)},
	{"commit_turns", offsetof(struct ss_storage_operations, commit_turns)},
	{"stats", offsetof(struct ss_storage_operations, stats)},
	{"check", offsetof(struct ss_storage_operations, check)},
	{"write_journals", offsetof(struct ss_storage_operations, write_journals)},
	{"read_journal", offsetof(struct ss_storage_operations, read_journal)},
	{"list_journals", offsetof(struct ss_storage_operations, list_journals)},
	{"delete_journal", offsetof(struct ss_storage_operations, delete_journal)},
	{"store_feedback", offsetof(struct ss_storage_operations, store_feedback)},
	{"list_unanswered", offsetof(struct ss_storage_operations, list_unanswered)},
	{"article_counts", offsetof(struct ss_storage_operations, article_counts)},
	{"list_conversations", offsetof(struct ss_storage_operations, list_conversations)},
	{"read_conversation", offsetof(struct ss_storage_operations, read_conversation)},
	{"list_messages", offsetof(struct ss_storage_operations, list_messages)},
	{"change_conversation", offsetof(struct ss_storage_operations, change_conversation)},
	{"delete_conversation", offsetof(struct ss_storage_operations, delete_conversation)},
	{"list_users", offsetof(struct ss_storage_operations, list_users)},
	{"read_user", offsetof(struct ss_storage_operations, read_user)},
	{"store_user", offsetof(struct ss_storage_operations, store_user)},
	{"erase_user", offsetof(struct ss_storage_operations, erase_user)},
	{"read_analytics", offsetof(struct ss_storage_operations, read_analytics)},
	{"store_documents", offsetof(struct ss_storage_operations, store_documents)},
	{"read_documents", offsetof(struct ss_storage_operations, read_documents)},
	{"list_events", offsetof(struct ss_storage_operations, list_events)},
	{"claim_deliveries", offsetof(struct ss_storage_operations, claim_deliveries)},
	{"finish_deliveries", offsetof(struct ss_storage_operations, finish_deliveries)},
	{"list_deliveries", offsetof(struct ss_storage_operations, list_deliveries)},
	{"redeliver", offsetof(struct ss_storage_operations, redeliver)},
	{"delivery_counts", offsetof(struct ss_storage_operations, delivery_counts)},
	{"claim_request", offsetof(struct ss_storage_operations, claim_request)},
	{"finish_request", offsetof(struct ss_storage_operations, finish_request)},
	{"list_requests", offsetof(struct ss_storage_operations, list_requests)},
	{"purge", offsetof(struct ss_storage_operations, purge)},
	{"watch", offsetof(struct ss_storage_operations, watch)},
	{"interrupt_watch", offsetof(struct ss_storage_operations, interrupt_watch)},
};
_Static_assert(array_length(storage_operations) ==
		       offsetof(struct ss_storage_operations, migrate) / sizeof(void (*)(void)),
	"an operation has no row");

#define OPERATIONS(KIND)                                                                           \
	offsetof(struct ss_plugin, KIND), KIND##_operations, array_length(KIND##_operations)

static const struct {
	const char *folder;
	const char *name;
	size_t offset; /* of the table in the descriptor */
	const struct operation *operations;
	size_t operation_count;
} kinds[] = {
	[SS_AGENT] = {"agents", "agent", OPERATIONS(agent)},
	[SS_LLM] = {"llm", "llm", OPERATIONS(llm)},
	[SS_STORAGE] = {"storage", "storage", OPERATIONS(storage)},
	[SS_EMBEDDER] = {"embedder", "embedder", OPERATIONS(embedder)},
	[SS_INDEX] = {"index", "index", OPERATIONS(index)},
};

const char *plugin_kind_folder(enum ss_plugin_kind kind)
{
	return kinds[kind].folder;
}

const char *plugin_kind_name(enum ss_plugin_kind kind)
{
	return kinds[kind].name;
}

struct plugins *plugins_new(const char *const *folders, size_t count, const char *copies)
{
	struct plugins *plugins = memory_make(struct plugins);
	plugins->folders = memory_array(count, sizeof(char *));
	plugins->count = count;
	for (size_t i = 0; i < count; i++)
		plugins->folders[i] = memory_string(folders[i]);
	plugins->copies = copies != NULL ? memory_string(copies) : NULL;
	return plugins;
}

void plugins_free(struct plugins *plugins)
{
	if (plugins == NULL)
		return;
	for (size_t i = 0; i < plugins->count; i++)
		free(plugins->folders[i]);
	for (size_t i = 0; i < plugins->loaded_count; i++)
		free(plugins->loaded[i].path);
	free(plugins->loaded);
	free(plugins->copies);
	free(plugins->folders);
	free(plugins);
}

bool plugin_name_is_good(const char *name)
{
	return name != NULL && name[0] != '\0' && strlen(name) <= 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static int check_options(const char *path, const struct ss_option *rows, struct ss_error *err)
{
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++) {
		if (i >= PLUGIN_ROWS_LIMIT)
			return ss_fail(err,
				"%s: its options table has more than %d rows or no row with name "
				"NULL",
				path, PLUGIN_ROWS_LIMIT);
		if (!plugin_name_is_good(rows[i].name))
			return ss_fail(err,
				"%s: an option is named \"%.64s\"; names have a-z, 0-9 and _ only",
				path, rows[i].name);
		for (size_t other = 0; other < i; other++) {
			if (strcmp(rows[other].name, rows[i].name) == 0)
				return ss_fail(err, "%s: the option %s is there twice", path,
					rows[i].name);
		}
		if (rows[i].type < SS_OPTION_BOOL || rows[i].type > SS_OPTION_SECRETS)
			return ss_fail(err, "%s: the option %s has the unknown type %d", path,
				rows[i].name, (int)rows[i].type);
		if (rows[i].help == NULL || rows[i].min > rows[i].max ||
			(rows[i].type == SS_OPTION_CHOICE && rows[i].choices == NULL))
			return ss_fail(err,
				"%s: the option %s lacks its help or choices, or has min above max",
				path, rows[i].name);
	}
	return 0;
}

static int check_fields(const char *path, const struct ss_field *rows, struct ss_error *err)
{
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++) {
		if (i >= PLUGIN_ROWS_LIMIT)
			return ss_fail(err,
				"%s: its fields table has more than %d rows or no row with name "
				"NULL",
				path, PLUGIN_ROWS_LIMIT);
		if (!plugin_name_is_good(rows[i].name) || rows[i].type < SS_NULL ||
			rows[i].type > SS_MAP || (rows[i].access & (SS_READS | SS_WRITES)) == 0)
			return ss_fail(err,
				"%s: the field \"%.64s\" has a bad name, a bad type or no access",
				path, rows[i].name);
		for (size_t other = 0; other < i; other++) {
			if (strcmp(rows[other].name, rows[i].name) == 0)
				return ss_fail(
					err, "%s: the field %s is there twice", path, rows[i].name);
		}
	}
	return 0;
}

static int check_operations(const char *path, const struct ss_plugin *plugin, struct ss_error *err)
{
	const char *kind = kinds[plugin->kind].name;
	const char *table;
	memcpy(&table, (const char *)plugin + kinds[plugin->kind].offset, sizeof table);
	if (table == NULL)
		return ss_fail(err, "%s: its descriptor has no operations of a plugin of kind %s",
			path, kind);
	for (size_t i = 0; i < kinds[plugin->kind].operation_count; i++) {
		const struct operation *operation = &kinds[plugin->kind].operations[i];
		void (*function)(void);
		memcpy(&function, table + operation->offset, sizeof function);
		if (function == NULL)
			return ss_fail(err, "%s: lacks the operation %s, which every %s has", path,
				operation->name, kind);
	}
	return 0;
}

/* The bytes of a descriptor of the minor version MINOR. */
static size_t descriptor_size(unsigned minor)
{
	const size_t first = offsetof(struct ss_plugin, running);
	/* Not of all that the descriptor has: what a later version adds, one of now has not. */
	return minor < 1 ? first : first + sizeof(unsigned);
}

unsigned plugin_running(const struct ss_plugin *plugin)
{
	return SS_HAS(plugin, running) ? plugin->running : 0;
}

bool plugin_index_saves(const struct ss_plugin *plugin)
{
	/* Before 1.2 its table of operations ended with search(). */
	return plugin->abi_minor >= 2 && plugin->index->save != NULL && plugin->index->load != NULL;
}

bool plugin_llm_stops(const struct ss_plugin *plugin)
{
	/* Before 1.3 its table of operations ended with generate(). */
	return plugin->abi_minor >= 3 && plugin->llm->cancel != NULL;
}

bool plugin_llm_is_left_out(const struct ss_plugin *plugin, const void *instance)
{
	/* An older one may just have nothing to keep. */
	return plugin->abi_minor >= 3 && instance == NULL;
}

const char *plugin_llm_name(const struct ss_plugin *plugin, const void *instance)
{
	bool names = plugin->abi_minor >= 3 && plugin->llm->name != NULL;
	return names ? plugin->llm->name(instance) : plugin->name;
}

static int check_running(const char *path, const struct ss_plugin *plugin, struct ss_error *err)
{
	unsigned running = plugin_running(plugin);
	if (plugin->kind != SS_AGENT)
		return 0;
	if ((running & ~(unsigned)(SS_BLOCKS | SS_CONCURRENTLY)) != 0 || running == SS_CONCURRENTLY)
		return ss_fail(err,
			"%s: its descriptor has the running %#x, which means nothing; it is "
			"SS_BLOCKS, alone or "
			"with SS_CONCURRENTLY, or 0",
			path, running);
	if ((running & SS_BLOCKS) != 0 && plugin->services != 0)
		return ss_fail(err,
			"%s: an agent that blocks (SS_BLOCKS) cannot use services, which call back "
			"on the "
			"loop; leave out one of them",
			path);
	return 0;
}

/* The version comes first: nothing behind it means anything when it does not fit. */
static int check(const char *path, const struct ss_plugin *plugin, struct ss_error *err)
{
	if (plugin->abi_major != SS_ABI_MAJOR || plugin->abi_minor > SS_ABI_MINOR)
		return ss_fail(err, "%s: built for plugin ABI %u.%u, this server has %u.%u", path,
			plugin->abi_major, plugin->abi_minor, SS_ABI_MAJOR, SS_ABI_MINOR);
	if (plugin->struct_size < descriptor_size(plugin->abi_minor))
		return ss_fail(err,
			"%s: its descriptor has %zu bytes, ABI %u.%u has %zu; build it anew", path,
			plugin->struct_size, plugin->abi_major, plugin->abi_minor,
			descriptor_size(plugin->abi_minor));
	/* Its table of operations has no size of its own. */
	if (plugin->kind == SS_STORAGE && plugin->abi_minor < 4)
		return ss_fail(err,
			"%s: is a storage of plugin ABI %u.%u, which lacks operations of 1.4; "
			"build it "
			"against the headers of this server",
			path, plugin->abi_major, plugin->abi_minor);
	if (plugin->kind < SS_AGENT || plugin->kind > SS_INDEX)
		return ss_fail(err, "%s: has the unknown plugin kind %d", path, (int)plugin->kind);
	if (!plugin_name_is_good(plugin->name) || plugin->version == NULL ||
		plugin->licence == NULL || plugin->summary == NULL)
		return ss_fail(
			err, "%s: its descriptor lacks a name, version, licence or summary", path);
	if (check_operations(path, plugin, err) < 0 || check_running(path, plugin, err) < 0 ||
		check_options(path, plugin->options, err) < 0)
		return -1;
	return check_fields(path, plugin->fields, err);
}

/* The end of what the headers of the ELF file EHDR say that there is. */
static uint64_t elf_end(const ElfW(Ehdr) * ehdr, const ElfW(Phdr) * segments)
{
	uint64_t end = ehdr->e_shoff + (uint64_t)ehdr->e_shnum * ehdr->e_shentsize;
	for (size_t i = 0; i < ehdr->e_phnum; i++) {
		uint64_t segment_end = segments[i].p_offset + segments[i].p_filesz;
		if (segment_end > end)
			end = segment_end;
	}
	return end;
}

/* A file that was cut off, as by a full disk, would be mapped and then end the process where it is read. */
static int check_whole(const char *file, const char *path, struct ss_error *err)
{
	enum { SEGMENTS_LIMIT = 64 };
	ElfW(Ehdr) ehdr;
	ElfW(Phdr) segments[SEGMENTS_LIMIT];
	struct stat status;
	int result = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0 || read(fd, &ehdr, sizeof ehdr) != sizeof ehdr ||
		memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_phnum > SEGMENTS_LIMIT ||
		ehdr.e_phentsize != sizeof segments[0])
		goto done; /* dlopen() says what is wrong */
	ssize_t size = (ssize_t)(ehdr.e_phnum * sizeof segments[0]);
	if (pread(fd, segments, (size_t)size, (off_t)ehdr.e_phoff) != size ||
		elf_end(&ehdr, segments) > (uint64_t)status.st_size)
		result = ss_fail(err,
			"%s: is not whole, it ends after %lld bytes; install the plugin again",
			path, (long long)status.st_size);
done:
	if (fd >= 0)
		(void)close(fd);
	return result;
}

/* WHY, which may begin with FILE and a colon, without them. */
static const char *without(const char *file, const char *why)
{
	size_t length = strlen(file);
	return strncmp(why, file, length) == 0 && strncmp(why + length, ": ", 2) == 0
		       ? why + length + 2
		       : why;
}

/* Loads FILE. Errors name PATH, which the operator knows. */
static const struct ss_plugin *load(const char *file, const char *path, struct ss_error *err)
{
	if (check_whole(file, path, err) < 0)
		return NULL;
	calls_load(file);
	/* Never closed: what the plugin hands out stays valid. */
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		(void)ss_fail(err, "%s: cannot be loaded: %s", path, without(file, dlerror()));
		return NULL;
	}
	const struct ss_plugin *plugin = dlsym(handle, "smartsupport_plugin");
	if (plugin == NULL) {
		(void)ss_fail(err,
			"%s: is no SmartSupport plugin: it has no symbol smartsupport_plugin",
			path);
		return NULL;
	}
	return check(path, plugin, err) < 0 ? NULL : plugin;
}

const struct ss_plugin *plugin_load(const char *path, struct ss_error *err)
{
	return load(path, path, err);
}

/* Says that there is no plugin NAME, for which the file PATH was looked for last, and which one may be meant. */
static void report_missing(const struct plugins *plugins, enum ss_plugin_kind kind,
	const char *name, const char *path, struct ss_error *err)
{
	char hint[120];
	struct ss_value *others = plugins_list(plugins, kind);
	size_t count = value_count(others);
	const char **names = memory_array(count, sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = value_as_string(value_at(others, i), NULL);
	(void)ss_fail_as(err, SS_NOT_FOUND, "there is no %s plugin \"%s\"%s: no file %s",
		kinds[kind].name, name, diagnostics_hint(name, names, count, hint, sizeof hint),
		path);
	free(names);
	value_unref(others);
}

/* The path of the plugin's file; new. NULL and ERR when there is none. */
static char *find(const struct plugins *plugins, enum ss_plugin_kind kind, const char *name,
	struct ss_error *err)
{
	char *path = NULL;
	for (size_t i = 0; i < plugins->count; i++) {
		free(path);
		path = memory_format("%s/%s/%s.so", plugins->folders[i], kinds[kind].folder, name);
		if (access(path, F_OK) == 0)
			return path;
	}
	if (path != NULL)
		report_missing(plugins, kind, name, path, err);
	else
		(void)ss_fail(err, "no plugin folder is configured");
	free(path);
	return NULL;
}

/* Loads what FILE, of which the path is known, has. */
static int load_file(struct plugins *plugins, struct plugin_file *file, struct ss_error *err)
{
	struct ss_error trouble = {0};
	char *copy = plugin_copy(file->path, plugins->copies, file->hash, &trouble);
	if (copy == NULL)
		return ss_fail_as(err, trouble.status, "%s", trouble.text);
	if (trouble.status != SS_OK)
		plugins->trouble = trouble;
	file->plugin = load(copy, file->path, err);
	free(copy);
	return file->plugin != NULL ? 0 : -1;
}

static const struct ss_plugin *find_loaded(
	const struct plugins *plugins, enum ss_plugin_kind kind, const char *name)
{
	for (size_t i = 0; i < plugins->loaded_count; i++) {
		const struct ss_plugin *plugin = plugins->loaded[i].plugin;
		if (plugin->kind == kind && strcmp(plugin->name, name) == 0)
			return plugin;
	}
	return NULL;
}

const struct ss_plugin *plugins_get(
	struct plugins *plugins, enum ss_plugin_kind kind, const char *name, struct ss_error *err)
{
	struct plugin_file file = {0};
	if (!plugin_name_is_good(name)) {
		(void)ss_fail_as(err, SS_INVALID,
			"\"%.64s\" is no plugin's name; names have a-z, 0-9 and _ only", name);
		return NULL;
	}
	const struct ss_plugin *plugin = find_loaded(plugins, kind, name);
	if (plugin != NULL)
		return plugin;
	file.path = find(plugins, kind, name, err);
	if (file.path == NULL || load_file(plugins, &file, err) < 0)
		goto fail;
	if (file.plugin->kind != kind || strcmp(file.plugin->name, name) != 0) {
		(void)ss_fail(err, "%s: is the %s plugin \"%s\", not the %s plugin \"%s\"",
			file.path, kinds[file.plugin->kind].name, file.plugin->name,
			kinds[kind].name, name);
		goto fail;
	}
	plugins->loaded =
		memory_resize(plugins->loaded, plugins->loaded_count + 1, sizeof *plugins->loaded);
	plugins->loaded[plugins->loaded_count++] = file;
	return file.plugin;
fail:
	free(file.path);
	return NULL;
}

const struct plugin_file *plugins_loaded(const struct plugins *plugins, size_t *count)
{
	*count = plugins->loaded_count;
	return plugins->loaded;
}

const char *plugins_trouble(const struct plugins *plugins)
{
	return plugins->trouble.status != SS_OK ? plugins->trouble.text : NULL;
}

const char *plugins_hash(const struct plugins *plugins, const struct ss_plugin *plugin)
{
	size_t i = 0;
	while (plugins->loaded[i].plugin != plugin)
		i++;
	return plugins->loaded[i].hash;
}

/* The files of one folder that are plugins by their names. */
static int is_plugin(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NAMES sorted, each once, as a list; takes them. */
static struct ss_value *name_list(char **names, size_t count)
{
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	size_t different = 0;
	if (count > 1)
		qsort(names, count, sizeof *names, compare_names);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			items[different++] = value_text(names[i]);
	}
	struct ss_value *list = value_list(items, different);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	free(items);
	return list;
}

struct ss_value *plugins_list(const struct plugins *plugins, enum ss_plugin_kind kind)
{
	char **names = NULL;
	size_t count = 0;
	for (size_t i = 0; i < plugins->count; i++) {
		struct dirent **found = NULL;
		char *folder =
			memory_format("%s/%s", plugins->folders[i], plugin_kind_folder(kind));
		int files = scandir(folder, &found, is_plugin, alphasort);
		for (int j = 0; found != NULL && j < files; j++) {
			size_t length = strlen(found[j]->d_name) - 3;
			names = memory_resize(names, count + 1, sizeof *names);
			names[count++] = memory_text(found[j]->d_name, length);
			free(found[j]);
		}
		free((void *)found);
		free(folder);
	}
	return name_list(names, count);
}
