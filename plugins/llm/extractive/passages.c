#include "passages.h"

#include <ctype.h>
#include <string.h>

enum {
	PARAGRAPHS_LIMIT = 64,
	WORDS_LIMIT = 64,
	WORD_LEAST = 4, /* shorter words are in every text */
	STEM_LENGTH = 5,
};

struct paragraph {
	struct ss_text text;
	bool is_list;    /* steps or points */
	bool is_heading; /* stands above others and says nothing by itself */
	bool used;
	size_t matches; /* words of the question that it has */
};

/* The stems of the question's words: their first letters, in small letters. */
struct stems {
	char items[WORDS_LIMIT][STEM_LENGTH + 1];
	size_t count;
};

static bool letter(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Finds the next word from *AT on; *AT is moved behind it. False when there is none. */
static bool next_word(struct ss_text text, size_t *at, struct ss_text *word)
{
	while (*at < text.length && !letter(text.data[*at]))
		(*at)++;
	size_t start = *at;
	while (*at < text.length && letter(text.data[*at]))
		(*at)++;
	*word = (struct ss_text){text.data + start, *at - start};
	return word->length > 0;
}

static void make_stem(struct ss_text word, char stem[STEM_LENGTH + 1])
{
	size_t length = word.length < STEM_LENGTH ? word.length : STEM_LENGTH;
	for (size_t i = 0; i < length; i++)
		stem[i] = (char)tolower((unsigned char)word.data[i]);
	stem[length] = '\0';
}

static bool has_stem(const struct stems *stems, const char *stem)
{
	for (size_t i = 0; i < stems->count; i++) {
		if (strcmp(stems->items[i], stem) == 0)
			return true;
	}
	return false;
}

static void collect_stems(struct ss_text text, struct stems *stems)
{
	struct ss_text word;
	size_t at = 0;
	stems->count = 0;
	while (stems->count < WORDS_LIMIT && next_word(text, &at, &word)) {
		char stem[STEM_LENGTH + 1];
		make_stem(word, stem);
		if (word.length >= WORD_LEAST && !has_stem(stems, stem))
			memcpy(stems->items[stems->count++], stem, sizeof stem);
	}
}

/* How many of the question's words stand in TEXT, each counted once. */
static size_t count_matches(struct ss_text text, const struct stems *question)
{
	bool found[WORDS_LIMIT] = {false};
	struct ss_text word;
	size_t at = 0;
	size_t count = 0;
	while (next_word(text, &at, &word)) {
		char stem[STEM_LENGTH + 1];
		make_stem(word, stem);
		for (size_t i = 0; i < question->count; i++) {
			if (!found[i] && strcmp(question->items[i], stem) == 0) {
				found[i] = true;
				count++;
			}
		}
	}
	return count;
}

/* Whether a step or a point begins at TEXT: "1. ", "2) ", "- " or "* ". */
static bool begins_item(struct ss_text text)
{
	size_t digits = 0;
	while (digits < text.length && isdigit((unsigned char)text.data[digits]))
		digits++;
	if (digits > 0)
		return digits + 1 < text.length &&
		       (text.data[digits] == '.' || text.data[digits] == ')') &&
		       text.data[digits + 1] == ' ';
	return text.length > 1 && (text.data[0] == '-' || text.data[0] == '*') &&
	       text.data[1] == ' ';
}

static struct ss_text trim(struct ss_text text)
{
	while (text.length > 0 && isspace((unsigned char)text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && isspace((unsigned char)text.data[text.length - 1]))
		text.length--;
	return text;
}

/* The end of the paragraph that begins at AT: an empty line or the end of the text. */
static size_t paragraph_end(struct ss_text content, size_t at)
{
	while (at < content.length) {
		const char *line = memchr(content.data + at, '\n', content.length - at);
		if (line == NULL)
			return content.length;
		size_t next = (size_t)(line - content.data) + 1;
		size_t blank = next;
		while (blank < content.length &&
			(content.data[blank] == ' ' || content.data[blank] == '\r'))
			blank++;
		if (blank >= content.length || content.data[blank] == '\n')
			return next;
		at = next;
	}
	return content.length;
}

static size_t split(
	struct ss_text content, const struct stems *question, struct paragraph *paragraphs)
{
	size_t count = 0;
	size_t at = 0;
	while (at < content.length && count < PARAGRAPHS_LIMIT) {
		size_t end = paragraph_end(content, at);
		struct ss_text text = trim((struct ss_text){content.data + at, end - at});
		if (text.length > 0)
			paragraphs[count++] = (struct paragraph){
				.text = text,
				.is_list = begins_item(text),
				.is_heading = text.data[0] == '#',
				.matches = count_matches(text, question),
			};
		at = end > at ? end : at + 1;
		while (at < content.length && isspace((unsigned char)content.data[at]) &&
			content.data[at] != ' ')
			at++;
	}
	return count;
}

/* The paragraph to begin with: the first one, unless the question is clearly about another. */
static size_t choose_lead(const struct paragraph *paragraphs, size_t count)
{
	size_t first = 0;
	while (first + 1 < count && paragraphs[first].is_heading)
		first++;
	size_t lead = first;
	for (size_t i = first + 1; i < count; i++) {
		if (!paragraphs[i].is_list && !paragraphs[i].is_heading &&
			paragraphs[i].matches >= paragraphs[first].matches * 2 + 2 &&
			paragraphs[i].matches > paragraphs[lead].matches)
			lead = i;
	}
	return lead;
}

/* The length of the longest beginning of TEXT of at most LIMIT bytes that ends with a sentence or, in a
 * list, before an item; 0 when there is none. */
static size_t whole_part(struct ss_text text, bool is_list, size_t limit)
{
	size_t best = 0;
	for (size_t i = 0; i < text.length && i < limit; i++) {
		struct ss_text rest = {text.data + i + 1, text.length - i - 1};
		if (is_list && text.data[i] == '\n' && begins_item(rest))
			best = i;
		bool ends = text.data[i] == '.' || text.data[i] == '!' || text.data[i] == '?';
		if (!is_list && ends && (rest.length == 0 || isspace((unsigned char)rest.data[0])))
			best = i + 1;
	}
	return best;
}

struct quote {
	char *out;
	size_t length;
	size_t limit;
	passages_added *added;
	void *context;
};

/* Adds PARAGRAPH, or what fits of it. Returns whether all of it did. */
static bool add(struct quote *quote, struct paragraph *paragraph)
{
	size_t gap = quote->length > 0 ? 2 : 0;
	size_t room = quote->limit - quote->length;
	if (room <= gap)
		return false;
	room -= gap;
	size_t length = paragraph->text.length;
	if (length > room)
		length = whole_part(paragraph->text, paragraph->is_list, room);
	if (length == 0)
		return false;
	memcpy(quote->out + quote->length, "\n\n", gap);
	memcpy(quote->out + quote->length + gap, paragraph->text.data, length);
	if (quote->added != NULL)
		quote->added(
			quote->context, (struct ss_text){quote->out + quote->length, gap + length});
	quote->length += gap + length;
	paragraph->used = true;
	return length == paragraph->text.length;
}

/* Splits CONTENT into PARAGRAPHS and quotes the one that comes first. Whether there is room for more. */
static bool add_lead(struct quote *quote, struct ss_text content, struct ss_text question,
	struct paragraph *paragraphs, size_t *count, size_t *lead)
{
	struct stems stems;
	collect_stems(question, &stems);
	*count = split(content, &stems, paragraphs);
	if (*count == 0)
		return false;
	*lead = choose_lead(paragraphs, *count);
	return add(quote, &paragraphs[*lead]);
}

size_t passages_quote_first(
	struct ss_text content, struct ss_text question, char *out, size_t limit)
{
	struct paragraph paragraphs[PARAGRAPHS_LIMIT];
	struct quote quote = {.out = out, .limit = limit};
	size_t count, lead;
	(void)add_lead(&quote, content, question, paragraphs, &count, &lead);
	return quote.length;
}

size_t passages_quote(struct ss_text content, struct ss_text question, char *out, size_t limit,
	passages_added *added, void *context)
{
	struct paragraph paragraphs[PARAGRAPHS_LIMIT];
	struct quote quote = {.out = out, .limit = limit, .added = added, .context = context};
	size_t count, lead;
	if (!add_lead(&quote, content, question, paragraphs, &count, &lead))
		return quote.length;
	for (size_t i = 0; i < count; i++) {
		if (paragraphs[i].is_list && !add(&quote, &paragraphs[i]))
			return quote.length;
	}
	/* What else the question has to do with: as much of it as the opening. */
	for (size_t i = 0; i < count; i++) {
		bool fits = paragraphs[i].matches > 1 &&
			    paragraphs[i].matches >= paragraphs[lead].matches;
		if (!paragraphs[i].used && !paragraphs[i].is_heading && fits &&
			!add(&quote, &paragraphs[i]))
			return quote.length;
	}
	return quote.length;
}
