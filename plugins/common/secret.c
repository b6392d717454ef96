#include "common/secret.h"

#include <string.h>
#include <sys/mman.h>

int secret_make(struct secret *secret, const char *prefix, const char *text, struct ss_error *err)
{
	size_t begin = strlen(prefix), length = strlen(text);
	size_t size = begin + length + 1;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return ss_fail(err, "out of memory");
	/* Where the kernel knows nothing of this, the key is in a core file and nothing else is lost. */
	(void)madvise(memory, size, MADV_DONTDUMP);
	memcpy(memory, prefix, begin);
	memcpy(memory + begin, text, length + 1);
	*secret = (struct secret){memory, size, begin, length};
	return 0;
}

void secret_end(struct secret *secret)
{
	if (secret->text == NULL)
		return;
	explicit_bzero(secret->text, secret->size);
	(void)munmap(secret->text, secret->size);
	*secret = (struct secret){0};
}

size_t secret_cut(const struct secret *secret, struct ss_text text, size_t length)
{
	if (secret->length == 0 || length >= text.length)
		return length;
	size_t first = length < secret->length ? 0 : length - secret->length + 1;
	size_t most = length - first + secret->length - 1;
	size_t left = text.length - first;
	const char *found = memmem(text.data + first, left < most ? left : most,
		secret->text + secret->begin, secret->length);
	return found != NULL ? (size_t)(found - text.data) : length;
}

void secret_hide(const struct secret *secret, char *text)
{
	if (secret->text == NULL || secret->length == 0)
		return;
	while ((text = strstr(text, secret->text + secret->begin)) != NULL)
		memset(text, '*', secret->length);
}
