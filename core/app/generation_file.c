#include "app/generation_file.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

char *generation_file(const struct config *config, const char *path)
{
	enum { NAME_HASH = 16 };
	char hash[HASH_SIZE];
	if (config->cache == NULL)
		return NULL;
	char *absolute = file_absolute(path);
	char *name = memory_format("%s %s %lld", absolute, config->host, (long long)config->port);
	char *file = memory_format(
		"%s/servers/%.*s", config->cache, NAME_HASH, hash_sha256(name, strlen(name), hash));
	free(name);
	free(absolute);
	return file;
}
