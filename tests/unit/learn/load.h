/* Datasets from text, for the tests of this folder. */
#ifndef LEARN_LOAD_H
#define LEARN_LOAD_H

#include "learn/dataset.h"

/* The dataset of a file NAME ("x.jsonl", "x.csv") with LENGTH bytes of TEXT, whose labels are in "mood". */
struct dataset *load_bytes(const char *name, const char *text, size_t length, struct ss_error *err);
struct dataset *load_text(const char *name, const char *text, struct ss_error *err);

#endif
