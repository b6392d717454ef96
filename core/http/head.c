#include "http/head.h"

#include "base/memory.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	HEADERS_LIMIT = 100,
	REQUEST_ID_LIMIT = 64,
	/* Longer lengths are numbers as well, but no body of this world. */
	LENGTH_DIGITS = 18,
};

/* TRACE and CONNECT are left out on purpose. */
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

int http_refuse(struct http_refusal *refusal, int status, const char *format, ...)
{
	va_list arguments;
	refusal->status = status;
	va_start(arguments, format);
	(void)vsnprintf(refusal->detail, sizeof refusal->detail, format, arguments);
	va_end(arguments);
	return -1;
}

static bool is(struct ss_text text, const char *string)
{
	return strlen(string) == text.length && strncasecmp(text.data, string, text.length) == 0;
}

static bool begins(struct ss_text text, const char *string)
{
	size_t length = strlen(string);
	return text.length >= length && strncasecmp(text.data, string, length) == 0;
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Whether TEXT is one or more letters, digits and characters of OTHERS. */
static bool consists_of(struct ss_text text, const char *others)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!is_letter_or_digit(text.data[i]) &&
			(text.data[i] == '\0' || strchr(others, text.data[i]) == NULL))
			return false;
	}
	return text.length > 0;
}

static bool is_token(struct ss_text text)
{
	return consists_of(text, "!#$%&'*+-.^_`|~");
}

/* The characters that no head has, and line ends that are not CR LF. */
static int check_character(const char *bytes, size_t at, struct http_refusal *refusal)
{
	unsigned char c = (unsigned char)bytes[at];
	unsigned char before = at > 0 ? (unsigned char)bytes[at - 1] : 0;
	if (c == '\n' && before != '\r')
		return http_refuse(
			refusal, 400, "a line of the head ends with LF and not with CR LF");
	if (c != '\n' && before == '\r')
		return http_refuse(refusal, 400, "a line of the head has a CR with no LF after it");
	if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
		return http_refuse(refusal, 400, "the head has a control character");
	return 0;
}

ptrdiff_t http_head_scan(struct http_head_scan *scan, const char *bytes, size_t length,
	size_t limit, struct http_refusal *refusal)
{
	struct http_head ignored;
	for (; scan->at < length; scan->at++) {
		size_t at = scan->at;
		if (at >= limit)
			return scan->first_line == 0
				       ? http_refuse(refusal, 414, "the path is too long")
				       : http_refuse(refusal, 431,
						 "the headers are larger than %zu bytes", limit);
		if (check_character(bytes, at, refusal) < 0)
			return -1;
		if (bytes[at] != '\n')
			continue;
		/* The request line is read at once: what is not HTTP need not be waited for. */
		if (scan->first_line == 0) {
			scan->first_line = at + 1;
			if (http_head_line(&ignored, bytes, at - 1, refusal) < 0)
				return -1;
		} else if (at - scan->line == 1) {
			scan->at++;
			return (ptrdiff_t)scan->at;
		}
		scan->line = at + 1;
	}
	return 0;
}

static int read_method(struct http_head *head, struct http_refusal *refusal)
{
	if (!is_token(head->method))
		return http_refuse(refusal, 400, "the request line does not begin with a method");
	for (size_t i = 0; i < array_length(methods); i++) {
		if (strlen(methods[i]) == head->method.length &&
			memcmp(methods[i], head->method.data, head->method.length) == 0)
			return 0;
	}
	return http_refuse(refusal, 501, "this server does not know the method");
}

static int read_version(
	struct http_head *head, struct ss_text version, struct http_refusal *refusal)
{
	if (version.length != 8 || memcmp(version.data, "HTTP/", 5) != 0 ||
		version.data[6] != '.' || strchr("0123456789", version.data[5]) == NULL ||
		strchr("0123456789", version.data[7]) == NULL)
		return http_refuse(
			refusal, 400, "the request line does not end with a version of HTTP");
	if (memcmp(version.data, "HTTP/1.1", 8) != 0 && memcmp(version.data, "HTTP/1.0", 8) != 0)
		return http_refuse(refusal, 505, "this server speaks HTTP/1.1 and HTTP/1.0");
	head->old = version.data[7] == '0';
	return 0;
}

/* http://host/path becomes /path; the host says nothing to a server that has one. */
static int read_absolute_target(struct http_head *head, struct http_refusal *refusal)
{
	char *text = memory_text(head->target.data, head->target.length);
	/* As evhttp will parse it. */
	struct evhttp_uri *uri = evhttp_uri_parse_with_flags(text, EVHTTP_URI_NONCONFORMANT);
	const char *host = uri != NULL ? evhttp_uri_get_host(uri) : NULL;
	bool good = host != NULL && *host != '\0';
	if (uri != NULL)
		evhttp_uri_free(uri);
	free(text);
	if (!good)
		return http_refuse(refusal, 400, "the address in the request line has no host");
	const char *end = head->target.data + head->target.length;
	const char *path = (const char *)memchr(head->target.data, ':', head->target.length) + 3;
	while (path < end && *path != '/' && *path != '?')
		path++;
	head->target = (struct ss_text){path, (size_t)(end - path)};
	if (head->target.length == 0)
		head->target = (struct ss_text){"/", 1};
	return 0;
}

static int read_target(struct http_head *head, struct http_refusal *refusal)
{
	for (size_t i = 0; i < head->target.length; i++) {
		unsigned char c = (unsigned char)head->target.data[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return http_refuse(refusal, 400,
				"the path has a character that must be percent-encoded");
	}
	if (begins(head->target, "http://") || begins(head->target, "https://"))
		return read_absolute_target(head, refusal);
	if (is(head->target, "*") && is(head->method, "OPTIONS"))
		return 0;
	if (!begins(head->target, "/"))
		return http_refuse(refusal, 400, "the path does not begin with /");
	/* Some read this as the name of a host. */
	if (begins(head->target, "//"))
		return http_refuse(refusal, 400, "the path begins with //");
	return 0;
}

int http_head_line(
	struct http_head *head, const char *line, size_t length, struct http_refusal *refusal)
{
	const char *end = line + length;
	const char *first = memchr(line, ' ', length);
	const char *second =
		first != NULL ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
	if (second == NULL)
		return http_refuse(refusal, 400, "the request line is not METHOD PATH HTTP/1.1");
	*head = (struct http_head){
		.method = {line, (size_t)(first - line)},
		.target = {first + 1, (size_t)(second - first - 1)},
	};
	struct ss_text version = {second + 1, (size_t)(end - second - 1)};
	if (read_method(head, refusal) < 0 || read_version(head, version, refusal) < 0)
		return -1;
	return read_target(head, refusal);
}

/* What is counted while the headers are read. */
struct headers {
	struct http_head *head;
	size_t count;
	size_t hosts;
	size_t lengths;
	size_t encodings;
	size_t traces;
	bool keep; /* Connection: keep-alive */
};

static int read_content_length(
	struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	char digits[LENGTH_DIGITS + 1] = {0};
	if (++headers->lengths > 1)
		return http_refuse(refusal, 400, "Content-Length is given more than once");
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return http_refuse(refusal, 400, "Content-Length is not a number");
	}
	if (value.length == 0)
		return http_refuse(refusal, 400, "Content-Length is empty");
	if (value.length > LENGTH_DIGITS)
		return http_refuse(refusal, 413, "the body is too large");
	memcpy(digits, value.data, value.length);
	headers->head->length = strtoull(digits, NULL, 10);
	return 0;
}

static int read_transfer_encoding(
	struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	if (++headers->encodings > 1)
		return http_refuse(refusal, 400, "Transfer-Encoding is given more than once");
	if (!is(value, "chunked"))
		return http_refuse(refusal, 501, "the only Transfer-Encoding is chunked");
	headers->head->chunked = true;
	return 0;
}

static int read_host(struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	if (++headers->hosts > 1)
		return http_refuse(refusal, 400, "Host is given more than once");
	if (value.length > 0 && !consists_of(value, "-._~!$&'()*+,;=%:[]"))
		return http_refuse(refusal, 400, "Host is not the name of a host");
	return 0;
}

static int read_expect(struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	if (!is(value, "100-continue"))
		return http_refuse(refusal, 417, "the only thing to expect is 100-continue");
	headers->head->expects_continue = true;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct ss_text trim_end(struct ss_text text)
{
	while (text.length > 0 && is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

static struct ss_text trim(struct ss_text text)
{
	while (text.length > 0 && is_blank(*text.data))
		text = (struct ss_text){text.data + 1, text.length - 1};
	return trim_end(text);
}

static int read_connection(
	struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	(void)refusal;
	while (value.length > 0) {
		const char *comma = memchr(value.data, ',', value.length);
		size_t length = comma != NULL ? (size_t)(comma - value.data) : value.length;
		struct ss_text option = trim((struct ss_text){value.data, length});
		headers->head->close |= is(option, "close");
		headers->keep |= is(option, "keep-alive");
		length += comma != NULL ? 1 : 0;
		value = (struct ss_text){value.data + length, value.length - length};
	}
	return 0;
}

/* The id is echoed and logged, so one that is not harmless is passed over. */
static int read_request_id(
	struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	(void)refusal;
	if (value.length <= REQUEST_ID_LIMIT && consists_of(value, "._-"))
		headers->head->request_id = value;
	return 0;
}

/* Of several nobody knows which one is meant. */
static int read_traceparent(
	struct headers *headers, struct ss_text value, struct http_refusal *refusal)
{
	(void)refusal;
	headers->head->traceparent = ++headers->traces == 1 ? value : (struct ss_text){0};
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct headers *headers, struct ss_text value, struct http_refusal *refusal);
} readers[] = {
	{"Content-Length", read_content_length},
	{"Transfer-Encoding", read_transfer_encoding},
	{"Host", read_host},
	{"Expect", read_expect},
	{"Connection", read_connection},
	{"X-Request-ID", read_request_id},
	{"traceparent", read_traceparent},
};

/* One header without its line end. */
static int read_header(struct headers *headers, struct ss_text line, struct http_refusal *refusal)
{
	const char *colon = memchr(line.data, ':', line.length);
	size_t length = colon != NULL ? (size_t)(colon - line.data) : 0;
	const struct ss_text name = {line.data, length};
	if (++headers->count > HEADERS_LIMIT)
		return http_refuse(
			refusal, 431, "there are more than %d headers", (int)HEADERS_LIMIT);
	if (is_blank(*line.data))
		return http_refuse(refusal, 400, "a header is continued on a second line");
	if (colon == NULL || !is_token(name))
		return http_refuse(refusal, 400, "a line of the head is not Name: value");
	/* evhttp leaves tabs at the front of a value; so it is one that none of the readers knows. */
	struct ss_text value = {colon + 1, line.length - length - 1};
	while (value.length > 0 && *value.data == ' ')
		value = (struct ss_text){value.data + 1, value.length - 1};
	value = trim_end(value);
	for (size_t i = 0; i < array_length(readers); i++) {
		if (is(name, readers[i].name))
			return readers[i].read(headers, value, refusal);
	}
	return 0;
}

/* What the headers say together. */
static int check_headers(const struct headers *headers, struct http_refusal *refusal)
{
	struct http_head *head = headers->head;
	if (headers->lengths > 0 && headers->encodings > 0)
		return http_refuse(
			refusal, 400, "both Content-Length and Transfer-Encoding are given");
	if (head->old && headers->encodings > 0)
		return http_refuse(refusal, 400, "HTTP/1.0 has no Transfer-Encoding");
	if (!head->old && headers->hosts == 0)
		return http_refuse(refusal, 400, "Host is missing");
	if (head->old) {
		head->close |= !headers->keep;
		head->expects_continue = false;
	}
	return 0;
}

int http_head_read(
	struct http_head *head, const char *bytes, size_t length, struct http_refusal *refusal)
{
	struct headers headers = {.head = head};
	const char *end = bytes + length - 2; /* the empty line */
	const char *at = (const char *)memchr(bytes, '\n', length) + 1;
	if (http_head_line(head, bytes, (size_t)(at - bytes) - 2, refusal) < 0)
		return -1;
	while (at < end) {
		const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
		struct ss_text line = {at, (size_t)(next - at) - 2};
		if (read_header(&headers, line, refusal) < 0)
			return -1;
		at = next;
	}
	return check_headers(&headers, refusal);
}
