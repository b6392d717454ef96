#include "service/http_memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void wipe(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

/* Never where it is: what realloc() leaves behind is not overwritten. */
static void *move(void *old, size_t size)
{
	void *memory = malloc(size);
	if (memory == NULL || old == NULL)
		return memory;
	size_t held = malloc_usable_size(old);
	memcpy(memory, old, held < size ? held : size);
	wipe(old);
	return memory;
}

int http_memory_init(struct ss_error *err)
{
	CURLcode code =
		curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe, move, strdup, calloc);
	if (code != CURLE_OK)
		return ss_fail(err, "libcurl cannot be used: %s", curl_easy_strerror(code));
	return 0;
}
