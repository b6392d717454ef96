/*
 * Choosing what to quote of an article: its opening paragraph, its steps, and the paragraphs that the
 * question is about. Pure functions on text; any thread.
 */
#ifndef EXTRACTIVE_PASSAGES_H
#define EXTRACTIVE_PASSAGES_H

#include <smartsupport/value.h>

/* Called with each passage as it is added to what was quoted before, with the empty line in between; borrowed. */
typedef void passages_added(void *context, struct ss_text passage);

/* Writes to OUT what to quote of the article CONTENT (UTF-8, paragraphs between empty lines) for QUESTION,
 * at most LIMIT bytes: whole paragraphs, and of one that is too long whole sentences or steps. ADDED (NULL:
 * nobody) is told of each with CONTEXT. Returns the bytes written; OUT has room for LIMIT. */
size_t passages_quote(struct ss_text content, struct ss_text question, char *out, size_t limit,
	passages_added *added, void *context);

/* The same with one paragraph alone, the one that passages_quote() begins with. */
size_t passages_quote_first(
	struct ss_text content, struct ss_text question, char *out, size_t limit);

#endif
