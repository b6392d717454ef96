#include "learn/questions.h"

#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *folder;
static char *path;

static void tear_down(void)
{
	free(path);
	scratch_remove(folder);
}

static struct questions *load(const char *text, struct ss_error *err)
{
	free(path);
	path = scratch_file(folder, "q.jsonl", text, strlen(text));
	return questions_load(path, err);
}

static void set_up(void)
{
	folder = scratch_new();
}

TestSuite(questions, .init = set_up, .fini = tear_down);

static void refused(const char *text, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(load(text, &err), "%s", text);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

Test(questions, have_any_of_the_labels)
{
	struct ss_error err = {0};
	struct questions *questions =
		load("{\"text\": \"a\", \"category\": \"Billing\", \"escalate\": true}\n"
		     "{\"text\": \"b\", \"sentiment\": \"Angry\", \"article\": 17}\n"
		     "{\"text\": \"c\", \"should_abstain\": true}\n"
		     "{\"text\": \"d\", \"should_abstain\": false, \"article\": \"x\"}\n",
			&err);
	cr_assert_not_null(questions, "%s", err.text);
	cr_assert_eq(questions->count, 4);
	cr_expect_str_eq(questions->items[0].labels[QUESTION_CATEGORY], "Billing");
	cr_expect_null(questions->items[0].labels[QUESTION_SENTIMENT]);
	cr_expect_eq(questions->items[0].answer, ANSWER_UNKNOWN);
	cr_expect_str_eq(questions->items[1].article, "17");
	cr_expect_eq(questions->items[1].answer, ANSWER_EXISTS);
	cr_expect_eq(questions->items[2].answer, ANSWER_NONE);
	cr_expect_eq(questions->items[3].answer, ANSWER_EXISTS);
	cr_expect_eq(questions->items[3].place.line, 4);
	questions_free(questions);
}

Test(questions, are_refused_with_the_line_and_the_value)
{
	refused("", "has no questions");
	refused("\n{\"text\": \"a\"}", ":2: the line has none of the labels");
	refused("{\"text\": \"a\", \"catgory\": \"x\", \"article\": \"x\"}",
		":1: there is no label \"catgory\" (did you mean \"category\"?)");
	refused("{\"text\": \"a\", \"category\": null}",
		":1: \"category\" must be a label, not null");
	refused("{\"text\": \"a\", \"article\": 1.5}", ":1: \"article\" must be a label, not 1.5");
	refused("{\"text\": \"a\", \"should_abstain\": \"yes\"}",
		":1: \"should_abstain\" must be true or false, not \"yes\"");
	refused("{\"text\": \"a\", \"should_abstain\": true, \"article\": \"x\"}",
		":1: the line names an article and says should_abstain");
	refused("{\"category\": \"x\"}", ":1: there is no \"text\", which must be a string");
	refused("{\"text\": \"a\", \"category\": \"x\"}\n{", ":2: ");
}
