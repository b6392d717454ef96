#define ZLIB_CONST /* its input is only read */
#include "http/negotiate.h"

#include "base/hash.h"
#include "base/memory.h"
#include "http/private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
	/* Shorter ones fit a packet as they are. */
	PACK_AT_LEAST = 1024,
	/* Longer ones would take the loop's thread more than a millisecond or two. */
	PACK_AT_MOST = 256 * 1024,
	GZIP_WINDOW = MAX_WBITS + 16,
	TAG_SIZE = 128,
};

/* Of a compressed reply, at the end of its ETag: its bytes are others. */
static const char packed_mark[] = "-gzip";

static const char *const packable_types[] = {"application/json", HTTP_PROBLEM_TYPE, "text/plain",
	"text/html", "text/css", "text/javascript", "text/vnd.graphviz", "image/svg+xml"};

/* An entry of a header that is a list, as in `text/html;level=1;q=0.5`. */
struct entry {
	struct ss_text name;
	double weight;
};

/* Where the entry at AT ends: a comma in quotes does not end it. */
static const char *end_of(const char *at)
{
	bool quoted = false;
	for (; *at != '\0' && (quoted || *at != ','); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at[1] != '\0')
			at++;
	}
	return at;
}

/* The weight that the parameters from AT to END give; 1 without one. */
static double weight_of(const char *at, const char *end)
{
	for (; at < end; at++) {
		if (*at != ';')
			continue;
		const char *name = at + 1 + strspn(at + 1, " \t");
		if ((*name == 'q' || *name == 'Q') && name[1] == '=')
			return strtod(name + 2, NULL);
	}
	return 1;
}

/* Takes the next entry from *AT. */
static bool next_entry(const char **at, struct entry *entry)
{
	*at += strspn(*at, " \t,");
	if (**at == '\0')
		return false;
	const char *end = end_of(*at);
	entry->name = (struct ss_text){*at, strcspn(*at, " \t,;")};
	entry->weight = weight_of(*at, end);
	*at = end;
	return true;
}

static bool is(struct ss_text name, const char *text, size_t length)
{
	return name.length == length && strncasecmp(name.data, text, length) == 0;
}

/* How closely RANGE names TYPE: 3 by its name, 2 as one of its kind, 1 as anything, 0 not at all. */
static int closeness(struct ss_text range, const char *type)
{
	size_t kind = strcspn(type, "/") + 1;
	if (is(range, type, strlen(type)))
		return 3;
	if (range.length == kind + 1 && range.data[kind] == '*' &&
		strncasecmp(range.data, type, kind) == 0)
		return 2;
	return is(range, "*/*", 3) ? 1 : 0;
}

double http_type_wanted(const char *header, const char *type)
{
	struct entry entry;
	double wanted = 0;
	int closest = 0;
	bool any = false;
	while (header != NULL && next_entry(&header, &entry)) {
		int close = closeness(entry.name, type);
		any |= memchr(entry.name.data, '/', entry.name.length) != NULL;
		if (close > closest) {
			closest = close;
			wanted = entry.weight;
		}
	}
	return any ? wanted : 1;
}

bool http_gzip_accepted(const char *header)
{
	struct entry entry;
	double wanted = 0;
	while (header != NULL && next_entry(&header, &entry)) {
		if (is(entry.name, "gzip", 4))
			return entry.weight > 0;
		if (is(entry.name, "*", 1))
			wanted = entry.weight;
	}
	return wanted > 0;
}

bool http_etag_listed(const char *header, const char *etag)
{
	for (const char *at = header + strspn(header, " \t,"); *at != '\0';
		at += strspn(at, " \t,")) {
		if (*at == '*')
			return true;
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
		if (end == NULL)
			return false;
		size_t length = (size_t)(end + 1 - at);
		if (length == strlen(etag) && memcmp(at, etag, length) == 0)
			return true;
		at = end + 1;
	}
	return false;
}

char *http_gzip(struct ss_text text, int level, size_t *length)
{
	z_stream stream = {.next_in = (const Bytef *)text.data, .avail_in = (uInt)text.length};
	if (deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* only for want of memory */
	uLong bound = deflateBound(&stream, (uLong)text.length);
	char *packed = memory_new(bound);
	stream.next_out = (Bytef *)packed;
	stream.avail_out = (uInt)bound;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort(); /* cannot happen: it has the room that zlib asked for */
	*length = stream.total_out;
	(void)deflateEnd(&stream);
	return packed;
}

static bool is_packable(const struct http_outgoing *outgoing)
{
	if (outgoing->type == NULL || outgoing->length < PACK_AT_LEAST ||
		outgoing->length > PACK_AT_MOST)
		return false;
	size_t length = strcspn(outgoing->type, ";");
	for (size_t i = 0; i < array_length(packable_types); i++) {
		if (is((struct ss_text){outgoing->type, length}, packable_types[i],
			    strlen(packable_types[i])))
			return true;
	}
	return false;
}

/* Writes the ETag of OUTGOING: the handler's, or one of its bytes; with the mark when it is sent PACKED. Empty: there is none. */
static void write_tag(const struct http_request *request, const struct http_outgoing *outgoing,
	bool packed, char tag[TAG_SIZE])
{
	char hash[HASH_SIZE];
	const char *own = http_reply_header_of(request, "ETag");
	tag[0] = '\0';
	if (own == NULL && !request->may_be_known)
		return;
	if (own == NULL)
		(void)snprintf(tag, TAG_SIZE, "\"%.32s",
			hash_sha256(outgoing->body, outgoing->length, hash));
	else
		(void)snprintf(tag, TAG_SIZE, "%.*s", (int)strlen(own) - 1, own);
	size_t length = strlen(tag);
	(void)snprintf(tag + length, TAG_SIZE - length, "%s\"", packed ? packed_mark : "");
}

static void pack(struct http_request *request, struct http_outgoing *outgoing)
{
	outgoing->packed = http_gzip((struct ss_text){outgoing->body, outgoing->length},
		Z_BEST_SPEED, &outgoing->length);
	outgoing->body = outgoing->packed;
	http_reply_header(request, "Content-Encoding", "gzip");
}

void http_negotiate(struct http_request *request, struct http_outgoing *outgoing)
{
	char tag[TAG_SIZE];
	const char *known = http_request_header(request, "If-None-Match");
	bool may_be = is_packable(outgoing);
	bool packed = may_be && http_gzip_accepted(http_request_header(request, "Accept-Encoding"));
	if (may_be)
		http_reply_vary(request, "Accept-Encoding");
	write_tag(request, outgoing, packed, tag);
	if (tag[0] != '\0')
		http_reply_header(request, "ETag", tag);
	if (request->may_be_known && outgoing->status == 200 && known != NULL &&
		http_etag_listed(known, tag))
		*outgoing = (struct http_outgoing){.status = 304};
	else if (packed)
		pack(request, outgoing);
}
