#include "http/uri.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int hexadecimal(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* Decodes TEXT in place, + to a blank if PLUS. Sets *WHOLE to whether the result is UTF-8 without a NUL.
 * Fails when an encoding is cut off. */
static int decode(char *text, bool plus, bool *whole)
{
	char *to = text;
	*whole = true;
	for (const char *from = text; *from != '\0'; from++) {
		char c = *from;
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			int high = hexadecimal(from[1]);
			int low = high >= 0 ? hexadecimal(from[2]) : -1;
			if (low < 0)
				return -1;
			c = (char)(high * 16 + low);
			from += 2;
			*whole &= c != '\0';
		}
		*to++ = c;
	}
	*to = '\0';
	*whole &= text_characters((struct ss_text){text, (size_t)(to - text)}) >= 0;
	return 0;
}

static int parse_path(struct uri *uri, char *path, struct http_refusal *refusal)
{
	uri->regular = *path == '/';
	for (char *next = path; next != NULL;) {
		bool whole = false;
		char *segment = next + (uri->segment_count == 0 && *next == '/' ? 1 : 0);
		next = strchr(segment, '/');
		if (next != NULL)
			*next++ = '\0';
		if (decode(segment, false, &whole) < 0)
			return http_refuse(refusal, 400,
				"a %% in the path is not followed by two hexadecimal digits");
		uri->regular &= whole && strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0;
		if (uri->segment_count == URI_SEGMENTS) {
			uri->regular = false; /* longer than any route */
			return 0;
		}
		uri->segments[uri->segment_count++] = segment;
	}
	return 0;
}

static int add_parameter(
	struct uri *uri, const char *name, const char *value, struct http_refusal *refusal)
{
	for (size_t i = 0; i < uri->parameter_count; i++) {
		if (strcmp(uri->parameters[i].name, name) == 0)
			return http_refuse(refusal, 400,
				"the query parameter %.*s is given more than once",
				text_fit(name, 60), name);
	}
	if (uri->parameter_count == URI_PARAMETERS)
		return http_refuse(
			refusal, 400, "the query has more than %d parameters", (int)URI_PARAMETERS);
	uri->parameters[uri->parameter_count++] = (struct uri_parameter){name, value};
	return 0;
}

static int parse_query(struct uri *uri, char *query, struct http_refusal *refusal)
{
	while (query != NULL) {
		static char nothing[] = "";
		bool whole_name = false;
		bool whole_value = true;
		char *name = strsep(&query, "&");
		char *value = strchr(name, '=');
		if (*name == '\0')
			continue;
		if (value != NULL)
			*value++ = '\0';
		if (decode(name, true, &whole_name) < 0 ||
			(value != NULL && decode(value, true, &whole_value) < 0))
			return http_refuse(refusal, 400,
				"a %% in the query is not followed by two hexadecimal digits");
		if (!whole_name || !whole_value)
			return http_refuse(
				refusal, 400, "the query is not UTF-8, or has a NUL character");
		if (add_parameter(uri, name, value != NULL ? value : nothing, refusal) < 0)
			return -1;
	}
	return 0;
}

int uri_parse(struct uri *uri, struct ss_text target, struct http_refusal *refusal)
{
	*uri = (struct uri){.memory = memory_text(target.data, target.length)};
	char *query = strchr(uri->memory, '?');
	if (query != NULL)
		*query++ = '\0';
	if (parse_path(uri, uri->memory, refusal) < 0 || parse_query(uri, query, refusal) < 0) {
		uri_free(uri);
		return -1;
	}
	return 0;
}

void uri_free(struct uri *uri)
{
	free(uri->memory);
	*uri = (struct uri){0};
}
