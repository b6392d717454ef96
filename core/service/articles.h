/*
 * The knowledge base's articles, read from files. Called while a configuration is loaded.
 *
 * A Markdown file has its id, title and category in YAML front matter, and perhaps other ways in which
 * customers ask the same:
 *     ---
 *     id: reset-password
 *     title: How do I reset my password?
 *     category: Account
 *     questions:
 *       - I forgot my password
 *     ---
 *     The article's text.
 * A JSON file is a list of {id, title, content, category, questions}; the last two may be missing.
 */
#ifndef SERVICE_ARTICLES_H
#define SERVICE_ARTICLES_H

#include "config/diagnostics.h"

#include <smartsupport/value.h>

/* Bounds on what is read. */
enum {
	ARTICLES_LIMIT = 100000,
	ARTICLE_ID_LIMIT = 200,    /* bytes */
	ARTICLE_TITLE_LIMIT = 300, /* characters */
	ARTICLE_QUESTIONS_LIMIT = 50,
	ARTICLE_CONTENT_LIMIT = 64 * 1024, /* bytes */
};

struct articles {
	struct ss_value **items; /* maps with id, title, content, category and questions, by id */
	size_t count;
};

/* Reads the folder of Markdown files or the JSON file at PATH. NULL when there is any mistake; all of them
 * are in DIAGNOSTICS. */
struct articles *articles_load(const char *path, struct diagnostics *diagnostics);

void articles_free(struct articles *articles);

#endif
