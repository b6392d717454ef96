#include "common/keywords.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <string.h>

/* What the keywords in MAP, JSON, say to TEXT. The caller gets a label of its own. */
static void finds(const char *map, const char *text, const char *expected)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(map, strlen(map), &err);
	struct keywords *keywords = keywords_new(&value_functions, value, &err);
	cr_assert_not_null(keywords, "%s", err.text);
	const char *label = keywords_find(keywords, (struct ss_text){text, strlen(text)});
	if (expected == NULL)
		cr_expect_null(label, "%s: %s", text, label);
	else
		cr_expect(label != NULL && strcmp(label, expected) == 0, "%s", text);
	keywords_free(keywords);
	value_unref(value);
}

Test(keywords, match_whole_words_in_any_case)
{
	finds("{\"A\": [\"Parcel\"]}", "my PARCEL.", "A");
	finds("{\"A\": [\"Parcel\"]}", "parcels", NULL);
	finds("{\"A\": [\"Parcel\"]}", "(parcel)", "A");
	finds("{\"A\": [\"parcel\"]}", "", NULL);
}

Test(keywords, match_across_any_white_space_and_punctuation)
{
	finds("{\"A\": [\"sign in\"]}", "sign\n\t in", "A");
	finds("{\"A\": [\"sign-in\"]}", "the sign in page", "A");
	finds("{\"A\": [\"sign in\"]}", "sign me in", NULL);
}

Test(keywords, match_letters_of_other_alphabets_in_any_case)
{
	finds("{\"A\": [\"\xc3\x9c"
	      "bergabe\"]}",
		"die \xc3\xbc"
		"bergabe",
		"A");
	finds("{\"A\": [\"don't\"]}", "don\xe2\x80\x99t", "A");
}

Test(keywords, prefer_the_longest_and_then_the_first)
{
	finds("{\"A\": [\"card\"], \"B\": [\"gift card\"]}", "gift card", "B");
	finds("{\"A\": [\"late\"], \"B\": [\"gone\"]}", "gone and late", "A");
}

Test(keywords, are_never_found_when_there_are_none)
{
	finds("{}", "anything", NULL);
	finds("{\"A\": []}", "anything", NULL);
}

Test(keywords, survive_text_that_is_not_utf8)
{
	finds("{\"A\": [\"card\"]}",
		"\xff\xfe"
		"card\x80",
		"A");
}

Test(keywords, refuse_what_is_too_long)
{
	struct ss_error err = {0};
	char text[300];
	memset(text, 'x', sizeof text);
	struct ss_value *word = value_string(text, 250);
	struct ss_value *list = value_list(&word, 1);
	const char *key = "A";
	struct ss_value *map = value_map(&key, &list, 1);
	cr_expect_null(keywords_new(&value_functions, map, &err));
	cr_expect_not_null(strstr(err.text, "of A has more than 200 bytes"), "%s", err.text);
	value_unref(map);
}
