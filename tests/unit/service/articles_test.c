#include "base/buffer.h"
#include "base/memory.h"
#include "service/articles.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/articles-XXXXXX";
static struct diagnostics diagnostics;

static void begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
	char *command = memory_format("rm -rf '%s'", folder);
	cr_assert_eq(system(command), 0);
	free(command);
	diagnostics_free(&diagnostics);
}

TestSuite(articles, .init = begin, .fini = end);

static char *write_file(const char *name, const char *text)
{
	char *path = memory_format("%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
	return path;
}

static void article(const char *name, const char *text)
{
	free(write_file(name, text));
}

static void refused(const char *why)
{
	cr_assert_null(articles_load(folder, &diagnostics));
	bool found = false;
	for (size_t i = 0; i < diagnostics.count; i++)
		found = found || strstr(diagnostics.items[i].text, why) != NULL;
	cr_expect(found, "%s", diagnostics.items[0].text);
}

Test(articles, reads_markdown_with_its_head_in_the_order_of_ids)
{
	article("b.md",
		"---\nid: b\ntitle: B?\ncategory: Billing\nquestions: [Bee, Be]\n---\nText.\n");
	article("a.md", "---\nid: a\ntitle: \"A: what?\"\n---\n\nOne.\n\nTwo.\n\n");
	article("notes.txt", "not an article");
	struct articles *articles = articles_load(folder, &diagnostics);
	cr_assert_not_null(articles);
	cr_assert_eq(articles->count, 2);
	cr_expect_str_eq(value_as_string(value_get(articles->items[0], "title"), NULL), "A: what?");
	cr_expect_str_eq(
		value_as_string(value_get(articles->items[0], "content"), NULL), "One.\n\nTwo.");
	cr_expect_str_eq(
		value_as_string(value_get(articles->items[1], "category"), NULL), "Billing");
	cr_expect_eq(value_count(value_get(articles->items[1], "questions")), 2);
	articles_free(articles);
}

Test(articles, names_file_line_and_column_of_a_mistake_in_the_head)
{
	article("a.md", "---\nid: a\ntitel: A?\n---\nText.\n");
	refused("has no key \"titel\" (did you mean \"title\"?)");
	cr_expect_eq(diagnostics.items[0].line, 3);
	cr_expect_eq(diagnostics.items[1].line, 2); /* the title is missing */
}

Test(articles, reports_the_mistakes_of_all_files)
{
	article("a.md", "no head");
	article("b.md", "---\nid: b\ntitle: B?\n---\n \n");
	refused("begins with ---");
	cr_expect_eq(diagnostics.count, 2);
}

Test(articles, refuses_two_articles_with_one_id)
{
	article("a.md", "---\nid: same\ntitle: A?\n---\nText.\n");
	article("b.md", "---\nid: same\ntitle: B?\n---\nText.\n");
	refused("two articles have the id \"same\"");
	cr_expect_not_null(strstr(diagnostics.items[0].file, "/b.md"));
	cr_expect_not_null(strstr(diagnostics.items[0].text, "/a.md"));
	cr_expect_eq(diagnostics.items[0].line, 2);
}

Test(articles, refuses_what_is_no_utf8)
{
	article("a.md", "---\nid: a\ntitle: A?\n---\nText \xff.\n");
	refused("not valid UTF-8");
}

Test(articles, refuses_a_folder_without_articles)
{
	refused("has no articles");
}

Test(articles, reads_a_json_list)
{
	char *path =
		write_file("base.json", "[{\"id\": 7, \"title\": \"T?\", \"content\": \"C.\"}, "
					"{\"id\": \"x\", \"title\": \"X?\", \"content\": \"C.\", "
					"\"category\": \"General\"}]");
	struct articles *articles = articles_load(path, &diagnostics);
	cr_assert_not_null(articles);
	cr_expect_eq(articles->count, 2);
	articles_free(articles);
	free(path);
}

Test(articles, refuses_json_that_is_no_list_of_articles)
{
	char *path =
		write_file("base.json", "[{\"id\": \"x\", \"title\": \"\", \"content\": \"C\"}]");
	cr_assert_null(articles_load(path, &diagnostics));
	cr_expect_not_null(strstr(diagnostics.items[0].text, "number 1: the title is empty"));
	free(path);
}

Test(articles, names_the_line_of_an_empty_title_and_of_missing_text)
{
	article("a.md", "---\nid: a\ntitle: ' '\n---\nText.\n");
	article("b.md", "---\nid: b\ntitle: B?\n---\n");
	refused("the title is empty");
	cr_assert_eq(diagnostics.count, 2);
	cr_expect_eq(diagnostics.items[0].line, 3);
	cr_expect_eq(diagnostics.items[0].column, 8);
	cr_expect_str_eq(diagnostics.items[1].text, "the article has no text");
	cr_expect_eq(diagnostics.items[1].line, 5);
}

Test(articles, refuses_what_is_too_long)
{
	char *text = memory_format("---\nid: a\ntitle: %0301d\n---\nText.\n", 0);
	article("a.md", text);
	free(text);
	text = memory_format("---\nid: b\ntitle: B?\n---\n%0*d\n", ARTICLE_CONTENT_LIMIT + 1, 0);
	article("b.md", text);
	free(text);
	refused("the title has more than 300 characters");
	cr_assert_eq(diagnostics.count, 2);
	cr_expect_str_eq(diagnostics.items[1].text, "the text has more than 65536 characters");
}

Test(articles, counts_characters_and_not_bytes)
{
	struct buffer text = {0};
	buffer_add_string(&text, "---\nid: ");
	for (int i = 0; i < ARTICLE_ID_LIMIT; i++)
		buffer_add_string(&text, "\u00e9");
	buffer_add_string(&text, "\ntitle: A?\n---\n");
	for (int i = 0; i < ARTICLE_CONTENT_LIMIT; i++)
		buffer_add_string(&text, "\u00e9");
	article("a.md", buffer_text(&text));
	struct articles *articles = articles_load(folder, &diagnostics);
	cr_assert_not_null(articles, "%s", diagnostics.count > 0 ? diagnostics.items[0].text : "");
	cr_expect_eq(articles->count, 1);
	articles_free(articles);
	buffer_free(&text);
}

Test(articles, reads_the_line_ends_of_windows)
{
	article("a.md", "---\r\nid: a\r\ntitle: A?\r\n---\r\nOne.\r\n\r\nTwo.\r\n");
	struct articles *articles = articles_load(folder, &diagnostics);
	cr_assert_not_null(articles);
	cr_expect_str_eq(
		value_as_string(value_get(articles->items[0], "content"), NULL), "One.\n\nTwo.");
	articles_free(articles);
}

Test(articles, refuses_other_questions_that_are_no_list)
{
	char *path = write_file("base.json",
		"[{\"id\": \"x\", \"title\": \"X?\", \"content\": \"C\", \"questions\": \"Y?\"}]");
	cr_assert_null(articles_load(path, &diagnostics));
	cr_expect_not_null(strstr(diagnostics.items[0].text, "must be a list of texts"));
	free(path);
}

Test(articles, names_a_path_that_is_not_there_once)
{
	cr_assert_null(articles_load("/nowhere/at/all", &diagnostics));
	cr_expect_str_eq(diagnostics.items[0].file, "/nowhere/at/all");
	cr_expect_null(strstr(diagnostics.items[0].text, "/nowhere"));
}
