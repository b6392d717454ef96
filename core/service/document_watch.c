#include "service/document_watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/queue.h"
#include "service/failure.h"
#include "service/thread.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	KINDS = SS_API_KEYS + 1,
	PORTION = 200, /* documents that are handed over together */
	FIRST_PAUSE_MS = 100,
	LONGEST_PAUSE_MS = 5000,
};

static const int64_t watch_ns = 5000000000;

/* Of one kind of documents. */
struct followed {
	documents_changed *changed; /* NULL: nobody follows */
	void *context;
	int64_t version; /* up to which it was read */
	bool stale;      /* there is something to be read */
};

struct portion {
	struct queue_item item;
	enum ss_document_kind kind;
	struct ss_value *documents; /* NULL: there are new events */
};

struct document_watch {
	const struct ss_storage_operations *storage;
	void *instance;
	const struct log *log;
	struct event_base *base;
	struct followed kinds[KINDS];
	void (*happened)(void *context); /* NULL: nobody follows the events */
	void *happened_context;
	bool events;            /* there are new ones */
	struct queue *portions; /* for the loop */
	struct queue *taken;    /* back from the loop: one portion is under way at a time */
	struct queue *wake;     /* readable when it is to end */
	struct queue_item end;
	struct event *arrived;
	pthread_t thread;
	bool started;
	atomic_bool ending;
};

/* A document as it is handed over. */
static struct ss_value *read_item(const struct ss_value *item)
{
	struct ss_error err = {0};
	struct ss_text text = value_as_text(value_get(item, "data"));
	bool removed = value_get(item, "data") == NULL;
	struct ss_value *data = removed ? NULL : json_parse(text.data, text.length, &err);
	const char *fault = NULL;
	if (!removed && data == NULL)
		fault = err.text;
	else if (!removed && value_type(data) != SS_MAP)
		fault = "it is no JSON object";
	if (fault != NULL) {
		value_unref(data);
		data = NULL;
	}
	return value_map_make({"id", value_ref(value_get(item, "id"))},
		{"version", value_ref(value_get(item, "version"))}, {"data", data},
		{"fault", fault != NULL ? value_text(fault) : NULL},
		{"created_at", value_ref(value_get(item, "created_at"))},
		{"updated_at", value_ref(value_get(item, "updated_at"))});
}

/* The documents FROM to before TO of FOUND. */
static struct ss_value *read_items(
	const struct ss_value *found, size_t from, size_t to, int64_t version)
{
	const struct ss_value *items = value_get(found, "items");
	struct ss_value **list = memory_array(to - from, sizeof *list);
	for (size_t i = from; i < to; i++)
		list[i - from] = read_item(value_at(items, i));
	struct ss_value *documents = value_map_make(
		{"items", value_list(list, to - from)}, {"version", value_int(version)});
	free(list);
	return documents;
}

/* As the storage gives them. */
static struct ss_value *find(struct document_watch *watch, enum ss_document_kind kind,
	int64_t since, struct ss_error *err)
{
	const struct ss_document_filter filter = {
		.struct_size = sizeof filter,
		.kind = kind,
		.since = since,
		.limit = since > 0 ? PORTION : 0,
	};
	struct ss_value *found = NULL;
	if (watch->storage->read_documents(watch->instance, &filter, &found, err) < 0) {
		failure_complete(err, "the storage");
		value_unref(found);
		return NULL;
	}
	return found;
}

struct ss_value *document_watch_read(
	struct document_watch *watch, enum ss_document_kind kind, struct ss_error *err)
{
	struct ss_value *found = find(watch, kind, 0, err);
	if (found == NULL)
		return NULL;
	struct ss_value *documents = read_items(found, 0, value_count(value_get(found, "items")),
		value_as_int(value_get(found, "version")));
	value_unref(found);
	return documents;
}

static void free_portion(struct portion *portion)
{
	value_unref(portion->documents);
	free(portion);
}

/* Gives DOCUMENTS, which are taken, to the loop and waits until it has them. False when the watch ends. */
static bool hand_over(
	struct document_watch *watch, enum ss_document_kind kind, struct ss_value *documents)
{
	struct portion *portion = memory_make(struct portion);
	portion->kind = kind;
	portion->documents = documents;
	queue_put(watch->portions, &portion->item);
	struct queue_item *back = queue_take(watch->taken, true);
	if (back == NULL)
		return false;
	free_portion(queue_entry(back, struct portion, item));
	return true;
}

/* Reads what changed of KIND and hands it over. */
static int read_changes(
	struct document_watch *watch, enum ss_document_kind kind, struct ss_error *err)
{
	struct followed *followed = &watch->kinds[kind];
	bool more = true;
	while (more && !atomic_load(&watch->ending)) {
		struct ss_value *found = find(watch, kind, followed->version, err);
		if (found == NULL)
			return -1;
		size_t count = value_count(value_get(found, "items"));
		int64_t version = value_as_int(value_get(found, "version"));
		for (size_t from = 0, to = 0; from < count; from = to) {
			to = count - from < PORTION ? count : from + PORTION;
			if (!hand_over(watch, kind,
				    read_items(found, from, to,
					    to == count ? version : followed->version)))
				break;
		}
		value_unref(found);
		more = version > followed->version;
		followed->version = version;
	}
	followed->stale = false;
	return 0;
}

/* Waits until something changes, or for a while. */
static int wait_for_changes(struct document_watch *watch, struct ss_error *err)
{
	static const char *const names[KINDS] = {[SS_ARTICLES] = "articles",
		[SS_HEADS] = "heads",
		[SS_WEBHOOKS] = "webhooks",
		[SS_API_KEYS] = "api_keys"};
	int64_t versions[KINDS];
	struct ss_value *seen = NULL;
	for (size_t i = SS_ARTICLES; i < KINDS; i++)
		versions[i] = watch->kinds[i].changed != NULL ? watch->kinds[i].version : -1;
	const struct ss_watch what = {
		.struct_size = sizeof what,
		.articles = versions[SS_ARTICLES],
		.heads = versions[SS_HEADS],
		.webhooks = versions[SS_WEBHOOKS],
		.api_keys = versions[SS_API_KEYS],
		.events = watch->happened != NULL,
		.timeout_ns = watch_ns,
	};
	if (watch->storage->watch(watch->instance, &what, &seen, err) < 0) {
		failure_complete(err, "the storage");
		value_unref(seen);
		return -1;
	}
	for (size_t i = SS_ARTICLES; i < KINDS; i++) {
		const struct ss_value *version = value_get(seen, names[i]);
		watch->kinds[i].stale =
			versions[i] >= 0 && version != NULL && value_as_int(version) != versions[i];
	}
	watch->events = value_as_bool(value_get(seen, "events"));
	value_unref(seen);
	return 0;
}

static int look(struct document_watch *watch, struct ss_error *err)
{
	for (size_t i = SS_ARTICLES; i < KINDS; i++) {
		if (watch->kinds[i].changed != NULL && watch->kinds[i].stale &&
			read_changes(watch, (enum ss_document_kind)i, err) < 0)
			return -1;
	}
	if (watch->events && watch->happened != NULL)
		(void)hand_over(watch, SS_ARTICLES, NULL);
	watch->events = false;
	return atomic_load(&watch->ending) ? 0 : wait_for_changes(watch, err);
}

static void *run(void *argument)
{
	struct document_watch *watch = argument;
	int pause_ms = FIRST_PAUSE_MS;
	bool failing = false;
	while (!atomic_load(&watch->ending)) {
		struct ss_error err = {0};
		if (look(watch, &err) == 0) {
			if (failing)
				log_info(watch->log, "changes in the store are seen again");
			failing = false;
			pause_ms = FIRST_PAUSE_MS;
			continue;
		}
		/* Nobody can tell what happened meanwhile. */
		for (size_t i = SS_ARTICLES; i < KINDS; i++)
			watch->kinds[i].stale = true;
		watch->events = true;
		if (!failing)
			log_warning(watch->log,
				"changes in the store are not seen: %s; it is tried again",
				err.text);
		failing = true;
		struct pollfd ended = {.fd = queue_fd(watch->wake), .events = POLLIN};
		(void)poll(&ended, 1, pause_ms);
		pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
	}
	return NULL;
}

static void on_arrived(evutil_socket_t fd, short what, void *context)
{
	struct document_watch *watch = context;
	(void)fd;
	(void)what;
	struct queue_item *item = queue_take(watch->portions, false);
	while (item != NULL) {
		struct queue_item *next = item->next;
		struct portion *portion = queue_entry(item, struct portion, item);
		const struct followed *followed = &watch->kinds[portion->kind];
		if (portion->documents == NULL)
			watch->happened(watch->happened_context);
		else
			followed->changed(followed->context, portion->documents);
		queue_put(watch->taken, item);
		item = next;
	}
}

struct document_watch *document_watch_new(struct event_base *base,
	const struct ss_storage_operations *storage, void *instance, const struct log *log)
{
	struct document_watch *watch = memory_make(struct document_watch);
	watch->base = base;
	watch->storage = storage;
	watch->instance = instance;
	watch->log = log;
	return watch;
}

void document_watch_follow(struct document_watch *watch, enum ss_document_kind kind,
	int64_t version, documents_changed *changed, void *context)
{
	watch->kinds[kind] = (struct followed){
		.changed = changed, .context = context, .version = version, .stale = true};
}

void document_watch_follow_events(
	struct document_watch *watch, void (*happened)(void *context), void *context)
{
	watch->happened = happened;
	watch->happened_context = context;
}

int document_watch_start(struct document_watch *watch, struct ss_error *err)
{
	watch->portions = queue_new(true);
	watch->taken = queue_new(false);
	watch->wake = queue_new(true);
	if (watch->portions == NULL || watch->wake == NULL)
		return ss_fail_as(
			err, SS_LIMIT, "no descriptors are left to watch the store's documents");
	watch->arrived = event_new(
		watch->base, queue_fd(watch->portions), EV_READ | EV_PERSIST, on_arrived, watch);
	if (watch->arrived == NULL || event_add(watch->arrived, NULL) < 0)
		return ss_fail(err, "the store's documents cannot be watched");
	if (service_thread_begin(&watch->thread, "documents", run, watch, err) < 0)
		return -1;
	watch->started = true;
	return 0;
}

static void end_thread(struct document_watch *watch)
{
	if (!watch->started)
		return;
	atomic_store(&watch->ending, true);
	queue_close(watch->taken);
	queue_put(watch->wake, &watch->end);
	watch->storage->interrupt_watch(watch->instance);
	(void)pthread_join(watch->thread, NULL);
}

static void free_portions(struct queue *queue)
{
	struct queue_item *item = queue != NULL ? queue_take(queue, false) : NULL;
	while (item != NULL) {
		struct queue_item *next = item->next;
		free_portion(queue_entry(item, struct portion, item));
		item = next;
	}
}

void document_watch_free(struct document_watch *watch)
{
	if (watch == NULL)
		return;
	end_thread(watch);
	free_portions(watch->portions);
	free_portions(watch->taken);
	if (watch->arrived != NULL)
		event_free(watch->arrived);
	queue_free(watch->portions);
	queue_free(watch->taken);
	queue_free(watch->wake);
	free(watch);
}
