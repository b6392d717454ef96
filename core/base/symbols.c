#include "base/symbols.h"

#include "base/file.h"
#include "base/memory.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 256 * 1024 * 1024 };

/* A file that may hold anything. */
struct symbols {
	char *data;
	size_t size;
};

/* COUNT things of SIZE at OFFSET in IMAGE, aligned as they are used; NULL when they are not all there. */
static const void *part(const struct symbols *file, uint64_t offset, uint64_t count, size_t size)
{
	if (offset > file->size || count > (file->size - offset) / size || offset % 8 != 0)
		return NULL;
	return file->data + offset;
}

/* The function around OFFSET in the table SECTION; NULL when it has none. */
static const ElfW(Sym) *
	find(const struct symbols *file, const ElfW(Shdr) * section, uint64_t offset)
{
	uint64_t count = section->sh_size / sizeof(ElfW(Sym));
	const ElfW(Sym) *symbols = part(file, section->sh_offset, count, sizeof *symbols);
	const ElfW(Sym) *found = NULL;
	for (uint64_t i = 0; symbols != NULL && i < count; i++) {
		const ElfW(Sym) *symbol = &symbols[i];
		/* Its lower four bits are the type, of 32 bits and of 64. */
		bool is_function = (symbol->st_info & 0xf) == STT_FUNC;
		if (is_function && symbol->st_shndx != SHN_UNDEF && symbol->st_value <= offset &&
			offset - symbol->st_value < symbol->st_size)
			found = symbol;
	}
	return found;
}

/* The text AT in the table SECTION; NULL when it does not end there. */
static const char *text_at(const struct symbols *file, const ElfW(Shdr) * section, uint64_t at)
{
	if (section->sh_offset > file->size || section->sh_size > file->size - section->sh_offset ||
		at >= section->sh_size)
		return NULL;
	const char *text = file->data + section->sh_offset + at;
	return memchr(text, '\0', section->sh_size - at) != NULL ? text : NULL;
}

/* Looks in the tables of TYPE. */
static bool look(const struct symbols *file, const ElfW(Ehdr) * head, uint32_t type,
	uint64_t offset, char *text, size_t size)
{
	const ElfW(Shdr) *sections = part(file, head->e_shoff, head->e_shnum, sizeof *sections);
	for (size_t i = 0; sections != NULL && i < head->e_shnum; i++) {
		const ElfW(Shdr) *section = &sections[i];
		if (section->sh_type != type || section->sh_link >= head->e_shnum)
			continue;
		const ElfW(Sym) *symbol = find(file, section, offset);
		const char *name =
			symbol != NULL ? text_at(file, &sections[section->sh_link], symbol->st_name)
				       : NULL;
		if (name == NULL)
			continue;
		(void)snprintf(text, size, "%s+0x%llx", name,
			(unsigned long long)(offset - symbol->st_value));
		return true;
	}
	return false;
}

static bool is_elf(const struct symbols *file)
{
	const ElfW(Ehdr) *head = part(file, 0, 1, sizeof *head);
	return head != NULL && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
	       head->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	       head->e_shentsize == sizeof(ElfW(Shdr));
}

struct symbols *symbols_read(const char *path)
{
	struct symbols *file = memory_make(struct symbols);
	if (file_read(path, FILE_LIMIT, &file->data, &file->size, NULL) == 0 && is_elf(file))
		return file;
	symbols_free(file);
	return NULL;
}

void symbols_free(struct symbols *file)
{
	if (file == NULL)
		return;
	free(file->data);
	free(file);
}

bool symbols_name(const struct symbols *file, uint64_t offset, char *text, size_t size)
{
	text[0] = '\0';
	if (file == NULL)
		return false;
	const ElfW(Ehdr) *head = part(file, 0, 1, sizeof *head);
	return look(file, head, SHT_SYMTAB, offset, text, size) ||
	       look(file, head, SHT_DYNSYM, offset, text, size);
}
