/*
 * The framing of a chunked body (RFC 9112, 7.1), checked strictly: sizes are hexadecimal digits and
 * nothing else, each chunk ends with CR LF, and there are no extensions and no trailers. evhttp decodes
 * the chunks; it takes signs, blanks and missing line ends, so it only gets what passed here. For
 * guard.c; any thread.
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include "http/head.h"

enum http_chunk_state {
	CHUNK_SIZE,
	CHUNK_SIZE_END, /* the LF after a size */
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_LAST_CR, /* the empty line after the chunk of size 0 */
	CHUNK_LAST_LF,
	CHUNK_DONE,
};

/* How far a body has been looked at. Zeroed for a new one. */
struct http_chunk_scan {
	enum http_chunk_state state;
	unsigned digits; /* of the size */
	uint64_t left;   /* bytes of the current chunk; while its size is read, the size */
	uint64_t total;  /* bytes of all chunks so far */
};

/* Looks at the next LENGTH bytes of a body that may have LIMIT bytes without its framing. Returns how
 * many of them belong to the body (all, until the state is CHUNK_DONE), or -1 and REFUSAL. */
ptrdiff_t http_chunk_scan(struct http_chunk_scan *scan, const char *bytes, size_t length,
	uint64_t limit, struct http_refusal *refusal);

#endif
