#include "service/article_feed.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/catalogue.h"
#include "service/compute.h"
#include "service/knowledge_change.h"
#include "service/metrics.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	FIRST_PAUSE_MS = 50,
	LONGEST_PAUSE_MS = 10000,
	TOGETHER = 64, /* articles that are changed before the loop hears of it */
};

/* One of them. */
struct article_work {
	struct catalogue_entry *entry;
	struct knowledge_change *change;
};

struct article_feed {
	struct article_feed_options options;
	struct event *retry;
	/* What is to be done, in the order in which it was first changed. */
	struct catalogue_entry *first, **last;
	int64_t version; /* of the documents that were taken */
	/* What is being done on the compute thread, one thing at a time. */
	struct article_work work[TOGETHER];
	size_t count; /* of the work; 0: there is none */
	size_t made;  /* of it */
	struct knowledge_calibration *calibration;
	atomic_bool interrupted; /* the calibration, by changes */
	bool waits;              /* for the pause to be over */
	bool stopped;
	int pause_ms;
	bool uncalibrated; /* articles changed since */
	size_t done;       /* articles that were changed since the log said so */
	int64_t since_ns;
};

static void go_on(struct article_feed *feed);

static void enqueue(struct article_feed *feed, struct catalogue_entry *entry)
{
	if (entry->changed)
		return;
	if (feed->first == NULL && feed->count == 0)
		feed->since_ns = clock_monotonic_ns();
	entry->changed = true;
	entry->next = NULL;
	*feed->last = entry;
	feed->last = &entry->next;
}

static struct catalogue_entry *dequeue(struct article_feed *feed)
{
	struct catalogue_entry *entry = feed->first;
	feed->first = entry->next;
	if (feed->first == NULL)
		feed->last = &feed->first;
	entry->changed = false;
	return entry;
}

/* Goes on after a pause, longer each time. */
static void wait_and_go_on(struct article_feed *feed, const struct ss_error *err)
{
	const struct timeval after = {.tv_sec = feed->pause_ms / 1000,
		.tv_usec = (suseconds_t)(feed->pause_ms % 1000) * 1000};
	if (feed->stopped)
		return;
	if (err->status != SS_LIMIT && feed->pause_ms == FIRST_PAUSE_MS)
		log_warning(feed->options.log,
			"articles that changed are not taken over yet: %s; it is tried again",
			err->text);
	feed->waits = true;
	(void)evtimer_add(feed->retry, &after);
	feed->pause_ms =
		feed->pause_ms * 2 < LONGEST_PAUSE_MS ? feed->pause_ms * 2 : LONGEST_PAUSE_MS;
}

static int change_piece(struct knowledge *knowledge, void *context, struct ss_error *err)
{
	struct article_feed *feed = context;
	int result = knowledge_change_step(knowledge, feed->work[feed->made].change, err);
	if (result != 0)
		return result;
	feed->made++;
	return feed->made < feed->count;
}

static void on_changed(void *context, const struct ss_error *err)
{
	struct article_feed *feed = context;
	size_t count = feed->count;
	if (feed->made > 0) {
		feed->pause_ms = FIRST_PAUSE_MS;
		feed->uncalibrated = true;
		feed->done += feed->made;
	}
	feed->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct catalogue_entry *entry = feed->work[i].entry;
		knowledge_change_free(feed->work[i].change);
		if (i < feed->made)
			catalogue_drop(feed->options.catalogue, entry);
		else if (i > feed->made)
			enqueue(feed, entry);
	}
	if (err == NULL) {
		go_on(feed);
		return;
	}
	/* Behind the others, which may do better. */
	if (feed->made < count)
		enqueue(feed, feed->work[feed->made].entry);
	wait_and_go_on(feed, err);
}

static int calibration_piece(struct knowledge *knowledge, void *context, struct ss_error *err)
{
	struct article_feed *feed = context;
	return atomic_load(&feed->interrupted)
		       ? 0
		       : knowledge_calibration_step(knowledge, feed->calibration, err);
}

static void on_calibrated(void *context, const struct ss_error *err)
{
	struct article_feed *feed = context;
	bool interrupted = atomic_exchange(&feed->interrupted, false);
	knowledge_calibration_free(feed->calibration);
	feed->calibration = NULL;
	if (err != NULL) {
		wait_and_go_on(feed, err);
		return;
	}
	feed->pause_ms = FIRST_PAUSE_MS;
	feed->uncalibrated = interrupted;
	go_on(feed);
}

/* All that was taken is served. */
static void settle(struct article_feed *feed)
{
	metrics_set(feed->options.metrics, METRIC_ARTICLES_VERSION, (uint64_t)feed->version);
	if (feed->done > 0)
		log_info(feed->options.log,
			"%zu changes of articles are served after %lld ms (version %lld)",
			feed->done, (long long)((clock_monotonic_ns() - feed->since_ns) / 1000000),
			(long long)feed->version);
	feed->done = 0;
}

static void begin_changes(struct article_feed *feed)
{
	struct ss_error err = {0};
	feed->made = 0;
	while (feed->first != NULL && feed->count < TOGETHER) {
		struct catalogue_entry *entry = dequeue(feed);
		feed->work[feed->count++] = (struct article_work){
			entry, knowledge_change_new(entry->id, catalogue_article(entry))};
	}
	if (compute_run(feed->options.compute, change_piece, on_changed, feed, &err) < 0)
		on_changed(feed, &err);
}

static void begin_calibration(struct article_feed *feed)
{
	struct ss_error err = {0};
	feed->calibration = knowledge_calibration_new();
	if (compute_run(feed->options.compute, calibration_piece, on_calibrated, feed, &err) < 0)
		on_calibrated(feed, &err);
}

static void go_on(struct article_feed *feed)
{
	if (feed->count > 0 || feed->calibration != NULL || feed->waits || feed->stopped)
		return;
	if (feed->first != NULL) {
		begin_changes(feed);
		return;
	}
	settle(feed);
	if (feed->uncalibrated)
		begin_calibration(feed);
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	struct article_feed *feed = context;
	(void)fd;
	(void)what;
	feed->waits = false;
	go_on(feed);
}

struct article_feed *article_feed_new(const struct article_feed_options *options)
{
	struct article_feed *feed = memory_make(struct article_feed);
	feed->options = *options;
	feed->last = &feed->first;
	feed->version = options->version;
	feed->pause_ms = FIRST_PAUSE_MS;
	feed->retry = evtimer_new(options->base, on_retry, feed);
	if (feed->retry == NULL)
		abort(); /* only for want of memory */
	settle(feed);
	return feed;
}

void article_feed_take(void *context, const struct ss_value *documents)
{
	struct article_feed *feed = context;
	const struct ss_value *items = value_get(documents, "items");
	for (size_t i = 0; i < value_count(items); i++) {
		struct catalogue_entry *entry =
			catalogue_take(feed->options.catalogue, value_at(items, i));
		if (entry != NULL)
			enqueue(feed, entry);
	}
	feed->version = value_as_int(value_get(documents, "version"));
	if (feed->first != NULL && feed->calibration != NULL)
		atomic_store(&feed->interrupted, true);
	go_on(feed);
}

void article_feed_stop(struct article_feed *feed)
{
	if (feed != NULL)
		feed->stopped = true;
}

void article_feed_free(struct article_feed *feed)
{
	if (feed == NULL)
		return;
	for (size_t i = 0; i < feed->count; i++)
		knowledge_change_free(feed->work[i].change);
	knowledge_calibration_free(feed->calibration);
	event_free(feed->retry);
	free(feed);
}
