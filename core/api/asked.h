/*
 * Operations of the storage that a request asks for: called on a thread of the store, with what they read for the reply.
 * Loop thread, but for the calls.
 */
#ifndef API_ASKED_H
#define API_ASKED_H

#include "api/api.h"
#include "service/store.h"

/* Replies to REQUEST with VALUE, which was read (NULL: nothing was) and is borrowed. */
typedef void asked_reply(struct http_request *request, const struct ss_value *value);

/* The context of a call. What its question points to is the request's or is kept here. */
struct asked {
	struct http_request *request;
	asked_reply *reply;
	struct ss_value *value; /* what the call reads, freed with this */
	char *texts[4];         /* what was made for the question, the same */
	size_t text_count;
	bool has_expected; /* the request has If-Match: that it is not so, or not there, is a 412 */
	char id[56];       /* as texts, of what is new */
	max_align_t data[]; /* the question */
};

/* A context for a question of SIZE zeroed bytes. */
struct asked *asked_new(struct http_request *request, size_t size, asked_reply *reply);

#define asked_make(request, type, reply) asked_new(request, sizeof(type), reply)

/* The question. */
void *asked_question(struct asked *asked);

/* Keeps TEXT (taken) as long as the question. Returns it. */
char *asked_keep(struct asked *asked, char *text);

/* Calls CALL with STORED (taken), and then its reply(); or replies with the problem that it comes to. A cursor that is none
 * of the list is one with the parameter. */
void asked_run(struct asked *asked, store_call *call);

/* The same for a call that wants the text ID alone. */
void asked_run_id(
	struct http_request *request, const char *id, store_call *call, asked_reply *reply);

/* The id of such a call. */
const char *asked_id(struct asked *asked);

/* Replies that the parameter `cursor` is none, as ERR says. */
void asked_reply_cursor(struct http_request *request, const struct ss_error *err);

/* Replies with VALUE as it is, with a page as {items, next_cursor}, and with nothing (204). */
void asked_reply_value(struct http_request *request, const struct ss_value *value);
void asked_reply_page(struct http_request *request, const struct ss_value *page);
void asked_reply_nothing(struct http_request *request, const struct ss_value *nothing);

/* {items, next_cursor} of ITEMS (taken) and what PAGE says of what follows; new. */
struct ss_value *asked_page(struct ss_value *items, const struct ss_value *page);

/* The parameter NAME, a time, as Unix time; 0 when it is not given. */
int64_t asked_time(const struct http_request *request, const char *name);

/* The member NAME of the request's body, a string; NULL when it is not given or null. */
const char *asked_member(const struct http_request *request, const char *name);

#endif
