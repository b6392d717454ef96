#include "http/kept.h"

#include "base/hash.h"
#include "http/negotiate.h"
#include "http/private.h"

#include <stdio.h>
#include <stdlib.h>

struct http_form http_form_of(struct ss_text text)
{
	char hash[HASH_SIZE];
	struct http_form form = {.text = text};
	(void)hash_sha256(text.data, text.length, hash);
	(void)snprintf(form.etag, sizeof form.etag, "\"%.32s\"", hash);
	return form;
}

struct http_form http_form_packed(struct ss_text text)
{
	size_t length = 0;
	char *packed = http_gzip(text, 9, &length);
	return http_form_of((struct ss_text){packed, length});
}

void http_reply_kept(struct http_request *request, const struct http_kept *kept)
{
	const char *known = http_request_header(request, "If-None-Match");
	const struct http_form *form = &kept->plain;
	if (kept->gzip.text.length > 0) {
		http_reply_vary(request, "Accept-Encoding");
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
