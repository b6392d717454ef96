#include "base/id.h"

#include "base/clock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

char *id_new(const char *prefix, char id[ID_SIZE])
{
	uint64_t random[2];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		abort(); /* cannot happen: fewer than 256 bytes are never cut short */
	uint64_t ms = (uint64_t)(clock_utc_ns() / 1000000);
	(void)snprintf(id, ID_SIZE, "%.16s%08x-%04x-7%03x-%04x-%012llx", prefix,
		(unsigned)(ms >> 16), (unsigned)(ms & 0xffff), (unsigned)(random[0] & 0xfff),
		(unsigned)(0x8000 | (random[0] >> 12 & 0x3fff)),
		(unsigned long long)(random[1] & 0xffffffffffff));
	return id;
}
