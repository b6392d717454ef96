#include "common/lexical_features.h"

#include "common/lexicon.h"

#include <math.h>
#include <string.h>
#include <utf8proc.h>

/* Rows of the table, in its order. */
enum {
	NEGATIONS,
	INTENSIFIERS,
	POSITIVE_WORDS,
	NEGATIVE_WORDS,
	FEELING_WORDS,
	PROBLEM_WORDS,
	ANGER_WORDS,
	CONTEMPT_WORDS,
	SWEARING,
	NEGATED_POSITIVE,
	NEGATED_NEGATIVE,
	ASKED_PRAISE,
	ASKED_TROUBLE,
	PRAISE_THEN_QUESTION,
	PRAISE_THEN_BUT,
	PRAISE_THEN_TROUBLE,
	THANKS,
	THANKS_AHEAD,
	POSITIVE_PHRASES,
	NEGATIVE_PHRASES,
	REPEATED_CONTACT,
	DURATION,
	DEMANDS,
	THREATS,
	ANGER_PHRASES,
	SARCASM,
	REQUESTS,
	CAPITALS,
	CAPITAL_EMPHASIS,
	EXCLAMATIONS,
	JOYFUL_EXCLAMATIONS,
	MANY_EXCLAMATIONS,
	QUESTIONS,
	MANY_QUESTIONS,
	PLAIN_QUESTION,
	ELONGATED,
	SMILES,
	FROWNS,
	RAGE,
	DOTS,
	QUOTES,
	LINKS,
	ABOUT_ME,
	ABOUT_YOU,
	LENGTH,
	MONEY_WORDS,
	ACCESS_WORDS,
	SOFTWARE_WORDS,
	COMPANY_WORDS,
	FEATURES,
};

const struct lexical_feature lexical_features[] = {
	[NEGATIONS] = {"negations", "sentiment", "words that negate: not, never, can't"},
	[INTENSIFIERS] = {"intensifiers", "sentiment",
		"words that strengthen: very, so, absolutely"},
	[POSITIVE_WORDS] = {"positive_words", "sentiment",
		"words of praise and joy that are not negated"},
	[NEGATIVE_WORDS] = {"negative_words", "sentiment",
		"words of blame that are not negated: bad, slow"},
	[FEELING_WORDS] = {"feeling_words", "sentiment", "unhappy feelings: disappointed, worried"},
	[PROBLEM_WORDS] = {"problem_words", "sentiment", "what goes wrong: crash, late, missing"},
	[ANGER_WORDS] = {"anger_words", "sentiment", "words of anger: ridiculous, furious"},
	[CONTEMPT_WORDS] = {"contempt_words", "sentiment", "words of contempt: pathetic, idiots"},
	[SWEARING] = {"swearing", "sentiment", "swear words, also with some letters starred out"},
	[NEGATED_POSITIVE] = {"negated_positive", "sentiment",
		"praise after a negation: not helpful"},
	[NEGATED_NEGATIVE] = {"negated_negative", "sentiment",
		"trouble after a negation: no problem, not bad"},
	[ASKED_PRAISE] = {"asked_praise", "sentiment",
		"praise inside a question: which is the best way?"},
	[ASKED_TROUBLE] = {"asked_trouble", "sentiment",
		"trouble inside a question: what if it fails?"},
	[PRAISE_THEN_QUESTION] = {"praise_then_question", "sentiment",
		"1 for praise, no blame and a question"},
	[PRAISE_THEN_BUT] = {"praise_then_but", "sentiment",
		"1 for praise that is followed by a but"},
	[PRAISE_THEN_TROUBLE] = {"praise_then_trouble", "sentiment",
		"1 for praise as the first word and trouble behind it: great, it crashed"},
	[THANKS] = {"thanks", "sentiment", "thanks for something"},
	[THANKS_AHEAD] = {"thanks_ahead", "sentiment", "thanks for what is still to come"},
	[POSITIVE_PHRASES] = {"positive_phrases", "sentiment", "phrases of praise: made my day"},
	[NEGATIVE_PHRASES] = {"negative_phrases", "sentiment",
		"phrases of trouble: does not work, let down"},
	[REPEATED_CONTACT] = {"repeated_contact", "sentiment",
		"that it is not the first time: third time"},
	[DURATION] = {"duration", "sentiment", "how long it has lasted: for days, since Monday"},
	[DEMANDS] = {"demands", "sentiment", "orders: I demand, right now"},
	[THREATS] = {"threats", "sentiment", "threats: lawyer, chargeback, never again"},
	[ANGER_PHRASES] = {"anger_phrases", "sentiment",
		"phrases of anger: how dare you, what a joke"},
	[SARCASM] = {"sarcasm", "sentiment", "praise that is seldom meant: thanks for nothing"},
	[REQUESTS] = {"requests", "sentiment",
		"phrases of a factual request: how do I, is it possible"},
	[CAPITALS] = {"capitals", "sentiment",
		"share of words in capitals, acronyms and single ones left out"},
	[CAPITAL_EMPHASIS] = {"capital_emphasis", "sentiment",
		"telling words in capitals: NOT, NEVER"},
	[EXCLAMATIONS] = {"exclamations", "sentiment", "exclamation marks"},
	[JOYFUL_EXCLAMATIONS] = {"joyful_exclamations", "sentiment",
		"the same beside praise and no blame"},
	[MANY_EXCLAMATIONS] = {"many_exclamations", "sentiment", "1 for two and more in a row"},
	[QUESTIONS] = {"questions", "sentiment", "question marks"},
	[MANY_QUESTIONS] = {"many_questions", "sentiment",
		"1 for two and more in a row, and for ?!"},
	[PLAIN_QUESTION] = {"plain_question", "sentiment",
		"1 for a question word first and no telling word"},
	[ELONGATED] = {"elongated", "sentiment", "words drawn out: sooo"},
	[SMILES] = {"smiles", "sentiment", "happy emoticons and emoji"},
	[FROWNS] = {"frowns", "sentiment", "unhappy ones"},
	[RAGE] = {"rage", "sentiment", "angry ones"},
	[DOTS] = {"dots", "sentiment", "three dots and more"},
	[QUOTES] = {"quotes", "sentiment", "words in double quotation marks"},
	[LINKS] = {"links", "sentiment", "web addresses"},
	[ABOUT_ME] = {"about_me", "sentiment", "I, my, we, our"},
	[ABOUT_YOU] = {"about_you", "sentiment", "you, your"},
	[LENGTH] = {"length", "sentiment", "logarithm of the number of words, up to a limit"},
	[MONEY_WORDS] = {"money_words", "category", "money: invoice, refund, plan"},
	[ACCESS_WORDS] = {"access_words", "category", "access: login, password, role"},
	[SOFTWARE_WORDS] = {"software_words", "category", "software: sync, export, crash"},
	[COMPANY_WORDS] = {"company_words", "category", "the company: language, roadmap, jobs"},
	{NULL, NULL, NULL},
};

/* A text as it is read. */
struct wording {
	/* The words in small letters between single spaces, | where a sentence ends. */
	char normal[LEXICAL_TEXT_LIMIT + 8];
	size_t length;
	double *values;
	size_t words;
	size_t long_words; /* of two letters and more */
	size_t shouted;    /* of these, in capitals */
	unsigned negated;  /* words to come that a negation reaches */
	/* The sentence that is being read. */
	double counts[FEATURES];
	bool begun;    /* has more than greetings and fillers */
	bool question; /* begins as a question does */
	bool praised;  /* an earlier sentence */
	bool opened;   /* some sentence has begun */
	bool opened_with_praise;
	size_t asked; /* sentences that are questions */
};

enum {
	WORD_LIMIT = 48,      /* bytes of a word; what is longer is no word */
	NEGATION_REACH = 3,   /* words */
	COUNT_LIMIT = 3,      /* of most features */
	WORDS_LIMIT = 80,     /* longer texts are not angrier */
	SHOUTED_AT_LEAST = 2, /* words in capitals that count as shouting */
	LONG_SHOUT = 5,       /* letters of a word in capitals that is no abbreviation */
};

/* One word while it is read. */
struct word {
	char text[WORD_LIMIT + 8]; /* small letters */
	size_t length;
	size_t letters;
	size_t capitals;
	bool digits;
	bool star;    /* the last character was one */
	bool starred; /* letters go on after a star: sh*t */
	bool elongated;
};

size_t lexical_features_count(void)
{
	return FEATURES;
}

/* Whether the LENGTH bytes at WORD are ENTRY, or begin so where it ends in *. */
static bool is_word(const char *word, size_t length, const char *entry)
{
	size_t i = 0;
	while (i < length && entry[i] == word[i])
		i++;
	return entry[i] == '*' ? entry[i + 1] == '\0' : i == length && entry[i] == '\0';
}

static bool is_kind(const char *word, size_t length, enum lexicon_words kind)
{
	size_t count;
	const char *const *entries = lexicon_range(&lexicon_words[kind], word[0], &count);
	for (size_t i = 0; i < count; i++) {
		if (is_word(word, length, entries[i]))
			return true;
	}
	return false;
}

/* Counts FEATURE for the sentence that is being read. */
static void add(struct wording *wording, int feature)
{
	wording->counts[feature] += 1;
}

/* Counts the kinds of one word; true for a word that tells of a feeling. */
static bool count_word(struct wording *wording, const char *word, size_t length)
{
	static const struct {
		enum lexicon_words kind;
		int feature;
	} counted[] = {
		{WORDS_NEGATIVE, NEGATIVE_WORDS},
		{WORDS_FEELING, FEELING_WORDS},
		{WORDS_PROBLEM, PROBLEM_WORDS},
		{WORDS_ANGER, ANGER_WORDS},
		{WORDS_CONTEMPT, CONTEMPT_WORDS},
		{WORDS_SWEARING, SWEARING},
		{WORDS_THREAT, THREATS},
	};
	bool telling = false;
	bool negated = wording->negated > 0;
	if (wording->negated > 0)
		wording->negated--;
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
		if (!is_kind(word, length, counted[i].kind))
			continue;
		bool mild =
			counted[i].feature == NEGATIVE_WORDS || counted[i].feature == PROBLEM_WORDS;
		add(wording, negated && mild ? NEGATED_NEGATIVE : counted[i].feature);
		telling = true;
	}
	if (is_kind(word, length, WORDS_POSITIVE)) {
		add(wording, negated ? NEGATED_POSITIVE : POSITIVE_WORDS);
		telling = true;
	}
	if (is_kind(word, length, WORDS_INTENSIFIER))
		add(wording, INTENSIFIERS);
	if (is_kind(word, length, WORDS_NEGATION)) {
		add(wording, NEGATIONS);
		wording->negated = NEGATION_REACH;
		telling = true;
	}
	return telling;
}

static void count_topic(struct wording *wording, const char *word, size_t length)
{
	for (int topic = 0; topic <= COMPANY_WORDS - MONEY_WORDS; topic++) {
		if (is_kind(word, length, (enum lexicon_words)(WORDS_MONEY + topic)))
			add(wording, MONEY_WORDS + topic);
	}
}

static void count_pronoun(struct wording *wording, const char *word, size_t length)
{
	static const char *const me[] = {"i", "i'm", "i've", "im", "ive", "me", "mine", "my", "our",
		"us", "we", "we're", "we've", NULL};
	static const char *const you[] = {
		"you", "you're", "you've", "your", "yours", "ur", "u", NULL};
	for (size_t i = 0; me[i] != NULL; i++) {
		if (is_word(word, length, me[i]))
			add(wording, ABOUT_ME);
	}
	for (size_t i = 0; you[i] != NULL; i++) {
		if (is_word(word, length, you[i]))
			add(wording, ABOUT_YOU);
	}
}

/* Letters drawn out to three and more become one: sooo, so. */
static void shorten(struct word *word)
{
	size_t length = 0;
	for (size_t i = 0; i < word->length;) {
		size_t run = 1;
		while (i + run < word->length && word->text[i + run] == word->text[i])
			run++;
		bool letter = word->text[i] >= 'a' && word->text[i] <= 'z';
		bool drawn_out = letter && run > 2 && word->text[i] != 'w' && word->text[i] != 'x';
		for (size_t k = 0; k < (drawn_out ? 1 : run); k++)
			word->text[length++] = word->text[i];
		word->elongated |= drawn_out;
		i += run;
	}
	word->length = length;
}

static void append(struct wording *wording, const char *text, size_t length)
{
	if (wording->length + length + 2 > sizeof wording->normal)
		return;
	memcpy(wording->normal + wording->length, text, length);
	wording->length += length;
	wording->normal[wording->length++] = ' ';
	wording->normal[wording->length] = '\0';
}

/* What the sentence says about the mood goes to the features for questions, if it is one. */
static void add_question(struct wording *wording)
{
	static const int trouble[] = {
		NEGATIONS, NEGATIVE_WORDS, FEELING_WORDS, PROBLEM_WORDS, NEGATED_POSITIVE};
	double *counts = wording->counts;
	for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++) {
		counts[ASKED_TROUBLE] += counts[trouble[i]];
		counts[trouble[i]] = 0;
	}
	counts[ASKED_PRAISE] += counts[POSITIVE_WORDS];
	counts[POSITIVE_WORDS] = 0;
	wording->asked++;
}

/* MARK is what ends the sentence, 0 for the end of the text. */
static void end_sentence(struct wording *wording, utf8proc_int32_t mark)
{
	if (wording->question && (mark == '?' || mark == 0))
		add_question(wording);
	for (size_t i = 0; i < FEATURES; i++) {
		wording->values[i] += wording->counts[i];
		wording->counts[i] = 0;
	}
	wording->praised = wording->values[POSITIVE_WORDS] > 0;
	wording->negated = 0;
	wording->begun = false;
	wording->question = false;
	append(wording, "|", 1);
}

/* Notes how the sentence begins and where it turns. */
static void follow_sentence(struct wording *wording, const char *word, size_t length)
{
	bool but = is_kind(word, length, WORDS_BUT);
	if (but && (wording->praised || wording->counts[POSITIVE_WORDS] > 0))
		wording->values[PRAISE_THEN_BUT] = 1;
	if (wording->begun || is_kind(word, length, WORDS_FILLER))
		return;
	wording->begun = true;
	if (!wording->opened)
		wording->opened_with_praise = is_kind(word, length, WORDS_POSITIVE);
	wording->opened = true;
	wording->question = is_kind(word, length, WORDS_QUESTION);
}

static void end_word(struct wording *wording, struct word *word)
{
	while (word->length > 0 && word->text[word->length - 1] == '\'')
		word->length--;
	if (word->length > 0 && word->length <= WORD_LIMIT) {
		shorten(word);
		if (word->elongated)
			add(wording, ELONGATED);
		if (word->starred || (word->star && word->letters <= 2))
			add(wording, SWEARING);
		bool telling = count_word(wording, word->text, word->length);
		count_pronoun(wording, word->text, word->length);
		count_topic(wording, word->text, word->length);
		bool acronym = word->digits || is_kind(word->text, word->length, WORDS_ACRONYM);
		if (word->letters >= 2 && !acronym) {
			wording->long_words++;
			bool shouted = word->capitals == word->letters;
			wording->shouted += shouted;
			bool emphatic = telling || word->letters >= LONG_SHOUT ||
					is_kind(word->text, word->length, WORDS_EMPHATIC);
			if (shouted && emphatic)
				add(wording, CAPITAL_EMPHASIS);
		}
		follow_sentence(wording, word->text, word->length);
		wording->words++;
		append(wording, word->text, word->length);
	}
	*word = (struct word){0};
}

/* Adds the character CODE to WORD; false when no word goes on with it. */
static bool add_to_word(struct word *word, utf8proc_int32_t code)
{
	if (code == 0x2019)
		code = '\'';
	utf8proc_category_t category = utf8proc_category(code);
	bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
	bool digit = category == UTF8PROC_CATEGORY_ND;
	bool star = code == '*' && word->letters > 0;
	if (!letter && !digit && !star && !(code == '\'' && word->length > 0))
		return false;
	if (word->length < WORD_LIMIT + 1)
		word->length += (size_t)utf8proc_encode_char(
			utf8proc_tolower(code), (utf8proc_uint8_t *)word->text + word->length);
	word->letters += letter;
	word->capitals += category == UTF8PROC_CATEGORY_LU;
	word->digits |= digit;
	word->starred |= letter && word->star;
	word->star = star;
	return true;
}

/* The number of bytes of a web address or of a name with @ at AT, or 0. */
static size_t link_length(struct ss_text text, size_t at, bool *address)
{
	static const char *const starts[] = {"http://", "https://", "www.", "@", NULL};
	size_t left = text.length - at;
	if (at > 0 && text.data[at - 1] != ' ' && text.data[at - 1] != '(' &&
		text.data[at - 1] != '.')
		return 0;
	for (size_t i = 0; starts[i] != NULL; i++) {
		size_t length = strlen(starts[i]);
		if (starts[i][0] != text.data[at] || left <= length ||
			memcmp(text.data + at, starts[i], length) != 0)
			continue;
		while (length < left && (unsigned char)text.data[at + length] > ' ')
			length++;
		*address = starts[i][0] != '@';
		return length;
	}
	return 0;
}

/* The number of bytes of an entity such as &amp; at AT, or 0. */
static size_t entity_length(struct ss_text text, size_t at)
{
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", NULL};
	if (text.data[at] != '&')
		return 0;
	for (size_t i = 0; entities[i] != NULL; i++) {
		size_t length = strlen(entities[i]);
		if (text.length - at >= length && memcmp(text.data + at, entities[i], length) == 0)
			return length;
	}
	return 0;
}

/* Reads the words of TEXT. */
static void read_words(struct wording *wording, struct ss_text text)
{
	struct word word = {0};
	append(wording, "|", 1);
	for (size_t at = 0; at < text.length;) {
		bool address = false;
		size_t skip = link_length(text, at, &address);
		if (skip == 0)
			skip = entity_length(text, at);
		if (skip > 0) {
			end_word(wording, &word);
			wording->values[LINKS] += address;
			at += skip;
			continue;
		}
		utf8proc_int32_t code = 0;
		utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
			(utf8proc_ssize_t)(text.length - at), &code);
		at += bytes > 0 ? (size_t)bytes : 1;
		if (bytes > 0 && add_to_word(&word, code))
			continue;
		end_word(wording, &word);
		if (code == '.' || code == '!' || code == '?' || code == ';' || code == '\n')
			end_sentence(wording, code);
	}
	end_word(wording, &word);
	end_sentence(wording, 0);
}

/* How many of the phrases of KIND begin at the word AT. */
static double count_phrases_at(const char *at, enum lexicon_phrases kind)
{
	double found = 0;
	size_t count;
	const char *const *phrases = lexicon_range(&lexicon_phrases[kind], *at, &count);
	for (size_t i = 0; i < count; i++) {
		const char *rest = at;
		const char *phrase = phrases[i];
		while (*phrase != '\0' && *phrase == *rest) {
			phrase++;
			rest++;
		}
		found += *phrase == '*' || (*phrase == '\0' && *rest == ' ');
	}
	return found;
}

/* Whether the emoticon SIGN stands at AT of TEXT. */
static bool is_sign(struct ss_text text, size_t at, const char *sign)
{
	size_t length = strlen(sign);
	if (text.length - at < length || memcmp(text.data + at, sign, length) != 0)
		return false;
	if ((unsigned char)sign[0] >= 0x80 || length > 2)
		return true;
	/* :/ begins the rest of an address, and a letter ends no sign right after a word. */
	bool path = sign[1] == '/' && at + 2 < text.length && text.data[at + 2] == '/';
	bool letter = sign[1] >= 'A' && sign[1] <= 'Z';
	return !path && !(letter && at > 0 && text.data[at - 1] > ' ');
}

static double count_signs_at(struct ss_text text, size_t at, const char *const *signs)
{
	double count = 0;
	for (size_t i = 0; signs[i] != NULL; i++)
		count += signs[i][0] == text.data[at] && is_sign(text, at, signs[i]);
	return count;
}

/* Reads emoticons and emoji. */
static void read_signs(double *values, struct ss_text text)
{
	for (size_t at = 0; at < text.length; at++) {
		unsigned char c = (unsigned char)text.data[at];
		bool part = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'w') || c == ' ' ||
			    (c >= 0x80 && c < 0xe0);
		if (part)
			continue;
		values[SMILES] += count_signs_at(text, at, lexicon_smiles);
		values[FROWNS] += count_signs_at(text, at, lexicon_frowns);
		values[RAGE] += count_signs_at(text, at, lexicon_rage);
	}
}

/* How often SIGN stands in TEXT; *RUN is the longest run of ! and ? with it. */
static double count_marks(struct ss_text text, char sign, size_t *run)
{
	double count = 0;
	size_t length = 0;
	bool has = false;
	*run = 0;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		if (c != '!' && c != '?') {
			length = 0;
			has = false;
			continue;
		}
		length++;
		has |= c == sign;
		count += c == sign;
		if (has && length > *run)
			*run = length;
	}
	return count;
}

static void read_phrases(struct wording *wording)
{
	static const struct {
		enum lexicon_phrases kind;
		int feature;
	} counted[] = {
		{PHRASES_THANKS, THANKS},
		{PHRASES_THANKS_AHEAD, THANKS_AHEAD},
		{PHRASES_POSITIVE, POSITIVE_PHRASES},
		{PHRASES_NO_PROBLEM, NEGATED_NEGATIVE},
		{PHRASES_NEGATIVE, NEGATIVE_PHRASES},
		{PHRASES_REPEATED, REPEATED_CONTACT},
		{PHRASES_DURATION, DURATION},
		{PHRASES_DEMAND, DEMANDS},
		{PHRASES_THREAT, THREATS},
		{PHRASES_ANGER, ANGER_PHRASES},
		{PHRASES_SARCASM, SARCASM},
		{PHRASES_REQUEST, REQUESTS},
	};
	for (const char *at = wording->normal; *at != '\0';) {
		for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
			wording->values[counted[i].feature] +=
				count_phrases_at(at, counted[i].kind);
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	wording->values[THANKS] -= fmin(wording->values[THANKS], wording->values[THANKS_AHEAD]);
}

static void read_marks(double *values, struct ss_text text)
{
	size_t exclamation_run;
	size_t question_run;
	values[EXCLAMATIONS] = count_marks(text, '!', &exclamation_run);
	values[QUESTIONS] = count_marks(text, '?', &question_run);
	values[MANY_EXCLAMATIONS] = exclamation_run >= 2;
	values[MANY_QUESTIONS] = question_run >= 2;
	for (size_t i = 0; i < text.length; i++) {
		values[QUOTES] += text.data[i] == '"';
		bool dots = text.length - i >= 3 && memcmp(text.data + i, "...", 3) == 0;
		dots |= text.length - i >= 3 && memcmp(text.data + i, "\xe2\x80\xa6", 3) == 0;
		values[DOTS] += dots && (i == 0 || text.data[i - 1] != '.');
	}
	values[QUOTES] /= 2;
}

/* Features that others add up to. */
static void combine(const struct wording *wording, double *values)
{
	double blame = values[NEGATIVE_WORDS] + values[FEELING_WORDS] + values[PROBLEM_WORDS] +
		       values[ANGER_WORDS] + values[CONTEMPT_WORDS] + values[SWEARING] +
		       values[NEGATED_POSITIVE] + values[NEGATIVE_PHRASES] + values[ANGER_PHRASES] +
		       values[NEGATIONS] + values[ASKED_TROUBLE];
	double praise = values[POSITIVE_WORDS] + values[POSITIVE_PHRASES] + values[THANKS];
	if (praise > 0 && blame == 0)
		values[JOYFUL_EXCLAMATIONS] = values[EXCLAMATIONS];
	values[PLAIN_QUESTION] = wording->asked > 0 && blame == 0 && praise == 0;
	double trouble = values[NEGATIVE_WORDS] + values[FEELING_WORDS] + values[PROBLEM_WORDS];
	values[PRAISE_THEN_TROUBLE] = wording->opened_with_praise && trouble > 0;
	double statement = values[POSITIVE_WORDS] + values[POSITIVE_PHRASES];
	values[PRAISE_THEN_QUESTION] = statement > 0 && blame == 0 && values[QUESTIONS] > 0;
	if (wording->shouted >= SHOUTED_AT_LEAST)
		values[CAPITALS] = (double)wording->shouted / (double)wording->long_words;
	for (size_t i = 0; i < FEATURES; i++)
		values[i] = fmin(values[i], COUNT_LIMIT);
	values[LENGTH] = log(1 + fmin((double)wording->words, WORDS_LIMIT));
}

void lexical_features_read(struct ss_text text, double *values)
{
	struct wording wording = {.values = values};
	if (text.length > LEXICAL_TEXT_LIMIT)
		text.length = LEXICAL_TEXT_LIMIT;
	for (size_t i = 0; i < FEATURES; i++)
		values[i] = 0;
	if (text.length == 0)
		return;
	read_words(&wording, text);
	read_phrases(&wording);
	read_marks(values, text);
	read_signs(values, text);
	combine(&wording, values);
}
