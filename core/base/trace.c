#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Where the parts of the header stand: version-id-parent-flags. */
enum {
	VERSION_AT = 0,
	ID_AT = 3,
	ID_LENGTH = TRACE_ID_SIZE - 1,
	PARENT_AT = ID_AT + ID_LENGTH + 1,
	PARENT_LENGTH = TRACE_SPAN_SIZE - 1,
	FLAGS_AT = PARENT_AT + PARENT_LENGTH + 1,
	PAIR_LENGTH = 2, /* of the version, and of the flags */
	LENGTH = FLAGS_AT + PAIR_LENGTH,
};

static uint64_t random_number(void)
{
	uint64_t number = 0;
	/* All zeros mean that there is none. */
	while (number == 0) {
		if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
			abort(); /* cannot happen: fewer than 256 bytes are never cut short */
	}
	return number;
}

static void set_span(struct trace *trace)
{
	(void)snprintf(
		trace->span, sizeof trace->span, "%016llx", (unsigned long long)random_number());
}

struct trace trace_new(void)
{
	struct trace trace = {.sampled = true};
	(void)snprintf(trace.id, sizeof trace.id, "%016llx%016llx",
		(unsigned long long)random_number(), (unsigned long long)random_number());
	set_span(&trace);
	return trace;
}

static bool is_hexadecimal(const char *digits, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool is_digit = digits[i] >= '0' && digits[i] <= '9';
		if (!is_digit && (digits[i] < 'a' || digits[i] > 'f'))
			return false;
	}
	return true;
}

/* Hexadecimal digits that are not all zero. */
static bool is_id(const char *digits, size_t length)
{
	size_t zeros = 0;
	while (zeros < length && digits[zeros] == '0')
		zeros++;
	return zeros < length && is_hexadecimal(digits, length);
}

static bool is_valid(struct ss_text header)
{
	const char *at = header.data;
	if (header.length < LENGTH || at[ID_AT - 1] != '-' || at[PARENT_AT - 1] != '-' ||
		at[FLAGS_AT - 1] != '-')
		return false;
	/* Later versions may say more behind another dash. */
	bool is_first = strncmp(at, "00", PAIR_LENGTH) == 0;
	if (header.length > LENGTH && (is_first || at[LENGTH] != '-'))
		return false;
	return is_hexadecimal(at + VERSION_AT, PAIR_LENGTH) &&
	       strncmp(at, "ff", PAIR_LENGTH) != 0 && is_id(at + ID_AT, ID_LENGTH) &&
	       is_id(at + PARENT_AT, PARENT_LENGTH) && is_hexadecimal(at + FLAGS_AT, PAIR_LENGTH);
}

bool trace_join(struct trace *trace, struct ss_text header)
{
	char flags[PAIR_LENGTH + 1] = "";
	if (!is_valid(header))
		return false;
	memcpy(trace->id, header.data + ID_AT, ID_LENGTH);
	trace->id[ID_LENGTH] = '\0';
	memcpy(trace->parent, header.data + PARENT_AT, PARENT_LENGTH);
	trace->parent[PARENT_LENGTH] = '\0';
	memcpy(flags, header.data + FLAGS_AT, PAIR_LENGTH);
	trace->sampled = (strtoul(flags, NULL, 16) & 1) != 0;
	set_span(trace);
	return true;
}

struct trace trace_child(const struct trace *trace)
{
	struct trace child = *trace;
	set_span(&child);
	return child;
}

char *trace_take_state(const char *header, char state[TRACE_STATE_SIZE])
{
	size_t length = header != NULL ? strlen(header) : 0;
	for (size_t i = 0; i < length; i++) {
		if ((header[i] < ' ' || header[i] > '~') && header[i] != '\t')
			length = 0;
	}
	if (length >= TRACE_STATE_SIZE) {
		length = TRACE_STATE_SIZE - 1;
		while (length > 0 && header[length] != ',')
			length--;
	}
	memcpy(state, length > 0 ? header : "", length);
	state[length] = '\0';
	return state;
}

char *trace_text(const struct trace *trace, char text[TRACE_TEXT_SIZE])
{
	(void)snprintf(text, TRACE_TEXT_SIZE, "00-%s-%s-%02x", trace->id, trace->span,
		(unsigned)trace->sampled);
	return text;
}
