/*
 * What operators do with single articles: each function is one call on the store's thread (store_call() of service/store.h), which
 * reads what is there and writes what follows. An article is what service/catalogue.h says: a document of the store lies over
 * the file's article of the same id.
 */
#ifndef SUPPORT_STORED_ARTICLE_H
#define SUPPORT_STORED_ARTICLE_H

#include "service/articles.h"

#include <smartsupport/plugin.h>

enum {
	ARTICLE_NAME_SIZE = 80, /* bytes of an id that is made from a title, with the NUL */
	ARTICLE_ANY_VERSION = -1,
};

struct stored_article {
	/* Given. */
	const struct articles *files; /* any thread may read them */
	char *id;                     /* its own; NULL: it is made from the title */
	struct ss_value *article;     /* its own: what is to be stored; NULL: nothing */
	int64_t expected; /* the version that it must have; 0: that of a file; ARTICLE_ANY_VERSION: any */
	bool must_exist; /* else it may be new */
	bool must_be_new;
	bool is_again; /* of a new one: the same words that are there already were stored by an attempt before */
	bool give_back; /* of a removal: the file's article shall count again, rather than be hidden */
	/* Found. */
	struct ss_value *
		found; /* as it is now: with source, version, created_at and updated_at; NULL: there is none */
	bool existed;
	bool failed_expectation; /* it has another version: an error with SS_CONFLICT */
};

/* Frees what is its own. */
void stored_article_end(struct stored_article *stored);

/* Each is a store_call() with a struct stored_article. SS_NOT_FOUND when there is none, SS_CONFLICT when the version is another or
 * one that must be new is there. */
int stored_article_read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err);
int stored_article_write(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err);
int stored_article_remove(const struct ss_storage_operations *storage, void *instance,
	void *context, struct ss_error *err);

/* Writes the id that a title makes, in small letters, digits and hyphens; of its bytes when it has none of them. */
void stored_article_name(struct ss_text title, char name[ARTICLE_NAME_SIZE]);

/* What is stored of ARTICLE, as JSON; the caller frees it. */
char *stored_article_data(const struct ss_value *article);

#endif
