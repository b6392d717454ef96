/* Storing items: many in one transaction, each of them alone in what it can do wrong. */
#include "common/sql/operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { STEPS = 64 };

int64_t database_now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Fills SIZE BYTES with random ones. */
static int fill_random(void *bytes, size_t size, struct ss_error *err)
{
	char *at = bytes;
	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno != EINTR)
			return ss_fail(err, "the system gives no random numbers for an id");
		at += got > 0 ? got : 0;
		size -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

/* Writes the last DIGITS hexadecimal digits of NUMBER and a dash, and gives what is behind them. */
static char *write_digits(char *to, uint64_t number, int digits)
{
	for (int i = digits; i-- > 0; number >>= 4)
		to[i] = "0123456789abcdef"[number & 0xf];
	to[digits] = '-';
	return to + digits + 1;
}

/* The last 62 bits of RANDOM are in the id. */
static void write_id(int64_t at_us, uint64_t random, char id[DATABASE_ID_SIZE])
{
	uint64_t us = (uint64_t)at_us, ms = us / 1000;
	char *to = write_digits(id, ms >> 16, 8);
	to = write_digits(to, ms, 4);
	to = write_digits(to, 0x7000 | us % 1000 * 0x1000 / 1000, 4);
	to = write_digits(to, 0x8000 | (random >> 48 & 0x3fff), 4);
	to = write_digits(to, random, 12);
	to[-1] = '\0';
}

int database_make_id(int64_t at_us, char id[DATABASE_ID_SIZE], struct ss_error *err)
{
	uint64_t random;
	if (fill_random(&random, sizeof random, err) < 0)
		return -1;
	write_id(at_us, random, id);
	return 0;
}

int database_make_ids(char (*ids)[DATABASE_ID_SIZE], size_t count, struct ss_error *err)
{
	int64_t now_us = database_now_us();
	uint64_t random;
	uint32_t steps[STEPS];
	if (fill_random(&random, sizeof random, err) < 0)
		return -1;
	random &= UINT64_MAX >> 3; /* of 62 bits, the first leaves room for the sum of all steps */
	for (size_t i = 0; i < count; i++) {
		if (i % STEPS == 0 && fill_random(steps, sizeof steps, err) < 0)
			return -1;
		random += (uint64_t)steps[i % STEPS] + 1;
		write_id(now_us, random, ids[i]);
	}
	return 0;
}

static bool given(const char *id)
{
	return id != NULL && id[0] != '\0';
}

/* Whether the turn itself is wrong, and not the database or the machine. */
static bool is_refusal(const struct ss_error *err)
{
	return err->status == SS_INVALID || err->status == SS_CONFLICT ||
	       err->status == SS_NOT_FOUND;
}

static void refuse(const struct database_batch *batch, const void *item,
	const struct ss_error *cause, struct ss_error *its_error)
{
	const char *id = batch->id(item);
	(void)ss_fail_as(its_error, cause->status, "%s %s: %s",
		batch->noun != NULL ? batch->noun : "turn", given(id) ? id : "without an id",
		cause->text);
}

/* The items of a batch that are new so far. */
struct stored {
	const void **items;
	size_t count;
};

/* 0 when ITEM is stored or was stored before, 1 when it is refused for CAUSE, -1 and CAUSE when the transaction cannot go on. */
static int write_item(struct database *db, const struct database_batch *batch, const void *item,
	struct stored *stored, struct ss_error *cause)
{
	*cause = (struct ss_error){.status = SS_OK};
	int result = batch->write(db, item, cause);
	if (result < 0)
		return is_refusal(cause) ? 1 : -1;
	if (result > 0)
		stored->items[stored->count++] = item;
	return 0;
}

/* Whether BATCH needs no transaction but that of its only statement. */
static bool is_single(const struct database *db, const struct database_batch *batch)
{
	return batch->count == 1 && batch->is_single != NULL && batch->is_single(db, batch->items);
}

static int begin_batch(
	struct database *db, const struct database_batch *batch, struct ss_error *err)
{
	return is_single(db, batch) ? database_begin_single(db, err)
				    : database_begin(db, STATEMENT_BEGIN_WRITE, err);
}

/* 0, or else the transaction cannot go on. */
static int write_all(struct database *db, const struct database_batch *batch,
	const void *const *order, struct stored *stored, struct ss_error *err)
{
	int result = 0;
	if (batch->write_new != NULL) {
		memcpy(stored->items, order, batch->count * sizeof *order);
		return batch->write_new(db, stored->items, batch->count, err);
	}
	for (size_t i = 0; result == 0 && i < batch->count; i++)
		result = write_item(db, batch, order[i], stored, err);
	if (result == 0 && batch->finish != NULL && stored->count > 0)
		result = batch->finish(db, stored->items, stored->count, err);
	return result;
}

/* Stores all items, as nearly always none of them is refused: 0, or else there is no trace of them, 1 when one or
 * another was refused, or -1. */
static int commit_together(struct database *db, const struct database_batch *batch,
	const void *const *order, struct stored *stored, struct ss_error *err)
{
	database_defer(db, !is_single(db, batch));
	int result = begin_batch(db, batch, err);
	if (result == 0)
		result = write_all(db, batch, order, stored, err);
	database_defer(db, false);
	if (result == 0 && !is_single(db, batch))
		result = statement_run(db, STATEMENT_COMMIT, err);
	if (result == 0)
		return 0;
	database_rollback(db);
	return is_refusal(err) ? 1 : -1;
}

/* Stores the ITEM of BATCH, or fills ITS_ERROR and leaves no trace of it. -1 and ERR when the transaction
 * cannot go on. */
static int store_item(struct database *db, const struct database_batch *batch, const void *item,
	struct stored *stored, struct ss_error *its_error, struct ss_error *err)
{
	struct ss_error cause;
	if (statement_run(db, STATEMENT_BEGIN_TURN, err) < 0)
		return -1;
	int result = write_item(db, batch, item, stored, &cause);
	bool looks_again = result == 1 && database_met_another(db);
	if (result == 1 && statement_run(db, STATEMENT_UNDO_TURN, err) < 0)
		return -1;
	if (looks_again) {
		result = write_item(db, batch, item, stored, &cause);
		if (result == 1 && statement_run(db, STATEMENT_UNDO_TURN, err) < 0)
			return -1;
	}
	if (result < 0) {
		*err = cause;
		return -1;
	}
	if (result == 1)
		refuse(batch, item, &cause, its_error);
	return statement_run(db, STATEMENT_END_TURN, err);
}

/* The only item of BATCH needs nothing that it can be undone by but the transaction. 1 when it was refused. */
static int store_only(struct database *db, const struct database_batch *batch,
	struct stored *stored, struct ss_error *its_error, struct ss_error *err)
{
	struct ss_error cause;
	int result = write_item(db, batch, batch->items, stored, &cause);
	bool looks_again = result == 1 && database_met_another(db);
	if (result == 1)
		database_rollback(db);
	if (looks_again) {
		if (begin_batch(db, batch, err) < 0)
			return -1;
		result = write_item(db, batch, batch->items, stored, &cause);
		if (result == 1)
			database_rollback(db);
	}
	if (result < 0)
		*err = cause;
	if (result == 1)
		refuse(batch, batch->items, &cause, its_error);
	return result;
}

/* Stores the items of BATCH, in ORDER: 0, or 1 when there is nothing to commit, or -1. */
static int store_items(struct database *db, const struct database_batch *batch,
	const void *const *order, struct stored *stored, struct ss_error *errors,
	struct ss_error *err)
{
	const char *first = batch->items;
	if (batch->count == 1)
		return store_only(db, batch, stored, &errors[0], err);
	for (size_t i = 0; i < batch->count; i++) {
		size_t index = (size_t)((const char *)order[i] - first) / batch->size;
		if (store_item(db, batch, order[i], stored, &errors[index], err) < 0)
			return -1;
	}
	return 0;
}

/* Stores those items that are not refused, each of them after a look at what is there. The same results. */
static int commit_one_by_one(struct database *db, const struct database_batch *batch,
	const void *const *order, struct stored *stored, struct ss_error *errors,
	struct ss_error *err)
{
	*err = (struct ss_error){.status = SS_OK};
	stored->count = 0;
	int result = begin_batch(db, batch, err);
	if (result == 0)
		result = store_items(db, batch, order, stored, errors, err);
	if (result == 0 && batch->finish != NULL && stored->count > 0)
		result = batch->finish(db, stored->items, stored->count, err);
	if (result == 0 && !is_single(db, batch))
		result = statement_run(db, STATEMENT_COMMIT, err);
	if (result < 0)
		database_rollback(db);
	return result;
}

/* The items of BATCH in the order in which they are stored. */
static void sort_items(const struct database_batch *batch, const void **order)
{
	const char *first = batch->items;
	for (size_t i = 0; i < batch->count; i++)
		order[i] = first + i * batch->size;
	if (batch->compare != NULL)
		qsort(order, batch->count, sizeof *order, batch->compare);
}

/* Stores the items of the batch QUESTION and fills their errors, ANSWER. */
static int commit_batch(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct database_batch *batch = question;
	struct ss_error *errors = answer;
	const void **order = calloc(batch->count * 2, sizeof *order);
	for (size_t i = 0; i < batch->count; i++)
		errors[i].status = SS_OK;
	if (order == NULL)
		return database_fail_memory(db, err);
	struct stored stored = {.items = order + batch->count};
	sort_items(batch, order);
	int result = commit_together(db, batch, order, &stored, err);
	if (result == 1)
		result = commit_one_by_one(db, batch, order, &stored, errors, err);
	free(order);
	return result == 1 ? 0 : database_note_commit(db, result, err);
}

int database_commit_all(
	struct database *db, const struct database_batch *batch, struct ss_error *errors)
{
	struct ss_error err = {.status = SS_OK};
	if (batch->count == 0)
		return 0;
	if (batch->size < batch->least)
		return ss_fail(&errors[0], "turns have %zu bytes, but this plugin reads %zu",
			batch->size, batch->least);
	if (database_try(db, commit_batch, batch, errors, &err) == 0)
		return 0;
	errors[0] = err;
	return -1;
}
