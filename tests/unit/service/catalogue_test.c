#include "service/catalogue.h"

#include "base/log.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ss_value *files_items[2];
static const struct articles files = {.items = files_items, .count = 2};
static struct log silent;
static struct catalogue *catalogue;

static struct ss_value *parse(const char *text)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(text, strlen(text), &err);
	cr_assert_not_null(value, "%s", err.text);
	return value;
}

static void begin(void)
{
	silent = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	files_items[0] = parse("{\"id\":\"b\",\"title\":\"B\",\"category\":\"\",\"content\":"
			       "\"file\",\"questions\":[]}");
	files_items[1] = parse("{\"id\":\"d\",\"title\":\"D\",\"category\":\"\",\"content\":"
			       "\"file\",\"questions\":[]}");
	catalogue = catalogue_new(&files, &silent);
}

static void end(void)
{
	catalogue_free(catalogue);
	value_unref(files_items[0]);
	value_unref(files_items[1]);
}

TestSuite(catalogue, .init = begin, .fini = end);

static struct catalogue_entry *take(const char *document)
{
	struct ss_value *value = parse(document);
	struct catalogue_entry *entry = catalogue_take(catalogue, value);
	value_unref(value);
	return entry;
}

/* The articles that count, as "id:content " each. */
static const char *all(void)
{
	static char text[200];
	size_t length = 0;
	struct articles *articles = catalogue_articles(catalogue);
	text[0] = '\0';
	for (size_t i = 0; i < articles->count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s:%s ",
			value_as_string(value_get(articles->items[i], "id"), NULL),
			value_as_string(value_get(articles->items[i], "content"), NULL));
	articles_free(articles);
	return text;
}

Test(catalogue, lays_the_articles_of_the_store_over_those_of_the_files)
{
	cr_expect_str_eq(all(), "b:file d:file ");
	cr_expect_not_null(take(
		"{\"id\":\"c\",\"version\":1,\"data\":{\"title\":\"C\",\"content\":\"store\"}}"));
	cr_expect_not_null(take(
		"{\"id\":\"b\",\"version\":2,\"data\":{\"title\":\"B\",\"content\":\"store\"}}"));
	cr_expect_not_null(take("{\"id\":\"d\",\"version\":3,\"data\":{\"hidden\":true}}"));
	cr_expect_str_eq(all(), "b:store c:store ");
}

Test(catalogue, gives_a_files_article_back_when_its_document_is_removed)
{
	(void)take("{\"id\":\"b\",\"version\":1,\"data\":{\"title\":\"B\",\"content\":\"store\"}}");
	(void)take("{\"id\":\"d\",\"version\":2,\"data\":{\"hidden\":true}}");
	(void)take("{\"id\":\"b\",\"version\":3}");
	struct catalogue_entry *entry = take("{\"id\":\"d\",\"version\":4}");
	cr_assert_not_null(entry);
	cr_expect_eq(entry->version, 0);
	cr_expect_str_eq(all(), "b:file d:file ");
}

Test(catalogue, tells_what_is_the_same_as_before)
{
	static const char document[] =
		"{\"id\":\"a\",\"version\":1,\"data\":{\"title\":\"A\",\"content\":\"x\"}}";
	cr_expect_not_null(take(document));
	cr_expect_null(
		take("{\"id\":\"a\",\"version\":2,\"data\":{\"title\":\"A\",\"content\":\"x\"}}"));
	cr_expect_eq(catalogue_at(catalogue, 0)->version, 2);
	cr_expect_null(take("{\"id\":\"unknown\",\"version\":3}"));
}

Test(catalogue, leaves_out_what_cannot_be_read_and_keeps_what_was_there)
{
	(void)take("{\"id\":\"a\",\"version\":1,\"data\":{\"title\":\"A\",\"content\":\"x\"}}");
	cr_expect_null(take("{\"id\":\"a\",\"version\":2,\"data\":{\"title\":\"A\"}}"));
	cr_expect_null(take("{\"id\":\"a\",\"version\":3,\"fault\":\"it is no JSON\"}"));
	cr_expect_null(take("{\"id\":\"z\",\"version\":4,\"fault\":\"it is no JSON\"}"));
	cr_expect_str_eq(all(), "a:x b:file d:file ");
}

Test(catalogue, forgets_what_there_is_nothing_of)
{
	struct catalogue_entry *entry =
		take("{\"id\":\"c\",\"version\":1,\"data\":{\"title\":\"C\",\"content\":\"x\"}}");
	catalogue_drop(catalogue, entry);
	cr_expect_eq(catalogue_count(catalogue), 3);
	entry = take("{\"id\":\"c\",\"version\":2}");
	catalogue_drop(catalogue, entry);
	cr_expect_eq(catalogue_count(catalogue), 2);
	cr_expect_eq(catalogue_after(catalogue, "b"), 1);
}
