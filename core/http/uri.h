/*
 * The target of a request: its path and its query, percent-decoded. For the router; any thread.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "http/head.h"

enum {
	URI_SEGMENTS = 16,
	URI_PARAMETERS = 32,
};

struct uri_parameter {
	const char *name;
	const char *value; /* "" where there is no = */
};

struct uri {
	char *memory; /* what the strings are in */
	/* Whether a path may match at all: no segment is . or .., is not UTF-8 or holds a NUL. */
	bool regular;
	size_t segment_count;
	const char
		*segments[URI_SEGMENTS]; /* what is between the slashes; "/" is one empty segment */
	size_t parameter_count;
	struct uri_parameter parameters[URI_PARAMETERS]; /* of the query; no name comes twice */
};

/* Takes TARGET ("/path?query") apart. Fails when a percent sign is not followed by two hexadecimal
 * digits, or the query is not UTF-8, has a NUL, or gives a name twice; then nothing needs to be freed. */
int uri_parse(struct uri *uri, struct ss_text target, struct http_refusal *refusal);

void uri_free(struct uri *uri);

#endif
