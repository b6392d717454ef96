#include "service/lexical.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <ctype.h>
#include <libstemmer.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* BM25's parameters, at the values that the literature recommends for short texts. */
#define K1 1.2
#define B  0.6

enum {
	WORD_LIMIT = 64,         /* bytes; longer words are cut */
	QUERY_TERMS_LIMIT = 200, /* different words of a query that count */
	PHRASES_LIMIT = 8,       /* quoted phrases of a query that count */
	CODE_LENGTH = 5,         /* letters and digits of a code without a hyphen, at least */
};

/* A code or a number names one thing, where a word may be about many: it weighs this many words. */
#define CODE_WEIGHT 1.5

struct posting {
	size_t document;
	size_t frequency;
};

struct term {
	struct term *chain;
	char *text;
	struct posting *postings;
	size_t count, capacity;
	size_t codes; /* of a kind of codes: how often the texts name one */
};

struct lexical {
	struct sb_stemmer *stemmer;
	struct term **buckets;
	size_t bucket_count;
	size_t term_count;
	size_t *lengths; /* words of each text */
	char **words;    /* of each text, one after the other, each between spaces: for phrases */
	size_t count, capacity; /* of numbers, those of removed texts as well */
	size_t live;            /* texts that are there */
	size_t total_length;
	size_t codes; /* how often the texts name one */
};

/* Words that say nothing of what a text is about. Sorted. */
static const char *const stop_words[] = {"a", "about", "after", "again", "all", "also", "am", "an",
	"and", "any", "are", "as", "at", "be", "because", "been", "before", "being", "both", "but",
	"by", "can", "could", "did", "do", "does", "doing", "for", "from", "get", "got", "had",
	"has", "have", "having", "he", "hello", "help", "her", "here", "hers", "hi", "him", "his",
	"how", "i", "if", "in", "into", "is", "it", "its", "just", "like", "me", "more", "most",
	"my", "no", "not", "now", "of", "on", "only", "or", "other", "our", "out", "over", "please",
	"she", "should", "so", "some", "such", "than", "thank", "thanks", "that", "the", "their",
	"them", "then", "there", "these", "they", "this", "those", "to", "too", "under", "until",
	"up", "us", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who",
	"why", "will", "with", "would", "you", "your"};

/* Called with each word of a text. */
typedef void word_found(void *context, const char *word);

static int compare_words(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static void emit(
	struct lexical *lexical, char *word, size_t length, word_found *found, void *context)
{
	word[length] = '\0';
	if (length == 0 || bsearch(word, stop_words, array_length(stop_words), sizeof *stop_words,
				   compare_words) != NULL)
		return;
	const sb_symbol *stem =
		sb_stemmer_stem(lexical->stemmer, (const sb_symbol *)word, (int)length);
	found(context, stem != NULL ? (const char *)stem : word);
}

/* A code is letters and digits around hyphens: it is passed on as a whole, beside its parts. */
struct scanner {
	char word[WORD_LIMIT + 8];
	size_t length;
	char code[WORD_LIMIT + 8];
	size_t code_length;
	bool has_digit, has_hyphen;
};

static void end_code(struct scanner *scanner, word_found *found, void *context)
{
	while (scanner->code_length > 0 && scanner->code[scanner->code_length - 1] == '-')
		scanner->code_length--;
	scanner->code[scanner->code_length] = '\0';
	if (scanner->has_digit && scanner->has_hyphen && scanner->code_length > 2)
		found(context, scanner->code);
	scanner->code_length = 0;
	scanner->has_digit = false;
	scanner->has_hyphen = false;
}

static void end_word(
	struct lexical *lexical, struct scanner *scanner, word_found *found, void *context)
{
	emit(lexical, scanner->word, scanner->length, found, context);
	scanner->length = 0;
}

static void append(char *text, size_t *length, utf8proc_int32_t code)
{
	if (*length < WORD_LIMIT)
		*length += (size_t)utf8proc_encode_char(code, (utf8proc_uint8_t *)text + *length);
}

static void scan_character(struct lexical *lexical, struct scanner *scanner, utf8proc_int32_t code,
	word_found *found, void *context)
{
	utf8proc_category_t category = utf8proc_category(code);
	bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
	bool digit = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
	if (category == UTF8PROC_CATEGORY_MN)
		return; /* an accent */
	if (letter || digit) {
		utf8proc_int32_t small = utf8proc_tolower(code);
		append(scanner->word, &scanner->length, small);
		append(scanner->code, &scanner->code_length, small);
		scanner->has_digit = scanner->has_digit || digit;
		return;
	}
	if (code == '\'' || code == 0x2019)
		return; /* don't and dont are one word */
	end_word(lexical, scanner, found, context);
	if (code == '-' && scanner->code_length > 0) {
		append(scanner->code, &scanner->code_length, '-');
		scanner->has_hyphen = true;
		return;
	}
	end_code(scanner, found, context);
}

static void scan(struct lexical *lexical, struct ss_text text, word_found *found, void *context)
{
	struct scanner scanner = {.length = 0};
	for (size_t at = 0; at < text.length;) {
		utf8proc_int32_t code = ' ';
		utf8proc_int32_t parts[8];
		utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
			(utf8proc_ssize_t)(text.length - at), &code);
		at += used > 0 ? (size_t)used : 1;
		int class = 0;
		utf8proc_ssize_t count = used > 0 ? utf8proc_decompose_char(code, parts,
							    (utf8proc_ssize_t)array_length(parts),
							    UTF8PROC_DECOMPOSE, &class)
						  : 0;
		for (utf8proc_ssize_t i = 0; i < count && i < (utf8proc_ssize_t)array_length(parts);
			i++)
			scan_character(lexical, &scanner, parts[i], found, context);
	}
	end_word(lexical, &scanner, found, context);
	end_code(&scanner, found, context);
}

struct lexical *lexical_new(void)
{
	struct lexical *lexical = memory_make(struct lexical);
	lexical->stemmer = sb_stemmer_new("english", NULL);
	if (lexical->stemmer == NULL)
		abort(); /* the library has English, and there is memory */
	lexical->bucket_count = 1024;
	lexical->buckets = memory_array(lexical->bucket_count, sizeof(struct term *));
	return lexical;
}

void lexical_free(struct lexical *lexical)
{
	if (lexical == NULL)
		return;
	for (size_t i = 0; i < lexical->bucket_count; i++) {
		while (lexical->buckets[i] != NULL) {
			struct term *term = lexical->buckets[i];
			lexical->buckets[i] = term->chain;
			free(term->postings);
			free(term->text);
			free(term);
		}
	}
	sb_stemmer_delete(lexical->stemmer);
	free(lexical->buckets);
	for (size_t i = 0; i < lexical->count; i++)
		free(lexical->words[i]);
	free(lexical->words);
	free(lexical->lengths);
	free(lexical);
}

static bool has_digit(const char *word)
{
	return strpbrk(word, "0123456789") != NULL;
}

/* FNV-1a. */
static struct term **bucket_of(struct term **buckets, size_t count, const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return &buckets[hash % count];
}

static struct term *find_term(const struct lexical *lexical, const char *text)
{
	struct term *term = *bucket_of(lexical->buckets, lexical->bucket_count, text);
	while (term != NULL && strcmp(term->text, text) != 0)
		term = term->chain;
	return term;
}

static void grow(struct lexical *lexical)
{
	size_t count = lexical->bucket_count * 4;
	struct term **buckets = memory_array(count, sizeof(struct term *));
	for (size_t i = 0; i < lexical->bucket_count; i++) {
		while (lexical->buckets[i] != NULL) {
			struct term *term = lexical->buckets[i];
			struct term **bucket = bucket_of(buckets, count, term->text);
			lexical->buckets[i] = term->chain;
			term->chain = *bucket;
			*bucket = term;
		}
	}
	free(lexical->buckets);
	lexical->buckets = buckets;
	lexical->bucket_count = count;
}

static struct term *get_term(struct lexical *lexical, const char *text)
{
	struct term *term = find_term(lexical, text);
	if (term != NULL)
		return term;
	if (lexical->term_count > lexical->bucket_count)
		grow(lexical);
	struct term **bucket = bucket_of(lexical->buckets, lexical->bucket_count, text);
	term = memory_make(struct term);
	term->text = memory_string(text);
	term->chain = *bucket;
	*bucket = term;
	lexical->term_count++;
	return term;
}

/* A code that was scanned as a whole, or letters and digits in one word. */
static bool is_code(const char *word)
{
	size_t digits = 0;
	size_t length = strlen(word);
	for (size_t i = 0; i < length; i++)
		digits += word[i] >= '0' && word[i] <= '9';
	return digits > 0 &&
	       (strchr(word, '-') != NULL || (length >= CODE_LENGTH && digits < length));
}

static bool is_number(const char *word)
{
	return word[strspn(word, "0123456789")] == '\0';
}

/* The kind of a code: TB- of TB-3301. No word ends so. False when CODE is of no kind. */
static bool kind_of_code(const char *code, char kind[WORD_LIMIT + 8])
{
	const char *hyphen = strrchr(code, '-');
	if (hyphen == NULL || hyphen == code)
		return false;
	(void)snprintf(kind, WORD_LIMIT + 8, "%.*s", (int)(hyphen + 1 - code), code);
	return true;
}

/* A text while it is added. */
struct addition {
	struct lexical *lexical;
	size_t document;
	struct buffer words;
};

static void append_word(struct buffer *words, const char *word)
{
	buffer_add_format(words, "%s%s ", words->length == 0 ? " " : "", word);
}

static void add_word(void *context, const char *word)
{
	struct addition *addition = context;
	struct lexical *lexical = addition->lexical;
	struct term *term = get_term(lexical, word);
	char kind[WORD_LIMIT + 8];
	append_word(&addition->words, word);
	if (is_code(word) && kind_of_code(word, kind)) {
		get_term(lexical, kind)->codes++;
		lexical->codes++;
	}
	size_t document = addition->document;
	lexical->lengths[document]++;
	lexical->total_length++;
	if (term->count > 0 && term->postings[term->count - 1].document == document) {
		term->postings[term->count - 1].frequency++;
		return;
	}
	if (term->count == term->capacity) {
		term->capacity = term->capacity * 2 + 4;
		term->postings =
			memory_resize(term->postings, term->capacity, sizeof(struct posting));
	}
	term->postings[term->count++] = (struct posting){document, 1};
}

void lexical_add(struct lexical *lexical, const struct ss_text *parts, size_t count)
{
	lexical_put(lexical, lexical->count, parts, count);
}

void lexical_put(struct lexical *lexical, size_t number, const struct ss_text *parts, size_t count)
{
	struct addition addition = {.lexical = lexical, .document = number};
	lexical_remove(lexical, number);
	if (number >= lexical->capacity) {
		lexical->capacity = number * 2 + 64;
		lexical->lengths =
			memory_resize(lexical->lengths, lexical->capacity, sizeof(size_t));
		lexical->words = memory_resize(lexical->words, lexical->capacity, sizeof(char *));
	}
	for (; lexical->count <= number; lexical->count++) {
		lexical->lengths[lexical->count] = 0;
		lexical->words[lexical->count] = NULL;
	}
	for (size_t i = 0; i < count; i++)
		scan(lexical, parts[i], add_word, &addition);
	append_word(&addition.words, ""); /* also one without words is there */
	lexical->words[number] = buffer_take(&addition.words);
	lexical->live++;
}

/* Forgets that the text NUMBER has WORD, once more. */
static void remove_word(struct lexical *lexical, const char *word, size_t number)
{
	struct term *term = get_term(lexical, word);
	char kind[WORD_LIMIT + 8];
	if (is_code(word) && kind_of_code(word, kind)) {
		get_term(lexical, kind)->codes--;
		lexical->codes--;
	}
	for (size_t i = 0; i < term->count; i++) {
		if (term->postings[i].document != number)
			continue;
		memmove(term->postings + i, term->postings + i + 1,
			(term->count - i - 1) * sizeof(struct posting));
		term->count--;
		return;
	}
}

void lexical_remove(struct lexical *lexical, size_t number)
{
	char *rest = NULL;
	if (number >= lexical->count || lexical->words[number] == NULL)
		return;
	for (char *word = strtok_r(lexical->words[number], " ", &rest); word != NULL;
		word = strtok_r(NULL, " ", &rest))
		remove_word(lexical, word, number);
	free(lexical->words[number]);
	lexical->words[number] = NULL;
	lexical->total_length -= lexical->lengths[number];
	lexical->lengths[number] = 0;
	lexical->live--;
}

struct query {
	struct lexical *lexical;
	const struct term *terms[QUERY_TERMS_LIMIT];
	bool is_code[QUERY_TERMS_LIMIT]; /* of terms[] */
	char *unknown[QUERY_TERMS_LIMIT];
	size_t term_count, unknown_count;
	size_t known_codes, unknown_codes;
	bool after_error; /* the word before was "error", or "code" behind it */
};

static void add_known(struct query *query, const struct term *term, bool code)
{
	for (size_t i = 0; i < query->term_count; i++) {
		if (query->terms[i] == term)
			return;
	}
	if (query->term_count == QUERY_TERMS_LIMIT)
		return;
	query->is_code[query->term_count] = code;
	query->terms[query->term_count++] = term;
	query->known_codes += code;
}

/* Whether any text has the word, or a code of this kind. */
static bool is_named(const struct term *term)
{
	return term != NULL && (term->count > 0 || term->codes > 0);
}

static void add_unknown(struct query *query, const char *word, bool code)
{
	char kind[WORD_LIMIT + 8];
	for (size_t i = 0; i < query->unknown_count; i++) {
		if (strcmp(query->unknown[i], word) == 0)
			return;
	}
	if (query->unknown_count == QUERY_TERMS_LIMIT)
		return;
	query->unknown[query->unknown_count++] = memory_string(word);
	bool named_kind = kind_of_code(word, kind) && is_named(find_term(query->lexical, kind));
	bool error_number = is_number(word) && query->lexical->codes > 0;
	query->unknown_codes += code && (named_kind || error_number);
}

static void add_query_word(void *context, const char *word)
{
	struct query *query = context;
	const struct term *term = find_term(query->lexical, word);
	bool code = is_code(word) || (query->after_error && is_number(word));
	if (term != NULL && term->count > 0)
		add_known(query, term, code);
	else
		add_unknown(query, word, code);
	query->after_error =
		strcmp(word, "error") == 0 || (query->after_error && strcmp(word, "code") == 0);
}

/* What a word weighs that COUNT of the texts have: its inverse document frequency. */
static double weight_of(const struct lexical *lexical, const char *word, size_t count)
{
	double n = (double)count;
	double idf = log(1 + ((double)lexical->live - n + 0.5) / (n + 0.5));
	return has_digit(word) ? idf * CODE_WEIGHT : idf;
}

/* Adds what TERM brings to the texts that have it. NAMED is its part of what the query names. */
static void add_scores(const struct lexical *lexical, const struct term *term, double weight,
	double named, struct lexical_score *scores)
{
	double average = (double)lexical->total_length / (double)lexical->live;
	for (size_t i = 0; i < term->count; i++) {
		struct lexical_score *found = &scores[term->postings[i].document];
		double frequency = (double)term->postings[i].frequency;
		double length = (double)lexical->lengths[term->postings[i].document] / average;
		found->score +=
			(float)(weight * frequency / (frequency + K1 * (1 - B + B * length)));
		found->coverage += (float)weight;
		found->named += (float)named;
	}
}

/* A quoted phrase: its words in their order, and what they weigh together. */
struct phrase {
	const struct lexical *lexical;
	struct buffer words;
	size_t count;
	double weight;
};

static void add_phrase_word(void *context, const char *word)
{
	struct phrase *phrase = context;
	const struct term *term = find_term(phrase->lexical, word);
	append_word(&phrase->words, word);
	phrase->weight += weight_of(phrase->lexical, word, term != NULL ? term->count : 0);
	phrase->count++;
}

/* Finds the next text in double quotes, straight or curly, from *AT on, which is moved behind it. */
static bool next_quoted(struct ss_text text, size_t *at, struct ss_text *quoted)
{
	static const struct {
		const char *open, *close;
	} quotes[] = {{"\"", "\""}, {"\xe2\x80\x9c", "\xe2\x80\x9d"}};
	for (; *at < text.length; (*at)++) {
		for (size_t i = 0; i < array_length(quotes); i++) {
			size_t opening = strlen(quotes[i].open);
			const char *end = text.data + text.length;
			const char *start = text.data + *at + opening;
			if (start >= end || memcmp(text.data + *at, quotes[i].open, opening) != 0)
				continue;
			const char *close = memmem(start, (size_t)(end - start), quotes[i].close,
				strlen(quotes[i].close));
			if (close == NULL)
				continue;
			*quoted = (struct ss_text){start, (size_t)(close - start)};
			*at = (size_t)(close - text.data) + strlen(quotes[i].close);
			return true;
		}
	}
	return false;
}

/* What all texts are measured by. */
struct total {
	double weight;  /* of the words */
	double phrases; /* their weight */
	size_t named;   /* codes and phrases */
};

/* A phrase counts as one more word, as heavy as its words together. */
static void add_phrases(struct lexical *lexical, struct ss_text text, struct lexical_score *scores,
	struct total *total)
{
	struct ss_text quoted;
	size_t at = 0;
	for (size_t n = 0; n < PHRASES_LIMIT && next_quoted(text, &at, &quoted); n++) {
		struct phrase phrase = {.lexical = lexical};
		scan(lexical, quoted, add_phrase_word, &phrase);
		for (size_t i = 0; phrase.count > 1 && i < lexical->count; i++) {
			if (lexical->words[i] == NULL ||
				strstr(lexical->words[i], phrase.words.data) == NULL)
				continue;
			scores[i].score += (float)phrase.weight;
			scores[i].named += 1;
		}
		if (phrase.count > 1) {
			total->phrases += phrase.weight;
			total->named++;
		}
		buffer_free(&phrase.words);
	}
}

/* Makes the sums shares. */
static void finish(const struct total *total, struct lexical_score *score)
{
	double most = total->weight + total->phrases;
	if (most > 0)
		score->score = (float)fmin(score->score / most, 1);
	if (total->weight > 0)
		score->coverage = (float)fmin(score->coverage / total->weight, 1);
	if (total->named > 0)
		score->named = (float)fmin(score->named / (double)total->named, 1);
}

struct lexical_unknown lexical_search(
	struct lexical *lexical, struct ss_text text, struct lexical_score *scores)
{
	struct query query = {.lexical = lexical};
	struct total total = {0};
	double unknown = 0;
	double subject = 0;
	for (size_t i = 0; i < lexical->count; i++)
		scores[i] = (struct lexical_score){0};
	add_phrases(lexical, text, scores, &total);
	scan(lexical, text, add_query_word, &query);
	total.named += query.known_codes + query.unknown_codes;
	for (size_t i = 0; i < query.term_count; i++) {
		double weight = weight_of(lexical, query.terms[i]->text, query.terms[i]->count);
		total.weight += weight;
		add_scores(lexical, query.terms[i], weight, query.is_code[i], scores);
	}
	for (size_t i = 0; i < query.unknown_count; i++) {
		double weight = weight_of(lexical, query.unknown[i], 0);
		unknown += weight;
		subject += has_digit(query.unknown[i]) ? 0 : weight;
		free(query.unknown[i]);
	}
	total.weight += unknown;
	for (size_t i = 0; i < lexical->count; i++)
		finish(&total, &scores[i]);
	return (struct lexical_unknown){
		.share = total.weight > 0 ? unknown / total.weight : 0,
		.subject = total.weight > 0 ? subject / total.weight : 0,
		.code = query.unknown_codes > 0 && query.known_codes == 0,
	};
}

/* Whether the words of a piece of text are known. */
struct acquaintance {
	const struct lexical *lexical;
	size_t known, unknown;
};

static void count_word(void *context, const char *word)
{
	struct acquaintance *acquaintance = context;
	const struct term *term = find_term(acquaintance->lexical, word);
	bool known = (term != NULL && term->count > 0) || has_digit(word);
	acquaintance->known += known;
	acquaintance->unknown += !known;
}

char *lexical_known(struct lexical *lexical, struct ss_text text)
{
	struct buffer kept = {0};
	for (size_t at = 0; at < text.length;) {
		struct acquaintance acquaintance = {.lexical = lexical};
		size_t end = at;
		while (end < text.length && !isspace((unsigned char)text.data[end]))
			end++;
		while (end < text.length && isspace((unsigned char)text.data[end]))
			end++;
		struct ss_text piece = {text.data + at, end - at};
		scan(lexical, piece, count_word, &acquaintance);
		if (acquaintance.unknown == 0 || acquaintance.known > 0)
			buffer_add(&kept, piece.data, piece.length);
		at = end;
	}
	return buffer_take(&kept);
}
