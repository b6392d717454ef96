/*
 * The log: one line an event, logfmt or JSON, to one descriptor. Any thread.
 *
 * A log is a small value that is passed down and copied. log_with() makes a copy whose lines carry
 * one more field, so whoever handles a request logs its id without knowing it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/trace.h"

#include <smartsupport/host.h>

struct log_scope;

struct log {
	int fd;
	enum ss_log_level level; /* lines below it are dropped */
	bool json;
	struct trace trace;                 /* that the lines belong to */
	char trace_state[TRACE_STATE_SIZE]; /* what other servers say of it; "": nothing */
	struct log_scope *scope;            /* base/log_scope.h; NULL: none */
	char context[448];                  /* fields that every line carries, formatted already */
};

/* A log on FD with no context. */
struct log log_new(int fd, enum ss_log_level level, bool json);

/* A copy of LOG whose lines also carry NAME=VALUE, unless they have NAME already. What does not fit is cut. */
struct log log_with(const struct log *log, const char *name, const char *value);

/* A copy of LOG whose lines belong to TRACE, and carry its id as trace_id, this server's span as
 * span_id, and the caller's, if there is one, as parent_id. */
struct log log_with_trace(const struct log *log, const struct trace *trace);

/* Writes one line with one write(2). */
__attribute__((format(printf, 3, 4))) void log_write(
	const struct log *log, enum ss_log_level level, const char *format, ...);
__attribute__((format(printf, 3, 0))) void log_write_arguments(
	const struct log *log, enum ss_log_level level, const char *format, va_list arguments);

#define log_debug(log, ...)   log_write((log), SS_LOG_DEBUG, __VA_ARGS__)
#define log_info(log, ...)    log_write((log), SS_LOG_INFO, __VA_ARGS__)
#define log_warning(log, ...) log_write((log), SS_LOG_WARNING, __VA_ARGS__)
#define log_error(log, ...)   log_write((log), SS_LOG_ERROR, __VA_ARGS__)

#endif
