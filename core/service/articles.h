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

/* Bounds on what is read; of texts in characters, as the API's document counts them. */
enum {
	ARTICLES_LIMIT = 100000,
	ARTICLE_ID_LIMIT = 200,
	ARTICLE_TITLE_LIMIT = 300,
	ARTICLE_QUESTIONS_LIMIT = 50,
	ARTICLE_CONTENT_LIMIT = 64 * 1024,
};

struct articles {
	struct ss_value **items; /* maps with id, title, content, category and questions, by id */
	size_t count;
};

/* Reads the folder of Markdown files or the JSON file at PATH. NULL when there is any mistake; all of them
 * are in DIAGNOSTICS. */
struct articles *articles_load(const char *path, struct diagnostics *diagnostics);

void articles_free(struct articles *articles);

/* The article ID, or NULL. */
const struct ss_value *articles_find(const struct articles *articles, const char *id);

/* Reads a Markdown article that came from outside as NAME: nothing in it is taken from the environment. NULL and mistakes in
 * DIAGNOSTICS. */
struct ss_value *article_parse_markdown(
	const char *name, struct ss_text text, struct diagnostics *diagnostics);

/* The article ID made of MAP, {title, content, category, questions}, of which the last two may be missing: new, as struct
 * articles has it. NULL when something is wrong: *KEY is the member (or "id"), *FAULT a sentence. Any thread. */
struct ss_value *article_make(
	struct ss_text id, const struct ss_value *map, const char **key, const char **fault);

#endif
