/*
 * A knowledge base that changes while it is searched: one article after the other is put in its place or taken out, a
 * piece of work of a few milliseconds at a time, so that questions that wait are answered between two pieces. Called on
 * the compute thread, as knowledge_search() is; between two pieces the base is as it was before or after a whole article.
 *
 * Articles that came later than the index are looked at one by one, so their number costs each search a little.
 */
#ifndef SERVICE_KNOWLEDGE_CHANGE_H
#define SERVICE_KNOWLEDGE_CHANGE_H

#include "service/knowledge.h"

struct knowledge_change;
struct knowledge_calibration;

/* Puts ARTICLE, as struct articles has them, in the place of the one with ID; NULL: takes that one out, if it is there. */
struct knowledge_change *knowledge_change_new(const char *id, const struct ss_value *article);
void knowledge_change_free(struct knowledge_change *change);

/* Does a piece of CHANGE: 1 when there is more to do, 0 when it is done. -1 and ERR when the embedder fails; it can be gone on
 * with. Texts that the article had before are not embedded again. */
int knowledge_change_step(
	struct knowledge *knowledge, struct knowledge_change *change, struct ss_error *err);

/* Learns anew how near the base's own questions come to other articles, as knowledge_new() does; the same results. */
struct knowledge_calibration *knowledge_calibration_new(void);
void knowledge_calibration_free(struct knowledge_calibration *calibration);
int knowledge_calibration_step(struct knowledge *knowledge,
	struct knowledge_calibration *calibration, struct ss_error *err);

/* All of it at once. */
int knowledge_calibrate(struct knowledge *knowledge, struct ss_error *err);

#endif
