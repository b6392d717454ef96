#include "fixtures/sdk/layout.h"
#include "smartsupport/smartsupport.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Made by fixtures/sdk, which sees nothing of the project but include/. */
extern const size_t sdk_layout_c[SDK_LAYOUT_COUNT];
extern const size_t sdk_layout_cxx[SDK_LAYOUT_COUNT];
extern const struct ss_plugin *const sdk_plugin_of_cxx;
int sdk_fails_in_c(struct ss_error *err);

Test(sdk, has_the_same_layout_in_c_and_in_cxx)
{
	static const size_t here[SDK_LAYOUT_COUNT] = SDK_LAYOUT;
	for (size_t i = 0; i < SDK_LAYOUT_COUNT; i++) {
		cr_expect_eq(sdk_layout_c[i], sdk_layout_cxx[i], "entry %zu", i);
		cr_expect_eq(sdk_layout_c[i], here[i], "entry %zu", i);
	}
}

Test(sdk, describes_plugins_in_c_and_in_cxx)
{
	cr_expect_str_eq(smartsupport_plugin.name, "whole");
	cr_expect_str_eq(sdk_plugin_of_cxx->name, "whole_cxx");
	cr_expect_eq(sdk_plugin_of_cxx->agent->run(NULL, NULL, NULL), SS_DONE);
}

Test(sdk, fails_with_a_status_and_a_sentence)
{
	struct ss_error err = {0};
	cr_expect_eq(sdk_fails_in_c(&err), -1);
	cr_expect_eq(err.status, SS_TIMEOUT);
	cr_expect_str_eq(err.text, "too late after 7");
	cr_expect_eq(sdk_fails_in_c(NULL), -1);
	cr_expect_eq(ss_fail(&err, "%0600d", 1), -1);
	cr_expect_eq(err.status, SS_INTERNAL);
	cr_expect_eq(strlen(err.text), sizeof err.text - 1, "a long sentence is cut");
}

/* What the compiler or the linker adds for itself. */
static bool added(const char *symbol)
{
	static const char *const prefixes[] = {
		"__odr_asan", "_edata", "_end", "__bss_start", "_init", "_fini", "__gcov", "llvm_"};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (strncmp(symbol, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* Expects that the shared object PATH exports its descriptor and nothing else. */
static void expect_one_symbol(const char *path)
{
	char command[1024];
	char line[4096];
	size_t symbols = 0;
	(void)snprintf(command, sizeof command, "nm -D --defined-only '%s'", path);
	FILE *nm = popen(command, "r");
	cr_assert_not_null(nm);
	while (fgets(line, sizeof line, nm) != NULL) {
		char symbol[4096] = "";
		if (sscanf(line, "%*s %*s %4095s", symbol) != 1 || added(symbol))
			continue;
		symbols++;
		cr_expect_str_eq(symbol, "smartsupport_plugin", "%s exports %s", path, symbol);
	}
	cr_expect_eq(pclose(nm), 0, "nm failed on %s", path);
	cr_expect_eq(symbols, 1, "%s exports %zu symbols", path, symbols);
}

Test(sdk, built_plugins_export_their_descriptor_and_nothing_else)
{
	glob_t plugins;
	if (glob(SS_BUILD_DIR "/plugins/*/*.so", 0, NULL, &plugins) != 0)
		cr_skip_test("no plugin is built in " SS_BUILD_DIR "/plugins");
	for (size_t i = 0; i < plugins.gl_pathc; i++)
		expect_one_symbol(plugins.gl_pathv[i]);
	globfree(&plugins);
}

Test(sdk, built_plugins_load_with_all_their_symbols_found)
{
	glob_t plugins;
	if (glob(SS_BUILD_DIR "/plugins/*/*.so", 0, NULL, &plugins) != 0)
		cr_skip_test("no plugin is built in " SS_BUILD_DIR "/plugins");
	for (size_t i = 0; i < plugins.gl_pathc; i++) {
		void *handle = dlopen(plugins.gl_pathv[i], RTLD_NOW | RTLD_LOCAL);
		cr_expect_not_null(handle, "%s", dlerror());
	}
	globfree(&plugins);
}
