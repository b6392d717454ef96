#include "base/process.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The start of the process ID, in clock ticks since boot; 0 when there is none, or only its exit code. It is the 22nd word of its
 * stat file, and the second one is in brackets and may hold spaces (proc(5)). */
static unsigned long long start_of(long id)
{
	char path[64];
	char text[1024];
	(void)snprintf(path, sizeof path, "/proc/%ld/stat", id);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	size_t length = fread(text, 1, sizeof text - 1, file);
	(void)fclose(file);
	text[length] = '\0';
	const char *at = strrchr(text, ')');
	if (at != NULL && at[1] == ' ' && (at[2] == 'Z' || at[2] == 'X'))
		return 0;
	for (int word = 2; at != NULL && word < 22; word++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* What all processes have in common that can see each other. */
static void place(char text[64])
{
	char boot[40] = "";
	struct stat status;
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file != NULL) {
		if (fscanf(file, "%36s", boot) != 1)
			boot[0] = '\0';
		(void)fclose(file);
	}
	uint64_t ids = stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
	(void)snprintf(text, 64, "%.8s-%" PRIx64, boot, ids);
}

void process_name(char name[PROCESS_NAME_SIZE])
{
	char here[64];
	long id = (long)getpid();
	place(here);
	(void)snprintf(name, PROCESS_NAME_SIZE, "%s-%ld-%llx", here, id, start_of(id));
}

bool process_is_gone(const char *name)
{
	char here[64];
	char *end = NULL;
	place(here);
	size_t length = strlen(here);
	if (strncmp(name, here, length) != 0 || name[length] != '-')
		return false;
	long id = strtol(name + length + 1, &end, 10);
	if (id <= 0 || *end != '-')
		return false;
	return start_of(id) != strtoull(end + 1, NULL, 16);
}

int64_t process_memory(long id)
{
	char path[64];
	long long pages = 0;
	(void)snprintf(path, sizeof path, "/proc/%ld/statm", id);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%*s %lld", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}
