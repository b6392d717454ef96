/* Waiting for what others store: the versions are compared with those that the caller has seen, whenever the plugin says
 * that something may have changed. */
#include "common/sql/watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Indexed by enum ss_document_kind. */
enum { KINDS = SS_API_KEYS + 1 };

/* At once; whoever wants to wait longer asks again. */
enum { WAIT_NS = 1000000000 };

/* What there is. */
struct standing {
	int64_t versions[KINDS];
	int64_t marks[WATCH_MARKS];
};

struct wish {
	const struct ss_watch *watch;
	int64_t deadline_ns;
};

int watching_begin(struct watching *watching, struct ss_error *err)
{
	watching->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return watching->wake >= 0
		       ? 0
		       : ss_fail_as(err, SS_UNAVAILABLE,
				 "no event can be made to interrupt watch(): %s", strerror(errno));
}

void watching_end(struct watching *watching)
{
	if (watching->wake >= 0)
		(void)close(watching->wake);
	watching->wake = -1;
}

int64_t watching_now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Whether somebody has called; forgets it. */
static bool take_call(const struct watching *watching)
{
	uint64_t calls;
	return read(watching->wake, &calls, sizeof calls) == (ssize_t)sizeof calls;
}

bool watching_wait(const struct watching *watching, int socket, int64_t until_ns)
{
	struct pollfd wanted[] = {
		{.fd = watching->wake, .events = POLLIN},
		{.fd = socket, .events = POLLIN},
	};
	int64_t left_ns = until_ns - watching_now_ns();
	if (left_ns > WAIT_NS)
		left_ns = WAIT_NS;
	/* A part of a millisecond is a whole one, so that nobody asks again too soon. */
	int left_ms = left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0;
	(void)poll(wanted, 2, left_ms);
	return take_call(watching);
}

static int read_versions(struct database *db, int64_t versions[KINDS], struct ss_error *err)
{
	int result;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_VERSIONS);
	while ((result = cursor_next(&cursor, err)) == 1) {
		int64_t kind = cursor_int(&cursor, 0);
		if (kind >= SS_ARTICLES && kind < KINDS)
			versions[kind] = cursor_int(&cursor, 1);
	}
	cursor_end(&cursor);
	return result;
}

static int read_marks(struct database *db, int64_t marks[WATCH_MARKS], struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_EVENT_MARKS);
	int result = cursor_next(&cursor, err);
	for (int i = 0; result == 1 && i < WATCH_MARKS; i++)
		marks[i] = cursor_int(&cursor, i);
	cursor_end(&cursor);
	return result < 0 ? -1 : 0;
}

static bool has_changed(const struct ss_watch *watch, const int64_t versions[KINDS])
{
	const int64_t seen[KINDS] = {
		[SS_ARTICLES] = watch->articles,
		[SS_HEADS] = watch->heads,
		[SS_WEBHOOKS] = watch->webhooks,
		[SS_API_KEYS] = watch->api_keys,
	};
	for (int kind = SS_ARTICLES; kind < KINDS; kind++) {
		if (seen[kind] >= 0 && seen[kind] != versions[kind])
			return true;
	}
	return false;
}

static struct ss_value *seen_value(
	const struct database *db, const int64_t versions[KINDS], bool events)
{
	static const char *const keys[] = {"articles", "heads", "webhooks", "api_keys", "events"};
	const struct ss_value_functions *values = database_values(db);
	struct ss_value *const entries[] = {
		values->integer(versions[SS_ARTICLES]),
		values->integer(versions[SS_HEADS]),
		values->integer(versions[SS_WEBHOOKS]),
		values->integer(versions[SS_API_KEYS]),
		values->boolean(events),
	};
	return values->map(keys, entries, sizeof keys / sizeof *keys);
}

/* Looks once: 1 and *SEEN when there is something to tell, or it is the LAST look; else 0. */
static int look(struct database *db, const struct ss_watch *watch, bool last,
	struct ss_value **seen, struct ss_error *err)
{
	struct watching *watching = database_watching(db);
	struct standing now = {.versions = {0}};
	if (read_versions(db, now.versions, err) < 0 ||
		(watch->events && read_marks(db, now.marks, err) < 0))
		return -1;
	bool events = watch->events && memcmp(now.marks, watching->marks, sizeof now.marks) != 0;
	if (!last && !events && !has_changed(watch, now.versions))
		return 0;
	if (watch->events)
		memcpy(watching->marks, now.marks, sizeof now.marks);
	*seen = seen_value(db, now.versions, events);
	return 1;
}

static int watch_once(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct wish *wish = question;
	bool last = false;
	/* Before it is looked, so that nothing comes between. */
	if (database_listen(db, err) < 0)
		return -1;
	for (;;) {
		last |= watching_now_ns() >= wish->deadline_ns;
		int result = look(db, wish->watch, last, answer, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
		int called = database_wait(db, wish->deadline_ns, err);
		if (called < 0)
			return -1;
		last = called == 1;
	}
}

int database_watch(
	void *instance, const struct ss_watch *watch, struct ss_value **seen, struct ss_error *err)
{
	const struct wish wish = {
		.watch = watch,
		.deadline_ns =
			watching_now_ns() +
			(watch->timeout_ns < INT64_MAX / 2 ? watch->timeout_ns : INT64_MAX / 2),
	};
	return database_try(instance, watch_once, &wish, seen, err);
}

void database_interrupt_watch(void *instance)
{
	const uint64_t call = 1;
	ssize_t written = write(database_watching(instance)->wake, &call, sizeof call);
	/* It can only fail when there are more calls than a number counts, and then there is one. */
	(void)written;
}
