/* What the workers take of the machine, under the names that all programs use for it. */
#include "base/buffer.h"
#include "base/memory.h"
#include "service/metrics_parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum process_value { PROCESS_CPU, PROCESS_MEMORY, PROCESS_FILES, PROCESS_START, PROCESS_VALUES };

static const struct {
	const char *name, *type, *help;
} rows[PROCESS_VALUES] = {
	[PROCESS_CPU] = {"process_cpu_seconds_total", "counter",
		"Processor time of each worker, in user and system mode."},
	[PROCESS_MEMORY] = {"process_resident_memory_bytes", "gauge",
		"Resident memory of each worker; pages that workers share count for each."},
	[PROCESS_FILES] = {"process_open_fds", "gauge", "Open file descriptors of each worker."},
	[PROCESS_START] = {"process_start_time_seconds", "gauge",
		"When each worker was started, in Unix time."},
};

struct process {
	double values[PROCESS_VALUES];
	bool there;
};

/* Unix time when the machine began to count. */
static double boot_seconds(void)
{
	struct timespec now, since;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_BOOTTIME, &since);
	return (double)(now.tv_sec - since.tv_sec) + (double)(now.tv_nsec - since.tv_nsec) / 1e9;
}

/* Newer kernels tell how many there are as the size of the folder. */
static size_t count_files(const char *folder)
{
	struct stat about;
	size_t count = 0;
	if (stat(folder, &about) == 0 && about.st_size > 0)
		return (size_t)about.st_size;
	DIR *files = opendir(folder);
	if (files == NULL)
		return 0;
	for (const struct dirent *entry; (entry = readdir(files)) != NULL;)
		count += entry->d_name[0] != '.';
	(void)closedir(files);
	return count;
}

/* proc(5), /proc/pid/stat. */
static struct process process_of(int pid)
{
	struct process process = {0};
	char path[64], text[1024] = "";
	unsigned long user = 0, kernel = 0;
	unsigned long long start = 0;
	long pages = 0;
	double ticks = (double)sysconf(_SC_CLK_TCK);
	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return process;
	ssize_t length = read(fd, text, sizeof text - 1);
	(void)close(fd);
	/* The program's name may hold blanks and parentheses; what follows the last one is fixed. */
	const char *after = length > 0 ? strrchr(text, ')') : NULL;
	if (after == NULL ||
		sscanf(after,
			") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d "
			"%*d %*d %llu %*u %ld",
			&user, &kernel, &start, &pages) != 4)
		return process;
	(void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
	process.there = true;
	process.values[PROCESS_CPU] = (double)(user + kernel) / ticks;
	process.values[PROCESS_MEMORY] = (double)pages * (double)sysconf(_SC_PAGESIZE);
	process.values[PROCESS_FILES] = (double)count_files(path);
	process.values[PROCESS_START] = boot_seconds() + (double)start / ticks;
	return process;
}

void metrics_set_process(struct metrics_part *part, pid_t pid)
{
	if (part != NULL)
		atomic_store(&part->pid, (int)pid);
}

void metrics_process_print(const struct metrics *metrics, struct buffer *text)
{
	size_t used = atomic_load(&metrics->used);
	struct process *processes = memory_array(used, sizeof *processes);
	for (size_t i = 0; i < used; i++) {
		int pid = atomic_load(&metrics->parts[i].pid);
		if (pid > 0)
			processes[i] = process_of(pid);
	}
	for (size_t value = 0; value < PROCESS_VALUES; value++) {
		metrics_print_head(text, rows[value].name, rows[value].type, rows[value].help);
		for (size_t i = 0; i < used; i++) {
			if (processes[i].there)
				buffer_add_format(text, "%s{worker=\"%zu\"} %.15g\n",
					rows[value].name, i, processes[i].values[value]);
		}
	}
	free(processes);
}
