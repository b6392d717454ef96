#include "support/stored_article.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_LETTERS = 60, /* of an id that is made from a title */
	NAMES = 50,        /* that are tried for a title that others have */
};

static const char hidden_data[] = "{\"hidden\":true}";

/* A document that is there. */
struct standing {
	struct ss_value *document; /* NULL: there is none */
	bool hidden;
	bool there; /* there is an article: of the store or of a file */
	int64_t version;
};

void stored_article_end(struct stored_article *stored)
{
	value_unref(stored->article);
	value_unref(stored->found);
	free(stored->id);
}

void stored_article_name(struct ss_text title, char name[ARTICLE_NAME_SIZE])
{
	char hash[HASH_SIZE];
	size_t length = 0;
	for (size_t i = 0; i < title.length && length < NAME_LETTERS; i++) {
		unsigned char c = (unsigned char)title.data[i];
		if (c < 0x80 && isalnum(c))
			name[length++] = (char)tolower(c);
		else if (length > 0 && name[length - 1] != '-')
			name[length++] = '-';
	}
	while (length > 0 && name[length - 1] == '-')
		length--;
	name[length] = '\0';
	if (length > 0)
		return;
	(void)hash_sha256(title.data, title.length, hash);
	(void)snprintf(name, ARTICLE_NAME_SIZE, "article-%.32s", hash);
}

char *stored_article_data(const struct ss_value *article)
{
	struct ss_value *data = value_map_make({"title", value_ref(value_get(article, "title"))},
		{"content", value_ref(value_get(article, "content"))},
		{"category", value_ref(value_get(article, "category"))},
		{"questions", value_ref(value_get(article, "questions"))});
	char *text = json_text(data);
	value_unref(data);
	return text;
}

static bool is_hidden(const struct ss_value *document)
{
	struct ss_text text = value_as_text(value_get(document, "data"));
	struct ss_value *data = json_parse(text.data, text.length, NULL);
	bool hidden = data != NULL && value_as_bool(value_get(data, "hidden"));
	value_unref(data);
	return hidden;
}

static int read_standing(const struct ss_storage_operations *storage, void *instance,
	const struct articles *files, const char *id, struct standing *standing,
	struct ss_error *err)
{
	const struct ss_document_filter filter = {
		.struct_size = sizeof filter, .kind = SS_ARTICLES, .id = id, .limit = 1};
	struct ss_value *found = NULL;
	*standing = (struct standing){0};
	if (storage->read_documents(instance, &filter, &found, err) < 0) {
		value_unref(found);
		return -1;
	}
	const struct ss_value *document = value_at(value_get(found, "items"), 0);
	if (value_get(document, "data") != NULL) {
		standing->document = value_ref(document);
		standing->hidden = is_hidden(document);
		standing->version = value_as_int(value_get(document, "version"));
	}
	value_unref(found);
	standing->there =
		standing->document != NULL ? !standing->hidden : articles_find(files, id) != NULL;
	return 0;
}

/* ARTICLE as it is told of, with what DOCUMENT (NULL: it is a file's) says of it. */
static struct ss_value *describe(const struct ss_value *article, const struct ss_value *document)
{
	return value_map_make({"id", value_ref(value_get(article, "id"))},
		{"title", value_ref(value_get(article, "title"))},
		{"content", value_ref(value_get(article, "content"))},
		{"category", value_ref(value_get(article, "category"))},
		{"questions", value_ref(value_get(article, "questions"))},
		{"source", value_text(document != NULL ? "store" : "file")},
		{"version", value_int(value_as_int(value_get(document, "version")))},
		{"created_at", value_ref(value_get(document, "created_at"))},
		{"updated_at", value_ref(value_get(document, "updated_at"))});
}

/* Describes the article that STANDING says is there. */
static int describe_standing(
	struct stored_article *stored, const struct standing *standing, struct ss_error *err)
{
	const char *key;
	const char *fault;
	if (standing->document == NULL) {
		stored->found = describe(articles_find(stored->files, stored->id), NULL);
		return 0;
	}
	struct ss_text text = value_as_text(value_get(standing->document, "data"));
	struct ss_value *data = json_parse(text.data, text.length, err);
	if (data == NULL)
		return -1;
	struct ss_value *article = article_make(text_of(stored->id), data, &key, &fault);
	value_unref(data);
	if (article == NULL)
		return ss_fail(err, "the article \"%s\" in the store cannot be read: %s",
			stored->id, fault);
	stored->found = describe(article, standing->document);
	value_unref(article);
	return 0;
}

static int no_article(const char *id, struct ss_error *err)
{
	return ss_fail_as(err, SS_NOT_FOUND, "there is no article \"%s\"", id);
}

int stored_article_read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct stored_article *stored = context;
	struct standing standing = {0};
	if (read_standing(storage, instance, stored->files, stored->id, &standing, err) < 0)
		return -1;
	int result = standing.there ? describe_standing(stored, &standing, err)
				    : no_article(stored->id, err);
	value_unref(standing.document);
	return result;
}

/* Stores DATA (NULL: removes it). */
static int store_data(const struct ss_storage_operations *storage, void *instance, const char *id,
	const char *data, int64_t expected, struct ss_error *err)
{
	struct ss_error error = {0};
	const struct ss_document document = {
		.struct_size = sizeof document,
		.kind = SS_ARTICLES,
		.id = id,
		.data = data != NULL ? text_of(data) : (struct ss_text){NULL, 0},
		.expected = expected,
		.at_ns = clock_utc_ns(),
	};
	int result = storage->store_documents(instance, &document, 1, &error);
	if (result == 0 && error.status == SS_OK)
		return 0;
	*err = error;
	return -1;
}

/* Whether what is there is what STORED expects. */
static int check_expected(
	struct stored_article *stored, const struct standing *standing, struct ss_error *err)
{
	if (stored->expected == ARTICLE_ANY_VERSION ||
		(standing->there && standing->version == stored->expected))
		return 0;
	stored->failed_expectation = true;
	return ss_fail_as(err, SS_CONFLICT,
		"the article \"%s\" is not the one of version %lld any more; read it again",
		stored->id, (long long)stored->expected);
}

/* The version that the document must have when it is stored, so that nobody comes between. */
static int64_t expected_of(const struct stored_article *stored, const struct standing *standing)
{
	return stored->expected != ARTICLE_ANY_VERSION || stored->must_be_new ? standing->version
									      : ARTICLE_ANY_VERSION;
}

/* Stores DATA over STANDING; a conflict is one with what was expected. */
static int store_over(const struct ss_storage_operations *storage, void *instance,
	struct stored_article *stored, const struct standing *standing, const char *data,
	struct ss_error *err)
{
	int64_t expected = expected_of(stored, standing);
	int result = store_data(storage, instance, stored->id, data, expected, err);
	if (result < 0 && err->status == SS_CONFLICT)
		stored->failed_expectation = stored->expected != ARTICLE_ANY_VERSION;
	return result;
}

/* Describes what was stored, with its version unless somebody else has already stored another one. */
static int describe_stored(const struct ss_storage_operations *storage, void *instance,
	struct stored_article *stored, const char *data, struct ss_error *err)
{
	struct standing now;
	if (read_standing(storage, instance, stored->files, stored->id, &now, err) < 0)
		return -1;
	struct ss_text text = value_as_text(value_get(now.document, "data"));
	bool same = text.length == strlen(data) && memcmp(text.data, data, text.length) == 0;
	struct ss_value *unknown = value_map(NULL, NULL, 0);
	struct ss_value *article = value_map_with(stored->article, "id", value_text(stored->id));
	stored->found = describe(article, same ? now.document : unknown);
	value_unref(article);
	value_unref(unknown);
	value_unref(now.document);
	return 0;
}

/* Whether the article of STORED is there as an attempt before stored it, in the words DATA. */
static bool is_stored(
	const struct stored_article *stored, const struct standing *standing, const char *data)
{
	struct ss_text text = value_as_text(value_get(standing->document, "data"));
	return stored->is_again && text.length == strlen(data) &&
	       memcmp(text.data, data, text.length) == 0;
}

static int write_named(const struct ss_storage_operations *storage, void *instance,
	struct stored_article *stored, struct ss_error *err)
{
	struct standing standing;
	if (read_standing(storage, instance, stored->files, stored->id, &standing, err) < 0)
		return -1;
	char *data = stored_article_data(stored->article);
	if (is_stored(stored, &standing, data)) {
		int described = describe_standing(stored, &standing, err);
		value_unref(standing.document);
		free(data);
		return described;
	}
	int result = check_expected(stored, &standing, err);
	stored->existed = standing.there;
	if (result == 0 && stored->must_exist && !standing.there)
		result = no_article(stored->id, err);
	if (result == 0 && stored->must_be_new && standing.there)
		result = ss_fail_as(
			err, SS_CONFLICT, "there is an article \"%s\" already", stored->id);
	if (result == 0)
		result = store_over(storage, instance, stored, &standing, data, err);
	if (result == 0)
		result = describe_stored(storage, instance, stored, data, err);
	value_unref(standing.document);
	free(data);
	return result;
}

int stored_article_write(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct stored_article *stored = context;
	char name[ARTICLE_NAME_SIZE];
	if (stored->id != NULL)
		return write_named(storage, instance, stored, err);
	stored_article_name(value_as_text(value_get(stored->article, "title")), name);
	stored->id = memory_string(name);
	int result = write_named(storage, instance, stored, err);
	for (int i = 2; result < 0 && err->status == SS_CONFLICT && i < NAMES; i++) {
		*err = (struct ss_error){0};
		free(stored->id);
		stored->id = memory_format("%s-%d", name, i);
		result = write_named(storage, instance, stored, err);
	}
	return result;
}

int stored_article_remove(const struct ss_storage_operations *storage, void *instance,
	void *context, struct ss_error *err)
{
	struct stored_article *stored = context;
	struct standing standing;
	if (read_standing(storage, instance, stored->files, stored->id, &standing, err) < 0)
		return -1;
	bool of_file = articles_find(stored->files, stored->id) != NULL;
	bool can_be = stored->give_back ? standing.document != NULL : standing.there;
	int result = can_be ? check_expected(stored, &standing, err) : no_article(stored->id, err);
	if (result == 0)
		result = store_over(storage, instance, stored, &standing,
			of_file && !stored->give_back ? hidden_data : NULL, err);
	value_unref(standing.document);
	return result;
}
