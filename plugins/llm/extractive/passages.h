/*
 * Choosing what to quote of an article: its opening paragraph, its steps, and the paragraphs that the
 * question is about. Pure functions on text; any thread.
 */
#ifndef EXTRACTIVE_PASSAGES_H
#define EXTRACTIVE_PASSAGES_H

#include <smartsupport/value.h>

/* Writes to OUT what to quote of the article CONTENT (UTF-8, paragraphs between empty lines) for QUESTION,
 * at most LIMIT bytes: whole paragraphs, and of one that is too long whole sentences or steps. FIRST_ONLY
 * leaves it at one paragraph. Returns the bytes written; OUT has room for LIMIT. */
size_t passages_quote(
	struct ss_text content, struct ss_text question, bool first_only, char *out, size_t limit);

#endif
