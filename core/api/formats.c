#include "api/formats.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <time.h>

bool api_is_id(const char *text, const char *prefix)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t length = strlen(prefix);
	if (strncmp(text, prefix, length) != 0 || strlen(text + length) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		char c = text[length + i];
		if (form[i] == 'x' ? strchr("0123456789abcdef", c) == NULL : c != form[i])
			return false;
	}
	return true;
}

static bool is_conversation_id(const char *text)
{
	return api_is_id(text, "conv_");
}

static bool is_turn_id(const char *text)
{
	return api_is_id(text, "turn_");
}

static bool is_text(const char *text)
{
	return !text_blank(text_of(text));
}

static bool is_article_id(const char *text)
{
	return text[0] != '\0' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');
	return at != NULL && at != text && strchr(at + 1, '@') == NULL &&
	       strchr(at + 1, '.') != NULL && at[1] != '.' && strpbrk(text, " \t\r\n<>") == NULL &&
	       text[strlen(text) - 1] != '.';
}

/* Reads COUNT digits at *AT into *NUMBER. */
static bool read_digits(const char **at, int count, int *number)
{
	*number = 0;
	for (int i = 0; i < count; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	return true;
}

static bool skip(const char **at, const char *characters)
{
	bool found = **at != '\0' && strchr(characters, **at) != NULL;
	*at += found;
	return found;
}

/* ".123", of which nanoseconds count. */
static bool read_fraction(const char **at, int64_t *ns)
{
	int64_t unit_ns = 100000000;
	*ns = 0;
	if (!skip(at, "."))
		return true;
	const char *start = *at;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit_ns /= 10)
		*ns += unit_ns * (**at - '0');
	return *at != start;
}

/* "Z" or "+01:00". */
static bool read_offset(const char **at, int64_t *offset_s)
{
	int hours;
	int minutes;
	*offset_s = 0;
	if (skip(at, "Zz"))
		return true;
	bool west = **at == '-';
	if (!skip(at, "+-") || !read_digits(at, 2, &hours) || !skip(at, ":") ||
		!read_digits(at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset_s = (west ? -1 : 1) * (INT64_C(3600) * hours + INT64_C(60) * minutes);
	return true;
}

bool api_read_time(const char *text, int64_t *at_ns)
{
	struct tm parts = {0};
	int64_t fraction_ns;
	int64_t offset_s;
	const char *at = text;
	if (!read_digits(&at, 4, &parts.tm_year) || !skip(&at, "-") ||
		!read_digits(&at, 2, &parts.tm_mon) || !skip(&at, "-") ||
		!read_digits(&at, 2, &parts.tm_mday) || !skip(&at, "Tt ") ||
		!read_digits(&at, 2, &parts.tm_hour) || !skip(&at, ":") ||
		!read_digits(&at, 2, &parts.tm_min) || !skip(&at, ":") ||
		!read_digits(&at, 2, &parts.tm_sec) || !read_fraction(&at, &fraction_ns) ||
		!read_offset(&at, &offset_s) || *at != '\0')
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	struct tm given = parts;
	/* A second of 60 is a leap second, which Unix time has not. */
	if (given.tm_sec == 60)
		given.tm_sec = parts.tm_sec = 59;
	time_t seconds = timegm(&parts);
	/* timegm() takes the 30th of February for a day in March. */
	if (given.tm_mon != parts.tm_mon || given.tm_mday != parts.tm_mday ||
		given.tm_hour != parts.tm_hour || given.tm_min != parts.tm_min ||
		given.tm_sec != parts.tm_sec || seconds > INT64_MAX / 1000000000 - 86400)
		return false;
	*at_ns = ((int64_t)seconds - offset_s) * 1000000000 + fraction_ns;
	return *at_ns >= 0;
}

static bool is_time(const char *text)
{
	int64_t at_ns;
	return api_read_time(text, &at_ns);
}

static bool is_anything(const char *text)
{
	(void)text;
	return true;
}

const struct json_format api_formats[] = {
	{"text", is_text, "not be blank"},
	{"conversation-id", is_conversation_id,
		"be an id as an earlier reply gave it, conv_ and a UUID"},
	{"turn-id", is_turn_id, "be the turn_id in a reply's metadata, turn_ and a UUID"},
	{"article-id", is_article_id, "be small letters a to z, digits and hyphens"},
	{"date-time", is_time, "be a time as RFC 3339 writes it, as in 2026-01-31T09:05:00Z"},
	{"email", is_email, "be an address as in ann@example.org"},
	{"uri-reference", is_anything, "be a URI"}, /* in replies only */
};

const size_t api_format_count = array_length(api_formats);
