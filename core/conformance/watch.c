/* Waiting for what others store. */
#include "base/clock.h"
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Who watches, on a thread and an instance of its own. */
struct watcher {
	struct probe *probe;
	void *instance;
	struct ss_watch watch;
	pthread_t thread;
	int result;
	struct ss_value *seen;
	struct ss_error err;
};

static void *watch_on(void *context)
{
	struct watcher *watcher = context;
	watcher->result = watcher->probe->storage->watch(
		watcher->instance, &watcher->watch, &watcher->seen, &watcher->err);
	return NULL;
}

/* One that watches nothing yet. */
static struct watcher watcher_open(struct probe *probe)
{
	return (struct watcher){
		.probe = probe,
		.instance = probe_open(probe),
		.watch = {.struct_size = sizeof(struct ss_watch),
			.articles = -1,
			.heads = -1,
			.webhooks = -1,
			.api_keys = -1,
			/* Long enough for all that it must see. */
			.timeout_ns = 20 * PROBE_SECOND_NS},
	};
}

static void start(struct watcher *watcher)
{
	if (watcher->probe->failed)
		return;
	watcher->err = (struct ss_error){.status = SS_OK};
	watcher->seen = NULL;
	if (pthread_create(&watcher->thread, NULL, watch_on, watcher) != 0)
		abort(); /* only for want of memory */
}

/* What it has seen. The case ends in time also when it sees nothing. */
static const struct ss_value *end(struct watcher *watcher)
{
	struct probe *probe = watcher->probe;
	if (probe->failed)
		return NULL;
	(void)pthread_join(watcher->thread, NULL);
	probe_expect_success(probe, "watch()", watcher->result, &watcher->err);
	return probe_keep(probe, watcher->result == 0 ? watcher->seen : NULL);
}

/* The same without waiting for a change. */
static const struct ss_value *look(struct watcher *watcher)
{
	int64_t timeout_ns = watcher->watch.timeout_ns;
	watcher->watch.timeout_ns = 0;
	start(watcher);
	const struct ss_value *seen = end(watcher);
	watcher->watch.timeout_ns = timeout_ns;
	return seen;
}

static void sees_documents(struct probe *probe)
{
	static const char *const names[] = {
		[SS_ARTICLES] = "articles", "heads", "webhooks", "api_keys"};
	struct watcher watcher = watcher_open(probe);
	int64_t *const watched[] = {[SS_ARTICLES] = &watcher.watch.articles,
		&watcher.watch.heads,
		&watcher.watch.webhooks,
		&watcher.watch.api_keys};
	const char *id = probe_name(probe, "doc");
	for (int kind = SS_ARTICLES; kind <= SS_API_KEYS; kind++) {
		int64_t before = probe_version(probe, (enum ss_document_kind)kind);
		*watched[kind] = before;
		start(&watcher);
		/* Most of the times it waits by then. */
		probe_pause();
		probe_put(probe, (enum ss_document_kind)kind, id, "{}", 0);
		const struct ss_value *seen = end(&watcher);
		int64_t after = value_as_int(value_get(seen, names[kind]));
		if (!probe->failed && after <= before)
			probe_fail(probe, "the version that watch() tells of", "a higher one",
				"%lld after %lld", (long long)after, (long long)before);
		probe_put(probe, (enum ss_document_kind)kind, id, NULL, -1);
		/* It has not seen that, which was before it watches. */
		*watched[kind] = after;
		start(&watcher);
		seen = end(&watcher);
		probe_expect_int(probe, "what watch() tells at once of a change of before",
			probe_version(probe, (enum ss_document_kind)kind),
			value_as_int(value_get(seen, names[kind])));
		*watched[kind] = -1;
	}
	probe_close(probe, watcher.instance);
}

static void sees_events(struct probe *probe)
{
	struct watcher watcher = watcher_open(probe);
	watcher.watch.events = true;
	(void)probe_event(probe, "ann", "a", NULL, probe->now_ns);
	start(&watcher);
	const struct ss_value *seen = end(&watcher);
	if (!probe->failed && !value_as_bool(value_get(seen, "events")))
		probe_fail(probe, "what an instance tells first when there are events", "events",
			"none");
	/* While others store, the same one may be told of more than once. */
	for (int i = 0; i < PROBE_PATIENCE && value_as_bool(value_get(seen, "events")); i++) {
		probe_pause();
		seen = look(&watcher);
	}
	if (!probe->failed && value_as_bool(value_get(seen, "events")))
		probe_fail(probe, "what it tells then", "no events", "some");
	start(&watcher);
	probe_pause();
	(void)probe_event(probe, "ann", "a", NULL, probe->now_ns);
	seen = end(&watcher);
	if (!probe->failed && !value_as_bool(value_get(seen, "events")))
		probe_fail(probe, "what it tells of a new event", "events", "none");
	probe_close(probe, watcher.instance);
}

static void waits_for_the_rest(struct probe *probe)
{
	struct watcher watcher = watcher_open(probe);
	watcher.watch.heads = probe_version(probe, SS_HEADS);
	watcher.watch.timeout_ns = PROBE_SECOND_NS / 10;
	int64_t before_ns = clock_utc_ns();
	start(&watcher);
	/* Of a kind that is not watched, and events that are not. */
	probe_put(probe, SS_API_KEYS, probe_name(probe, "key"), "{}", 0);
	(void)probe_event(probe, "ann", "a", NULL, probe->now_ns);
	const struct ss_value *seen = end(&watcher);
	int64_t took_ns = clock_utc_ns() - before_ns;
	probe_expect_int(probe, "the version of what has not changed", watcher.watch.heads,
		value_as_int(value_get(seen, "heads")));
	if (!probe->failed && took_ns < PROBE_SECOND_NS / 20)
		probe_fail(probe, "what watch() waits when nothing that it watches changes",
			"its timeout, 100 ms", "%lld ms", (long long)(took_ns / 1000000));
	probe_put(probe, SS_API_KEYS, probe_name(probe, "key"), NULL, -1);
	probe_close(probe, watcher.instance);
}

static void is_interrupted(struct probe *probe)
{
	struct watcher watcher = watcher_open(probe);
	watcher.watch.heads = probe_version(probe, SS_HEADS);
	watcher.watch.timeout_ns = PROBE_HOUR_NS;
	start(&watcher);
	probe_pause();
	if (!probe->failed)
		probe->storage->interrupt_watch(watcher.instance);
	const struct ss_value *seen = end(&watcher);
	probe_expect_int(probe, "the version that watch() tells when it is interrupted",
		watcher.watch.heads, value_as_int(value_get(seen, "heads")));
	/* Who interrupts cannot know whether it waits already. */
	if (!probe->failed)
		probe->storage->interrupt_watch(watcher.instance);
	start(&watcher);
	(void)end(&watcher);
	probe_close(probe, watcher.instance);
}

static const struct probe_case cases[] = {
	{"who watches is told of each kind of documents that changes", sees_documents},
	{"who watches is told of new events, once", sees_events},
	{"who watches waits while nothing changes that it watches", waits_for_the_rest},
	{"who watches is interrupted, also just before it waits", is_interrupted},
};

const struct probe_area watch_area = {"watch", cases, array_length(cases)};
