#include "service/event_feed.h"

#include "unit/service/loop.h"

#include "base/log.h"
#include "base/memory.h"
#include "service/store.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 200 }; /* that the feed asks for */

/* The storage's instance, which each call has for itself. */
static struct storage {
	struct gate gate;
	pthread_mutex_t lock;                /* over the rest */
	const char *conversations[3 * PAGE]; /* of the events that are there */
	size_t count;
	size_t fails; /* so many calls fail */
	size_t calls;
} storage = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Places are how many events are before them. */
static int list(struct storage *mine, const struct ss_event_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	struct ss_value *items[PAGE];
	char next[24];
	size_t count = 0;
	mine->calls++;
	if (mine->fails > 0) {
		mine->fails--;
		return ss_fail_as(err, SS_UNAVAILABLE, "the disk is away");
	}
	size_t at = filter->after != NULL ? strtoul(filter->after, NULL, 10) : mine->count;
	for (; at < mine->count && count < filter->limit; at++)
		items[count++] =
			value_map_make({"conversation_id", value_text(mine->conversations[at])});
	(void)snprintf(next, sizeof next, "%zu", at);
	*page = value_map_make({"items", value_list(items, count)}, {"next", value_text(next)});
	return 0;
}

static int list_events(void *instance, const struct ss_event_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	struct storage *mine = instance;
	gate_pass(&mine->gate);
	(void)pthread_mutex_lock(&mine->lock);
	int result = list(mine, filter, page, err);
	(void)pthread_mutex_unlock(&mine->lock);
	return result;
}

static size_t calls_so_far(void)
{
	(void)pthread_mutex_lock(&storage.lock);
	size_t calls = storage.calls;
	(void)pthread_mutex_unlock(&storage.lock);
	return calls;
}

static void fail_next(size_t fails)
{
	(void)pthread_mutex_lock(&storage.lock);
	storage.fails = fails;
	(void)pthread_mutex_unlock(&storage.lock);
}

static const struct ss_storage_operations operations = {.list_events = list_events};

static struct event_base *base;
static struct store *store;
static struct event_feed *feed;
static struct log quiet;

static void set_up(void)
{
	struct ss_error err = {0};
	quiet = log_new(-1, SS_LOG_ERROR, false);
	base = event_base_new();
	gate_init(&storage.gate, false);
	store = store_new(base, &operations, (void *[]){&storage}, 1, 16, &err);
	cr_assert_not_null(store, "%s", err.text);
	feed = event_feed_new(base, store, &quiet);
}

static void tear_down(void)
{
	event_feed_stop(feed);
	store_free(store);
	event_feed_free(feed);
	gate_destroy(&storage.gate);
	event_base_free(base);
}

TestSuite(event_feed, .init = set_up, .fini = tear_down, .timeout = 60);

/* Who listens: for as long as the test lasts, since its end ends them. */
struct ear {
	struct event_listener *listener;
	size_t news, refuses; /* so many times it cannot take care of it */
	bool over;
};

static bool on_news(void *context)
{
	struct ear *ear = context;
	ear->news++;
	if (ear->refuses == 0)
		return true;
	ear->refuses--;
	return false;
}

static void on_over(void *context)
{
	struct ear *ear = context;
	ear->over = true;
	event_listener_free(ear->listener);
	ear->listener = NULL;
}

static void listen_to(struct ear *ear, const char *conversation)
{
	ear->listener = event_feed_listen(feed, conversation, on_news, on_over, ear);
	cr_assert_not_null(ear->listener);
}

/* Stores events of the conversation named, and says so. */
static void happen(const char *conversation, size_t count)
{
	(void)pthread_mutex_lock(&storage.lock);
	for (size_t i = 0; i < count; i++)
		storage.conversations[storage.count++] = conversation;
	(void)pthread_mutex_unlock(&storage.lock);
	event_feed_look(feed);
}

Test(event_feed, tells_of_what_was_stored_while_it_looked_for_the_end)
{
	static struct ear ear;
	listen_to(&ear, "a");
	loop_until(base, &ear.news, 1);
	cr_expect_eq(calls_so_far(), 1);
}

Test(event_feed, tells_those_who_listen_to_the_conversation_or_to_all)
{
	static struct ear a, b, all;
	listen_to(&a, "a");
	listen_to(&b, "b");
	listen_to(&all, NULL);
	loop_until(base, &all.news, 1);
	happen("a", 1);
	loop_until(base, &all.news, 2);
	cr_expect_eq(a.news, 2);
	cr_expect_eq(b.news, 1);
	happen("b", 3);
	loop_until(base, &all.news, 3);
	cr_expect_eq(b.news, 2, "once for all that has come");
	cr_expect_eq(a.news, 2);
}

Test(event_feed, reads_on_behind_a_full_page)
{
	static struct ear all, last;
	listen_to(&all, NULL);
	listen_to(&last, "last");
	loop_until(base, &last.news, 1);
	happen("other", PAGE + 1);
	happen("last", 1);
	loop_until(base, &last.news, 2);
	cr_expect_geq(all.news, 3);
}

Test(event_feed, asks_again_when_the_store_has_failed)
{
	static struct ear ear;
	listen_to(&ear, "a");
	loop_until(base, &ear.news, 1);
	fail_next(1);
	happen("a", 1);
	loop_until(base, &ear.news, 2);
	cr_expect_eq(storage.fails, 0);
}

Test(event_feed, tells_again_who_could_not_take_care_of_it)
{
	static struct ear ear = {.refuses = 1};
	listen_to(&ear, "a");
	loop_until(base, &ear.news, 2);
	cr_expect_eq(ear.refuses, 0);
}

Test(event_feed, tells_of_what_is_no_event)
{
	static struct ear a, b;
	listen_to(&a, "a");
	listen_to(&b, "b");
	loop_until(base, &a.news, 1);
	loop_until(base, &b.news, 1);
	event_feed_tell(feed, "a");
	cr_expect_eq(a.news, 2);
	cr_expect_eq(b.news, 1);
	event_feed_tell(feed, NULL);
	cr_expect_eq(a.news, 3);
	cr_expect_eq(b.news, 2);
	event_feed_tell(NULL, "a");
}

Test(event_feed, reads_nothing_while_nobody_listens)
{
	static struct ear ear;
	happen("a", 1);
	cr_expect_eq(calls_so_far(), 0);
	listen_to(&ear, "a");
	loop_until(base, &ear.news, 1);
	size_t calls = calls_so_far();
	event_listener_free(ear.listener);
	happen("a", 1);
	cr_expect_eq(calls_so_far(), calls);
}

Test(event_feed, has_room_for_so_many_and_no_more)
{
	static struct ear ears[EVENT_LISTENERS];
	static struct ear one_more;
	for (size_t i = 0; i < EVENT_LISTENERS; i++)
		listen_to(&ears[i], "a");
	cr_expect_null(event_feed_listen(feed, "a", on_news, on_over, &one_more));
	event_listener_free(ears[7].listener);
	ears[7].listener = NULL;
	listen_to(&ears[7], "a");
}

Test(event_feed, ends_all_who_listen_when_it_stops)
{
	static struct ear a, all;
	listen_to(&a, "a");
	listen_to(&all, NULL);
	event_feed_stop(feed);
	cr_expect(a.over && all.over);
	cr_expect_null(event_feed_listen(feed, "a", on_news, on_over, &a));
	event_feed_tell(feed, NULL);
}
