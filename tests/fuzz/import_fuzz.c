/*
 * Fuzzes the import of articles: the first byte chooses the format. What is read keeps to the bounds of an article, and is
 * the same when it is written as JSON and read again; what is refused has a mistake, and mistakes can be printed.
 */
#include "support/article_import.h"

#include "base/buffer.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static void check_article(const struct ss_value *article)
{
	struct ss_text id = value_as_text(value_get(article, "id"));
	struct ss_text title = value_as_text(value_get(article, "title"));
	struct ss_text content = value_as_text(value_get(article, "content"));
	require(id.length > 0 && id.length <= ARTICLE_ID_LIMIT && text_characters(id) > 0);
	require(text_characters(title) > 0 && text_characters(title) <= ARTICLE_TITLE_LIMIT);
	require(text_characters(content) > 0 && content.length <= ARTICLE_CONTENT_LIMIT);
	require(value_count(value_get(article, "questions")) <= ARTICLE_QUESTIONS_LIMIT);
}

static void print(const struct diagnostics *diagnostics)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	require(stream != NULL);
	diagnostics_print((struct diagnostics *)diagnostics, stream);
	(void)fclose(stream);
	require(length > 0 && text_characters((struct ss_text){text, length}) > 0);
	free(text);
}

static void read_again(const struct articles *articles)
{
	struct diagnostics diagnostics = {0};
	struct ss_value **items = calloc(articles->count + 1, sizeof(struct ss_value *));
	require(items != NULL);
	for (size_t i = 0; i < articles->count; i++)
		items[i] = value_ref(articles->items[i]);
	struct ss_value *list = value_list(items, articles->count);
	char *text = json_text(list);
	struct articles *again =
		article_import_read(ARTICLES_JSON, "again", text_of(text), &diagnostics);
	require(again != NULL && again->count == articles->count);
	for (size_t i = 0; i < articles->count; i++)
		require(value_equal(again->items[i], articles->items[i]));
	articles_free(again);
	value_unref(list);
	free(items);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics = {0};
	if (size == 0)
		return 0;
	enum article_format format = (enum article_format)(*data % ARTICLE_FORMATS);
	/* As a body has it, with a NUL behind. */
	char *copy = malloc(size);
	require(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	copy[size - 1] = '\0';
	struct articles *articles = article_import_read(
		format, "articles", (struct ss_text){copy, size - 1}, &diagnostics);
	require((articles == NULL) == (diagnostics.count > 0));
	if (articles == NULL) {
		print(&diagnostics);
	} else {
		for (size_t i = 0; i < articles->count; i++)
			check_article(articles->items[i]);
		if (articles->count > 0)
			read_again(articles);
	}
	diagnostics_free(&diagnostics);
	articles_free(articles);
	free(copy);
	return 0;
}
