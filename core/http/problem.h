/*
 * Problems: what a client is told when its request fails (RFC 9457, application/problem+json).
 * For the reply functions and the guard; any thread.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include <smartsupport/value.h>

#include <stddef.h>

#define HTTP_PROBLEM_TYPE "application/problem+json"

/* The page that tells of all kinds of problems. */
#define HTTP_PROBLEM_PAGE "/docs/errors"

/* A kind of problem. Clients tell kinds apart by their types, which never change. */
struct http_problem_kind {
	int status;
	const char *
		slug; /* its place in the page: the type of "not-found" is "/docs/errors#not-found" */
	const char *title;
	const char *meaning; /* sentences for whoever gets it */
	const char *advice;  /* what they can do */
};

extern const struct http_problem_kind http_problem_kinds[];
extern const size_t http_problem_kind_count;

struct http_problem {
	int status;
	const char
		*type; /* a relative URI that names the kind of problem; NULL: that of the status */
	const char *detail; /* a sentence for whoever sent the request; NULL for none */
	/* A list of {pointer, detail}, the pointer into the body (RFC 6901); or NULL. Taken. */
	struct ss_value *errors;
};

/* The title of STATUS, as in "Not Found". */
const char *http_status_title(int status);

/* An entry of `errors`. DETAIL need not be UTF-8. */
struct ss_value *http_problem_error(const char *pointer, const char *detail);

/* That there is no WHAT ("member") with NAME: which one of the COUNT names that are KNOWN it may have been meant to be, or which
 * there are when these are few; new. */
char *http_problem_unknown(
	const char *what, const char *name, const char *const *known, size_t count);

/* PROBLEM as JSON, with the request's id as its instance. The caller frees it. What is not UTF-8 in the
 * detail becomes question marks. */
char *http_problem_text(const struct http_problem *problem, const char *request_id);

#endif
