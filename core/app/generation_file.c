#include "app/generation_file.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "service/generations.h"

#include <dirent.h>
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

enum { NAME_HASH = 16 };

/* What the names of the files of all servers with the configuration PATH begin with; new. */
static char *beginning(const char *path)
{
	char hash[HASH_SIZE];
	char *absolute = file_absolute(path);
	char *tidied = tidy(absolute);
	char *front = memory_format("%.*s-", NAME_HASH, hash_sha256(tidied, strlen(tidied), hash));
	free(absolute);
	free(tidied);
	return front;
}

char *generation_file(const struct config *config, const char *path)
{
	char hash[HASH_SIZE];
	if (config->cache == NULL)
		return NULL;
	char *front = beginning(path);
	char *address = memory_format("%s %lld", config->host, (long long)config->port);
	char *file = memory_format("%s/servers/%s%.*s", config->cache, front, NAME_HASH,
		hash_sha256(address, strlen(address), hash));
	free(address);
	free(front);
	return file;
}

/* Whether a server has FILE. */
static bool is_had(const char *file)
{
	struct ss_error err = {0};
	struct generations *generations = generations_open(file, &err);
	generations_free(generations);
	return generations != NULL;
}

char *generation_file_of_another(const struct config *config, const char *path, size_t *count)
{
	char *found = NULL;
	*count = 0;
	if (config->cache == NULL)
		return NULL;
	char *folder = memory_format("%s/servers", config->cache);
	char *front = beginning(path);
	DIR *entries = opendir(folder);
	for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		char *file = memory_format("%s/%s", folder, entry->d_name);
		if (strncmp(entry->d_name, front, strlen(front)) == 0 && is_had(file)) {
			free(found);
			found = memory_string(file);
			(*count)++;
		}
		free(file);
	}
	if (entries != NULL)
		(void)closedir(entries);
	free(front);
	free(folder);
	return found;
}
