/* Names of processes, which tell them apart also after their ids were used again. Any thread. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>

enum { PROCESS_NAME_SIZE = 96 };

/* Writes this process's name: its boot, its namespace of process ids, its id and when it started. */
void process_name(char name[PROCESS_NAME_SIZE]);

/* Whether the process NAME was of this boot and namespace, and is no more. False when nobody here can know. */
bool process_is_gone(const char *name);

#endif
