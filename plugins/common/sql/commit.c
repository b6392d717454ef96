/* Storing turns: many in one transaction, each of them alone in what it can do wrong. */
#include "common/sql/operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
	US_IN_NS = 1000,
	PRIORITY_MIN = 1,
	PRIORITY_MAX = 10,
};

int64_t database_now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int database_make_id(int64_t at_us, char id[DATABASE_ID_SIZE], struct ss_error *err)
{
	uint64_t random[2];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return ss_fail(err, "the system gives no random numbers for an id");
	uint64_t ms = (uint64_t)(at_us / 1000);
	(void)snprintf(id, DATABASE_ID_SIZE, "%08x-%04x-7%03x-%04x-%012llx",
		(unsigned)(ms >> 16 & 0xffffffff), (unsigned)(ms & 0xffff),
		(unsigned)(random[0] & 0xfff), (unsigned)(0x8000 | (random[0] >> 12 & 0x3fff)),
		(unsigned long long)(random[1] & 0xffffffffffff));
	return 0;
}

static bool given(const char *id)
{
	return id != NULL && id[0] != '\0';
}

static const char *text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static int check_metadata(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	struct ss_error cause = {.status = SS_OK};
	if (turn->metadata == NULL)
		return 0;
	struct ss_value *metadata =
		database_values(db)->from_json(turn->metadata, strlen(turn->metadata), &cause);
	if (metadata == NULL)
		return ss_fail_as(err, SS_INVALID, "its metadata is not JSON: %s", cause.text);
	database_values(db)->unref(metadata);
	return 0;
}

static int check_turn(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	if (!given(turn->turn_id) || !given(turn->conversation_id) || !given(turn->user_id))
		return ss_fail_as(err, SS_INVALID,
			"it needs the ids of the turn, its conversation and its user");
	if (turn->priority < PRIORITY_MIN || turn->priority > PRIORITY_MAX)
		return ss_fail_as(err, SS_INVALID,
			"its priority is %lld, but priorities are from %d to %d",
			(long long)turn->priority, PRIORITY_MIN, PRIORITY_MAX);
	if (turn->attempts < 0 || turn->duration_ns < 0 || turn->asked_at_ns < 0 ||
		turn->answered_at_ns < 0)
		return ss_fail_as(err, SS_INVALID,
			"its attempts (%lld), duration (%lld ns) and times (%lld, %lld ns) must "
			"not be "
			"below 0",
			(long long)turn->attempts, (long long)turn->duration_ns,
			(long long)turn->asked_at_ns, (long long)turn->answered_at_ns);
	if (turn->unanswered != NULL && turn->unanswered[0] == '\0')
		return ss_fail_as(err, SS_INVALID,
			"the key of its question, which has no answer, must not be empty");
	return check_metadata(db, turn, err);
}

int database_fail_conversation(const char *conversation_id, struct ss_error *err)
{
	return ss_fail_as(err, SS_NOT_FOUND,
		"the conversation %s does not exist or belongs to another user", conversation_id);
}

/* 1 when the turn is stored already, 0 when it is not, -1 when another turn has its id. */
static int find_turn(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_TURN);
	cursor_bind_string(&cursor, turn->turn_id);
	cursor_bind_string(&cursor, turn->conversation_id);
	cursor_bind_string(&cursor, turn->user_id);
	cursor_bind_text(&cursor, turn->message);
	cursor_bind_text(&cursor, turn->response);
	cursor_bind_string(&cursor, turn->category);
	cursor_bind_string(&cursor, turn->sentiment);
	cursor_bind_int(&cursor, turn->priority);
	cursor_bind_int(&cursor, turn->escalated);
	int result = cursor_next(&cursor, err);
	if (result == 1 && cursor_int(&cursor, 0) == 0)
		result = ss_fail_as(err, SS_CONFLICT,
			"a turn with this id but another content is stored already");
	cursor_end(&cursor);
	return result;
}

static int add_user(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_USER);
	cursor_bind_string(&cursor, turn->user_id);
	cursor_bind_int(&cursor, turn->asked_at_ns / US_IN_NS);
	return cursor_finish(&cursor, err);
}

/* Creates the turn's conversation or goes on with it. */
static struct cursor begin_conversation(struct database *db, const struct ss_turn *turn)
{
	struct cursor cursor =
		cursor_begin(db, turn->new_conversation ? STATEMENT_ADD_CONVERSATION
							: STATEMENT_CONTINUE_CONVERSATION);
	cursor_bind_string(&cursor, turn->conversation_id);
	cursor_bind_string(&cursor, turn->user_id);
	cursor_bind_int(&cursor, turn->escalated);
	cursor_bind_string(&cursor, turn->category);
	cursor_bind_string(&cursor, turn->sentiment);
	cursor_bind_int(&cursor, turn->priority);
	cursor_bind_int(&cursor, turn->asked_at_ns / US_IN_NS);
	cursor_bind_int(&cursor, turn->answered_at_ns / US_IN_NS);
	return cursor;
}

static int enter_conversation(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	struct cursor cursor = begin_conversation(db, turn);
	int result = cursor_next(&cursor, err);
	if (result == 1)
		result = cursor_next(&cursor, err);
	else if (result == 0)
		result = database_fail_conversation(turn->conversation_id, err);
	else if (cursor_is_duplicate(&cursor))
		result = ss_fail_as(err, SS_CONFLICT,
			"the conversation %s cannot be created: there is one with this id",
			turn->conversation_id);
	cursor_end(&cursor);
	return result;
}

/* The messages' places in the conversation follow from its number of messages, which it knows already. */
static int add_question(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	char id[DATABASE_ID_SIZE];
	int64_t at_us = turn->asked_at_ns / US_IN_NS;
	if (database_make_id(at_us, id, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_QUESTION);
	cursor_bind_string(&cursor, id);
	cursor_bind_string(&cursor, turn->conversation_id);
	cursor_bind_text(&cursor, turn->message);
	cursor_bind_int(&cursor, at_us);
	cursor_bind_string(&cursor, turn->embedder);
	cursor_bind_bytes(&cursor, turn->vector);
	return cursor_finish(&cursor, err);
}

/* ID is the new message's. */
static int add_answer(struct database *db, const struct ss_turn *turn, char id[DATABASE_ID_SIZE],
	struct ss_error *err)
{
	int64_t at_us = turn->answered_at_ns / US_IN_NS;
	if (database_make_id(at_us, id, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_ANSWER);
	cursor_bind_string(&cursor, id);
	cursor_bind_string(&cursor, turn->conversation_id);
	cursor_bind_text(&cursor, turn->response);
	cursor_bind_int(&cursor, at_us);
	cursor_bind_string(&cursor, turn->turn_id);
	cursor_bind_string(&cursor, turn->category);
	cursor_bind_string(&cursor, turn->sentiment);
	cursor_bind_int(&cursor, turn->priority);
	cursor_bind_int(&cursor, turn->attempts);
	cursor_bind_int(&cursor, turn->escalated);
	cursor_bind_string(&cursor, turn->escalation_reason);
	cursor_bind_string(&cursor, turn->answered_by);
	cursor_bind_int(&cursor, turn->duration_ns);
	cursor_bind_string(&cursor, turn->metadata);
	return cursor_finish(&cursor, err);
}

static int set_thread(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_SET_THREAD);
	cursor_bind_string(&cursor, turn->thread);
	cursor_bind_string(&cursor, turn->conversation_id);
	cursor_bind_int(&cursor, turn->answered_at_ns / US_IN_NS);
	return cursor_finish(&cursor, err);
}

/* What is left of a turn when its conversation is entered. */
static int add_messages(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	char answer[DATABASE_ID_SIZE];
	if (add_question(db, turn, err) < 0 || add_answer(db, turn, answer, err) < 0 ||
		database_note_shown(db, turn, answer, err) < 0)
		return -1;
	return database_store_events(db, &turn->events, turn->user_id, turn->conversation_id,
		turn->answered_at_ns / US_IN_NS, err);
}

static int count_turns(
	struct database *db, const void *const *items, size_t count, struct ss_error *err)
{
	if (database_count_turns(db, items, count, err) < 0)
		return -1;
	return database_count_views(db, items, count, err);
}

static int write_turn(struct database *db, const void *item, struct ss_error *err)
{
	const struct ss_turn *turn = item;
	if (check_turn(db, turn, err) < 0)
		return -1;
	int found = find_turn(db, turn, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (add_user(db, turn, err) < 0 || enter_conversation(db, turn, err) < 0 ||
		add_messages(db, turn, err) < 0)
		return -1;
	return count_turns(db, &item, 1, err) < 0 ? -1 : 1;
}

/* A turn that is stored already breaks a rule of the schema, since its answer's turn is there; so does one of a conversation
 * that it has no part in, since its place is taken or is none. */
static int write_new_turn(struct database *db, const void *item, struct ss_error *err)
{
	const struct ss_turn *turn = item;
	if (check_turn(db, turn, err) < 0 || add_user(db, turn, err) < 0)
		return -1;
	struct cursor cursor = begin_conversation(db, turn);
	if (cursor_finish(&cursor, err) < 0 || add_messages(db, turn, err) < 0)
		return -1;
	return 1;
}

/* Those that are equal stay in the order of the turns. */
static int compare_keys(const char *a, const char *b, const void *first, const void *second)
{
	int order = strcmp(a, b);
	return order != 0 ? order : (first > second) - (first < second);
}

static const struct ss_turn *turn_at(const void *place)
{
	return *(const struct ss_turn *const *)place;
}

/* Two servers that store turns of the same users and conversations at once lock these in the same order. The turns of a
 * conversation, which has one user, stay as they are. */
static int compare_conversations(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	int order = strcmp(text_or_empty(first->user_id), text_or_empty(second->user_id));
	return order != 0 ? order
			  : compare_keys(text_or_empty(first->conversation_id),
				    text_or_empty(second->conversation_id), first, second);
}

static int compare_unanswered(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	return compare_keys(
		text_or_empty(first->unanswered), text_or_empty(second->unanswered), first, second);
}

static int compare_threads(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	return compare_keys(
		text_or_empty(first->thread), text_or_empty(second->thread), first, second);
}

/* What turns of other conversations change as well is changed at the end and in the order of its keys: two servers
 * that wrote it in different orders could wait for each other. */
static int finish_turns(struct database *db, const void **items, size_t count, struct ss_error *err)
{
	qsort(items, count, sizeof *items, compare_unanswered);
	for (size_t i = 0; i < count; i++) {
		if (database_note_unanswered(db, items[i], err) < 0)
			return -1;
	}
	qsort(items, count, sizeof *items, compare_threads);
	for (size_t i = 0; i < count; i++) {
		const struct ss_turn *turn = items[i];
		if (given(turn->thread) && set_thread(db, turn, err) < 0)
			return -1;
	}
	return 0;
}

/* Each row of the figures is changed once for all turns. */
static int finish_new_turns(
	struct database *db, const void **items, size_t count, struct ss_error *err)
{
	if (count_turns(db, items, count, err) < 0)
		return -1;
	return finish_turns(db, items, count, err);
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

/* 0 when WRITE has stored ITEM or it was stored before, 1 when it is refused for CAUSE, -1 and CAUSE when the transaction cannot
 * go on. */
static int write_with(struct database *db, database_write *write, const void *item,
	struct stored *stored, struct ss_error *cause)
{
	*cause = (struct ss_error){.status = SS_OK};
	int result = write(db, item, cause);
	if (result < 0)
		return is_refusal(cause) ? 1 : -1;
	if (result > 0)
		stored->items[stored->count++] = item;
	return 0;
}

static int write_item(struct database *db, const struct database_batch *batch, const void *item,
	struct stored *stored, struct ss_error *cause)
{
	return write_with(db, batch->write, item, stored, cause);
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

/* Stores all items, as nearly always none of them is refused: 0, or else there is no trace of them, 1 when one or
 * another was refused, or -1. */
static int commit_together(struct database *db, const struct database_batch *batch,
	const void *const *order, struct stored *stored, struct ss_error *err)
{
	bool has_own = batch->write_new != NULL;
	database_write *write = has_own ? batch->write_new : batch->write;
	database_finish *finish = has_own ? batch->finish_new : batch->finish;
	database_defer(db, !is_single(db, batch));
	int result = begin_batch(db, batch, err);
	for (size_t i = 0; result == 0 && i < batch->count; i++)
		result = write_with(db, write, order[i], stored, err);
	if (result == 0 && finish != NULL && stored->count > 0)
		result = finish(db, stored->items, stored->count, err);
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
		errors[i] = (struct ss_error){.status = SS_OK};
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

static const char *turn_id(const void *item)
{
	return ((const struct ss_turn *)item)->turn_id;
}

int database_commit_turns(
	void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors)
{
	const struct database_batch batch = {
		.items = turns,
		.count = count,
		.size = count > 0 ? turns[0].struct_size : 0,
		.least = sizeof *turns,
		.write = write_turn,
		.write_new = write_new_turn,
		.compare = compare_conversations,
		.finish = finish_turns,
		.finish_new = finish_new_turns,
		.id = turn_id,
	};
	return database_commit_all(instance, &batch, errors);
}
