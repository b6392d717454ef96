/* Events as the API gives them, and the stream of those that come. Loop thread. */
#ifndef API_EVENT_STREAM_H
#define API_EVENT_STREAM_H

#include "api/api.h"

#include <smartsupport/plugin.h>

/* EVENT, as a storage gives it, with its data as JSON has it; new. */
struct ss_value *event_value(const struct ss_value *event);

/* The items of PAGE, a page of a storage, the same; new. */
struct ss_value *event_items(const struct ss_value *page);

/* What REQUEST asks for: type, conversation_id, user_id, from and to. Borrows from it. */
struct ss_event_filter event_filter(const struct http_request *request);

/* Answers REQUEST with what comes from now on, or behind its Last-Event-ID. */
void event_stream_follow(struct http_request *request);

#endif
