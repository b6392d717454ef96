/* Storing turns: those of a batch together, table by table, so that a database which takes many rows at once gets them so. */
#include "common/sql/operations.h"

#include <stdlib.h>
#include <string.h>

enum {
	US_IN_NS = 1000,
	PRIORITY_MIN = 1,
	PRIORITY_MAX = 10,
};

/* A turn that is stored. */
struct entry {
	const struct ss_turn *turn;
	int64_t behind; /* messages of later turns that are stored with it behind its own */
	/* Of its answer in the conversation: counted from 1 in one that is new, else from the end, of which it is 0. */
	int64_t place;
	const char *question, *answer; /* the ids of its messages */
};

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
	if (turn->metadata == NULL || turn->metadata_is_json)
		return 0;
	struct ss_value *metadata =
		database_values(db)->from_json(turn->metadata, strlen(turn->metadata), &cause);
	if (metadata == NULL)
		return ss_fail_as(err, SS_INVALID, "its metadata is not JSON: %s", cause.text);
	database_values(db)->unref(metadata);
	return 0;
}

/* All but its metadata. */
static int check_turn(const struct ss_turn *turn, struct ss_error *err)
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
	return 0;
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

/* Those of a user follow each other. */
static int add_users(
	struct database *db, const void *const *items, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_USER);
	const char *last = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct ss_turn *turn = items[i];
		if (last != NULL && strcmp(last, turn->user_id) == 0)
			continue;
		last = turn->user_id;
		cursor_bind_string(&cursor, turn->user_id);
		cursor_bind_int(&cursor, turn->asked_at_ns / US_IN_NS);
		if (cursor_end_row(&cursor, err) < 0)
			return -1;
	}
	return cursor_finish_rows(&cursor, err);
}

/* What some turns that follow each other in a conversation make of it. */
struct passage {
	const struct ss_turn *first;
	const char *category, *sentiment; /* the last that is known */
	bool escalated;
	int64_t priority, messages, updated_us;
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void add_to_passage(struct passage *passage, const struct ss_turn *turn)
{
	if (turn->category != NULL)
		passage->category = turn->category;
	if (turn->sentiment != NULL)
		passage->sentiment = turn->sentiment;
	passage->escalated |= turn->escalated;
	passage->priority = turn->priority;
	passage->messages += 2;
	passage->updated_us = later(
		passage->updated_us, later(turn->asked_at_ns, turn->answered_at_ns) / US_IN_NS);
}

/* Of the one that begins with ENTRY. */
static struct passage read_passage(const struct entry *entry)
{
	struct passage passage = {.first = entry->turn};
	int64_t turns = entry->behind / 2 + 1;
	for (int64_t i = 0; i < turns; i++)
		add_to_passage(&passage, entry[i].turn);
	return passage;
}

static void bind_passage(struct cursor *cursor, const struct passage *passage)
{
	cursor_bind_string(cursor, passage->first->conversation_id);
	cursor_bind_string(cursor, passage->first->user_id);
	cursor_bind_int(cursor, passage->escalated);
	cursor_bind_string(cursor, passage->category);
	cursor_bind_string(cursor, passage->sentiment);
	cursor_bind_int(cursor, passage->priority);
	cursor_bind_int(cursor, passage->messages);
	cursor_bind_int(cursor, passage->updated_us);
}

static void bind_new_passage(struct cursor *cursor, const struct passage *passage)
{
	bind_passage(cursor, passage);
	cursor_bind_int(cursor, passage->first->asked_at_ns / US_IN_NS);
}

/* Creates the conversations that begin with the COUNT entries; each is changed once. */
static int add_conversations(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_CONVERSATION);
	for (size_t i = 0; i < count; i += (size_t)entries[i].behind / 2 + 1) {
		if (!entries[i].turn->new_conversation)
			continue;
		struct passage passage = read_passage(&entries[i]);
		bind_new_passage(&cursor, &passage);
		if (cursor_end_row(&cursor, err) < 0)
			return -1;
	}
	return cursor_finish_rows(&cursor, err);
}

/* Goes on with the others. */
static int continue_conversations(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	for (size_t i = 0; i < count; i += (size_t)entries[i].behind / 2 + 1) {
		if (entries[i].turn->new_conversation)
			continue;
		struct passage passage = read_passage(&entries[i]);
		struct cursor cursor = cursor_begin(db, STATEMENT_CONTINUE_CONVERSATION);
		bind_passage(&cursor, &passage);
		if (cursor_finish(&cursor, err) < 0)
			return -1;
	}
	return 0;
}

/* Creates the conversation of ENTRY or goes on with it, and says what is wrong with that. */
static int enter_conversation(struct database *db, const struct entry *entry, struct ss_error *err)
{
	struct passage passage = read_passage(entry);
	const struct ss_turn *turn = entry->turn;
	struct cursor cursor;
	if (turn->new_conversation) {
		cursor = cursor_begin_rows(db, STATEMENT_ADD_CONVERSATION);
		bind_new_passage(&cursor, &passage);
	} else {
		cursor = cursor_begin(db, STATEMENT_CONTINUE_CONVERSATION);
		bind_passage(&cursor, &passage);
	}
	int result = cursor_next(&cursor, err);
	if (result == 0 && cursor_changes(&cursor) == 0)
		result = database_fail_conversation(turn->conversation_id, err);
	else if (result < 0 && cursor_is_duplicate(&cursor))
		result = ss_fail_as(err, SS_CONFLICT,
			"the conversation %s cannot be created: there is one with this id",
			turn->conversation_id);
	cursor_end(&cursor);
	return result;
}

static int add_questions(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_QUESTION);
	for (size_t i = 0; i < count; i++) {
		const struct ss_turn *turn = entries[i].turn;
		cursor_bind_string(&cursor, entries[i].question);
		cursor_bind_string(&cursor, turn->conversation_id);
		cursor_bind_int(&cursor, entries[i].place - 1);
		cursor_bind_text(&cursor, turn->message);
		cursor_bind_int(&cursor, turn->asked_at_ns / US_IN_NS);
		cursor_bind_string(&cursor, turn->embedder);
		cursor_bind_bytes(&cursor, turn->vector);
		if (cursor_end_row(&cursor, err) < 0)
			return -1;
	}
	return cursor_finish_rows(&cursor, err);
}

static void bind_answer(struct cursor *cursor, const struct entry *entry)
{
	const struct ss_turn *turn = entry->turn;
	cursor_bind_string(cursor, entry->answer);
	cursor_bind_string(cursor, turn->conversation_id);
	cursor_bind_int(cursor, entry->place);
	cursor_bind_text(cursor, turn->response);
	cursor_bind_int(cursor, turn->answered_at_ns / US_IN_NS);
	cursor_bind_string(cursor, turn->turn_id);
	cursor_bind_string(cursor, turn->category);
	cursor_bind_string(cursor, turn->sentiment);
	cursor_bind_int(cursor, turn->priority);
	cursor_bind_int(cursor, turn->attempts);
	cursor_bind_int(cursor, turn->escalated);
	cursor_bind_string(cursor, turn->escalation_reason);
	cursor_bind_string(cursor, turn->answered_by);
	cursor_bind_int(cursor, turn->duration_ns);
	cursor_bind_string(cursor, turn->metadata);
}

static int add_answers(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_ANSWER);
	for (size_t i = 0; i < count; i++) {
		/* A database that is not waited for is at work meanwhile. */
		if (check_metadata(db, entries[i].turn, err) < 0) {
			cursor_end(&cursor);
			return -1;
		}
		bind_answer(&cursor, &entries[i]);
		if (cursor_end_row(&cursor, err) < 0)
			return -1;
	}
	return cursor_finish_rows(&cursor, err);
}

static int note_shown(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_SHOWN);
	for (size_t i = 0; i < count; i++) {
		if (database_note_shown(&cursor, entries[i].turn, entries[i].answer, err) < 0)
			return -1;
	}
	return cursor_finish_rows(&cursor, err);
}

static int store_events(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	struct database_happened *happened = calloc(count, sizeof *happened);
	if (happened == NULL)
		return database_fail_memory(db, err);
	for (size_t i = 0; i < count; i++) {
		const struct ss_turn *turn = entries[i].turn;
		happened[i] = (struct database_happened){
			.events = &turn->events,
			.user_id = turn->user_id,
			.conversation_id = turn->conversation_id,
			.at_us = turn->answered_at_ns / US_IN_NS,
		};
	}
	int result = database_store_events(db, happened, count, err);
	free(happened);
	return result;
}

/* What is left of turns when their conversations are entered. */
static int add_messages(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	if (add_questions(db, entries, count, err) < 0 || add_answers(db, entries, count, err) < 0)
		return -1;
	if (note_shown(db, entries, count, err) < 0)
		return -1;
	return store_events(db, entries, count, err);
}

/* Whether TURN goes on with the conversation of the one BEFORE it. */
static bool follows(const struct ss_turn *turn, const struct ss_turn *before)
{
	return !turn->new_conversation &&
	       strcmp(turn->conversation_id, before->conversation_id) == 0 &&
	       strcmp(turn->user_id, before->user_id) == 0;
}

/* An entry stands behind those that it follows, of which the first may begin their conversation. */
static void place_entries(struct entry *entries, size_t count)
{
	int64_t messages = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_first = i == 0 || entries[i - 1].behind == 0;
		if (is_first)
			messages = entries[i].turn->new_conversation ? entries[i].behind + 2 : 0;
		entries[i].place = messages - entries[i].behind;
	}
}

/* Fills the entries of COUNT turns, of which those of a conversation follow each other. Of the IDS, two for each turn, the
 * first half is for the questions and the second for the answers, which are stored in this order. */
static void fill_entries(struct entry *entries, const void *const *items, size_t count,
	char (*ids)[DATABASE_ID_SIZE])
{
	for (size_t i = count; i-- > 0;) {
		struct entry *entry = &entries[i];
		*entry = (struct entry){
			.turn = items[i],
			.question = ids[i],
			.answer = ids[count + i],
		};
		if (i + 1 < count && follows(entry[1].turn, entry->turn))
			entry->behind = entry[1].behind + 2;
	}
	place_entries(entries, count);
}

static int check_turns(const void *const *items, size_t count, struct ss_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (check_turn(items[i], err) < 0)
			return -1;
	}
	return 0;
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
	char ids[2][DATABASE_ID_SIZE];
	struct entry entry;
	if (check_turn(item, err) < 0 || check_metadata(db, item, err) < 0)
		return -1;
	int found = find_turn(db, item, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (database_make_ids(ids, 2, err) < 0)
		return -1;
	fill_entries(&entry, &item, 1, ids);
	if (add_users(db, &item, 1, err) < 0 || enter_conversation(db, &entry, err) < 0 ||
		add_messages(db, &entry, 1, err) < 0)
		return -1;
	return count_turns(db, &item, 1, err) < 0 ? -1 : 1;
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

static int compare_conversations(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	return compare_keys(text_or_empty(first->conversation_id),
		text_or_empty(second->conversation_id), first, second);
}

/* Two servers that store turns of the same users and conversations at once lock these in the same order. The turns of a
 * conversation, which has one user, stay as they are. */
static int compare_users(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	int order = strcmp(text_or_empty(first->user_id), text_or_empty(second->user_id));
	return order != 0 ? order : compare_conversations(a, b);
}

static int compare_unanswered(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	return compare_keys(first->unanswered, second->unanswered, first, second);
}

static int compare_threads(const void *a, const void *b)
{
	const struct ss_turn *first = turn_at(a), *second = turn_at(b);
	return compare_keys(first->thread, second->thread, first, second);
}

static int set_thread(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_SET_THREAD);
	cursor_bind_string(&cursor, turn->thread);
	cursor_bind_string(&cursor, turn->conversation_id);
	cursor_bind_int(&cursor, turn->answered_at_ns / US_IN_NS);
	return cursor_finish(&cursor, err);
}

static bool is_unanswered(const struct ss_turn *turn)
{
	return turn->unanswered != NULL;
}

static bool has_thread(const struct ss_turn *turn)
{
	return given(turn->thread);
}

/* Puts those of COUNT items that FIT to the front, in the order of COMPARE, and gives their number. */
static size_t pick(const void **items, size_t count, bool (*fits)(const struct ss_turn *turn),
	int (*compare)(const void *a, const void *b))
{
	size_t picked = 0;
	for (size_t i = 0; i < count; i++) {
		const void *item = items[i];
		if (!fits(item))
			continue;
		items[i] = items[picked];
		items[picked++] = item;
	}
	qsort(items, picked, sizeof *items, compare);
	return picked;
}

/* What turns of other conversations change as well is changed at the end and in the order of its keys: two servers
 * that wrote it in different orders could wait for each other. */
static int finish_turns(struct database *db, const void **items, size_t count, struct ss_error *err)
{
	size_t picked = pick(items, count, is_unanswered, compare_unanswered);
	if (database_note_unanswered(db, items, picked, err) < 0)
		return -1;
	picked = pick(items, count, has_thread, compare_threads);
	for (size_t i = 0; i < picked; i++) {
		if (set_thread(db, items[i], err) < 0)
			return -1;
	}
	return 0;
}

/* A turn that is stored already breaks a rule of the schema, since its answer's turn is there; so does one of a conversation
 * that it has no part in, since its place is taken or is none. */
static int store_entries(
	struct database *db, const struct entry *entries, size_t count, struct ss_error *err)
{
	if (continue_conversations(db, entries, count, err) < 0 ||
		add_conversations(db, entries, count, err) < 0)
		return -1;
	return add_messages(db, entries, count, err);
}

/* The items come in the order of their users, and all but the users is stored in the order of their conversations: ids of new
 * ones grow, so these are added at the end of an index. Each row of the figures is changed once for all turns. */
static int write_new_turns(
	struct database *db, const void **items, size_t count, struct ss_error *err)
{
	if (check_turns(items, count, err) < 0 || add_users(db, items, count, err) < 0)
		return -1;
	struct entry *entries = malloc(count * sizeof *entries);
	char(*ids)[DATABASE_ID_SIZE] = malloc(count * 2 * sizeof *ids);
	int result = entries == NULL || ids == NULL ? database_fail_memory(db, err)
						    : database_make_ids(ids, 2 * count, err);
	if (result == 0) {
		qsort(items, count, sizeof *items, compare_conversations);
		fill_entries(entries, items, count, ids);
		result = store_entries(db, entries, count, err);
	}
	free(ids);
	free(entries);
	if (result < 0 || count_turns(db, items, count, err) < 0)
		return -1;
	return finish_turns(db, items, count, err);
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
		.write_new = write_new_turns,
		.compare = compare_users,
		.finish = finish_turns,
		.id = turn_id,
	};
	return database_commit_all(instance, &batch, errors);
}
