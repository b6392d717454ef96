/* Processes: names, which tell them apart also after their ids were used again, and memory. Any thread. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_NAME_SIZE = 96 };

/* Writes this process's name: its boot, its namespace of process ids, its id and when it started. */
void process_name(char name[PROCESS_NAME_SIZE]);

/* Whether the process NAME was of this boot and namespace, and is no more. False when nobody here can know. */
bool process_is_gone(const char *name);

/* The memory that the process ID has, in bytes; 0 when there is none. */
int64_t process_memory(long id);

#endif
