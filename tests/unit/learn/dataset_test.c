#include "learn/dataset.h"

#include "load.h"

#include <criterion/criterion.h>
#include <string.h>

static void refused_bytes(const char *name, const char *text, size_t length, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(load_bytes(name, text, length, &err), "%s", text);
	cr_expect_not_null(strstr(err.text, name), "%s", err.text);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

static void refused(const char *name, const char *text, const char *why)
{
	refused_bytes(name, text, strlen(text), why);
}

static const char few[] = "\xef\xbb\xbf{\"text\": \"Fine\", \"mood\": \"Good\"}\r\n"
			  " \n"
			  "{\"text\": \"Broken\", \"mood\": \"Bad\", \"more\": 1}\n"
			  "{\"text\": \"  fine \", \"mood\": \"Good\"}";

static void check_few(struct dataset *dataset, const struct ss_error *err)
{
	cr_assert_not_null(dataset, "%s", err->text);
	cr_expect_eq(dataset->count, 3);
	cr_expect_eq(dataset->labels_count, 2);
	cr_expect_str_eq(dataset->labels[0], "Bad");
	cr_expect_eq(dataset->examples[0].label, 1);
	cr_expect_eq(dataset->examples[1].place.line, 3);
	cr_expect_eq(dataset->groups, 2, "case and spacing make no other text");
	cr_expect_eq(dataset->examples[0].group, dataset->examples[2].group);
	dataset_free(dataset);
}

Test(dataset, numbers_lines_labels_and_groups)
{
	struct ss_error err = {0};
	check_few(load_text("x.jsonl", few, &err), &err);
}

Test(dataset, reads_the_same_from_csv)
{
	struct ss_error err = {0};
	check_few(load_text("x.CSV",
			  "\xef\xbb\xbfmood,id,text\r\nGood,1,Fine\r\n\"Bad\",,Broken\r\nGood,3,\" "
			  " fine "
			  "\"\r\n",
			  &err),
		&err);
}

Test(dataset, names_the_line_and_the_value_that_are_wrong)
{
	refused("x.jsonl", "{\"text\": \"Fine\", \"mood\": \"Good\"}\n{\"text\": ", ":2: ");
	refused("x.jsonl", "[1]", ":1: a line must be an object");
	refused("x.jsonl", "{\"text\": 7, \"mood\": \"Good\"}",
		":1: \"text\" must be a string, not 7");
	refused("x.jsonl", "{\"text\": \" \\u200b\", \"mood\": \"Good\"}",
		":1: \"text\" must say something");
	refused("x.jsonl", "{\"text\": \"Fine\", \"temper\": \"Good\"}",
		":1: there is no \"mood\", which must be a label");
	refused("x.jsonl", "{\"text\": \"Fine\", \"mood\": [\"Good\"]}",
		":1: \"mood\" must be a label, not [\"Good\"]");
	refused("x.jsonl", "{\"text\": \"Fine\", \"mood\": \"Go\\u0000od\"}", ":1: \"mood\" must");
	refused_bytes("x.jsonl", "{\"text\": \"Fi\0ne\", \"mood\": \"Good\"}", 32, ":1: ");
	refused("x.csv", "text,mood\nFine,Good\nBroken\n", ":3: the line has 1 fields");
	refused("x.csv", "text,mood\n\"Fine\n\n,Good\n", ":2: the quotation mark that opens");
	refused("x.csv", "text,mood\nFine,\n", ":2: \"mood\" must be a label, not \"\"");
	refused("x.csv", "text,mood\nF\xff,Good\n", ":2: \"text\" must be valid UTF-8");
	refused("x.csv", "text,text\nFine,Good\n", ":1: two columns are named \"text\"");
	refused("x.csv", "text;mood\nFine;Good\n", ":2: there is no \"text\"");
}

Test(dataset, refuses_files_with_nothing_to_learn)
{
	refused("x.jsonl", "", "has no examples");
	refused("x.csv", "text,mood\n", "has no examples");
	refused("x.jsonl", "{\"text\": \"Fine\", \"mood\": \"Good\"}",
		"all 1 examples have the mood \"Good\"");
}

Test(dataset, wants_a_different_text_of_each_label_for_each_fold)
{
	struct ss_error err = {0};
	struct dataset *dataset = load_text("x.jsonl", few, &err);
	cr_assert_not_null(dataset, "%s", err.text);
	cr_expect_eq(dataset_check(dataset, 1, &err), 0);
	cr_expect_eq(dataset_check(dataset, 2, &err), -1);
	cr_expect_not_null(strstr(err.text, "\"Bad\": 1 different texts"), "%s", err.text);
	dataset_free(dataset);
}

Test(dataset, deals_equal_texts_to_one_fold_and_labels_evenly)
{
	char lines[8192];
	size_t at = 0;
	for (int i = 0; i < 100; i++)
		at += (size_t)snprintf(lines + at, sizeof lines - at,
			"{\"text\": \"%s %d\", \"mood\": \"%s\"}\n", i % 3 == 0 ? "Text" : "text",
			i / 2, i < 50 ? "Good" : "Bad");
	struct ss_error err = {0};
	struct dataset *dataset = load_text("x.jsonl", lines, &err);
	size_t folds[100];
	size_t again[100];
	size_t good[5] = {0};
	dataset_deal(dataset, 5, 7, folds);
	dataset_deal(dataset, 5, 7, again);
	cr_expect_arr_eq(folds, again, sizeof folds, "the same seed deals the same");
	for (size_t i = 0; i < 100; i += 2)
		cr_expect_eq(folds[i], folds[i + 1]);
	for (size_t i = 0; i < 50; i++)
		good[folds[i]]++;
	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(good[i], 10);
	dataset_deal(dataset, 5, 8, again);
	cr_expect_arr_neq(folds, again, sizeof folds);
	dataset_free(dataset);
}
