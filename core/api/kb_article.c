/*
 * POST /api/v1/kb/articles and GET, PUT and DELETE /api/v1/kb/articles/{id}: single articles. An article's version is its ETag; one
 * of a file has the version 0 and what tells its words.
 */
#include "api/api.h"
#include "api/if_match.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "service/catalogue.h"
#include "service/store.h"
#include "support/stored_article.h"
#include "value/value.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_TAG = 16 }; /* hexadecimal digits */

/* A request about one article on its way to the store. */
struct article_request {
	struct stored_article stored; /* first: what the store's calls get is the request as well */
	struct http_request *request;
};

static struct article_request *begin(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct article_request *article = memory_make(struct article_request);
	article->request = request;
	article->stored.files = catalogue_files(api->catalogue);
	article->stored.id = memory_string(api_parameter_text(request, "id"));
	article->stored.expected = ARTICLE_ANY_VERSION;
	return article;
}

static void end(struct article_request *article)
{
	stored_article_end(&article->stored);
	free(article);
}

/* What tells the article of a file from others, as they have no versions. */
static char *write_file_tag(const struct ss_value *article, char tag[HASH_SIZE])
{
	char *data = stored_article_data(article);
	(void)hash_sha256(data, strlen(data), tag);
	tag[FILE_TAG] = '\0';
	free(data);
	return tag;
}

/* Whether the file's article of the tag is the one that is there. */
static bool is_file_tag(const struct article_request *article, const char *expected)
{
	char tag[HASH_SIZE];
	const struct ss_value *own = articles_find(article->stored.files, article->stored.id);
	return own != NULL && strcmp(write_file_tag(own, tag), expected) == 0;
}

/* Takes what If-Match expects. False when that cannot be; then a problem was replied. */
static bool read_if_match(struct article_request *article)
{
	struct api_if_match expected;
	if (!api_read_if_match(article->request, "article", &expected))
		return false;
	article->stored.must_exist = expected.is_given;
	if (!expected.is_given || expected.is_any)
		return true;
	article->stored.expected = expected.version;
	if (expected.version != 0 || expected.rest[0] == '\0' ||
		is_file_tag(article, expected.rest))
		return true;
	http_reply_problem(article->request, 412,
		"the article of the file is not the one of this ETag any more; read it again",
		NULL);
	return false;
}

/* Reads the body as the article to be stored. False when it is none; then a problem was replied. */
static bool read_article(struct article_request *article)
{
	const char *key;
	const char *fault;
	char pointer[32];
	const struct ss_value *body = api_body(article->request);
	if (article->stored.id == NULL && value_get(body, "id") != NULL)
		article->stored.id = memory_string(value_as_string(value_get(body, "id"), NULL));
	const char *id = article->stored.id != NULL ? article->stored.id : "new";
	article->stored.article = article_make(text_of(id), body, &key, &fault);
	if (article->stored.article != NULL)
		return true;
	(void)snprintf(pointer, sizeof pointer, "/%s", key);
	http_reply_field_problem(article->request, 422, pointer, fault);
	return false;
}

static void reply_article(struct article_request *article, int status)
{
	char etag[64], tag[HASH_SIZE];
	const struct ss_value *found = article->stored.found;
	int64_t version = value_as_int(value_get(found, "version"));
	bool of_file = strcmp(value_as_string(value_get(found, "source"), NULL), "file") == 0;
	if (of_file)
		(void)snprintf(etag, sizeof etag, "\"0-%s\"", write_file_tag(found, tag));
	else
		(void)snprintf(etag, sizeof etag, "\"%lld\"", (long long)version);
	if (version > 0 || of_file)
		http_reply_header(article->request, "ETag", etag);
	if (status == 201) {
		char *name = evhttp_uriencode(article->stored.id, -1, 0);
		char *location = memory_format("/api/v1/kb/articles/%s", name);
		http_reply_header(article->request, "Location", location);
		free(location);
		free(name);
	}
	http_reply_json(article->request, status, found);
}

static void reply_failure(struct article_request *article, const struct ss_error *err)
{
	const struct stored_article *stored = &article->stored;
	bool must_exist = err->status == SS_NOT_FOUND && stored->must_exist;
	if (stored->failed_expectation || must_exist)
		http_reply_problem(article->request, 412, err->text, NULL);
	else if (err->status == SS_CONFLICT)
		http_reply_field_problem(article->request, 409, "/id", err->text);
	else
		api_reply_error(article->request, err);
}

static void on_read(void *context, const struct ss_error *err)
{
	struct article_request *article = context;
	if (err != NULL)
		reply_failure(article, err);
	else
		reply_article(article, 200);
	end(article);
}

static void on_written(void *context, const struct ss_error *err)
{
	struct article_request *article = context;
	if (err != NULL)
		reply_failure(article, err);
	else
		reply_article(article, article->stored.existed ? 200 : 201);
	end(article);
}

static void on_removed(void *context, const struct ss_error *err)
{
	struct article_request *article = context;
	if (err != NULL)
		reply_failure(article, err);
	else
		http_reply_empty(article->request, 204);
	end(article);
}

static void run(struct article_request *article, store_call *call, store_committed *done)
{
	const struct api *api = http_request_context(article->request);
	struct ss_error err = {0};
	if (store_run(api->store, call, done, article, &err) < 0)
		done(article, &err);
}

void api_article_read(struct http_request *request)
{
	run(begin(request), stored_article_read, on_read);
}

void api_article_add(struct http_request *request)
{
	struct article_request *article = begin(request);
	article->stored.must_be_new = true;
	article->stored.is_again = api_is_again(request);
	if (read_article(article))
		run(article, stored_article_write, on_written);
	else
		end(article);
}

void api_article_put(struct http_request *request)
{
	struct article_request *article = begin(request);
	if (read_if_match(article) && read_article(article))
		run(article, stored_article_write, on_written);
	else
		end(article);
}

void api_article_remove(struct http_request *request)
{
	struct article_request *article = begin(request);
	article->stored.give_back = value_as_bool(api_parameter(request, "revert"));
	if (read_if_match(article))
		run(article, stored_article_remove, on_removed);
	else
		end(article);
}
