/*
 * The head of an HTTP/1 request (RFC 9112), checked strictly: what one program could read in another
 * way than the next is refused, since that is how a request is smuggled past a proxy. evhttp's own
 * parser takes bare line feeds, spaces before a colon, NULs and unknown transfer encodings, so it only
 * gets what passed here. For guard.c; any thread.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <smartsupport/value.h>

/* Why a request is refused, and with which status. */
struct http_refusal {
	int status;
	char detail[160];
};

/* Fills REFUSAL. Always returns -1. */
__attribute__((format(printf, 3, 4))) int http_refuse(
	struct http_refusal *refusal, int status, const char *format, ...);

/* How far a head has been looked at. Zeroed for a new one. */
struct http_head_scan {
	size_t at;         /* bytes that were looked at */
	size_t line;       /* where the current line begins */
	size_t first_line; /* bytes of the request line with its end; 0: it is not complete */
};

/* What a head says about the request. The texts are borrowed from the bytes that were read. */
struct http_head {
	struct ss_text method;
	struct ss_text target; /* path and query; "*" for OPTIONS */
	struct ss_text
		request_id; /* X-Request-ID, if it is one that can be taken over; else empty */
	struct ss_text traceparent; /* as it was sent; empty when it was sent more than once */
	uint64_t length;            /* Content-Length */
	bool chunked;
	bool old;              /* HTTP/1.0 */
	bool expects_continue; /* the client waits for 100 Continue */
	bool close;            /* the connection ends after the reply */
};

/* Looks for the end of the head in the LENGTH bytes that have come so far, at most LIMIT of which may
 * belong to it. Returns the head's length, 0 when more must come, or -1 and REFUSAL. */
ptrdiff_t http_head_scan(struct http_head_scan *scan, const char *bytes, size_t length,
	size_t limit, struct http_refusal *refusal);

/* Reads the request line, LENGTH bytes without its end, into HEAD. */
int http_head_line(
	struct http_head *head, const char *line, size_t length, struct http_refusal *refusal);

/* Reads a whole head of LENGTH bytes, as http_head_scan() found it. */
int http_head_read(
	struct http_head *head, const char *bytes, size_t length, struct http_refusal *refusal);

#endif
