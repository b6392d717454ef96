#include "http/kept.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(http_kept, tags_are_of_the_bytes)
{
	struct http_form a = http_form_of((struct ss_text){"abc", 3});
	struct http_form b = http_form_of((struct ss_text){"abd", 3});
	cr_expect_str_eq(a.etag, "\"ba7816bf8f01cfea414140de5dae2223\"");
	cr_expect_str_neq(a.etag, b.etag);
}

Test(http_kept, a_compressed_form_has_another_tag)
{
	static const char text[] = "abc abc abc abc abc abc abc abc abc abc abc abc abc abc";
	const struct ss_text whole = {text, sizeof text - 1};
	struct http_form form = http_form_packed(whole);
	cr_expect_lt(form.text.length, whole.length);
	cr_expect_str_neq(form.etag, http_form_of(whole).etag);
	free((char *)form.text.data);
}
