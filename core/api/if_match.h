/*
 * Changes of what has been read: the header If-Match names the version that a change is meant for. An ETag is that version's
 * number, with what else its form depends on behind a hyphen. Loop thread.
 */
#ifndef API_IF_MATCH_H
#define API_IF_MATCH_H

#include "http/request.h"

enum { IF_MATCH_REST = 48 };

struct api_if_match {
	bool is_given;
	bool is_any; /* it is there, whichever version it has */
	int64_t version;
	char rest
		[IF_MATCH_REST]; /* what stands behind the number's hyphen, up to the next one; may be empty */
};

/* Reads the header of REQUEST, about an article or whatever THING is. False when it is nothing that an ETag of one is; then a
 * problem was replied. */
bool api_read_if_match(
	struct http_request *request, const char *thing, struct api_if_match *expected);

#endif
