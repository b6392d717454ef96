#include "common/sql/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the number behind the dot at *TEXT; *TEXT moves behind it. */
static int read_number(const char **text, int64_t *number)
{
	char *after = NULL;
	if (**text != '.' || (*text)[1] < '0' || (*text)[1] > '9')
		return -1;
	errno = 0;
	*number = strtoll(*text + 1, &after, 10);
	*text = after;
	return errno != 0 ? -1 : 0;
}

int place_read(
	const char *after, const char *order, int64_t *numbers, size_t count, struct ss_error *err)
{
	size_t length = strlen(order);
	if (after == NULL)
		return 0;
	const char *at = after + length;
	int result = strncmp(after, order, length) == 0 ? 0 : -1;
	for (size_t i = 0; result == 0 && i < count; i++)
		result = read_number(&at, &numbers[i]);
	if (result == 0 && *at == '\0')
		return 0;
	return page_refuse(err);
}

void place_write(
	char place[PAGE_PLACE_SIZE], const char *order, const int64_t *numbers, size_t count)
{
	int length = snprintf(place, PAGE_PLACE_SIZE, "%s", order);
	for (size_t i = 0; i < count; i++)
		length += snprintf(place + length, PAGE_PLACE_SIZE - (size_t)length, ".%lld",
			(long long)numbers[i]);
}

int64_t place_time(int64_t ns, int64_t other)
{
	return ns > 0 ? microseconds_up(ns) : other;
}

void place_before(int64_t place[2], int64_t to_ns)
{
	int64_t to_us = place_time(to_ns, INT64_MAX);
	if (to_us > place[0])
		return;
	place[0] = to_us;
	place[1] = 0;
}
