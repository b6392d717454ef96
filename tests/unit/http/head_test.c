#include "http/chunk.h"
#include "http/head.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LIMIT = 300 };

/* Scans BYTES as they would come in pieces of STEP bytes, and reads the head. The status, 0 for one that
 * is fine, or -1 for one that is not complete. */
static int read_head(struct http_head *head, const char *bytes, size_t length, size_t step)
{
	struct http_refusal refusal = {0};
	struct http_head_scan scan = {0};
	ptrdiff_t end = 0;
	for (size_t come = 0; come < length && end == 0;) {
		come = come + step < length ? come + step : length;
		end = http_head_scan(&scan, bytes, come, LIMIT, &refusal);
	}
	if (end > 0 && http_head_read(head, bytes, (size_t)end, &refusal) == 0)
		return 0;
	return end == 0 ? -1 : refusal.status;
}

static void expect_status(const char *bytes, size_t length, int status)
{
	struct http_head head = {0};
	for (size_t step = 1; step < 40; step += 19)
		cr_expect_eq(read_head(&head, bytes, length, step), status, "%d for %s",
			read_head(&head, bytes, length, step), bytes);
}

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: x\r\n"

Test(http_head, refuses_what_could_be_read_in_two_ways)
{
	static const struct {
		const char *bytes;
		int status;
	} cases[] = {
		{LINE HOST "\r\n", 0},
		{"GET / HTTP/1.0\r\n\r\n", 0},
		{"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
		{" GET / HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
		{"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /\tHTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /\r\n" HOST "\r\n", 400},
		{"GET\r\n\r\n", 400},
		{"\r\n\r\n", 400},
		{"GET / HTTP/1\r\n" HOST "\r\n", 400},
		{"GET / http/1.1\r\n" HOST "\r\n", 400},
		{"GET / HTTP/1.01\r\n" HOST "\r\n", 400},
		{"GET / HTTP/+1.1\r\n" HOST "\r\n", 400},
		{"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501},
		{"GET / HTTP/1.2\r\n" HOST "\r\n", 505},
		{"BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
		{"get / HTTP/1.1\r\n" HOST "\r\n", 501},
		{"TRACE / HTTP/1.1\r\n" HOST "\r\n", 501},
		{"CONNECT x:80 HTTP/1.1\r\n" HOST "\r\n", 501},
		{"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
		{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0},
		{"GET hello HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET //x/y HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /# HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET http:// HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET http:///a HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET http://x:99999999/a HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET ftp://x/a HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET http://x/a HTTP/1.1\r\n" HOST "\r\n", 0},
		{"GET / HTTP/1.1\n" HOST "\r\n", 400},
		{LINE "Host: x\n\r\n", 400},
		{LINE HOST "\n", 400},
		{LINE "Host: x\rA: b\r\n\r\n", 400},
		{LINE HOST "A: b\x01\r\n\r\n", 400},
		{LINE HOST "A: b\x7f\r\n\r\n", 400},
		{LINE HOST "A: \tb\tc \t\r\n\r\n", 0},
		{LINE HOST "A: \xfc\r\n\r\n", 0},
		{LINE HOST "A:\r\n\r\n", 0},
		{LINE HOST "A\r\n\r\n", 400},
		{LINE HOST ": b\r\n\r\n", 400},
		{LINE HOST "A : b\r\n\r\n", 400},
		{LINE HOST " A: b\r\n\r\n", 400},
		{LINE HOST "A: b\r\n c\r\n\r\n", 400},
		{LINE HOST "A(: b\r\n\r\n", 400},
		{LINE "\r\n", 400},
		{LINE "Host:\r\n\r\n", 0},
		{LINE "Host: [::1]:80\r\n\r\n", 0},
		{LINE "Host: x/y\r\n\r\n", 400},
		{LINE HOST "host: y\r\n\r\n", 400},
		{LINE HOST "Expect: 100-continue\r\n\r\n", 0},
		{LINE HOST "Expect: something\r\n\r\n", 417},
		{LINE HOST "Expect:\t100-continue\r\n\r\n", 417},
		{LINE HOST "Content-Length: 5\r\n\r\n", 0},
		{LINE HOST "Content-Length: 00005\r\n\r\n", 0},
		{LINE HOST "Content-Length: 999999999999999999\r\n\r\n", 0},
		{LINE HOST "Content-Length: 9999999999999999999\r\n\r\n", 413},
		{LINE HOST "Content-Length:\r\n\r\n", 400},
		{LINE HOST "Content-Length: -1\r\n\r\n", 400},
		{LINE HOST "Content-Length: +1\r\n\r\n", 400},
		{LINE HOST "Content-Length: 0x1\r\n\r\n", 400},
		{LINE HOST "Content-Length: 1, 1\r\n\r\n", 400},
		{LINE HOST "Content-Length: 1 1\r\n\r\n", 400},
		{LINE HOST "Content-Length:\t1\r\n\r\n", 400},
		{LINE HOST "Content-Length: 1\r\ncontent-length: 1\r\n\r\n", 400},
		{LINE HOST "Content-Length : 1\r\n\r\n", 400},
		{LINE HOST "Transfer-Encoding: chunked\r\n\r\n", 0},
		{LINE HOST "Transfer-Encoding: Chunked\r\n\r\n", 0},
		{LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		{LINE HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
		{LINE HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
		{LINE HOST "Transfer-Encoding: identity\r\n\r\n", 501},
		{LINE HOST "Transfer-Encoding:\r\n\r\n", 501},
		{LINE HOST "Transfer-Encoding:\tchunked\r\n\r\n", 501},
		{LINE HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{LINE HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{"\x16\x03\x01\x02", 400},
		{LINE HOST, -1},
		{"GET / HT", -1},
	};
	for (size_t i = 0; i < array_length(cases); i++)
		expect_status(cases[i].bytes, strlen(cases[i].bytes), cases[i].status);
	expect_status(LINE "Host: x\0y\r\n\r\n", 29, 400);
}

Test(http_head, refuses_what_is_too_long)
{
	char bytes[LIMIT * 4];
	memset(bytes, 'a', sizeof bytes);
	memcpy(bytes, "GET /", 5);
	expect_status(bytes, sizeof bytes, 414);
	memcpy(bytes, LINE, strlen(LINE));
	expect_status(bytes, sizeof bytes, 431);
	size_t length = strlen(LINE);
	for (int i = 0; i < 90; i++) {
		memcpy(bytes + length, "A:\r\n", 4);
		length += 4;
	}
	expect_status(bytes, length, 431);
}

Test(http_head, says_what_the_request_is)
{
	static const char bytes[] = "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12  \r\n"
				    "Connection: upgrade , close\r\nX-Request-ID: abc\r\n"
				    "Traceparent: 00-1-2-01 \r\n"
				    "Expect: 100-Continue\r\n\r\nrest";
	struct http_head head = {0};
	cr_assert_eq(read_head(&head, bytes, sizeof bytes - 1, 7), 0);
	cr_expect_eq(memcmp(head.method.data, "POST", head.method.length), 0);
	cr_expect_eq(head.target.length, 4);
	cr_expect_eq(head.length, 12);
	cr_expect_eq(head.request_id.length, 3);
	cr_expect_eq(head.traceparent.length, 9);
	cr_expect(head.close && head.expects_continue && !head.chunked);
}

Test(http_head, says_of_no_trace_when_there_are_two)
{
	static const char bytes[] = LINE HOST "traceparent: a\r\nTraceparent: b\r\n\r\n";
	struct http_head head = {0};
	cr_assert_eq(read_head(&head, bytes, sizeof bytes - 1, 7), 0);
	cr_expect_eq(head.traceparent.length, 0);
}

/* The status of a chunked body whose limit is 20 bytes, or 0; *USED is set to its length. */
static int scan_chunks(const char *bytes, size_t step, size_t *used)
{
	struct http_refusal refusal = {0};
	struct http_chunk_scan scan = {0};
	size_t length = strlen(bytes);
	*used = 0;
	while (*used < length && scan.state != CHUNK_DONE) {
		size_t part = length - *used < step ? length - *used : step;
		ptrdiff_t taken = http_chunk_scan(&scan, bytes + *used, part, 20, &refusal);
		if (taken < 0)
			return refusal.status;
		*used += (size_t)taken;
	}
	return scan.state == CHUNK_DONE ? 0 : -1;
}

Test(http_chunk, takes_chunks_and_nothing_that_looks_like_them)
{
	static const struct {
		const char *bytes;
		int status;
		size_t used;
	} cases[] = {
		{"0\r\n\r\nGET", 0, 5},
		{"1\r\na\r\n0\r\n\r\n", 0, 11},
		{"00A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n", 0, 39},
		{"14\r\n01234567890123456789\r\n1\r\na\r\n0\r\n\r\n", 413, 0},
		{"15\r\n", 413, 0},
		{"ffffffff\r\n", 413, 0},
		{"fffffffffffffffff\r\n", 413, 0},
		{"-1\r\n", 400, 0},
		{"+1\r\na\r\n0\r\n\r\n", 400, 0},
		{"0x1\r\na\r\n0\r\n\r\n", 400, 0},
		{" 1\r\na\r\n0\r\n\r\n", 400, 0},
		{"1 \r\na\r\n0\r\n\r\n", 400, 0},
		{"1;a=b\r\na\r\n0\r\n\r\n", 400, 0},
		{"1\na\r\n0\r\n\r\n", 400, 0},
		{"1\r\nab\r\n0\r\n\r\n", 400, 0},
		{"1\r\na\n0\r\n\r\n", 400, 0},
		{"1\r\na0\r\n\r\n", 400, 0},
		{"\r\n", 400, 0},
		{"0\r\nA: b\r\n\r\n", 400, 0},
		{"0\r\n\n", 400, 0},
		{"g\r\n", 400, 0},
		{"5\r\nabc", -1, 6},
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		for (size_t step = 1; step < 60; step += 29) {
			size_t used;
			int status = scan_chunks(cases[i].bytes, step, &used);
			cr_expect_eq(status, cases[i].status, "%d: %s", status, cases[i].bytes);
			if (status <= 0)
				cr_expect_eq(used, cases[i].used, "%zu: %s", used, cases[i].bytes);
		}
	}
}
