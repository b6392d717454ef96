#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
	if (memory == NULL) {
		(void)fputs("smartsupport: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *memory_new(size_t size)
{
	return memory_array(1, size);
}

void *memory_array(size_t count, size_t size)
{
	return or_die(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
	return or_die(reallocarray(old, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *memory_string(const char *text)
{
	return text != NULL ? memory_text(text, strlen(text)) : NULL;
}

char *memory_text(const char *text, size_t length)
{
	char *copy = memory_new(length + 1);
	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

char *memory_format(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return or_die(length < 0 ? NULL : text);
}

void memory_copy_known(void *to, size_t size, const void *from, size_t length)
{
	size_t known = length < size ? length : size;
	memcpy(to, from, known);
	memset((char *)to + known, 0, size - known);
}
