#include "service/passage.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

enum {
	WORD_PIECE = 7,          /* letters of a word that are one token */
	FIRST_RARE_CODE = 0x370, /* behind the Latin letters and accents */
	HEADING_DEPTH = 6,       /* Markdown's deepest heading */
};

struct passage_reader passage_read(struct ss_text content)
{
	return (struct passage_reader){.content = content};
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

static void drop(struct ss_text *text, size_t length)
{
	text->data += length;
	text->length -= length;
}

/* The first line of TEXT with its end. */
static struct ss_text first_line(struct ss_text text)
{
	const char *end = memchr(text.data, '\n', text.length);
	size_t length = end != NULL ? (size_t)(end - text.data) + 1 : text.length;
	return (struct ss_text){text.data, length};
}

static bool is_fence(struct ss_text line)
{
	line = trim(line);
	return line.length >= 3 &&
	       (memcmp(line.data, "```", 3) == 0 || memcmp(line.data, "~~~", 3) == 0);
}

static bool is_heading(struct ss_text line, struct ss_text *heading)
{
	size_t depth = 0;
	while (depth < line.length && line.data[depth] == '#')
		depth++;
	if (depth == 0 || depth > HEADING_DEPTH || depth == line.length || line.data[depth] != ' ')
		return false;
	drop(&line, depth);
	*heading = trim(line);
	return true;
}

/* Moves the next section, up to a heading, from the content to the section. */
static bool next_section(struct passage_reader *reader)
{
	struct ss_text heading;
	if (reader->content.length == 0)
		return false;
	struct ss_text line = first_line(reader->content);
	if (!reader->in_code && is_heading(line, &heading)) {
		reader->heading = heading;
		drop(&reader->content, line.length);
	}
	reader->section = (struct ss_text){reader->content.data, 0};
	while (reader->content.length > 0) {
		line = first_line(reader->content);
		if (is_fence(line))
			reader->in_code = !reader->in_code;
		else if (!reader->in_code && is_heading(line, &heading))
			break;
		reader->section.length += line.length;
		drop(&reader->content, line.length);
	}
	reader->section = trim(reader->section);
	return true;
}

/* How many tokens the characters cost that were passed so far. */
struct count {
	size_t tokens;
	size_t word; /* letters of the word that is passed */
};

/* Passes the character at TEXT; its bytes. */
static size_t pass(struct count *count, struct ss_text text)
{
	utf8proc_int32_t code = 0;
	utf8proc_ssize_t used = utf8proc_iterate(
		(const utf8proc_uint8_t *)text.data, (utf8proc_ssize_t)text.length, &code);
	bool rare = code >= FIRST_RARE_CODE;
	bool letter = code >= 0x80 || isalnum(code);
	if (!letter || rare) {
		bool blank = !letter && isspace(code);
		count->word = 0;
		count->tokens += !blank;
	} else {
		count->tokens += count->word % WORD_PIECE == 0;
		count->word++;
	}
	return used > 0 ? (size_t)used : 1;
}

/* How many bytes of TEXT, whole characters, cost at most LIMIT tokens. */
static size_t fitting(struct ss_text text, size_t limit)
{
	struct count count = {0};
	size_t at = 0;
	while (at < text.length) {
		size_t used = pass(&count, (struct ss_text){text.data + at, text.length - at});
		if (count.tokens > limit)
			break;
		at += used;
	}
	return at;
}

static bool has_at(struct ss_text text, size_t at, const char *border)
{
	size_t length = strlen(border);
	return at + length <= text.length && memcmp(text.data + at, border, length) == 0;
}

/* Where a passage that begins at TEXT ends, in its second half if that is possible. */
static size_t passage_end(struct ss_text text)
{
	static const char *const borders[] = {"\n\n", "\n", ". ", " "};
	size_t end = fitting(text, PASSAGE_TOKENS);
	if (end == text.length)
		return end;
	size_t middle = fitting(text, PASSAGE_TOKENS / 2);
	for (size_t i = 0; i < array_length(borders); i++) {
		for (size_t at = end; at > middle; at--) {
			if (has_at(text, at - 1, borders[i]))
				return at - 1 + strlen(borders[i]);
		}
	}
	return end;
}

/* Where the passage behind the one of END bytes begins: at the start of a word. */
static size_t next_start(struct ss_text text, size_t end)
{
	struct count whole = {0};
	struct count count = {0};
	size_t start = end;
	for (size_t at = 0; at < end;)
		at += pass(&whole, (struct ss_text){text.data + at, text.length - at});
	for (size_t at = 0; at < end;) {
		bool starts = at > 0 && isspace((unsigned char)text.data[at - 1]);
		if (starts && count.tokens + PASSAGE_OVERLAP_TOKENS >= whole.tokens) {
			start = at;
			break;
		}
		at += pass(&count, (struct ss_text){text.data + at, text.length - at});
	}
	return start;
}

bool passage_next(struct passage_reader *reader, struct passage *passage)
{
	while (reader->section.length == 0) {
		if (!next_section(reader))
			return false;
	}
	size_t end = passage_end(reader->section);
	*passage = (struct passage){
		.heading = reader->heading,
		.text = trim((struct ss_text){reader->section.data, end}),
	};
	bool last = trim((struct ss_text){reader->section.data + end, reader->section.length - end})
			    .length == 0;
	drop(&reader->section, last ? reader->section.length : next_start(reader->section, end));
	return true;
}

/* How many bytes of TEXT are its first sentence, with the mark at its end. */
static size_t sentence_length(struct ss_text text)
{
	size_t at = 0;
	while (at < text.length && text.data[at] != '\n') {
		bool mark = strchr(".!?", text.data[at]) != NULL;
		at++;
		if (mark && at < text.length && isspace((unsigned char)text.data[at]))
			break;
	}
	return at;
}

size_t passage_words(struct ss_text text)
{
	size_t words = 0;
	bool inside = false;
	for (size_t i = 0; i < text.length; i++) {
		bool blank = isspace((unsigned char)text.data[i]);
		words += !blank && !inside;
		inside = !blank;
	}
	return words;
}

bool passage_next_sentence(struct ss_text *text, struct ss_text *sentence)
{
	for (*text = trim(*text); text->length > 0; *text = trim(*text)) {
		*sentence = (struct ss_text){text->data, sentence_length(*text)};
		drop(text, sentence->length);
		if (passage_words(*sentence) >= SENTENCE_WORDS)
			return true;
	}
	return false;
}
