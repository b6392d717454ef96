#include "http/kept.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(http_kept, tags_are_of_the_bytes)
{
	struct http_form a = http_form_of((struct ss_text){"abc", 3});
	struct http_form b = http_form_of((struct ss_text){"abd", 3});
	cr_expect_str_eq(a.etag, "\"ba7816bf8f01cfea414140de5dae2223\"");
	cr_expect_str_neq(a.etag, b.etag);
}

Test(http_kept, finds_a_tag_in_a_list)
{
	static const char *const with[] = {"\"a\"", "W/\"a\"", "*", " \"b\" , \"a\"",
		"\"b\",W/\"a\"", ",,\"a\",", "\"b,\", \"a\""};
	static const char *const without[] = {
		"", "a", "\"b\"", "\"a", "\"ab\"", "\"\"", "w/\"a\"", "\"b\" a", ", ,"};
	for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
		cr_expect(http_etag_listed(with[i], "\"a\""), "%s", with[i]);
	for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
		cr_expect_not(http_etag_listed(without[i], "\"a\""), "%s", without[i]);
}

Test(http_kept, knows_who_takes_gzip)
{
	static const char *const takes[] = {
		"gzip", "GZIP", "br, gzip", "gzip;q=0.1", "gzip ; q=1, br;q=0", "gzip, br;q=0"};
	static const char *const refuses[] = {
		"", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip", "gzipped", "identity;q=1, *;q=0"};
	cr_expect_not(http_gzip_accepted(NULL));
	for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++)
		cr_expect(http_gzip_accepted(takes[i]), "%s", takes[i]);
	for (size_t i = 0; i < sizeof refuses / sizeof refuses[0]; i++)
		cr_expect_not(http_gzip_accepted(refuses[i]), "%s", refuses[i]);
}
