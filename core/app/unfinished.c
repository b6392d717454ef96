#include "app/unfinished.h"

#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/record.h"
#include "service/store.h"
#include "value/value.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAGE = 16,       /* journals that are listed at once */
	TOGETHER = 4,    /* turns that are gone on with at once */
	IGNORED = 64,    /* ids that are remembered as none of ours */
	LOOK_MS = 2000,  /* between two looks, and up to */
	SPREAD_MS = 1000 /* so much more: many workers do not look at the same moment */
};

struct unfinished {
	struct store *store;
	struct versions *versions;
	struct log log;
	struct event *timer;
	bool stopped;
	bool first;   /* this look is also for those whose lease is not over */
	bool looking; /* until the page is looked through */
	struct ss_value *page;
	size_t at;    /* in it */
	char *before; /* the page begins behind this turn; NULL: with the newest */
	size_t running;
	char *ignored[IGNORED];
	size_t ignored_count; /* ever */
};

/* A turn that is taken. */
struct taken {
	struct unfinished *unfinished;
	bool gives_up;
	struct log log;
	char *id, *error;
	struct ss_journal_write write;
};

static void look(struct unfinished *unfinished);
static void go_on(struct unfinished *unfinished);

static void ignore(struct unfinished *unfinished, const char *id)
{
	char **place = &unfinished->ignored[unfinished->ignored_count++ % IGNORED];
	free(*place);
	*place = memory_string(id);
}

static bool is_ignored(const struct unfinished *unfinished, const char *id)
{
	for (size_t i = 0; i < IGNORED && unfinished->ignored[i] != NULL; i++) {
		if (strcmp(unfinished->ignored[i], id) == 0)
			return true;
	}
	return false;
}

static const char *text(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

static struct taken *taken_new(
	struct unfinished *unfinished, const struct record *record, bool gives_up)
{
	struct taken *taken = memory_make(struct taken);
	taken->unfinished = unfinished;
	taken->gives_up = gives_up;
	taken->id = memory_string(record_id(record));
	taken->log = log_with(&unfinished->log, "turn_id", taken->id);
	unfinished->running++;
	return taken;
}

static void taken_free(struct taken *taken)
{
	taken->unfinished->running--;
	free(taken->id);
	free(taken->error);
	free(taken);
}

/* Going on. */

static void on_replied(void *context, const struct ss_value *reply, const struct ss_value *trace,
	const struct ss_error *err)
{
	(void)reply;
	(void)trace;
	(void)err; /* was logged */
	taken_free(context);
}

static void answer(struct taken *taken, struct record *record)
{
	struct ss_error err = {0};
	log_warning(&taken->log,
		"the process that answered this question is gone; it is gone on with here "
		"(%lld of %d times)",
		(long long)record_fence(record) - 1, UNFINISHED_TAKINGS);
	/* While the lease was asked for, what was there may have been tidied up. */
	struct support *support = NULL;
	int made = versions_get(taken->unfinished->versions, record, &support, &err);
	if (made == 0 && support == NULL)
		(void)ss_fail_as(&err, SS_LIMIT, "turns of other workflows are under way");
	if (support != NULL &&
		support_continue(support, record, &taken->log, on_replied, taken, &err) != NULL)
		return;
	log_error(&taken->log, "the question cannot be gone on with: %s", err.text);
	taken_free(taken);
}

/* Giving up. */

static void on_given_up(void *context, const struct ss_error *err)
{
	struct taken *taken = context;
	if (err != NULL)
		log_warning(
			&taken->log, "it could not be stored that the turn failed: %s", err->text);
	taken_free(taken);
}

static void store_failure(struct taken *taken)
{
	struct ss_error err = {0};
	if (store_write_journal(taken->unfinished->store, &taken->write, on_given_up, taken, &err) <
		0)
		on_given_up(taken, &err);
}

static void on_handed_over(void *context, const struct ss_value *reply,
	const struct ss_value *trace, const struct ss_error *err)
{
	(void)reply;
	(void)trace;
	(void)err; /* was logged */
	store_failure(context);
}

/* What is known of the turn goes to a human, as far as its workflow can be made. */
static void give_up(struct taken *taken, struct record *record)
{
	struct ss_error err = {0};
	struct support *support = NULL;
	taken->error = memory_format(
		"it was gone on with %d times, and each time the process that did it was gone "
		"before its end; the turn may be what it died of",
		UNFINISHED_TAKINGS);
	log_error(&taken->log,
		"the question goes to a human: %s (smartsupport turns show %s tells how far it "
		"came)",
		taken->error, taken->id);
	taken->write = (struct ss_journal_write){
		.struct_size = sizeof taken->write,
		.turn_id = taken->id,
		.fence = record_fence(record),
		.status = "failed",
		.error = taken->error,
		.first = (int64_t)record_count(record) + 1,
	};
	int made = versions_get(taken->unfinished->versions, record, &support, &err);
	if (made == 0 && support == NULL) {
		taken_free(taken); /* it is looked at again when others are over */
		return;
	}
	if (support != NULL && support_hand_over(support, record, &taken->log, on_handed_over,
				       taken, &err) != NULL)
		return;
	log_error(&taken->log, "the question cannot be handed over: %s", err.text);
	store_failure(taken);
}

/* Taking. */

static void on_taken(void *context, struct record *record, const struct ss_error *err)
{
	struct taken *taken = context;
	struct unfinished *unfinished = taken->unfinished;
	if (err != NULL && err->status != SS_CONFLICT && err->status != SS_NOT_FOUND)
		log_warning(&taken->log, "the turn cannot be taken: %s", err->text);
	if (err != NULL)
		taken_free(taken); /* others were faster, or the store is away */
	else if (taken->gives_up)
		give_up(taken, record);
	else
		answer(taken, record);
	record_unref(record);
	go_on(unfinished);
}

/* Takes the turn of RECORD if it is a question and its workflow can be made: nothing is taken that could not be gone on
 * with. Whether it is on its way. */
static bool take(struct unfinished *unfinished, const struct record *record)
{
	struct ss_error err = {0};
	struct support *support = NULL;
	const char *id = record_id(record);
	bool gives_up = record_fence(record) > UNFINISHED_TAKINGS;
	if (!support_is_question(record)) {
		ignore(unfinished, id);
		return false;
	}
	if (!gives_up && versions_get(unfinished->versions, record, &support, &err) < 0) {
		ignore(unfinished, id);
		log_warning(&unfinished->log,
			"the turn %s, whose process is gone, cannot be gone on with: %s", id,
			err.text);
		return false;
	}
	if (support == NULL && !gives_up)
		return false;
	struct taken *taken = taken_new(unfinished, record, gives_up);
	if (record_fetch(unfinished->store, id, true, on_taken, taken, &err) == 0)
		return true;
	taken_free(taken);
	return false;
}

static void on_read(void *context, struct record *record, const struct ss_error *err)
{
	struct unfinished *unfinished = context;
	bool comes = err == NULL && !unfinished->stopped && take(unfinished, record);
	record_unref(record);
	if (!comes)
		go_on(unfinished);
}

/* Looking. */

/* Whether somebody here may take what ITEM lists. */
static bool is_left(const struct unfinished *unfinished, const struct ss_value *item)
{
	const char *owner = text(item, "owner");
	if (is_ignored(unfinished, text(item, "id")))
		return false;
	return !unfinished->first || owner[0] == '\0' || process_is_gone(owner);
}

/* Ends the look at a page: what there is behind it is next. */
static void end_page(struct unfinished *unfinished)
{
	size_t count = value_count(unfinished->page);
	bool all = unfinished->at == count;
	free(unfinished->before);
	unfinished->before = NULL;
	if (all && count == PAGE)
		unfinished->before =
			memory_string(text(value_at(unfinished->page, count - 1), "id"));
	value_unref(unfinished->page);
	unfinished->page = NULL;
	unfinished->looking = false;
	if (!all)
		return;
	if (unfinished->before == NULL)
		unfinished->first = false;
	else if (unfinished->first)
		look(unfinished);
}

/* Goes on with the page. */
static void go_on(struct unfinished *unfinished)
{
	struct ss_error err = {0};
	while (!unfinished->stopped && unfinished->running < TOGETHER &&
		unfinished->at < value_count(unfinished->page)) {
		const struct ss_value *item = value_at(unfinished->page, unfinished->at++);
		if (is_left(unfinished, item) && record_fetch(unfinished->store, text(item, "id"),
							 false, on_read, unfinished, &err) == 0)
			return;
	}
	end_page(unfinished);
}

static void on_listed(void *context, const struct ss_value *journals, const struct ss_error *err)
{
	struct unfinished *unfinished = context;
	if (err != NULL) {
		/* The store says itself what it lacks. */
		unfinished->looking = false;
		return;
	}
	unfinished->page = value_ref(journals);
	unfinished->at = 0;
	go_on(unfinished);
}

static void look(struct unfinished *unfinished)
{
	struct ss_error err = {0};
	const struct ss_journal_filter filter = {
		.struct_size = sizeof filter,
		.status = "running",
		.before = unfinished->before,
		.limit = PAGE,
		.lease_over = !unfinished->first,
	};
	unfinished->looking =
		!unfinished->stopped &&
		store_list_journals(unfinished->store, &filter, on_listed, unfinished, &err) == 0;
}

static void set_timer(struct unfinished *unfinished)
{
	uint16_t random = 0;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	long ms = LOOK_MS + random % SPREAD_MS;
	const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	if (evtimer_add(unfinished->timer, &after) < 0)
		abort(); /* only for want of memory */
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct unfinished *unfinished = context;
	(void)fd;
	(void)what;
	versions_tidy(unfinished->versions);
	if (!unfinished->looking && unfinished->running < TOGETHER)
		look(unfinished);
	set_timer(unfinished);
}

struct unfinished *unfinished_new(struct event_base *base, struct store *store,
	struct versions *versions, const struct log *log)
{
	struct unfinished *unfinished = memory_make(struct unfinished);
	*unfinished = (struct unfinished){.store = store,
		.versions = versions,
		.log = *log,
		.first = true,
		.timer = evtimer_new(base, on_timer, unfinished)};
	if (unfinished->timer == NULL)
		abort(); /* only for want of memory */
	return unfinished;
}

void unfinished_begin(struct unfinished *unfinished)
{
	look(unfinished);
	set_timer(unfinished);
}

void unfinished_pause(struct unfinished *unfinished)
{
	unfinished->stopped = true;
	(void)event_del(unfinished->timer);
}

void unfinished_stop(struct unfinished *unfinished)
{
	if (unfinished == NULL)
		return;
	unfinished_pause(unfinished);
	versions_stop(unfinished->versions);
}

void unfinished_free(struct unfinished *unfinished)
{
	if (unfinished == NULL)
		return;
	versions_free(unfinished->versions);
	event_free(unfinished->timer);
	value_unref(unfinished->page);
	for (size_t i = 0; i < IGNORED; i++)
		free(unfinished->ignored[i]);
	free(unfinished->before);
	free(unfinished);
}
