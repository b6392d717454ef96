/*
 * What every request passes before its handler: whether who sends it may (caller.h), and whether its parameters and its body are what the document says. The
 * handler then asks for them here. Loop thread.
 */
#ifndef API_GATE_H
#define API_GATE_H

#include "api/document.h"
#include "base/id.h"

#include <smartsupport/value.h>

/* The handler of all routes. */
void api_gate(struct http_request *request);

/* The operation that REQUEST asks for. */
const struct api_operation *api_operation_of(const struct http_request *request);

/* Has the lines of REQUEST's log tell the conversation ID that it is about (NULL: none). */
void api_note_conversation(struct http_request *request, const char *id);

/* The same of the conversation that REPLY to a question tells; NULL: it tells none. */
void api_note_answer(struct http_request *request, const struct ss_value *reply);

/* The body of REQUEST, which fits its schema; NULL for an operation without one. Borrowed as the request is. */
const struct ss_value *api_body(const struct http_request *request);

/* A UUID for what REQUEST makes, which is the same when it is sent again (once.h); NULL: it is not to be known again. Borrowed. */
const char *api_subject(const struct http_request *request);
/* The same behind PREFIX, in ID; NULL: as above. */
const char *api_subject_as(
	const struct http_request *request, const char *prefix, char id[ID_SIZE]);

/* Keeps BODY of the given Content-Type for when REQUEST, which gets a stream, is sent again; TYPE NULL: then it is done anew.
 * Calls KEPT with CONTEXT when that is over; at once when REQUEST is not to be known again. */
void api_keep(struct http_request *request, const char *type, struct ss_text body,
	void (*kept)(void *context), void *context);

/* Whether what REQUEST makes may be there already, by its subject. */
bool api_is_again(const struct http_request *request);

/* The parameter NAME of the path or the query, of its schema's type; NULL when it is not given. Borrowed. */
const struct ss_value *api_parameter(const struct http_request *request, const char *name);

/* The same of a string; NULL when it is not given. */
const char *api_parameter_text(const struct http_request *request, const char *name);

/* The parameter `limit`, or how many the document gives by default. */
size_t api_limit(const struct http_request *request);

#endif
