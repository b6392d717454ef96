/* Documents that operators make: each kind in a table of its own, with versions that become visible in their order. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <string.h>

enum { US_IN_NS = 1000 };

/* The statement for documents of KIND; FIRST is the one for the first kind. */
static enum statement statement_of(enum statement first, enum ss_document_kind kind)
{
	return first + (enum statement)kind - SS_ARTICLES;
}

static int check_kind(enum ss_document_kind kind, struct ss_error *err)
{
	if (kind >= SS_ARTICLES && kind <= SS_API_KEYS)
		return 0;
	return ss_fail_as(err, SS_INVALID, "there are no documents of kind %d", (int)kind);
}

/* Storing. */

static int check_document(
	struct database *db, const struct ss_document *document, struct ss_error *err)
{
	struct ss_error cause = {.status = SS_OK};
	const struct ss_value_functions *values = database_values(db);
	if (document->id == NULL || document->id[0] == '\0')
		return ss_fail_as(err, SS_INVALID, "it needs an id");
	if (check_kind(document->kind, err) < 0)
		return -1;
	if (document->at_ns < 0)
		return ss_fail_as(err, SS_INVALID, "its time must not be below 0");
	if (document->data.data == NULL)
		return 0;
	struct ss_value *data =
		values->from_json(document->data.data, document->data.length, &cause);
	if (data == NULL)
		return ss_fail_as(err, SS_INVALID, "its data is not JSON: %s", cause.text);
	bool is_object = values->type(data) == SS_MAP;
	values->unref(data);
	return is_object ? 0 : ss_fail_as(err, SS_INVALID, "its data is not a JSON object");
}

/* Nobody else stores documents of KIND until the transaction ends; *VERSION is the next one. */
static int take_version(
	struct database *db, enum ss_document_kind kind, int64_t *version, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_TAKE_VERSION);
	cursor_bind_int(&cursor, kind);
	int result = cursor_next(&cursor, err);
	if (result == 1) {
		*version = cursor_int(&cursor, 0);
		result = cursor_next(&cursor, err);
	} else if (result == 0) {
		result = ss_fail(
			err, "the versions of the documents of kind %d are not there", (int)kind);
	}
	cursor_end(&cursor);
	return result;
}

static bool is_same(struct ss_text a, struct ss_text b)
{
	if (a.data == NULL || b.data == NULL)
		return a.data == b.data;
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* Whether DOCUMENT may take the place of what is there, {version, data} in the row of CURSOR if FOUND; 1 when it is
 * there already, as the attempt before has stored it. */
static int check_expected(const struct cursor *cursor, bool found,
	const struct ss_document *document, struct ss_error *err)
{
	bool removes = document->data.data == NULL;
	struct ss_text data = found ? cursor_text(cursor, 1) : (struct ss_text){0};
	bool is_there = data.data != NULL;
	if (found && database_is_again(cursor->db) && is_same(data, document->data))
		return 1;
	if (removes && !is_there)
		return ss_fail_as(err, SS_NOT_FOUND, "it is not there");
	if (document->expected == 0 && is_there)
		return ss_fail_as(err, SS_CONFLICT, "there is one with this id already");
	if (document->expected > 0 && !is_there)
		return ss_fail_as(err, SS_CONFLICT,
			"it should have the version %lld, but it is not there any more",
			(long long)document->expected);
	int64_t version = is_there ? cursor_int(cursor, 0) : 0;
	if (document->expected > 0 && version != document->expected)
		return ss_fail_as(err, SS_CONFLICT,
			"it should have the version %lld, but somebody has changed it: it has %lld",
			(long long)document->expected, (long long)version);
	return 0;
}

static int find_document(
	struct database *db, const struct ss_document *document, struct ss_error *err)
{
	struct cursor cursor =
		cursor_begin(db, statement_of(STATEMENT_FIND_DOCUMENT, document->kind));
	cursor_bind_string(&cursor, document->id);
	int found = cursor_next(&cursor, err);
	int result = found < 0 ? -1 : check_expected(&cursor, found == 1, document, err);
	cursor_end(&cursor);
	return result;
}

static int store_document(struct database *db, const void *item, struct ss_error *err)
{
	const struct ss_document *document = item;
	int64_t version = 0;
	if (check_document(db, document, err) < 0 ||
		take_version(db, document->kind, &version, err) < 0)
		return -1;
	int found = find_document(db, document, err);
	if (found < 0)
		return -1;
	if (found == 1)
		return 0;
	struct cursor cursor =
		cursor_begin(db, statement_of(STATEMENT_STORE_DOCUMENT, document->kind));
	cursor_bind_string(&cursor, document->id);
	cursor_bind_int(&cursor, version);
	if (document->data.data != NULL)
		cursor_bind_text(&cursor, document->data);
	else
		cursor_bind_string(&cursor, NULL);
	cursor_bind_int(&cursor, document->at_ns / US_IN_NS);
	return cursor_finish(&cursor, err) < 0 ? -1 : 1;
}

static const char *document_id(const void *item)
{
	return ((const struct ss_document *)item)->id;
}

/* Two servers that store documents of several kinds lock these in the same order. Those of a kind stay as they are. */
static int compare_kinds(const void *a, const void *b)
{
	const struct ss_document *first = *(const struct ss_document *const *)a;
	const struct ss_document *second = *(const struct ss_document *const *)b;
	int order = (first->kind > second->kind) - (first->kind < second->kind);
	return order != 0 ? order : (first > second) - (first < second);
}

int database_store_documents(
	void *instance, const struct ss_document *documents, size_t count, struct ss_error *errors)
{
	const struct database_batch batch = {
		.items = documents,
		.count = count,
		.size = count > 0 ? documents[0].struct_size : 0,
		.least = sizeof *documents,
		.write = store_document,
		.compare = compare_kinds,
		.id = document_id,
		.noun = "document",
	};
	return database_commit_all(instance, &batch, errors);
}

/* Reading. */

static int read_version(
	struct database *db, enum ss_document_kind kind, int64_t *version, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_VERSION);
	cursor_bind_int(&cursor, kind);
	int result = cursor_next(&cursor, err);
	*version = result == 1 ? cursor_int(&cursor, 0) : 0;
	cursor_end(&cursor);
	return result < 0 ? -1 : 0;
}

static struct cursor begin_reading(
	struct database *db, const struct ss_document_filter *filter, int64_t rows)
{
	enum statement first = filter->id != NULL  ? STATEMENT_READ_DOCUMENT
			       : filter->since > 0 ? STATEMENT_READ_CHANGED_DOCUMENTS
						   : STATEMENT_READ_DOCUMENTS;
	struct cursor cursor = cursor_begin(db, statement_of(first, filter->kind));
	cursor_bind_int(&cursor, rows);
	if (filter->id != NULL || filter->since > 0)
		cursor_bind_int(&cursor, filter->since);
	if (filter->id != NULL)
		cursor_bind_string(&cursor, filter->id);
	return cursor;
}

/* Adds to ITEMS; *VERSION becomes that of the last one when there are more. */
static int read_items(struct database *db, const struct ss_document_filter *filter,
	struct items *items, int64_t *version, struct ss_error *err)
{
	int result;
	int64_t last = 0;
	int64_t rows = INT32_MAX;
	if (filter->limit > 0 && page_limit(filter->limit, &rows, err) < 0)
		return -1;
	struct cursor cursor = begin_reading(db, filter, rows);
	while ((result = cursor_next(&cursor, err)) == 1 && (int64_t)items->count + 1 < rows) {
		struct row row = {.cursor = &cursor};
		row_text(&row, "id", 0);
		row_int(&row, "version", 1);
		row_text(&row, "data", 2);
		row_time(&row, "created_at", 3);
		row_time(&row, "updated_at", 4);
		last = cursor_int(&cursor, 1);
		if (items_add(db, items, row_value(&row), err) < 0) {
			result = -1;
			break;
		}
	}
	cursor_end(&cursor);
	/* By id nobody can go on behind a version. */
	if (result == 1)
		*version = filter->since > 0 ? last : 0;
	return result < 0 ? -1 : 0;
}

static int read_documents(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	static const char *const keys[] = {"items", "version"};
	const struct ss_document_filter *filter = question;
	struct ss_value **found = answer;
	struct items items = {0};
	int64_t version = 0;
	/* One moment, so all up to the version is seen. */
	if (database_begin(db, STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	int result = read_version(db, filter->kind, &version, err);
	if (result == 0)
		result = read_items(db, filter, &items, &version, err);
	if (result == 0)
		result = statement_run(db, STATEMENT_COMMIT, err);
	if (result < 0)
		database_rollback(db);
	struct ss_value *list = items_take(db, &items, result);
	if (result < 0)
		return -1;
	struct ss_value *values[] = {list, database_values(db)->integer(version)};
	*found = database_values(db)->map(keys, values, 2);
	return 0;
}

int database_read_documents(void *instance, const struct ss_document_filter *filter,
	struct ss_value **found, struct ss_error *err)
{
	if (check_kind(filter->kind, err) < 0)
		return -1;
	return database_try(instance, read_documents, filter, found, err);
}
