/*
 * Many articles in one text, to be stored together: a JSON or YAML list of {id, title, content, category, questions}, CSV with these
 * columns (questions between "|"), or one Markdown article with front matter. Only title and content must be there; an id is
 * made from the title otherwise. Any thread.
 */
#ifndef SUPPORT_ARTICLE_IMPORT_H
#define SUPPORT_ARTICLE_IMPORT_H

#include "service/articles.h"

#include <smartsupport/plugin.h>

enum {
	IMPORT_LIMIT = 10000,            /* articles */
	IMPORT_BYTES = 32 * 1024 * 1024, /* of the text */
};

enum article_format {
	ARTICLES_JSON,
	ARTICLES_YAML,
	ARTICLES_CSV,
	ARTICLES_MARKDOWN,
	ARTICLE_FORMATS, /* how many there are: none of them */
};

/* The format of a media type, as in "text/csv; charset=utf-8", or of a file by the end of its name. */
enum article_format article_format_of_type(const char *media_type);
enum article_format article_format_of_file(const char *path);

/* Reads the articles of TEXT, which messages call NAME, in their order. NULL when there is any mistake; all of them are in
 * DIAGNOSTICS with their lines. */
struct articles *article_import_read(enum article_format format, const char *name,
	struct ss_text text, struct diagnostics *diagnostics);

/* Stores ARTICLES in one transaction, in place of those with their ids; all or none. On the store's thread. */
int article_import_store(const struct ss_storage_operations *storage, void *instance,
	const struct articles *articles, struct ss_error *err);

#endif
