/*
 * The article feed: brings what changes in the store's articles into the knowledge base of this worker while it is searched.
 * Changes are taken together: of an article that changes several times only the last one is done. Loop thread.
 */
#ifndef SERVICE_ARTICLE_FEED_H
#define SERVICE_ARTICLE_FEED_H

#include <smartsupport/value.h>

struct article_feed;
struct catalogue;
struct compute;
struct event_base;
struct log;
struct metrics_part;

struct article_feed_options {
	struct event_base *base;
	struct compute *compute;
	struct catalogue *catalogue;  /* that the knowledge base was made of */
	int64_t version;              /* of the documents in it */
	struct metrics_part *metrics; /* is told up to which version the articles are served */
	const struct log *log;
};

/* All of OPTIONS are borrowed for its life. */
struct article_feed *article_feed_new(const struct article_feed_options *options);

/* Takes documents that changed; a documents_changed() whose CONTEXT is the feed. */
void article_feed_take(void *context, const struct ss_value *documents);

/* Begins nothing more; before the compute service ends. */
void article_feed_stop(struct article_feed *feed);

/* After the compute service has ended. */
void article_feed_free(struct article_feed *feed);

#endif
