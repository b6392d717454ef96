/* The formats that strings of the REST API have, for document.c. */
#ifndef API_FORMATS_H
#define API_FORMATS_H

#include "http/json_schema.h"

extern const struct json_format api_formats[];
extern const size_t api_format_count;

/* Whether TEXT is PREFIX and a UUID in small letters. */
bool api_is_id(const char *text, const char *prefix);

/* Reads RFC 3339 ("2026-01-31T09:05:00Z", with a fraction or an offset) as Unix time. */
bool api_read_time(const char *text, int64_t *at_ns);

#endif
