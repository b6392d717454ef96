#include "app/generation_file.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* PATH, an absolute one, without "." and "..", new. Links are not looked at: who sets one to another file between two calls means
 * the same server. */
static char *tidy(const char *path)
{
	char *rest = NULL;
	char *parts = memory_string(path);
	char *tidied = memory_new(strlen(path) + 2);
	size_t length = 0;
	for (const char *part = strtok_r(parts, "/", &rest); part != NULL;
		part = strtok_r(NULL, "/", &rest)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			while (length > 0 && tidied[--length] != '/')
				;
			tidied[length] = '\0';
			continue;
		}
		tidied[length] = '/';
		strcpy(tidied + length + 1, part);
		length += strlen(part) + 1;
	}
	free(parts);
	return tidied;
}

char *generation_file(const struct config *config, const char *path)
{
	enum { NAME_HASH = 16 };
	char hash[HASH_SIZE];
	if (config->cache == NULL)
		return NULL;
	char *absolute = file_absolute(path);
	char *tidied = tidy(absolute);
	char *name = memory_format("%s %s %lld", tidied, config->host, (long long)config->port);
	char *file = memory_format(
		"%s/servers/%.*s", config->cache, NAME_HASH, hash_sha256(name, strlen(name), hash));
	free(name);
	free(absolute);
	free(tidied);
	return file;
}
