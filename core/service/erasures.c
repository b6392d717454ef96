#include "service/erasures.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/retention.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>

struct erasure {
	struct erasures *erasures;
	struct erasure *next;
	char *user_id;
	store_read *done;
	void *context;
	struct event *timer;
	bool paused; /* no step is under way */
	/* Of the step, which the store's thread has. */
	size_t limit;
	struct ss_value
		*erased; /* what the step says; until then the one before, NULL for the first */
	struct ss_value *told;
	int64_t took_ns;
};

struct erasures {
	struct event_base *base;
	struct store *store;
	struct erasure *first; /* of those under way */
	bool stopped;
};

static void end(struct erasure *erasure, const struct ss_error *err)
{
	struct erasure **at = &erasure->erasures->first;
	while (*at != erasure)
		at = &(*at)->next;
	*at = erasure->next;
	erasure->done(
		erasure->context, err == NULL ? value_get(erasure->erased, "erased") : NULL, err);
	value_unref(erasure->erased);
	event_free(erasure->timer);
	free(erasure->user_id);
	free(erasure);
}

static void cut_off(struct erasure *erasure)
{
	struct ss_error err = {0};
	(void)ss_fail_as(&err, SS_UNAVAILABLE,
		"the server stops before all of the user is erased; the rest goes when the user is "
		"erased again, or by itself later");
	end(erasure, &err);
}

static int call_step(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct erasure *erasure = context;
	const struct ss_erasure step = {
		.struct_size = sizeof step, .user_id = erasure->user_id, .limit = erasure->limit};
	int64_t since_ns = clock_monotonic_ns();
	int result = storage->erase_user(instance, &step, &erasure->told, err);
	erasure->took_ns = clock_monotonic_ns() - since_ns;
	return result;
}

static void wait(struct erasure *erasure, int64_t ns)
{
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	erasure->paused = true;
	(void)evtimer_add(erasure->timer, &after);
}

static void on_step(void *context, const struct ss_error *err)
{
	struct erasure *erasure = context;
	if (err == NULL) {
		value_unref(erasure->erased);
		erasure->erased = erasure->told;
		erasure->told = NULL;
	}
	/* Somebody else has erased what was left. */
	bool gone = err != NULL && err->status == SS_NOT_FOUND && erasure->erased != NULL;
	if (gone || (err == NULL && value_as_bool(value_get(erasure->erased, "over"))))
		end(erasure, NULL);
	else if (err != NULL)
		end(erasure, err);
	else if (erasure->erasures->stopped)
		cut_off(erasure);
	else {
		erasure->limit = retention_next_step(erasure->limit, erasure->took_ns);
		/* Half of the time is for others, also for those of other processes. */
		wait(erasure, erasure->took_ns);
	}
}

static void on_timer(evutil_socket_t fd, short events, void *context)
{
	struct erasure *erasure = context;
	struct ss_error err = {0};
	(void)fd;
	(void)events;
	erasure->paused = false;
	if (store_run(erasure->erasures->store, call_step, on_step, erasure, &err) < 0)
		end(erasure, &err);
}

struct erasures *erasures_new(struct event_base *base, struct store *store)
{
	struct erasures *erasures = memory_make(struct erasures);
	erasures->base = base;
	erasures->store = store;
	return erasures;
}

void erasures_begin(struct erasures *erasures, const char *user_id, store_read *done, void *context)
{
	struct erasure *erasure = memory_make(struct erasure);
	*erasure = (struct erasure){
		.erasures = erasures,
		.next = erasures->first,
		.user_id = memory_string(user_id),
		.done = done,
		.context = context,
		.limit = RETENTION_STEP_FIRST,
	};
	erasure->timer = evtimer_new(erasures->base, on_timer, erasure);
	if (erasure->timer == NULL)
		abort(); /* only for want of memory */
	erasures->first = erasure;
	wait(erasure, 0);
}

void erasures_stop(struct erasures *erasures)
{
	if (erasures == NULL)
		return;
	erasures->stopped = true;
	struct erasure *next;
	for (struct erasure *erasure = erasures->first; erasure != NULL; erasure = next) {
		next = erasure->next;
		if (erasure->paused)
			cut_off(erasure);
	}
}

void erasures_free(struct erasures *erasures)
{
	free(erasures);
}
