#include "http/negotiate.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

Test(http_negotiate, finds_a_tag_in_a_list)
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

Test(http_negotiate, knows_who_takes_gzip)
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

Test(http_negotiate, anything_else_than_what_is_named_may_take_gzip)
{
	cr_expect(http_gzip_accepted("*"));
	cr_expect(http_gzip_accepted("br, *;q=0.1"));
	cr_expect_not(http_gzip_accepted("*, gzip;q=0"));
	cr_expect_not(http_gzip_accepted("*;q=0"));
}

Test(http_negotiate, the_closest_media_range_says_how_much_a_type_is_wanted)
{
	static const struct {
		const char *header, *type;
		double wanted;
	} rows[] = {
		{NULL, "text/html", 1},
		{"", "text/html", 1},
		{"x", "text/html", 1},
		{"text/html", "text/html", 1},
		{"TEXT/Html;level=1", "text/html", 1},
		{"text/html", "text/plain", 0},
		{"text/htm", "text/html", 0},
		{"text/*;q=0.3", "text/html", 0.3},
		{"*/*", "text/html", 1},
		{"*/*, text/*;q=0.5, text/html;q=0", "text/html", 0},
		{"text/html;q=0.2, */*;q=0.8", "text/html", 0.2},
		{"text/html; q=0.2, */*;q=0.8", "text/plain", 0.8},
		{"application/*", "application/json", 1},
		{"app/*", "application/json", 0},
		{"text/x;title=\"a, text/html\"", "text/html", 0},
		{"text/x;title=\"\\\", b\", text/html;q=0.4", "text/html", 0.4},
		{", ,text/html", "text/html", 1},
		{"text/x;title=\"", "text/html", 0},
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		double wanted = http_type_wanted(rows[i].header, rows[i].type);
		cr_expect(fabs(wanted - rows[i].wanted) < 1e-9, "%s in %s: %f", rows[i].type,
			rows[i].header != NULL ? rows[i].header : "nothing", wanted);
	}
}

Test(http_negotiate, what_is_compressed_is_the_text_again)
{
	size_t length = 0;
	char text[5000], again[sizeof text];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i * i % 26);
	char *packed = http_gzip((struct ss_text){text, sizeof text}, 1, &length);
	z_stream stream = {.next_in = (Bytef *)packed,
		.avail_in = (uInt)length,
		.next_out = (Bytef *)again,
		.avail_out = sizeof again};
	cr_assert_eq(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
	cr_expect_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
	cr_expect_eq(stream.total_out, sizeof text);
	cr_expect_arr_eq(again, text, sizeof text);
	(void)inflateEnd(&stream);
	free(packed);
}
