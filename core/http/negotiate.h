/*
 * What a client asks of the form of a reply (RFC 9110, 12 and 13): its media type, whether it may be compressed, and
 * whether the client has it already. Loop thread, but for what takes a header alone.
 */
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include <smartsupport/value.h>

struct http_request;

/* How much HEADER, an Accept, wants replies of TYPE, as "application/json": from 0, not at all, to 1. Without a header (NULL),
 * or with one in which there is no media type, anything is wanted. */
double http_type_wanted(const char *header, const char *type);

/* Whether HEADER, an Accept-Encoding, takes gzip. NULL: there is no such header. */
bool http_gzip_accepted(const char *header);

/* Whether ETAG is one of HEADER, which is as If-None-Match has it: a list, or *. */
bool http_etag_listed(const char *header, const char *etag);

/* TEXT compressed, of *LENGTH bytes, new. LEVEL is from 1, fast, to 9, small. */
char *http_gzip(struct ss_text text, int level, size_t *length);

/* A reply on its way out. */
struct http_outgoing {
	int status;
	const char *type; /* NULL: there is no body */
	const char *body;
	size_t length;
	char *packed; /* its own: BODY, when it was compressed; NULL: it was not */
};

/* Makes OUTGOING what the client of REQUEST asks for, with the headers that say so: compressed, or 304 for one that the handler
 * may not have to send (http_request_may_be_known()). The caller frees its packed. */
void http_negotiate(struct http_request *request, struct http_outgoing *outgoing);

#endif
