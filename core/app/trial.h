/*
 * Questions put to the configured workflow and its knowledge base, to see what comes of them. For `smartsupport
 * eval`; loop thread.
 *
 * Each question is a turn of the workflow, with nothing stored. The turn is given up as soon as every node that writes a
 * category, a sentiment or the articles has run: nobody reads the answer, so no model is asked for one. Then the
 * knowledge base is searched as the workflow does it, but for more articles and whether they fit or not.
 */
#ifndef APP_TRIAL_H
#define APP_TRIAL_H

#include "base/log.h"
#include "learn/evaluation.h"

struct event_base;
struct runtime;

/* Called as questions are answered. */
typedef void trial_progress(void *context, size_t done, size_t total);

struct trial_options {
	struct event_base *base;
	struct runtime *runtime;
	const struct log *log;
	const struct questions *questions;
	trial_progress *progress;
	void *context;
};

/* Asks all questions: one outcome each, or NULL and ERR, which names the line, when one could not be answered at
 * all. */
struct outcome *trial_run(const struct trial_options *options, struct ss_error *err);
void trial_free(struct outcome *outcomes, size_t count);

#endif
