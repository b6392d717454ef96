#include "http/problem.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void expect_type(const struct http_problem *problem, const char *type)
{
	char *text = http_problem_text(problem, "r1");
	cr_expect_not_null(strstr(text, type), "%s is not in %s", type, text);
	free(text);
}

Test(http_problem, has_the_type_of_its_status_or_one_of_its_own)
{
	expect_type(&(struct http_problem){.status = 404}, "\"type\":\"/docs/errors#not-found\"");
	expect_type(&(struct http_problem){.status = 422}, "\"type\":\"/docs/errors#validation\"");
	expect_type(&(struct http_problem){.status = 422, .type = "/docs/errors#other"},
		"\"type\":\"/docs/errors#other\"");
}

static bool is_sentence(const char *text)
{
	return text != NULL && isupper((unsigned char)text[0]) && text[strlen(text) - 1] == '.';
}

Test(http_problem, kinds_are_told_apart_and_explained)
{
	cr_assert_gt(http_problem_kind_count, 0);
	for (size_t i = 0; i < http_problem_kind_count; i++) {
		const struct http_problem_kind *kind = &http_problem_kinds[i];
		cr_expect(kind->status >= 400 && kind->status < 600, "%d", kind->status);
		cr_expect_eq(strspn(kind->slug, "abcdefghijklmnopqrstuvwxyz-"), strlen(kind->slug),
			"%s", kind->slug);
		cr_expect(is_sentence(kind->meaning), "%s", kind->slug);
		cr_expect(is_sentence(kind->advice), "%s", kind->slug);
		cr_expect_str_eq(http_status_title(kind->status), kind->title);
		for (size_t k = 0; k < i; k++) {
			cr_expect_str_neq(kind->slug, http_problem_kinds[k].slug);
			cr_expect_neq(kind->status, http_problem_kinds[k].status);
		}
	}
}
