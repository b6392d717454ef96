/*
 * The document watch: tells the loop when documents in the store have changed, whoever changed them, or events were stored. It waits in the storage's
 * watch() on a thread of its own, with an instance of the storage of its own, reads what changed, and hands it over in portions.
 * When the store fails it tries again, with growing pauses.
 */
#ifndef SERVICE_DOCUMENT_WATCH_H
#define SERVICE_DOCUMENT_WATCH_H

#include <smartsupport/plugin.h>

struct document_watch;
struct event_base;
struct log;

/* Documents that changed: a map {items: list of {id, version, data (what its JSON is; none: it is removed), fault (instead of data: why
 * that is no JSON), created_at, updated_at}, version: up to which all changes of the kind have been handed over}. Borrowed. Loop
 * thread. */
typedef void documents_changed(void *context, const struct ss_value *documents);

/* On INSTANCE of STORAGE, which is borrowed as long as the watch lives and which nobody else uses; as is LOG. */
struct document_watch *document_watch_new(struct event_base *base,
	const struct ss_storage_operations *storage, void *instance, const struct log *log);

/* Reads all documents of KIND, before the start: a new map as documents_changed() gets. NULL and ERR when that fails. */
struct ss_value *document_watch_read(
	struct document_watch *watch, enum ss_document_kind kind, struct ss_error *err);

/* Tells CHANGED what changes in KIND behind VERSION. Before the start. */
void document_watch_follow(struct document_watch *watch, enum ss_document_kind kind,
	int64_t version, documents_changed *changed, void *context);

/* Tells HAPPENED, from the start on, when there are new events. Before the start. */
void document_watch_follow_events(
	struct document_watch *watch, void (*happened)(void *context), void *context);

int document_watch_start(struct document_watch *watch, struct ss_error *err);

/* Ends the thread. Nothing is handed over any more. NULL is allowed. */
void document_watch_free(struct document_watch *watch);

#endif
