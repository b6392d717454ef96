#include "base/symbols.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/scratch.h"

/* Something to find that nobody exports. */
__attribute__((noinline)) static int a_function_of_this_file(int a)
{
	return a + (int)getpid();
}

/* Where it lies in this program. */
static uint64_t its_offset(void)
{
	Dl_info info;
	const char *address = (const char *)(uintptr_t)a_function_of_this_file;
	cr_assert_neq(dladdr(address, &info), 0);
	return (uint64_t)(address - (const char *)info.dli_fbase);
}

Test(symbols, static_functions_have_names)
{
	char text[100];
	struct symbols *symbols = symbols_read("/proc/self/exe");
	cr_assert_not_null(symbols);
	cr_expect(symbols_name(symbols, its_offset(), text, sizeof text));
	cr_expect_str_eq(text, "a_function_of_this_file+0x0");
	cr_expect(symbols_name(symbols, its_offset() + 3, text, sizeof text));
	cr_expect_str_eq(text, "a_function_of_this_file+0x3");
	cr_expect(symbols_name(symbols, its_offset() + 3, text, 5));
	cr_expect_str_eq(text, "a_fu", "it is cut");
	cr_expect_not(symbols_name(symbols, UINT64_MAX, text, sizeof text));
	cr_expect_str_eq(text, "");
	symbols_free(symbols);
}

Test(symbols, what_is_no_elf_file_has_no_names)
{
	char text[10];
	cr_expect_null(symbols_read("/nothing/is/here"));
	cr_expect_null(symbols_read(SS_SOURCE_DIR "/CMakeLists.txt"));
	cr_expect_null(symbols_read("/dev/null"));
	cr_expect_not(symbols_name(NULL, 1, text, sizeof text));
	symbols_free(NULL);
}

/* Looks for names in SIZE bytes of DATA as a file. */
static void try_bytes(const char *folder, const char *data, size_t size)
{
	char text[100];
	char *path = scratch_file(folder, "broken.so", data, size);
	struct symbols *symbols = symbols_read(path);
	(void)symbols_name(symbols, its_offset(), text, sizeof text);
	symbols_free(symbols);
	free(path);
}

Test(symbols, files_that_were_cut_or_damaged_do_no_harm)
{
	char *data = NULL;
	size_t length = 0;
	unsigned seed = 1;
	char *folder = scratch_new();
	cr_assert_eq(
		file_read(SS_BUILD_DIR "/plugins/agents/assign.so", 1 << 28, &data, &length, NULL),
		0);
	for (size_t size = 0; size < length; size += length / 50 + 1)
		try_bytes(folder, data, size);
	for (int i = 0; i < 300; i++) {
		/* The headers of the file, and those of its sections at its end. */
		size_t at = i % 2 == 0 ? (size_t)rand_r(&seed) % 64
				       : length - 1 - (size_t)rand_r(&seed) % 2400;
		char before = data[at];
		data[at] = (char)rand_r(&seed);
		try_bytes(folder, data, length);
		data[at] = before;
	}
	free(data);
	scratch_remove(folder);
}
