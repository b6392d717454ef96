#include "citations.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct ss_value *id_of(const struct citations *citations, size_t article)
{
	const struct ss_value_functions *values = citations->values;
	return values->get(values->at(citations->articles, article), "id");
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_word(char c)
{
	return is_capital(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       ((unsigned char)c & 0x80) != 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

int citations_begin(struct citations *citations, const struct ss_value_functions *values,
	const struct ss_value *articles)
{
	size_t count = values->count(articles);
	*citations = (struct citations){.values = values};
	citations->order = calloc(count + 1, sizeof *citations->order);
	if (citations->order == NULL)
		return -1;
	citations->articles = articles != NULL ? values->ref(articles) : NULL;
	for (size_t i = 0; i < count; i++) {
		for (const char *c = values->as_string(id_of(citations, i), NULL); *c != '\0'; c++)
			citations->capitals |= is_capital(*c);
	}
	return 0;
}

static void emit(struct citations *citations, const char *data, size_t length, struct text *out)
{
	if (length == 0)
		return;
	text_add(out, data, length);
	citations->last = data[length - 1];
}

/* The white space that waits, unless it goes with a citation that went. NEXT is what follows it. */
static void emit_gap(struct citations *citations, char next, struct text *out)
{
	bool goes = citations->last == '\0' ||
		    (citations->dropped && (is_space(next) || strchr(".,;:!?)", next) != NULL));
	if (!goes)
		emit(citations, citations->gap, citations->gap_length, out);
	citations->gap_length = 0;
	citations->dropped = false;
}

/* The article with the id TEXT, in whatever case, or -1. */
static ptrdiff_t article_of(const struct citations *citations, struct ss_text text)
{
	for (size_t i = 0; i < citations->values->count(citations->articles); i++) {
		size_t length;
		const char *id = citations->values->as_string(id_of(citations, i), &length);
		if (length > 0 && length == text.length && strncasecmp(id, text.data, length) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

/* Whether TEXT, which is no id that was given, looks like one. */
static bool looks_like_id(const struct citations *citations, struct ss_text text)
{
	bool digits = true;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		if ((!is_word(c) && strchr("._:/-", c) == NULL) || ((unsigned char)c & 0x80) != 0 ||
			(is_capital(c) && !citations->capitals))
			return false;
		digits &= c >= '0' && c <= '9';
	}
	return text.length > 1 || (text.length == 1 && digits);
}

static struct ss_text trimmed(struct ss_text text)
{
	while (text.length > 0 && is_space(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && is_space(text.data[text.length - 1]))
		text.length--;
	return text;
}

/* The next of the ids in REST, which is cut off from it. */
static struct ss_text next_id(struct ss_text *rest)
{
	struct ss_text id = {rest->data, 0};
	while (id.length < rest->length && strchr(",;", rest->data[id.length]) == NULL)
		id.length++;
	size_t taken = id.length < rest->length ? id.length + 1 : id.length;
	rest->data += taken;
	rest->length -= taken;
	return trimmed(id);
}

/* What is in the brackets. */
struct found {
	size_t given; /* ids of articles that were given */
	bool ids;     /* all others look like ids */
};

static struct found look(const struct citations *citations, struct ss_text inside)
{
	struct found found = {.ids = true};
	if (article_of(citations, trimmed(inside)) >= 0)
		return (struct found){1, true};
	if (trimmed(inside).length == 0)
		return (struct found){0, false};
	while (inside.length > 0) {
		struct ss_text id = next_id(&inside);
		bool given = article_of(citations, id) >= 0;
		found.given += given;
		found.ids &= given || id.length == 0 || looks_like_id(citations, id);
	}
	return found;
}

/* The number of ARTICLE, from 1. */
static size_t number_of(struct citations *citations, size_t article)
{
	for (size_t i = 0; i < citations->count; i++) {
		if (citations->order[i] == article)
			return i + 1;
	}
	citations->order[citations->count++] = article;
	return citations->count;
}

static void emit_number(struct citations *citations, size_t article, struct text *out)
{
	char number[32];
	int length = snprintf(number, sizeof number, "[%zu]", number_of(citations, article));
	emit(citations, number, (size_t)length, out);
}

static void emit_numbers(struct citations *citations, struct ss_text inside, struct text *out)
{
	ptrdiff_t whole = article_of(citations, trimmed(inside));
	if (whole >= 0) {
		emit_number(citations, (size_t)whole, out);
		return;
	}
	while (inside.length > 0) {
		ptrdiff_t article = article_of(citations, next_id(&inside));
		if (article >= 0)
			emit_number(citations, (size_t)article, out);
	}
}

/* The bracket is whole, and what follows makes no link of it. */
static void resolve(struct citations *citations, struct text *out)
{
	const struct ss_text inside = {citations->bracket + 1, citations->bracket_length - 2};
	const struct found found = look(citations, inside);
	bool index = citations->gap_length == 0 && is_word(citations->last) &&
		     memchr(inside.data, '-', inside.length) == NULL;
	size_t length = citations->bracket_length;
	citations->bracket_length = 0;
	citations->closed = false;
	if (found.given > 0 && found.ids) {
		emit_gap(citations, '[', out);
		emit_numbers(citations, inside, out);
	} else if (found.ids && !index) {
		citations->dropped = true;
	} else {
		emit_gap(citations, '[', out);
		emit(citations, citations->bracket, length, out);
	}
}

/* What began like a citation is text. */
static void give_up(struct citations *citations, struct text *out)
{
	size_t length = citations->bracket_length;
	citations->bracket_length = 0;
	citations->closed = false;
	emit_gap(citations, '[', out);
	emit(citations, citations->bracket, length, out);
}

static void read_text(struct citations *citations, char c, struct text *out)
{
	if (c == '[') {
		citations->bracket[citations->bracket_length++] = c;
		return;
	}
	if (is_space(c)) {
		/* What follows a citation that went takes the place of what was before it. */
		if (citations->dropped || citations->gap_length == CITATION_GAP)
			emit_gap(citations, c, out);
		citations->gap[citations->gap_length++] = c;
		return;
	}
	emit_gap(citations, c, out);
	emit(citations, &c, 1, out);
}

static void read_bracket(struct citations *citations, char c, struct text *out)
{
	if (c == '[' || c == '\n' || citations->bracket_length == CITATION_LIMIT) {
		give_up(citations, out);
		read_text(citations, c, out);
		return;
	}
	citations->bracket[citations->bracket_length++] = c;
	citations->closed = c == ']';
}

void citations_read(struct citations *citations, struct ss_text part, struct text *out)
{
	for (size_t i = 0; i < part.length; i++) {
		char c = part.data[i];
		if (citations->closed && c == '(')
			give_up(citations, out);
		else if (citations->closed)
			resolve(citations, out);
		if (citations->bracket_length > 0)
			read_bracket(citations, c, out);
		else
			read_text(citations, c, out);
	}
}

void citations_finish(struct citations *citations, struct text *out)
{
	if (citations->closed)
		resolve(citations, out);
	else if (citations->bracket_length > 0)
		give_up(citations, out);
	citations->gap_length = 0;
}

struct ss_value *citations_sources(const struct citations *citations)
{
	const struct ss_value_functions *values = citations->values;
	struct ss_value **ids = calloc(citations->count + 1, sizeof(struct ss_value *));
	for (size_t i = 0; ids != NULL && i < citations->count; i++)
		ids[i] = values->ref(id_of(citations, citations->order[i]));
	struct ss_value *list = values->list(ids, ids != NULL ? citations->count : 0);
	free((void *)ids);
	return list;
}

void citations_end(struct citations *citations)
{
	citations->values->unref((struct ss_value *)(uintptr_t)citations->articles);
	free(citations->order);
	*citations = (struct citations){0};
}
