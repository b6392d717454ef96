/* What a reply of an OpenAI-compatible API that is no answer means: its status, its message and when to come back. */
#ifndef COMMON_OPENAI_FAILURE_H
#define COMMON_OPENAI_FAILURE_H

#include "common/openai_endpoint.h"

#include <time.h>

/* Copies TEXT to the SIZE bytes of OUT: on one line, without the key, cut between characters where it does not fit. */
void openai_tidy(
	const struct openai_endpoint *endpoint, struct ss_text text, char *out, size_t size);

/* Fills ERR with what the reply with STATUS, its BODY and LOCATION (of a redirect; may be NULL) says, without the key.
 * SS_LIMIT for 429, SS_UNAVAILABLE when trying again may help, else SS_INVALID. Returns -1. */
int openai_failure(const struct openai_endpoint *endpoint, const struct ss_value_functions *values,
	int status, struct ss_text body, const char *location, struct ss_error *err);

/* The same of an error that comes in place of a part of an answer: {message, code}, or a text. */
int openai_failure_in(const struct openai_endpoint *endpoint,
	const struct ss_value_functions *values, const struct ss_value *error,
	struct ss_error *err);

/* The seconds that Retry-After asks for: a number, or a date, seen from NOW. Negative: it says nothing. */
double openai_retry_after(const char *header, time_t now);

#endif
