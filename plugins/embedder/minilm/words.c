#include "words.h"

#include <utf8proc.h>

enum {
	REPLACEMENT = 0xfffd,
	DECOMPOSED_LIMIT = 16, /* characters that one character may become */
};

struct mark {
	int32_t character;
	utf8proc_propval_t combining_class;
};

struct splitter {
	const struct words_rules *rules;
	words_take *take;
	void *context;
	bool stopped;
	char word[4 * WORD_CHARACTERS_LIMIT];
	size_t length;     /* bytes */
	size_t characters; /* also counts those that did not fit any more */
	/* Combining marks since the last character that is none, sorted by their classes. */
	struct mark marks[WORD_CHARACTERS_LIMIT];
	size_t mark_count;
};

struct range {
	int32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, int32_t c)
{
	for (size_t i = 0; i < count; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* Unicode's property White_Space. */
static bool is_space(int32_t c)
{
	static const struct range spaces[] = {{0x09, 0x0d}, {0x20, 0x20}, {0x85, 0x85},
		{0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029},
		{0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
	return in_ranges(spaces, sizeof spaces / sizeof *spaces, c);
}

/* The blocks that BertNormalizer takes for Chinese; the fifth starts at 2B920 there, not at 2B820. */
static bool is_chinese(int32_t c)
{
	static const struct range blocks[] = {{0x4e00, 0x9fff}, {0x3400, 0x4dbf},
		{0x20000, 0x2a6df}, {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf},
		{0xf900, 0xfaff}, {0x2f800, 0x2fa1f}};
	return in_ranges(blocks, sizeof blocks / sizeof *blocks, c);
}

/* What cleaning removes; tabs and line ends count as white space there. */
static bool is_removed(int32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return false;
	utf8proc_category_t category = utf8proc_category(c);
	return c == REPLACEMENT || category == UTF8PROC_CATEGORY_CC ||
	       category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO;
}

static bool is_punctuation(int32_t c)
{
	if (c < 0x80)
		return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
		       (c >= '{' && c <= '~');
	utf8proc_category_t category = utf8proc_category(c);
	return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static void end_word(struct splitter *splitter)
{
	if (splitter->characters == 0 || splitter->stopped)
		return;
	bool known = splitter->characters <= splitter->rules->characters;
	splitter->stopped =
		!splitter->take(splitter->context, known ? splitter->word : NULL, splitter->length);
	splitter->length = 0;
	splitter->characters = 0;
}

static void append(struct splitter *splitter, int32_t c)
{
	if (splitter->characters++ < splitter->rules->characters)
		splitter->length += (size_t)utf8proc_encode_char(
			c, (utf8proc_uint8_t *)splitter->word + splitter->length);
}

/* A character that is normalized but for its case. */
static void add(struct splitter *splitter, int32_t c)
{
	if (splitter->rules->strip_accents && utf8proc_category(c) == UTF8PROC_CATEGORY_MN)
		return;
	if (is_space(c)) {
		end_word(splitter);
	} else if (is_punctuation(c)) {
		end_word(splitter);
		append(splitter, c);
		end_word(splitter);
	} else if (!splitter->rules->lowercase) {
		append(splitter, c);
	} else if (c == 0x130) {
		/* The one character whose lower case has two: an i and a dot over it. */
		append(splitter, 'i');
		append(splitter, 0x307);
	} else {
		append(splitter, utf8proc_tolower(c));
	}
}

static void add_marks(struct splitter *splitter)
{
	for (size_t i = 0; i < splitter->mark_count; i++)
		add(splitter, splitter->marks[i].character);
	splitter->mark_count = 0;
}

/* Unicode's canonical ordering: marks between two other characters are sorted by their classes, those
 * of one class stay as they are. */
static void add_ordered(struct splitter *splitter, int32_t c)
{
	utf8proc_propval_t class = utf8proc_get_property(c)->combining_class;
	if (class == 0 || splitter->mark_count == WORD_CHARACTERS_LIMIT)
		add_marks(splitter);
	if (class == 0) {
		add(splitter, c);
		return;
	}
	size_t i = splitter->mark_count++;
	for (; i > 0 && splitter->marks[i - 1].combining_class > class; i--)
		splitter->marks[i] = splitter->marks[i - 1];
	splitter->marks[i] = (struct mark){c, class};
}

static void add_decomposed(struct splitter *splitter, int32_t c)
{
	int32_t parts[DECOMPOSED_LIMIT];
	int boundary = 0;
	utf8proc_ssize_t count =
		utf8proc_decompose_char(c, parts, DECOMPOSED_LIMIT, UTF8PROC_DECOMPOSE, &boundary);
	if (count < 1 || count > DECOMPOSED_LIMIT) {
		add_ordered(splitter, c);
		return;
	}
	for (utf8proc_ssize_t i = 0; i < count; i++)
		add_ordered(splitter, parts[i]);
}

static void add_blank(struct splitter *splitter)
{
	add_marks(splitter);
	end_word(splitter);
}

static void add_character(struct splitter *splitter, int32_t c)
{
	const struct words_rules *rules = splitter->rules;
	if (rules->clean_text && is_removed(c))
		return;
	if (rules->clean_text && is_space(c)) {
		add_blank(splitter);
		return;
	}
	bool chinese = rules->handle_chinese_chars && is_chinese(c);
	if (chinese)
		add_blank(splitter);
	if (rules->strip_accents)
		add_decomposed(splitter, c);
	else
		add(splitter, c);
	if (chinese)
		add_blank(splitter);
}

void words_split(
	const struct words_rules *rules, struct ss_text text, words_take *take, void *context)
{
	struct splitter splitter = {.rules = rules, .take = take, .context = context};
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.data;
	size_t left = text.length;
	while (left > 0 && !splitter.stopped) {
		utf8proc_int32_t c = REPLACEMENT;
		utf8proc_ssize_t used = utf8proc_iterate(at, (utf8proc_ssize_t)left, &c);
		if (used <= 0) {
			c = REPLACEMENT;
			used = 1;
		}
		add_character(&splitter, c);
		at += used;
		left -= (size_t)used;
	}
	add_blank(&splitter);
}
