#include "service/retention.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/metrics.h"
#include "service/store.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_SHARE = 9 };

/* The least pause between steps, and how long a step is to take at most. */
static const int64_t pause_ns = 10000000, long_ns = 10000000;

struct retention {
	struct retention_options options;
	int64_t keep_ns[RETENTION_KINDS];
	struct event *timer;
	bool stopped;
	/* Of the round. */
	size_t what; /* the kind that is deleted now; 0 between rounds */
	uint64_t deleted;
	/* Of the step, which the store's thread has. */
	struct ss_purge purge;
	size_t count;
	int64_t took_ns;
};

static void wait(struct retention *retention, int64_t ns)
{
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	(void)evtimer_add(retention->timer, &after);
}

/* A random time, so that workers that began together do not come together. */
static void wait_for_round(struct retention *retention, int64_t least_ns)
{
	int64_t every_ms = retention->options.every_ns / 1000000;
	retention->what = 0;
	wait(retention, least_ns + 1000000 * (int64_t)arc4random_uniform((uint32_t)every_ms + 1));
}

static int call_purge(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct retention *retention = context;
	int64_t since_ns = clock_monotonic_ns();
	int result = storage->purge(instance, &retention->purge, &retention->count, err);
	retention->took_ns = clock_monotonic_ns() - since_ns;
	return result;
}

size_t retention_next_step(size_t limit, int64_t took_ns)
{
	if (took_ns > long_ns)
		return limit > 1 ? limit / 2 : 1;
	if (took_ns >= long_ns / 2)
		return limit;
	return limit < RETENTION_STEP_MOST / 2 ? limit * 2 : RETENTION_STEP_MOST;
}

/* Goes on to the next kind that is not kept for ever. False when there is none. */
static bool next_kind(struct retention *retention)
{
	do {
		retention->what++;
	} while (retention->what < RETENTION_KINDS && retention->keep_ns[retention->what] == 0);
	if (retention->what == RETENTION_KINDS)
		return false;
	retention->deleted = 0;
	retention->purge = (struct ss_purge){
		.struct_size = sizeof retention->purge,
		.what = (enum ss_purged)retention->what,
		.before_ns = clock_utc_ns() - retention->keep_ns[retention->what],
		.limit = retention->options.step > 0 ? retention->options.step
						     : RETENTION_STEP_FIRST,
	};
	return true;
}

static void tell(const struct retention *retention)
{
	char before[CLOCK_TEXT_SIZE];
	if (retention->deleted > 0)
		log_info(retention->options.log, "retention: deleted %llu %s from before %s",
			(unsigned long long)retention->deleted,
			retention->options.name(retention->purge.what),
			clock_format(retention->purge.before_ns, before));
}

static void on_purged(void *context, const struct ss_error *err)
{
	struct retention *retention = context;
	if (err == NULL) {
		retention->deleted += retention->count;
		metrics_add(retention->options.metrics,
			METRIC_PURGED_CONVERSATIONS + (enum metric)(retention->what - 1),
			retention->count);
	}
	bool more = err == NULL && retention->count >= retention->purge.limit;
	if (!more)
		tell(retention);
	if (retention->stopped)
		return;
	if (err != NULL) {
		log_warning(retention->options.log,
			"retention: %s that are too old are still there: %s",
			retention->options.name(retention->purge.what), err->text);
		wait_for_round(retention, retention->options.every_ns / 2);
	} else if (more || next_kind(retention)) {
		if (more && retention->options.step == 0)
			retention->purge.limit =
				retention_next_step(retention->purge.limit, retention->took_ns);
		int64_t idle_ns = retention->took_ns * IDLE_SHARE;
		wait(retention, idle_ns > pause_ns ? idle_ns : pause_ns);
	} else {
		wait_for_round(retention, retention->options.every_ns / 2);
	}
}

static void on_timer(evutil_socket_t fd, short events, void *context)
{
	struct retention *retention = context;
	struct ss_error err = {0};
	(void)fd;
	(void)events;
	if (retention->what == 0 && !next_kind(retention))
		return; /* everything is kept for ever */
	if (store_run(retention->options.store, call_purge, on_purged, retention, &err) == 0)
		return;
	/* Too much else is to be done. */
	tell(retention);
	wait_for_round(retention, retention->options.every_ns / 2);
}

struct retention *retention_new(const struct retention_options *options)
{
	struct retention *retention = memory_make(struct retention);
	retention->options = *options;
	memcpy(retention->keep_ns, options->keep_ns, sizeof retention->keep_ns);
	retention->timer = evtimer_new(options->base, on_timer, retention);
	if (retention->timer == NULL)
		abort(); /* only for want of memory */
	wait_for_round(retention, 0);
	return retention;
}

void retention_stop(struct retention *retention)
{
	if (retention == NULL)
		return;
	retention->stopped = true;
	(void)event_del(retention->timer);
}

void retention_free(struct retention *retention)
{
	if (retention == NULL)
		return;
	event_free(retention->timer);
	free(retention);
}
