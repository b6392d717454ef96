/* What a shared object exports, read from its table of dynamic symbols. */
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "conformance/plugin_case.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 512 * 1024 * 1024 };

struct object {
	char *data;
	size_t length;
};

/* SIZE bytes at OFFSET; NULL when the file has not that many. */
static const void *at(const struct object *object, uint64_t offset, uint64_t size)
{
	if (offset > object->length || size > object->length - offset)
		return NULL;
	return object->data + offset;
}

/* What the compiler or the linker adds for itself. */
static bool is_added(const char *symbol)
{
	static const char *const prefixes[] = {"smartsupport_plugin", "__odr_asan", "_edata",
		"_end", "__bss_start", "_init", "_fini", "__gcov", "llvm_"};
	for (size_t i = 0; i < array_length(prefixes); i++) {
		if (strncmp(symbol, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* Adds the symbols of the section TABLE, whose names are in NAMES, to FOUND. */
static void add_symbols(const struct object *object, const Elf64_Shdr *table,
	const Elf64_Shdr *names, struct buffer *found)
{
	const char *texts = at(object, names->sh_offset, names->sh_size);
	if (texts == NULL || names->sh_size == 0 || texts[names->sh_size - 1] != '\0')
		return;
	for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
		Elf64_Sym symbol;
		const void *bytes = at(object, table->sh_offset + i * sizeof symbol, sizeof symbol);
		if (bytes == NULL)
			return;
		memcpy(&symbol, bytes, sizeof symbol);
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names->sh_size ||
			ELF64_ST_BIND(symbol.st_info) == STB_LOCAL ||
			ELF64_ST_VISIBILITY(symbol.st_other) != STV_DEFAULT)
			continue;
		const char *name = texts + symbol.st_name;
		if (name[0] != '\0' && !is_added(name))
			buffer_add_format(found, "%s%s", found->length > 0 ? ", " : "", name);
	}
}

static bool read_section(
	const struct object *object, const Elf64_Ehdr *head, uint64_t index, Elf64_Shdr *section)
{
	const void *bytes = at(object, head->e_shoff + index * sizeof *section, sizeof *section);
	if (bytes == NULL || index >= head->e_shnum)
		return false;
	memcpy(section, bytes, sizeof *section);
	return true;
}

char *plugin_symbols(const char *path)
{
	struct object object = {0};
	struct buffer found = {0};
	Elf64_Ehdr head = {0};
	Elf64_Shdr section, names;
	if (file_read(path, FILE_LIMIT, &object.data, &object.length, NULL) < 0)
		return NULL;
	const void *bytes = at(&object, 0, sizeof head);
	if (bytes != NULL)
		memcpy(&head, bytes, sizeof head);
	bool known = bytes != NULL && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
		     head.e_ident[EI_CLASS] == ELFCLASS64;
	for (uint64_t i = 0; known && read_section(&object, &head, i, &section); i++) {
		if (section.sh_type == SHT_DYNSYM &&
			read_section(&object, &head, section.sh_link, &names))
			add_symbols(&object, &section, &names, &found);
	}
	free(object.data);
	return known ? buffer_take(&found) : NULL;
}
