#include "plugin/plugin.h"

#include "base/file.h"
#include "base/memory.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURES SS_BUILD_DIR "/tests/fixtures/plugins"

static char *fixture(const char *name)
{
	return memory_format(FIXTURES "/agents/%s.so", name);
}

/* The fixture NAME is refused: the sentence is its path, a colon and WHY. */
static void refused(const char *name, const char *why)
{
	struct ss_error err = {0};
	char *path = fixture(name);
	cr_expect_null(plugin_load(path, &err), "%s", name);
	cr_expect_neq(err.status, SS_OK);
	cr_assert_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
	cr_expect_eq(strncmp(err.text + strlen(path), ": ", 2), 0, "%s", err.text);
	cr_expect_str_eq(err.text + strlen(path) + 2, why);
	free(path);
}

Test(plugin, loads_one_with_nothing_wrong)
{
	struct ss_error err = {0};
	char *path = fixture("good");
	const struct ss_plugin *plugin = plugin_load(path, &err);
	cr_assert_not_null(plugin, "%s", err.text);
	cr_expect_str_eq(plugin->name, "good");
	cr_expect_str_eq(plugin->version, "1.2.3");
	cr_expect_eq(plugin->kind, SS_AGENT);
	cr_expect_str_eq(plugin->options[1].name, "mode");
	cr_expect_str_eq(plugin->fields[0].name, "message");
	cr_expect_eq(plugin_load(path, &err), plugin, "what was loaded stays where it is");
	free(path);
}

Test(plugin, refuses_one_built_for_a_newer_abi)
{
	refused("abi_too_new", "built for plugin ABI 1.999, this server has 1.4");
}

Test(plugin, refuses_one_built_for_another_major_abi)
{
	refused("abi_other_major", "built for plugin ABI 2.7, this server has 1.4");
}

Test(plugin, refuses_a_descriptor_that_is_too_short)
{
	char *why = memory_format("its descriptor has %zu bytes, ABI 1.4 has %zu; build it anew",
		sizeof(struct ss_plugin) - sizeof(void *),
		offsetof(struct ss_plugin, running) + sizeof(unsigned));
	refused("short_struct", why);
	free(why);
}

Test(plugin, loads_one_built_for_an_older_abi_whose_descriptor_is_shorter)
{
	struct ss_error err = {0};
	char *path = fixture("abi_older");
	const struct ss_plugin *plugin = plugin_load(path, &err);
	cr_assert_not_null(plugin, "%s", err.text);
	cr_expect_eq(plugin_running(plugin), 0, "what is behind its end does not count");
	free(path);
}

Test(plugin, refuses_a_storage_of_an_older_abi_whose_operations_end_sooner)
{
	refused("storage_older", "is a storage of plugin ABI 1.1, which lacks operations of 1.4; "
				 "build it against the headers of this server");
}

Test(plugin, names_the_operation_that_a_storage_lacks)
{
	refused("storage_without_lists",
		"lacks the operation list_conversations, which every storage has");
}

Test(plugin, refuses_a_way_of_running_that_does_not_work)
{
	refused("running_alone", "its descriptor has the running 0x2, which means nothing; it is "
				 "SS_BLOCKS, alone or "
				 "with SS_CONCURRENTLY, or 0");
	refused("running_with_services", "an agent that blocks (SS_BLOCKS) cannot use services, "
					 "which call back on the loop; "
					 "leave out one of them");
}

Test(plugin, refuses_a_shared_object_without_a_descriptor)
{
	refused("no_symbol", "is no SmartSupport plugin: it has no symbol smartsupport_plugin");
}

Test(plugin, refuses_an_unknown_kind)
{
	refused("unknown_kind", "has the unknown plugin kind 77");
}

Test(plugin, refuses_a_bad_description)
{
	refused("bad_name", "its descriptor lacks a name, version, licence or summary");
	refused("no_licence", "its descriptor lacks a name, version, licence or summary");
}

Test(plugin, refuses_one_without_its_operations)
{
	refused("no_operations", "its descriptor has no operations of a plugin of kind agent");
	refused("missing_operation", "lacks the operation run, which every agent has");
}

Test(plugin, refuses_bad_rows_of_the_options_table)
{
	static const char lacks[] =
		"the option odd lacks its help or choices, or has min above max";
	refused("option_name", "an option is named \"Bad Name\"; names have a-z, 0-9 and _ only");
	refused("option_type", "the option odd has the unknown type 99");
	refused("option_help", lacks);
	refused("option_bounds", lacks);
	refused("option_choices", lacks);
	refused("option_twice", "the option good is there twice");
}

Test(plugin, refuses_bad_rows_of_the_fields_table)
{
	refused("field_access", "the field \"message\" has a bad name, a bad type or no access");
	refused("field_twice", "the field message is there twice");
}

Test(plugin, refuses_tables_without_an_end)
{
	refused("options_without_end",
		"its options table has more than 100 rows or no row with name NULL");
	refused("fields_without_end",
		"its fields table has more than 100 rows or no row with name NULL");
}

static void expect_cannot_be_loaded(const char *path, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(plugin_load(path, &err));
	cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, ": cannot be loaded: "), "%s", err.text);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

Test(plugin, refuses_one_that_needs_what_is_not_there)
{
	char *path = fixture("undefined_symbol");
	expect_cannot_be_loaded(path, "function_that_nothing_has");
	free(path);
}

Test(plugin, refuses_what_is_no_shared_object)
{
	char *folder = scratch_new();
	char *text = scratch_file(folder, "text.so", "this is not ELF\n", 16);
	char *empty = scratch_file(folder, "empty.so", "", 0);
	char *missing = scratch_path(folder, "missing.so");
	expect_cannot_be_loaded(text, "");
	expect_cannot_be_loaded(empty, "");
	expect_cannot_be_loaded(missing, "No such file");
	expect_cannot_be_loaded(folder, "");
	free(text);
	free(empty);
	free(missing);
	scratch_remove(folder);
}

Test(plugin, refuses_one_that_was_cut_off_anywhere)
{
	struct ss_error err = {0};
	char *whole = fixture("good");
	char *bytes = NULL;
	size_t length = 0;
	char *folder = scratch_new();
	cr_assert_eq(file_read(whole, 64 * 1024 * 1024, &bytes, &length, &err), 0, "%s", err.text);
	/* Until all of its bytes but the last one are there. */
	for (size_t cut = 0; cut < length; cut += cut + 1009 < length ? 1009 : length - cut) {
		char *path = scratch_file(folder, "cut.so", bytes, cut > 0 ? cut : length - 1);
		cr_expect_null(plugin_load(path, &err), "%zu bytes", cut);
		cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
		free(path);
	}
	free(bytes);
	free(whole);
	scratch_remove(folder);
}

static const char *const folders[] = {FIXTURES};

/* Looking for the agent NAME is refused with the sentence WHY. */
static void not_found(const char *const *where, size_t count, const char *name,
	enum ss_status status, const char *why)
{
	struct ss_error err = {0};
	struct plugins *plugins = plugins_new(where, count, NULL);
	cr_expect_null(plugins_get(plugins, SS_AGENT, name, &err));
	cr_expect_eq(err.status, status, "%s", err.text);
	cr_expect_str_eq(err.text, why);
	plugins_free(plugins);
}

Test(plugins, find_one_by_its_kind_and_name)
{
	struct ss_error err = {0};
	struct plugins *plugins = plugins_new(folders, 1, NULL);
	const struct ss_plugin *plugin = plugins_get(plugins, SS_AGENT, "good", &err);
	cr_assert_not_null(plugin, "%s", err.text);
	plugins_free(plugins);
	cr_expect_str_eq(plugin->name, "good"); /* it outlives the list of folders */
}

Test(plugins, name_the_file_that_is_missing)
{
	not_found(folders, 1, "nobody_at_all", SS_NOT_FOUND,
		"there is no agent plugin \"nobody_at_all\": no file " FIXTURES
		"/agents/nobody_at_all.so");
	not_found(NULL, 0, "nobody", SS_INTERNAL, "no plugin folder is configured");
}

Test(plugins, name_the_nearest_one_of_those_that_are_there)
{
	not_found(folders, 1, "god", SS_NOT_FOUND,
		"there is no agent plugin \"god\" (did you mean \"good\"?): no file " FIXTURES
		"/agents/god.so");
}

Test(plugins, refuse_names_that_could_lead_elsewhere)
{
	static const char *const names[] = {"", "../good", "a/b", "Good", "good.so", "a b"};
	for (size_t i = 0; i < array_length(names); i++) {
		char *why = memory_format(
			"\"%s\" is no plugin's name; names have a-z, 0-9 and _ only", names[i]);
		not_found(folders, 1, names[i], SS_INVALID, why);
		free(why);
	}
}

Test(plugins, refuse_one_of_another_kind_or_name)
{
	not_found(folders, 1, "wrong_kind", SS_INTERNAL,
		FIXTURES "/agents/wrong_kind.so: is the llm plugin \"wrong_kind\", not the agent "
			 "plugin \"wrong_kind\"");
	not_found(folders, 1, "wrong_name", SS_INTERNAL,
		FIXTURES "/agents/wrong_name.so: is the agent plugin \"another\", not the agent "
			 "plugin \"wrong_name\"");
}

Test(plugins, take_the_first_folder_that_has_the_file)
{
	struct ss_error err = {0};
	char *folder = scratch_new();
	char *agents = scratch_path(folder, "agents");
	cr_assert_eq(mkdir(agents, 0700), 0);
	char *broken = scratch_file(agents, "good.so", "broken", 6);
	const char *const broken_first[] = {folder, FIXTURES};
	const char *const good_first[] = {"/nonexistent", FIXTURES, folder};
	struct plugins *plugins = plugins_new(broken_first, 2, NULL);
	cr_expect_null(plugins_get(plugins, SS_AGENT, "good", &err));
	cr_expect_eq(strncmp(err.text, broken, strlen(broken)), 0, "%s", err.text);
	plugins_free(plugins);
	plugins = plugins_new(good_first, 3, NULL);
	cr_expect_not_null(plugins_get(plugins, SS_AGENT, "good", &err), "%s", err.text);
	plugins_free(plugins);
	plugins_free(NULL);
	free(broken);
	free(agents);
	scratch_remove(folder);
}

/* Writes other bytes over all of the file, as `cp` does: it stays the same file. */
static void overwrite(const char *path)
{
	struct stat status;
	int fd = open(path, O_WRONLY);
	cr_assert_eq(fstat(fd, &status), 0);
	char *zeros = memory_array((size_t)status.st_size, 1);
	cr_assert_eq(write(fd, zeros, (size_t)status.st_size), status.st_size);
	(void)close(fd);
	free(zeros);
}

Test(plugins, run_on_when_their_file_is_overwritten)
{
	struct ss_error err = {0};
	char *folder = scratch_new();
	char *agents = scratch_path(folder, "agents"), *copies = scratch_path(folder, "copies");
	char *bytes = NULL;
	size_t length = 0;
	cr_assert_eq(mkdir(agents, 0700), 0);
	cr_assert_eq(file_read(FIXTURES "/agents/good.so", 100000000, &bytes, &length, &err), 0);
	char *path = scratch_file(agents, "good.so", bytes, length);
	const char *const where[] = {folder};
	struct plugins *plugins = plugins_new(where, 1, copies);
	const struct ss_plugin *plugin = plugins_get(plugins, SS_AGENT, "good", &err);
	cr_assert_not_null(plugin, "%s", err.text);
	overwrite(path);
	cr_expect_str_eq(plugin->version, "1.2.3");
	cr_expect_eq(plugins_get(plugins, SS_AGENT, "good", &err), plugin);

	/* Who comes later has what is there then. */
	struct plugins *later = plugins_new(where, 1, copies);
	cr_expect_null(plugins_get(later, SS_AGENT, "good", &err));
	cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
	plugins_free(later);
	plugins_free(plugins);
	free(bytes);
	free(path);
	free(agents);
	free(copies);
	scratch_remove(folder);
}

Test(plugins, tell_what_was_loaded)
{
	struct ss_error err = {0};
	char hash[HASH_SIZE];
	char *bytes = NULL;
	size_t length = 0, count = 0;
	struct plugins *plugins = plugins_new(folders, 1, NULL);
	(void)plugins_loaded(plugins, &count);
	cr_expect_eq(count, 0);
	const struct ss_plugin *plugin = plugins_get(plugins, SS_AGENT, "good", &err);
	const struct plugin_file *file = plugins_loaded(plugins, &count);
	cr_assert_eq(count, 1);
	cr_expect_eq(file->plugin, plugin);
	cr_expect_str_eq(file->path, FIXTURES "/agents/good.so");
	cr_assert_eq(file_read(file->path, 100000000, &bytes, &length, &err), 0);
	cr_expect_str_eq(file->hash, hash_sha256(bytes, length, hash));
	cr_expect_str_eq(plugins_hash(plugins, plugin), hash);
	free(bytes);
	plugins_free(plugins);
}

static void cancel(void *instance, struct ss_generation *generation)
{
	(void)instance;
	(void)generation;
}

static const char *name(const void *instance)
{
	return instance;
}

Test(plugin, of_a_model_may_stop_and_say_who_answers_since_there_is_a_way_to)
{
	const struct ss_llm_operations both = {.cancel = cancel, .name = name}, none = {0};
	struct ss_plugin plugin = {.abi_minor = 3, .name = "m", .llm = &both};
	cr_expect(plugin_llm_stops(&plugin));
	cr_expect_str_eq(plugin_llm_name(&plugin, "groq/llama"), "groq/llama");
	plugin.llm = &none;
	cr_expect_not(plugin_llm_stops(&plugin));
	cr_expect_str_eq(plugin_llm_name(&plugin, "groq/llama"), "m");
	/* What lies behind the operations of an older one is none of them. */
	plugin.abi_minor = 2;
	plugin.llm = &both;
	cr_expect_not(plugin_llm_stops(&plugin));
	cr_expect_str_eq(plugin_llm_name(&plugin, "groq/llama"), "m");
}

Test(plugin, of_a_model_without_an_instance_is_left_out_since_that_means_it)
{
	struct ss_plugin plugin = {.abi_minor = 3};
	cr_expect(plugin_llm_is_left_out(&plugin, NULL));
	cr_expect_not(plugin_llm_is_left_out(&plugin, &plugin));
	plugin.abi_minor = 2;
	cr_expect_not(plugin_llm_is_left_out(&plugin, NULL));
}

Test(plugins, have_a_folder_and_a_name_for_each_kind)
{
	static const char *const names[][2] = {{"agents", "agent"}, {"llm", "llm"},
		{"storage", "storage"}, {"embedder", "embedder"}, {"index", "index"}};
	for (int kind = SS_AGENT; kind <= SS_INDEX; kind++) {
		cr_expect_str_eq(plugin_kind_folder((enum ss_plugin_kind)kind), names[kind - 1][0]);
		cr_expect_str_eq(plugin_kind_name((enum ss_plugin_kind)kind), names[kind - 1][1]);
	}
}
