#include "http/kept.h"

#include "base/hash.h"
#include "http/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_form http_form_of(struct ss_text text)
{
	char hash[HASH_SIZE];
	struct http_form form = {.text = text};
	(void)hash_sha256(text.data, text.length, hash);
	(void)snprintf(form.etag, sizeof form.etag, "\"%.32s\"", hash);
	return form;
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

bool http_gzip_accepted(const char *header)
{
	if (header == NULL)
		return false;
	for (const char *at = header + strspn(header, " \t,"); *at != '\0';
		at += strspn(at, " \t,")) {
		size_t length = strcspn(at, " \t,;");
		bool gzip = length == strlen("gzip") && strncasecmp(at, "gzip", length) == 0;
		at += length;
		at += strspn(at, " \t");
		const char *weight = *at == ';' ? strchr(at, '=') : NULL;
		at += strcspn(at, ",");
		if (gzip)
			return weight == NULL || weight > at || strtod(weight + 1, NULL) > 0;
	}
	return false;
}

void http_reply_kept(struct http_request *request, const struct http_kept *kept)
{
	const char *known = http_request_header(request, "If-None-Match");
	const struct http_form *form = &kept->plain;
	if (kept->gzip.text.length > 0) {
		http_reply_header(request, "Vary", "Accept-Encoding");
		if (http_gzip_accepted(http_request_header(request, "Accept-Encoding")))
			form = &kept->gzip;
	}
	/* They may be kept, and each use asks: after an upgrade nobody sees a mixture. */
	http_reply_header(request, "Cache-Control", "no-cache");
	http_reply_header(request, "ETag", form->etag);
	if (kept->policy != NULL)
		http_reply_header(request, "Content-Security-Policy", kept->policy);
	if (known != NULL && http_etag_listed(known, form->etag)) {
		http_reply_empty(request, 304);
		return;
	}
	if (form == &kept->gzip)
		http_reply_header(request, "Content-Encoding", "gzip");
	http_reply_shared(request, 200, kept->type, form->text);
}
