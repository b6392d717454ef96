#include "common/openai_failure.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_LIMIT = 200, DAY = 24 * 60 * 60 };

/* A shorter value of a header is no secret, and its letters are in each sentence. */
enum { SECRET_LEAST = 4 };

void openai_tidy(
	const struct openai_endpoint *endpoint, struct ss_text text, char *out, size_t size)
{
	size_t length = text.length < size - 1 ? text.length : size - 1;
	for (size_t i = 0; i < endpoint->secret_count; i++)
		length = secret_cut(&endpoint->secrets[i], text, length);
	if (length > 0)
		memcpy(out, text.data, length);
	if (length < text.length) {
		while (length > 0 && ((unsigned char)text.data[length] & 0xc0) == 0x80)
			length--;
	}
	out[length] = '\0';
	for (char *c = out; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	/* The longest ones first: one may be a part of another one. */
	for (size_t i = 0; i < endpoint->secret_count; i++) {
		if (endpoint->secrets[i].length >= SECRET_LEAST)
			secret_hide(&endpoint->secrets[i], out);
	}
}

/* The message of {"error": {"message": …}}, {"error": …} or {"message": …}. */
static const struct ss_value *message_of(
	const struct ss_value_functions *values, const struct ss_value *reply)
{
	const struct ss_value *error = values->get(reply, "error");
	if (values->type(error) == SS_MAP)
		return values->get(error, "message");
	return error != NULL ? error : values->get(reply, "message");
}

static bool is_text(
	const struct ss_value_functions *values, const struct ss_value *value, const char *text)
{
	return strcmp(values->as_string(value, NULL), text) == 0;
}

static enum ss_status meaning(int status)
{
	if (status == 429)
		return SS_LIMIT;
	return status >= 500 || status == 408 || status == 409 || status == 425 ? SS_UNAVAILABLE
										: SS_INVALID;
}

static const char *advice(int status)
{
	switch (status) {
	case 401:
	case 403:
		return "; is the key right, and may it use this model?";
	case 404:
		return "; are the base URL and the model right?";
	default:
		return "";
	}
}

int openai_failure(const struct openai_endpoint *endpoint, const struct ss_value_functions *values,
	int status, struct ss_text body, const char *location, struct ss_error *err)
{
	char message[MESSAGE_LIMIT + 1] = "";
	struct ss_text text = {0};
	enum ss_status kind = meaning(status);
	if (status >= 300 && status < 400) {
		text = (struct ss_text){location, location != NULL ? strlen(location) : 0};
		openai_tidy(endpoint, text, message, sizeof message);
		return ss_fail_as(err, SS_INVALID,
			"%s answers with %d, a redirect to \"%s\", which is not followed; set the "
			"base URL to where it leads",
			endpoint->name, status, message);
	}
	struct ss_value *reply = values->from_json(body.data, body.length, NULL);
	const struct ss_value *error = message_of(values, reply);
	text.data = values->as_string(error, &text.length);
	if (reply == NULL && body.length > 0 && body.data[0] != '<')
		text = body; /* a sentence without JSON; a page is none */
	openai_tidy(endpoint, text, message, sizeof message);
	/* Paying is not a matter of waiting. */
	if (is_text(values, values->get(values->get(reply, "error"), "code"), "insufficient_quota"))
		kind = SS_INVALID;
	values->unref(reply);
	return ss_fail_as(err, kind, "%s answers with %d%s%s%s", endpoint->name, status,
		message[0] != '\0' ? ": " : "", message, advice(status));
}

int openai_failure_in(const struct openai_endpoint *endpoint,
	const struct ss_value_functions *values, const struct ss_value *error, struct ss_error *err)
{
	char message[MESSAGE_LIMIT + 1];
	struct ss_text text = {0};
	const struct ss_value *code = values->get(error, "code");
	int64_t status = values->as_int(code);
	text.data = values->as_string(
		values->type(error) == SS_MAP ? values->get(error, "message") : error,
		&text.length);
	openai_tidy(endpoint, text, message, sizeof message);
	return ss_fail_as(err, status > 0 && status < 600 ? meaning((int)status) : SS_UNAVAILABLE,
		"%s broke off the answer%s%s", endpoint->name, message[0] != '\0' ? ": " : "",
		message);
}

double openai_retry_after(const char *header, time_t now)
{
	char *end;
	if (header == NULL)
		return -1;
	double seconds = strtod(header, &end);
	if (end == header || end[strspn(end, " \t")] != '\0') {
		time_t date = curl_getdate(header, NULL);
		if (date == -1)
			return -1;
		seconds = date > now ? difftime(date, now) : 0;
	}
	if (!(seconds >= 0))
		return -1;
	return seconds < DAY ? seconds : DAY;
}
