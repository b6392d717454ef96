/*
 * The pages about the API for browsers, and the document itself: /docs with Swagger UI, /redoc with Redoc, /docs/errors,
 * the files that they load, and /openapi.json. Everything is read and printed once, when a worker starts; then it is only
 * read. Swagger UI and Redoc come from a folder of the configuration; without them their pages tell what is missing.
 */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "http/kept.h"

#include <smartsupport/error.h>

struct api_pages;

/* Takes what is in FOLDER, which may lack anything, and prints DOCUMENT. NULL and ERR when a file is there and cannot be
 * read. */
struct api_pages *api_pages_new(
	const char *folder, const struct ss_value *document, struct ss_error *err);
void api_pages_free(struct api_pages *pages);

/* The OpenAPI document. */
const struct http_kept *api_pages_document(const struct api_pages *pages);

#endif
