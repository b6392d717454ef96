#include "summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUOTE_LIMIT = 300,    /* bytes of a message that are told */
	SUMMARY_LIMIT = 2000, /* bytes of a model's summary */
	MESSAGES = 6,         /* of the history that are told */
};

/* How many of the bytes of TEXT, at most LIMIT, are whole characters. */
static size_t fit(struct ss_text text, size_t limit)
{
	size_t length = text.length < limit ? text.length : limit;
	if (length == text.length)
		return length;
	while (length > 0 && ((unsigned char)text.data[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* The text of VALUE on one line, cut where it is long. */
static void quote(
	const struct ss_value_functions *values, const struct ss_value *value, FILE *stream)
{
	struct ss_text text = {0};
	text.data = values->as_string(value, &text.length);
	size_t length = fit(text, QUOTE_LIMIT);
	for (size_t i = 0; i < length; i++) {
		bool ends_line = text.data[i] == '\n' || text.data[i] == '\r';
		(void)fputc(ends_line ? ' ' : text.data[i], stream);
	}
	if (length < text.length)
		(void)fputs(" …", stream);
	(void)fputc('\n', stream);
}

/* A line with NAME and the text of VALUE, if there is one. */
static void line(const struct ss_value_functions *values, const char *name,
	const struct ss_value *value, FILE *stream)
{
	if (values->as_string(value, NULL)[0] == '\0')
		return;
	(void)fprintf(stream, "%s: ", name);
	quote(values, value, stream);
}

static void write_customer(
	const struct ss_value_functions *values, const struct summary_facts *facts, FILE *stream)
{
	const char *name = values->as_string(facts->user_name, NULL);
	int64_t attempts = values->as_int(facts->attempts);
	if (name[0] == '\0' && !values->as_bool(facts->vip) && attempts <= 1)
		return;
	(void)fprintf(stream, "Customer: %.100s%s", name[0] != '\0' ? name : "not named",
		values->as_bool(facts->vip) ? ", VIP" : "");
	if (attempts > 1)
		(void)fprintf(stream, ", attempt %" PRId64, attempts);
	(void)fputc('\n', stream);
}

static void write_labels(
	const struct ss_value_functions *values, const struct summary_facts *facts, FILE *stream)
{
	const char *category = values->as_string(facts->category, NULL);
	const char *sentiment = values->as_string(facts->sentiment, NULL);
	if (category[0] != '\0')
		(void)fprintf(stream, "Category: %s\n", category);
	if (sentiment[0] != '\0')
		(void)fprintf(stream, "Sentiment: %s\n", sentiment);
	if (facts->priority != NULL)
		(void)fprintf(stream, "Priority: %" PRId64 "\n", values->as_int(facts->priority));
}

static void write_history(
	const struct ss_value_functions *values, const struct summary_facts *facts, FILE *stream)
{
	size_t count = values->count(facts->history);
	size_t first = count > MESSAGES ? count - MESSAGES : 0;
	if (count > 0)
		(void)fprintf(stream, "Before (%zu message%s):\n", count, count > 1 ? "s" : "");
	for (size_t i = first; i < count; i++) {
		const struct ss_value *message = values->at(facts->history, i);
		const char *role = values->as_string(values->get(message, "role"), NULL);
		(void)fprintf(stream, "- %s: ", strcmp(role, "user") == 0 ? "customer" : "support");
		quote(values, values->get(message, "content"), stream);
	}
}

struct ss_value *summary_of(
	const struct ss_value_functions *values, const struct summary_facts *facts)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		return NULL;
	line(values, "Why", facts->reason, stream);
	write_customer(values, facts, stream);
	write_labels(values, facts, stream);
	line(values, "Asks", facts->message, stream);
	write_history(values, facts, stream);
	line(values, "Nearest article", values->get(values->at(facts->kb_results, 0), "title"),
		stream);
	struct ss_value *summary = NULL;
	if (fclose(stream) == 0)
		summary = values->string(text, length > 0 ? length - 1 : 0);
	free(text);
	return summary;
}

struct ss_value *summary_from(const struct ss_value_functions *values, struct ss_text text)
{
	static const char blanks[] = " \t\r\n";
	while (text.length > 0 && strchr(blanks, text.data[0]) != NULL) {
		text.data++;
		text.length--;
	}
	text.length = fit(text, SUMMARY_LIMIT);
	while (text.length > 0 && strchr(blanks, text.data[text.length - 1]) != NULL)
		text.length--;
	return values->string(text.data, text.length);
}
