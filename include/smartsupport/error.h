/*
 * Errors: a status that programs act on and a sentence that people read.
 *
 * A function that can fail returns 0 or -1 (or NULL for a pointer) and fills the error that its
 * caller passed. The sentence names what is wrong, where, and what to do; it needs no look-up.
 */
#ifndef SMARTSUPPORT_ERROR_H
#define SMARTSUPPORT_ERROR_H

#include "abi.h"

#include <stdarg.h>
#include <stdio.h>

SS_BEGIN_C

/* What kind of error it is, for who decides by it what to do next. */
enum ss_status {
	SS_OK = 0,      /* no error */
	SS_INVALID,     /* the input is wrong; trying again cannot help */
	SS_NOT_FOUND,   /* what was named does not exist */
	SS_CONFLICT,    /* somebody else changed or holds it */
	SS_UNAVAILABLE, /* a dependency is down or busy; trying again may help */
	SS_TIMEOUT,     /* a deadline passed */
	SS_LIMIT,       /* a configured limit was reached */
	SS_INTERNAL,    /* anything else */
	SS_QUARANTINED, /* of nodes: processes died over the plugin, which is not called any more */
};

/* An error. Who calls makes it, as {0}, and keeps it; the callee fills it only when it fails. */
struct ss_error {
	enum ss_status status; /* never SS_OK after a failure */
	char text[508];        /* UTF-8, NUL-terminated, no line breaks */
};

/* Fills ERR (which may be NULL) with STATUS and the formatted sentence. Always returns -1. Any thread. */
__attribute__((format(printf, 3, 4))) static inline int ss_fail_as(
	struct ss_error *err, enum ss_status status, const char *format, ...)
{
	va_list arguments;
	if (err == NULL)
		return -1;
	err->status = status;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof err->text, format, arguments);
	va_end(arguments);
	return -1;
}

/* The same with SS_INTERNAL, the status of an error that nobody acts on. */
#define ss_fail(err, ...) ss_fail_as((err), SS_INTERNAL, __VA_ARGS__)

SS_END_C

#endif
