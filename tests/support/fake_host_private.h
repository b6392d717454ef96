/* What the two halves of the fake host share: the tests' side (fake_host.c) and the agent's (fake_host_functions.c). */
#ifndef SUPPORT_FAKE_HOST_PRIVATE_H
#define SUPPORT_FAKE_HOST_PRIVATE_H

#include "base/buffer.h"
#include "support/fake_host.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program when an agent or a test breaks the rules; also in builds without assertions. */
#define must(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "fake host: " __VA_ARGS__);                          \
			(void)fputc('\n', stderr);                                                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct canned_vector {
	char *text;
	float *vector;
};

/* One answer that waits. */
struct waiting {
	struct waiting *next;
	enum fake_call call;
	struct ss_error err; /* SS_OK: an answer */
	ss_embedded *embedded;
	ss_found *found;
	ss_generated *generated;
	ss_waited *waited;
	float *vectors;
	size_t count;
};

struct chunk {
	struct chunk *next;
	max_align_t bytes[];
};

struct ss_run {
	struct fake_host *host;
	struct chunk *chunks;
	struct waiting *first;
	struct waiting **last;
	bool ended;
	enum ss_result result;
	struct ss_error err;
};

struct fake_host {
	struct ss_host table; /* first: the host that agents see is the fake one */
	const struct ss_plugin *plugin;
	void *instance;
	bool created;
	size_t fields;
	struct ss_value **values; /* of enums, a list */
	struct ss_value **state;
	struct ss_value **written;
	bool *left_out;
	struct ss_run *run;
	size_t dimension;
	struct canned_vector *vectors;
	size_t vectors_count;
	fake_embedder *embedder;
	void *embedder_context;
	struct ss_value *articles;
	struct ss_value *missing;
	const struct ss_value *told; /* of `missing`, while an agent is told what was found */
	char *answer;
	struct ss_value *sources;
	char *model;
	struct ss_error fails[FAKE_CALLS];
	struct ss_error refuses[FAKE_CALLS];
	size_t calls[FAKE_CALLS];
	size_t texts;
	char *asked[FAKE_CALLS];
	struct ss_search search;
	char *prefer_category;
	struct ss_prompt prompt;
	char *instructions;
	char *json;
	struct buffer log;
	struct ss_value **options; /* a value for each row */
	struct buffer emitted;
	bool waits_first;
};

/* What agents call. */
extern const struct ss_host fake_host_functions;

void fake_host_forget_prompt(struct fake_host *host);

/* Gives VECTOR the length 1. */
void fake_host_normalise(float *vector, size_t dimension);

#endif
