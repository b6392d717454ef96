/*
 * POST /api/v1/kb/import: many articles at once, all or none.
 * POST /api/v1/kb/reindex: waits until all workers of this server serve what is stored.
 */
#include "api/api.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/metrics.h"
#include "service/store.h"
#include "support/article_import.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>

/* An import on its way. The body stays valid until the reply. */
struct import {
	struct http_request *request;
	enum article_format format;
	struct ss_text body;
	struct diagnostics mistakes;
	size_t count; /* of the articles that were stored */
};

static int import_articles(const struct ss_storage_operations *storage, void *instance,
	void *context, struct ss_error *err)
{
	struct import *import = context;
	struct articles *articles =
		article_import_read(import->format, "the body", import->body, &import->mistakes);
	if (articles == NULL)
		return ss_fail_as(err, SS_INVALID, "the articles have mistakes; none was stored");
	import->count = articles->count;
	int result = article_import_store(storage, instance, articles, err);
	articles_free(articles);
	return result;
}

static struct ss_value *mistakes_value(struct diagnostics *mistakes)
{
	struct ss_value **items = memory_array(mistakes->count, sizeof *items);
	diagnostics_sort(mistakes);
	for (size_t i = 0; i < mistakes->count; i++) {
		const struct diagnostic *mistake = &mistakes->items[i];
		items[i] = value_map_make({"pointer", value_text("")},
			{"detail", value_text(mistake->text)},
			{"line", mistake->line > 0 ? value_int((int64_t)mistake->line) : NULL});
	}
	struct ss_value *list = value_list(items, mistakes->count);
	free(items);
	return list;
}

static void on_imported(void *context, const struct ss_error *err)
{
	struct import *import = context;
	if (err != NULL && import->mistakes.count > 0) {
		http_reply_problem(
			import->request, 422, err->text, mistakes_value(&import->mistakes));
	} else if (err != NULL) {
		api_reply_error(import->request, err);
	} else {
		struct ss_value *reply =
			value_map_make({"imported", value_int((int64_t)import->count)});
		http_reply_json(import->request, 200, reply);
		value_unref(reply);
	}
	diagnostics_free(&import->mistakes);
	free(import);
}

void api_kb_import(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	enum article_format format =
		article_format_of_type(http_request_header(request, "Content-Type"));
	struct ss_text body = http_request_body(request);
	if (body.length == 0) {
		http_reply_problem(request, 400, "the body is empty; it must have articles", NULL);
		return;
	}
	if (format == ARTICLE_FORMATS) {
		http_reply_problem(request, 415,
			"articles come as application/json, application/yaml, text/csv or "
			"text/markdown",
			NULL);
		return;
	}
	struct import *import = memory_make(struct import);
	import->request = request;
	import->format = format;
	import->body = body;
	if (store_run(api->store, import_articles, on_imported, import, &err) < 0)
		on_imported(import, &err);
}

/* Whoever waits for the workers. */
struct reindex {
	struct http_request *request;
	const struct api *api;
	struct event *look;
	int64_t version; /* of what is stored */
	int64_t until_ns;
};

static const struct timeval look_after = {.tv_usec = 20000};
static const int64_t patience_ns = 20000000000;

static int read_version(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct reindex *reindex = context;
	struct ss_value *found = NULL;
	const struct ss_document_filter filter = {.struct_size = sizeof filter,
		.kind = SS_ARTICLES,
		.since = INT64_MAX - 1,
		.limit = 1};
	int result = storage->read_documents(instance, &filter, &found, err);
	if (result == 0)
		reindex->version = value_as_int(value_get(found, "version"));
	value_unref(found);
	return result;
}

static void end_reindex(struct reindex *reindex)
{
	event_free(reindex->look);
	free(reindex);
}

static void look(evutil_socket_t fd, short what, void *context)
{
	struct reindex *reindex = context;
	uint64_t served = metrics_least(reindex->api->metrics, METRIC_ARTICLES_VERSION);
	(void)fd;
	(void)what;
	bool over = clock_monotonic_ns() >= reindex->until_ns ||
		    http_request_cancelled(reindex->request) ||
		    http_request_draining(reindex->request);
	if (served < (uint64_t)reindex->version && !over) {
		(void)evtimer_add(reindex->look, &look_after);
		return;
	}
	if (served >= (uint64_t)reindex->version) {
		struct ss_value *reply = value_map_make({"version", value_int((int64_t)served)});
		http_reply_json(reindex->request, 200, reply);
		value_unref(reply);
	} else {
		http_reply_header(reindex->request, "Retry-After", "5");
		http_reply_problem(reindex->request, 503,
			"the workers are still busy with the articles; ask again", NULL);
	}
	end_reindex(reindex);
}

static void on_version(void *context, const struct ss_error *err)
{
	struct reindex *reindex = context;
	if (err != NULL) {
		api_reply_error(reindex->request, err);
		event_free(reindex->look);
		free(reindex);
		return;
	}
	look(-1, 0, reindex);
}

void api_kb_reindex(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	struct reindex *reindex = memory_make(struct reindex);
	reindex->request = request;
	reindex->api = api;
	reindex->until_ns = clock_monotonic_ns() + patience_ns;
	reindex->look = evtimer_new(api->base, look, reindex);
	if (reindex->look == NULL)
		abort(); /* only for want of memory */
	if (store_run(api->store, read_version, on_version, reindex, &err) < 0)
		on_version(reindex, &err);
}
