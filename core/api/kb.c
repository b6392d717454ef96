/*
 * GET /api/v1/kb/articles: the articles, how often replies showed them, and what customers said of these.
 * GET /api/v1/kb/unanswered: the questions that the articles have no answer to.
 */
#include "api/asked.h"
#include "base/memory.h"
#include "service/catalogue.h"
#include "service/store.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static struct ss_value *page_value(struct ss_value *items, struct ss_value *next)
{
	return value_map_make(
		{"items", items}, {"next_cursor", next != NULL ? next : value_null()});
}

/* The articles that a request is shown, kept as they were when it came. */
struct articles_page {
	struct http_request *request;
	struct ss_value **articles; /* [count] */
	const char **sources;       /* [count] */
	size_t count;
	bool more; /* articles follow */
};

static const char *article_id(const struct ss_value *article)
{
	return value_as_string(value_get(article, "id"), NULL);
}

static const char *source_of(const struct catalogue_entry *entry)
{
	return entry->stored != NULL ? "store" : "file";
}

/* Whether the parameters of REQUEST leave ENTRY in the list. */
static bool is_wanted(const struct http_request *request, const struct catalogue_entry *entry)
{
	const struct ss_value *article = catalogue_article(entry);
	const char *category = api_parameter_text(request, "category");
	const char *source = api_parameter_text(request, "source");
	if (article == NULL || (source != NULL && strcmp(source, source_of(entry)) != 0))
		return false;
	const char *its = value_as_string(value_get(article, "category"), NULL);
	return category == NULL || (its != NULL && strcmp(category, its) == 0);
}

static struct articles_page *page_new(struct http_request *request, size_t limit)
{
	const struct api *api = http_request_context(request);
	const struct catalogue *catalogue = api->catalogue;
	const char *cursor = api_parameter_text(request, "cursor");
	struct articles_page *page = memory_make(struct articles_page);
	page->request = request;
	page->articles = memory_array(limit, sizeof(struct ss_value *));
	page->sources = memory_array(limit, sizeof(char *));
	for (size_t i = cursor != NULL ? catalogue_after(catalogue, cursor) : 0;
		i < catalogue_count(catalogue) && !page->more; i++) {
		const struct catalogue_entry *entry = catalogue_at(catalogue, i);
		if (!is_wanted(request, entry))
			continue;
		page->more = page->count == limit;
		if (page->more)
			break;
		page->sources[page->count] = source_of(entry);
		page->articles[page->count++] = value_ref(catalogue_article(entry));
	}
	return page;
}

static void page_free(struct articles_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		value_unref(page->articles[i]);
	free(page->articles);
	free(page->sources);
	free(page);
}

static struct ss_value *count_value(const struct ss_value *counts, const char *name)
{
	return value_int(value_as_int(value_get(counts, name)));
}

/* ARTICLE with COUNTS, or with none when these are NULL. */
static struct ss_value *article_value(
	const struct ss_value *article, const char *source, const struct ss_value *counts)
{
	return value_map_make({"id", value_ref(value_get(article, "id"))},
		{"title", value_ref(value_get(article, "title"))},
		{"category", value_ref(value_get(article, "category"))},
		{"source", value_text(source)}, {"views", count_value(counts, "views")},
		{"helpful", count_value(counts, "helpful")},
		{"not_helpful", count_value(counts, "not_helpful")});
}

/* The articles of PAGE with their COUNTS; both are in the order of their ids. */
static struct ss_value *articles_value(
	const struct articles_page *page, const struct ss_value *counts)
{
	struct ss_value **items = memory_array(page->count, sizeof(struct ss_value *));
	size_t at = 0;
	for (size_t i = 0; i < page->count; i++) {
		const char *id = article_id(page->articles[i]);
		const struct ss_value *found = value_at(counts, at);
		/* Those that are gone were counted as well. */
		while (found != NULL && strcmp(article_id(found), id) < 0)
			found = value_at(counts, ++at);
		bool its = found != NULL && strcmp(article_id(found), id) == 0;
		items[i] = article_value(page->articles[i], page->sources[i], its ? found : NULL);
	}
	struct ss_value *list = value_list(items, page->count);
	free(items);
	return list;
}

static void on_counts(void *context, const struct ss_value *counts, const struct ss_error *err)
{
	struct articles_page *page = context;
	if (err != NULL) {
		api_reply_error(page->request, err);
	} else {
		struct ss_value *reply = page_value(articles_value(page, counts),
			page->more ? value_text(article_id(page->articles[page->count - 1]))
				   : NULL);
		http_reply_json(page->request, 200, reply);
		value_unref(reply);
	}
	page_free(page);
}

void api_articles(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	struct articles_page *page = page_new(request, api_limit(request));
	if (page->count == 0) {
		on_counts(page, NULL, NULL);
		return;
	}
	const struct ss_article_range range = {
		.struct_size = sizeof range,
		.first = article_id(page->articles[0]),
		.last = article_id(page->articles[page->count - 1]),
	};
	if (store_article_counts(api->store, &range, on_counts, page, &err) < 0)
		on_counts(page, NULL, &err);
}

static void on_unanswered(void *context, const struct ss_value *page, const struct ss_error *err)
{
	struct http_request *request = context;
	if (err != NULL && err->status == SS_INVALID) {
		asked_reply_cursor(request, err);
		return;
	}
	if (err != NULL) {
		api_reply_error(request, err);
		return;
	}
	const struct ss_value *next = value_get(page, "next");
	struct ss_value *reply = page_value(
		value_ref(value_get(page, "items")), next != NULL ? value_ref(next) : NULL);
	http_reply_json(request, 200, reply);
	value_unref(reply);
}

void api_unanswered(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	const char *order = api_parameter_text(request, "order");
	struct ss_error err = {0};
	struct ss_unanswered_filter filter = {
		.struct_size = sizeof filter,
		.after = api_parameter_text(request, "cursor"),
		.limit = api_limit(request),
		.most_asked = order != NULL && strcmp(order, "most_asked") == 0,
	};
	if (store_list_unanswered(api->store, &filter, on_unanswered, request, &err) < 0)
		api_reply_error(request, &err);
}
