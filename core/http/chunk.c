#include "http/chunk.h"

/* More digits than any size that is allowed needs. */
enum { SIZE_DIGITS = 8 };

static int hexadecimal(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int read_size(struct http_chunk_scan *scan, char c, struct http_refusal *refusal)
{
	int digit = hexadecimal(c);
	if (digit >= 0 && scan->digits < SIZE_DIGITS) {
		scan->left = scan->left * 16 + (uint64_t)digit;
		scan->digits++;
		return 0;
	}
	if (digit >= 0)
		return http_refuse(refusal, 413, "a chunk of the body is too large");
	if (c == ';')
		return http_refuse(refusal, 400, "chunk extensions are not supported");
	if (c != '\r' || scan->digits == 0)
		return http_refuse(refusal, 400, "the size of a chunk is not a hexadecimal number");
	scan->state = CHUNK_SIZE_END;
	return 0;
}

static int end_size(
	struct http_chunk_scan *scan, char c, uint64_t limit, struct http_refusal *refusal)
{
	if (c != '\n')
		return http_refuse(refusal, 400, "the size of a chunk does not end with CR LF");
	scan->total += scan->left;
	if (scan->total > limit)
		return http_refuse(refusal, 413, "the body is larger than %llu bytes",
			(unsigned long long)limit);
	scan->state = scan->left > 0 ? CHUNK_DATA : CHUNK_LAST_CR;
	scan->digits = 0;
	return 0;
}

/* C must be WANTED; then NEXT begins. */
static int expect(struct http_chunk_scan *scan, char c, char wanted, enum http_chunk_state next,
	struct http_refusal *refusal)
{
	if (c != wanted)
		return http_refuse(refusal, 400,
			next == CHUNK_LAST_LF ? "trailers are not supported"
					      : "a chunk does not end with CR LF");
	scan->state = next;
	return 0;
}

static int step(struct http_chunk_scan *scan, char c, uint64_t limit, struct http_refusal *refusal)
{
	switch (scan->state) {
	case CHUNK_SIZE:
		return read_size(scan, c, refusal);
	case CHUNK_SIZE_END:
		return end_size(scan, c, limit, refusal);
	case CHUNK_DATA_CR:
		return expect(scan, c, '\r', CHUNK_DATA_LF, refusal);
	case CHUNK_DATA_LF:
		return expect(scan, c, '\n', CHUNK_SIZE, refusal);
	case CHUNK_LAST_CR:
		return expect(scan, c, '\r', CHUNK_LAST_LF, refusal);
	case CHUNK_LAST_LF:
		return expect(scan, c, '\n', CHUNK_DONE, refusal);
	case CHUNK_DATA:
	case CHUNK_DONE:
		break;
	}
	return 0;
}

ptrdiff_t http_chunk_scan(struct http_chunk_scan *scan, const char *bytes, size_t length,
	uint64_t limit, struct http_refusal *refusal)
{
	size_t at = 0;
	while (at < length && scan->state != CHUNK_DONE) {
		if (scan->state != CHUNK_DATA) {
			if (step(scan, bytes[at++], limit, refusal) < 0)
				return -1;
			continue;
		}
		size_t here = length - at < scan->left ? length - at : (size_t)scan->left;
		at += here;
		scan->left -= here;
		if (scan->left == 0)
			scan->state = CHUNK_DATA_CR;
	}
	return (ptrdiff_t)at;
}
