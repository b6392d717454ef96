/*
 * The articles that count: those of the files, and over them the documents of the store. A document with the id of a file's
 * article replaces it, or hides it when its data says {"hidden": true}; without the document the file's article counts again.
 * Loop thread, and before there is a loop.
 */
#ifndef SERVICE_CATALOGUE_H
#define SERVICE_CATALOGUE_H

#include "service/articles.h"

#include <stdint.h>

struct catalogue;
struct log;

struct catalogue_entry {
	char *id;
	const struct ss_value *file; /* the article of the files; NULL: there is none */
	struct ss_value *stored;     /* that of the store; NULL: there is none */
	bool hidden;                 /* by the store */
	int64_t version;             /* of the document; 0: there is none */
	struct ss_value *created_at, *updated_at; /* of the document; NULL */
	bool changed;                             /* whoever follows has it to do */
	struct catalogue_entry *next;             /* that is changed */
};

/* Of the articles FILES and the log, which are borrowed. */
struct catalogue *catalogue_new(const struct articles *files, const struct log *log);
void catalogue_free(struct catalogue *catalogue);

/* Takes DOCUMENT, as struct documents hands it over. The entry whose article is another one now; NULL when nothing changes. A
 * document that cannot be read is left out with a warning that names it: what was there stays. */
struct catalogue_entry *catalogue_take(
	struct catalogue *catalogue, const struct ss_value *document);

/* The article that counts; NULL: there is none. */
const struct ss_value *catalogue_article(const struct catalogue_entry *entry);

/* Forgets ENTRY if there is nothing of it. */
void catalogue_drop(struct catalogue *catalogue, struct catalogue_entry *entry);

/* The entries by their ids. Some have no article. */
size_t catalogue_count(const struct catalogue *catalogue);
const struct catalogue_entry *catalogue_at(const struct catalogue *catalogue, size_t index);

/* The first entry whose id comes after ID. */
size_t catalogue_after(const struct catalogue *catalogue, const char *id);

const struct articles *catalogue_files(const struct catalogue *catalogue);

/* The articles that count, new; nothing of it is to be done any more. */
struct articles *catalogue_articles(const struct catalogue *catalogue);

#endif
