/* A text that is kept out of core files and overwritten at the end, as the key of an API. */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <smartsupport/value.h>

struct secret {
	char *text; /* NUL-terminated; NULL: there is none */
	size_t size;
	size_t begin, length; /* where in the text the secret itself is */
};

/* Makes SECRET of PREFIX and TEXT, which are copied. */
int secret_make(struct secret *secret, const char *prefix, const char *text, struct ss_error *err);

/* Overwrites and frees it. */
void secret_end(struct secret *secret);

/* Where a text of which LENGTH bytes of TEXT are shown is to be cut instead, so that it does not end with a part of the
 * secret, which secret_hide() would not find. */
size_t secret_cut(const struct secret *secret, struct ss_text text, size_t length);

/* Overwrites each place in the NUL-terminated TEXT where the secret itself stands. */
void secret_hide(const struct secret *secret, char *text);

#endif
