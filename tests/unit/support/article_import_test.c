#include "support/article_import.h"
#include "support/stored_article.h"

#include "base/text.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct diagnostics mistakes;
static struct articles *articles;

static void forget(void)
{
	articles_free(articles);
	articles = NULL;
	diagnostics_free(&mistakes);
	mistakes = (struct diagnostics){0};
}

TestSuite(article_import, .init = forget, .fini = forget);

static bool read_as(enum article_format format, const char *text)
{
	forget();
	articles = article_import_read(format, "list", text_of(text), &mistakes);
	return articles != NULL;
}

static const char *member(size_t i, const char *key)
{
	return value_as_string(value_get(articles->items[i], key), NULL);
}

static void expect_mistake(size_t i, size_t line, const char *text)
{
	cr_assert_gt(mistakes.count, i);
	cr_expect_eq(mistakes.items[i].line, line, "%zu", mistakes.items[i].line);
	cr_expect_not_null(strstr(mistakes.items[i].text, text), "%s", mistakes.items[i].text);
}

Test(article_import, knows_formats_by_media_types_and_names)
{
	cr_expect_eq(article_format_of_type("Text/CSV ; charset=utf-8"), ARTICLES_CSV);
	cr_expect_eq(article_format_of_type("text/plain"), ARTICLE_FORMATS);
	cr_expect_eq(article_format_of_type(NULL), ARTICLE_FORMATS);
	cr_expect_eq(article_format_of_file("a.b/list.YML"), ARTICLES_YAML);
	cr_expect_eq(article_format_of_file(".md"), ARTICLE_FORMATS);
}

Test(article_import, makes_ids_of_numbers_and_titles)
{
	cr_assert(read_as(ARTICLES_JSON, "[{\"id\": 7, \"title\": \"a\", \"content\": \"b\"}, "
					 "{\"title\": \"Oh, this!\", \"content\": \"c\"}]"));
	cr_expect_str_eq(member(0, "id"), "7");
	cr_expect_str_eq(member(1, "id"), "oh-this");
}

Test(article_import, names_the_line_of_every_mistake)
{
	cr_expect_not(read_as(ARTICLES_JSON, "[\n{\"title\": \"\\\"]}\", \"content\": \"x\", "
					     "\"n\": {\"m\": [1]}},\n\n{\"title\": \"b\"}, 7]"));
	expect_mistake(0, 2, "an article has no n");
	expect_mistake(1, 4, "no text");
	expect_mistake(2, 4, "an article must be");
	cr_expect_not(
		read_as(ARTICLES_YAML, "- {title: a, content: b}\n- {title: c, contents: d}\n"));
	expect_mistake(0, 2, "did you mean \"content\"");
	expect_mistake(1, 2, "no text");
	cr_expect_not(read_as(ARTICLES_CSV, "title,content\n\"a\nb\",c\nd,\n"));
	expect_mistake(0, 4, "no text");
}

/* Mistakes quote what they are about, and go into replies. */
Test(article_import, refuses_what_is_no_text_before_it_is_read)
{
	for (int format = 0; format < ARTICLE_FORMATS; format++) {
		static const char with_nul[] = "a\0b\n";
		cr_expect_not(read_as((enum article_format)format, "title\ncontent,\xd7\nx,y\n"));
		cr_assert_eq(mistakes.count, 1);
		expect_mistake(0, 2, "is not valid UTF-8");
		forget();
		articles = article_import_read((enum article_format)format, "list",
			(struct ss_text){with_nul, sizeof with_nul - 1}, &mistakes);
		cr_expect_null(articles);
		cr_assert_eq(mistakes.count, 1);
		expect_mistake(0, 1, "has a NUL character");
	}
}

Test(article_import, refuses_the_same_id_twice_and_lists_of_nothing)
{
	cr_expect_not(read_as(ARTICLES_CSV, "id,title,content\nx,a,b\ny,a,b\nx,c,d\n"));
	expect_mistake(0, 4, "two articles have the id \"x\", the other one on line 2");
	cr_expect_not(read_as(ARTICLES_JSON, "[]"));
	expect_mistake(0, 0, "has no articles");
	cr_expect_not(read_as(ARTICLES_CSV, ""));
	cr_expect_not(read_as(ARTICLES_YAML, ""));
	cr_expect_not(read_as(ARTICLES_CSV, "title,title\na,b\n"));
	cr_expect_not(read_as(ARTICLES_CSV, "title,content,a,b,c,d,e,f\n1,2,3,4,5,6,7,8\n"));
}

Test(article_import, takes_nothing_from_the_environment)
{
	cr_assert(read_as(ARTICLES_YAML, "- {title: '${PATH}', content: 'x ${NO_SUCH} $${y}'}\n"));
	cr_expect_str_eq(member(0, "title"), "${PATH}");
	cr_expect_str_eq(member(0, "content"), "x ${NO_SUCH} $${y}");
	cr_assert(read_as(ARTICLES_MARKDOWN, "---\nid: a\ntitle: ${PATH}\n---\ntext\n"));
	cr_expect_str_eq(member(0, "title"), "${PATH}");
}

Test(article_import, names_have_letters_digits_and_hyphens_alone)
{
	char name[ARTICLE_NAME_SIZE];
	stored_article_name(text_of("  How do I -- pay: by\tcard?! "), name);
	cr_expect_str_eq(name, "how-do-i-pay-by-card");
	char title[301];
	memset(title, 'A', 300);
	title[300] = '\0';
	stored_article_name(text_of(title), name);
	cr_expect_eq(strlen(name), 60);
	stored_article_name(text_of("\xc3\xa4"), name);
	cr_expect_eq(strncmp(name, "article-", 8), 0);
}
