/* One request after the other to one server, over a connection that is kept. Blocks; one thread at a time. */
#ifndef OPENAI_TRANSFER_H
#define OPENAI_TRANSFER_H

#include "common/openai_endpoint.h"

struct transfer;

/* What came back. */
struct transfer_reply {
	int status;
	char *body; /* not NUL-terminated; the caller frees it */
	size_t length;
	char location[200];
	double retry_after; /* seconds; negative: it says nothing */
};

/* For requests to ENDPOINT, which is borrowed, each of which takes CONNECT_TIMEOUT and TIMEOUT seconds at most. */
struct transfer *transfer_new(const struct openai_endpoint *endpoint, double connect_timeout,
	double timeout, struct ss_error *err);

/* POSTs BODY. -1 and ERR when there is no whole reply. */
int transfer_post(struct transfer *transfer, const char *body, struct transfer_reply *reply,
	struct ss_error *err);

void transfer_free(struct transfer *transfer);

#endif
