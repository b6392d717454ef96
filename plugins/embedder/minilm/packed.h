/*
 * Memory for packed weights that the processes of a machine share: whoever needs them first packs them, the
 * others use what is there. It is POSIX shared memory, readable by this user alone, and gone with the last
 * process that uses it; what a killed process leaves is used by the next one with the same key.
 *
 * Where there is no room for it, or somebody else has taken its name, a process has its own.
 * Loop thread.
 */
#ifndef MINILM_PACKED_H
#define MINILM_PACKED_H

#include <smartsupport/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packed {
	void *data;       /* aligned to 64 bytes; read only once it is complete */
	bool is_complete; /* false: the caller fills it and calls packed_complete() */
	void *mapping;
	size_t length;
	int file; /* -1: its own memory */
	char name[64];
};

/* SIZE bytes for what KEY names: a hash of all that the packed bytes depend on. Waits while another process packs
 * them, 10 s at most. */
int packed_open(struct packed *packed, uint64_t key, size_t size, struct ss_error *err);

/* Lets others use it. */
void packed_complete(struct packed *packed);

void packed_close(struct packed *packed);

#endif
