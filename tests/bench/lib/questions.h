/* Questions for a benchmark: the texts of tests/data/, numbered so that no two are equal. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include "base/buffer.h"

#include <smartsupport/error.h>

struct questions;

/* Reads the COUNT files, JSON lines with a member "text". */
struct questions *questions_new(const char *const *files, size_t count, struct ss_error *err);
void questions_free(struct questions *questions);

size_t questions_texts(const struct questions *questions);
/* The text ROW as it is in its file. */
const char *questions_text(const struct questions *questions, size_t row);

/* Appends {"message": …, "user_id": …} with the question NUMBER, of one of CUSTOMERS customers, to BODY. */
void questions_body(
	const struct questions *questions, size_t number, size_t customers, struct buffer *body);

#endif
