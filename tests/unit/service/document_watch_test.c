#include "service/document_watch.h"

#include "unit/service/loop.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DOCUMENTS = 1000 };

/* A storage whose articles are a1, a2, …, each with its number as its version. */
struct storage {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int64_t count;
	bool interrupted;
	size_t failures; /* that are left */
};

static struct storage storage;
static struct event_base *base;
static struct document_watch *watch;
static struct log silent;

/* What was handed over. */
static size_t items, faults;
static size_t largest;
static int64_t version;

static int read_documents(void *instance, const struct ss_document_filter *filter,
	struct ss_value **found, struct ss_error *err)
{
	struct storage *mine = instance;
	struct ss_value *list[DOCUMENTS];
	size_t count = 0;
	(void)pthread_mutex_lock(&mine->lock);
	bool fails = mine->failures > 0;
	mine->failures -= fails;
	for (int64_t i = filter->since + 1;
		i <= mine->count && (filter->limit == 0 || count < filter->limit); i++) {
		char *id = memory_format("a%lld", (long long)i);
		list[count++] = value_map_make({"id", value_text(id)}, {"version", value_int(i)},
			{"data", i % 100 == 50   ? value_text("{broken")
				 : i % 100 != 51 ? value_text("{\"title\":\"t\"}")
						 : NULL});
		free(id);
	}
	(void)pthread_mutex_unlock(&mine->lock);
	struct ss_value *values = value_list(list, count);
	if (fails) {
		value_unref(values);
		return ss_fail_as(err, SS_UNAVAILABLE, "the database is gone");
	}
	*found = value_map_make(
		{"items", values}, {"version", value_int(filter->since + (int64_t)count)});
	return 0;
}

static int watch_it(
	void *instance, const struct ss_watch *what, struct ss_value **seen, struct ss_error *err)
{
	struct storage *mine = instance;
	(void)err;
	(void)pthread_mutex_lock(&mine->lock);
	while (mine->count == what->articles && !mine->interrupted)
		(void)pthread_cond_wait(&mine->changed, &mine->lock);
	*seen = value_map_make({"articles", value_int(mine->count)}, {"heads", value_int(7)});
	(void)pthread_mutex_unlock(&mine->lock);
	return 0;
}

static void interrupt_watch(void *instance)
{
	struct storage *mine = instance;
	(void)pthread_mutex_lock(&mine->lock);
	mine->interrupted = true;
	(void)pthread_cond_broadcast(&mine->changed);
	(void)pthread_mutex_unlock(&mine->lock);
}

static const struct ss_storage_operations operations = {
	.read_documents = read_documents, .watch = watch_it, .interrupt_watch = interrupt_watch};

static void store(int64_t count)
{
	(void)pthread_mutex_lock(&storage.lock);
	storage.count += count;
	(void)pthread_cond_broadcast(&storage.changed);
	(void)pthread_mutex_unlock(&storage.lock);
}

static void on_changed(void *context, const struct ss_value *documents)
{
	const struct ss_value *list = value_get(documents, "items");
	(void)context;
	for (size_t i = 0; i < value_count(list); i++)
		faults += value_get(value_at(list, i), "fault") != NULL;
	items += value_count(list);
	if (value_count(list) > largest)
		largest = value_count(list);
	version = value_as_int(value_get(documents, "version"));
}

static void begin(void)
{
	(void)pthread_mutex_init(&storage.lock, NULL);
	(void)pthread_cond_init(&storage.changed, NULL);
	silent = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	base = event_base_new();
	watch = document_watch_new(base, &operations, &storage, &silent);
}

static void end(void)
{
	document_watch_free(watch);
	event_base_free(base);
}

TestSuite(document_watch, .init = begin, .fini = end);

static void start(int64_t from)
{
	struct ss_error err = {0};
	document_watch_follow(watch, SS_ARTICLES, from, on_changed, NULL);
	cr_assert_eq(document_watch_start(watch, &err), 0, "%s", err.text);
}

Test(document_watch, reads_all_there_is_and_then_what_changes)
{
	struct ss_error err = {0};
	store(3);
	struct ss_value *all = document_watch_read(watch, SS_ARTICLES, &err);
	cr_assert_not_null(all, "%s", err.text);
	cr_expect_eq(value_count(value_get(all, "items")), 3);
	start(value_as_int(value_get(all, "version")));
	value_unref(all);
	store(2);
	loop_until(base, &items, 2);
	cr_expect_eq(version, 5);
	store(1);
	loop_until(base, &items, 3);
	cr_expect_eq(version, 6);
}

Test(document_watch, hands_many_over_in_portions_and_says_what_is_no_json)
{
	store(700);
	start(0);
	loop_until(base, &items, 700);
	cr_expect_eq(items, 700);
	cr_expect_leq(largest, 200);
	cr_expect_eq(faults, 7);
	cr_expect_eq(version, 700);
}

Test(document_watch, goes_on_when_the_store_fails_for_a_while)
{
	storage.failures = 3;
	store(5);
	start(0);
	loop_until(base, &items, 5);
	cr_expect_eq(version, 5);
}

Test(document_watch, ends_while_it_waits_and_while_nobody_takes_what_it_has)
{
	start(0);
	document_watch_free(watch);
	storage.interrupted = false;
	watch = document_watch_new(base, &operations, &storage, &silent);
	store(600);
	start(0);
}
