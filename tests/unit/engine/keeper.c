#include "keeper.h"

#include "base/memory.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { JOURNALS = 64 };

struct journal {
	char *id, *workflow, *text, *start, *status, *error, *owner;
	int64_t fence;
	struct ss_value **entries;
	size_t count;
};

struct keeper keeper;

/* Held while the journals are looked at, since the store writes to them on its thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct journal journals[JOURNALS];
static size_t journal_count;

static struct journal *find(const char *id)
{
	for (size_t i = 0; i < journal_count; i++) {
		if (strcmp(journals[i].id, id) == 0)
			return &journals[i];
	}
	return NULL;
}

static void set(char **text, const char *value)
{
	free(*text);
	*text = memory_string(value);
}

static void begin(struct journal *journal, const struct ss_journal_write *write)
{
	journal->id = memory_string(write->turn_id);
	journal->workflow = memory_string(write->workflow);
	journal->text = memory_text(write->workflow_text.data, write->workflow_text.length);
	journal->start = memory_text(write->start.data, write->start.length);
	journal->status = memory_string("running");
	journal->fence = write->fence;
}

static int write_one(const struct ss_journal_write *write, struct ss_error *err)
{
	struct journal *journal = find(write->turn_id);
	if (write->workflow != NULL && journal != NULL)
		return ss_fail_as(err, SS_CONFLICT, "it is stored already");
	if (write->workflow == NULL && (journal == NULL || journal->fence != write->fence))
		return ss_fail_as(err, SS_CONFLICT, "somebody else goes on with it");
	if (journal == NULL) {
		journal = &journals[journal_count++];
		begin(journal, write);
	}
	cr_expect_eq(write->first, (int64_t)journal->count + 1);
	if (write->status != NULL)
		set(&journal->status, write->status);
	set(&journal->error, write->error);
	set(&journal->owner, write->owner);
	for (size_t i = 0; i < write->entry_count; i++) {
		const struct ss_journal_entry *entry = &write->entries[i];
		journal->entries = memory_resize(
			journal->entries, journal->count + 1, sizeof(struct ss_value *));
		journal->entries[journal->count++] =
			value_map_make({"task", value_int(entry->task)},
				{"data", value_string(entry->data.data, entry->data.length)});
	}
	return 0;
}

static int write_journals(void *instance, const struct ss_journal_write *writes, size_t count,
	struct ss_error *errors)
{
	(void)instance;
	if (keeper.writes_left == 0)
		return ss_fail_as(&errors[0], SS_UNAVAILABLE, "the disk is gone");
	keeper.writes_left--;
	keeper.writes++;
	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count; i++)
		(void)write_one(&writes[i], &errors[i]);
	(void)pthread_mutex_unlock(&lock);
	return 0;
}

static int read_journal(void *instance, const struct ss_journal_key *key, struct ss_value **value,
	struct ss_error *err)
{
	(void)instance;
	struct journal *journal = find(key->turn_id);
	if (journal == NULL)
		return ss_fail_as(err, SS_NOT_FOUND, "there is no turn %s", key->turn_id);
	if (key->owner != NULL && strcmp(journal->status, "done") == 0)
		return ss_fail_as(err, SS_CONFLICT, "the turn is done");
	if (key->owner != NULL && journal->owner != NULL)
		return ss_fail_as(err, SS_CONFLICT, "somebody goes on with it");
	if (key->owner != NULL) {
		set(&journal->owner, key->owner);
		journal->fence++;
	}
	struct ss_value **entries = memory_array(journal->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < journal->count; i++)
		entries[i] = value_ref(journal->entries[i]);
	*value = value_map_make({"id", value_text(journal->id)},
		{"workflow", value_text(journal->workflow)},
		{"workflow_text", value_text(journal->text)}, {"start", value_text(journal->start)},
		{"status", value_text(journal->status)},
		{"error", journal->error != NULL ? value_text(journal->error) : NULL},
		{"owner", journal->owner != NULL ? value_text(journal->owner) : NULL},
		{"fence", value_int(journal->fence)},
		{"entries", value_list(entries, journal->count)});
	free(entries);
	return 0;
}

static const struct ss_storage_operations operations = {
	.write_journals = write_journals, .read_journal = read_journal};

void keeper_open(void)
{
	struct ss_error err;
	keeper.store = store_new(stage.base, &operations, (void *[]){NULL}, 1, 1000, &err);
	keeper.writes_left = SIZE_MAX;
	cr_assert_not_null(keeper.store);
	stage.options.store = keeper.store;
}

void keeper_shut(void)
{
	store_free(keeper.store);
	keeper.store = NULL;
	stage.options.store = NULL;
}

void keeper_close(void)
{
	if (keeper.store != NULL)
		keeper_shut();
	for (size_t i = 0; i < journal_count; i++) {
		struct journal *journal = &journals[i];
		for (size_t j = 0; j < journal->count; j++)
			value_unref(journal->entries[j]);
		free(journal->entries);
		free(journal->id);
		free(journal->workflow);
		free(journal->text);
		free(journal->start);
		free(journal->status);
		free(journal->error);
		free(journal->owner);
		*journal = (struct journal){0};
	}
	journal_count = 0;
	free(keeper.read);
	keeper = (struct keeper){0};
}

struct fetched {
	bool over;
	struct record *record;
	struct ss_error err;
};

static void on_record(void *context, struct record *record, const struct ss_error *err)
{
	struct fetched *fetched = context;
	fetched->over = true;
	fetched->record = record;
	if (err != NULL)
		fetched->err = *err;
}

static struct fetched fetch(const char *id, bool claimed)
{
	struct fetched fetched = {0};
	cr_assert_eq(record_fetch(keeper.store, id, claimed, on_record, &fetched, &fetched.err), 0);
	while (!fetched.over)
		(void)event_base_loop(stage.base, EVLOOP_ONCE);
	return fetched;
}

struct record *keeper_fetch(const char *id, bool claimed)
{
	struct fetched fetched = fetch(id, claimed);
	cr_assert_not_null(fetched.record, "%s", fetched.err.text);
	return fetched.record;
}

struct ss_error keeper_refusal(const char *id, bool claimed)
{
	struct fetched fetched = fetch(id, claimed);
	cr_assert_null(fetched.record);
	return fetched.err;
}

bool keeper_has_status(const char *id, const char *status)
{
	(void)pthread_mutex_lock(&lock);
	bool has = strcmp(find(id)->status, status) == 0;
	(void)pthread_mutex_unlock(&lock);
	return has;
}

const char *keeper_status(const char *id)
{
	(void)pthread_mutex_lock(&lock);
	const struct journal *journal = find(id);
	const char *status = journal != NULL ? journal->status : NULL;
	(void)pthread_mutex_unlock(&lock);
	return status;
}

bool keeper_is_held(const char *id)
{
	(void)pthread_mutex_lock(&lock);
	bool held = find(id)->owner != NULL;
	(void)pthread_mutex_unlock(&lock);
	return held;
}

void keeper_release(const char *id)
{
	set(&find(id)->owner, NULL);
}

static bool is_outcome(const struct ss_value *data)
{
	return value_get(data, "ask") == NULL && value_get(data, "answer") == NULL &&
	       value_get(data, "before") == NULL && value_get(data, "after") == NULL;
}

/* What an entry is about: the copy of a task, if it says what that came to. */
static bool same_result(const struct ss_value *a, const struct ss_value *b)
{
	struct ss_error err;
	if (value_as_int(value_get(a, "task")) != value_as_int(value_get(b, "task")))
		return false;
	struct ss_text x = value_as_text(value_get(a, "data"));
	struct ss_text y = value_as_text(value_get(b, "data"));
	struct ss_value *left = json_parse(x.data, x.length, &err);
	struct ss_value *right = json_parse(y.data, y.length, &err);
	bool same = is_outcome(left) && is_outcome(right) &&
		    value_as_int(value_get(left, "copy")) == value_as_int(value_get(right, "copy"));
	value_unref(left);
	value_unref(right);
	return same;
}

bool keeper_has_twice(const char *id)
{
	const struct journal *journal = find(id);
	for (size_t i = 0; i < journal->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (same_result(journal->entries[i], journal->entries[j]))
				return true;
		}
	}
	return false;
}

/* DATA of an entry without its time, which is another one each time. */
static void add_timeless(struct buffer *text, struct ss_text data)
{
	struct ss_error err;
	struct ss_value *map = json_parse(data.data, data.length, &err);
	struct value_entry entries[8];
	size_t count = 0;
	for (size_t i = 0; i < value_count(map); i++) {
		const char *key = value_key_at(map, i);
		if (strcmp(key, RECORD_TIME) != 0)
			entries[count++] = (struct value_entry){key, value_ref(value_at(map, i))};
	}
	struct ss_value *timeless = value_map_of(entries, count);
	json_print(text, timeless);
	buffer_add_char(text, '\n');
	value_unref(timeless);
	value_unref(map);
}

const char *keeper_entries(const char *id)
{
	struct buffer text = {0};
	const struct journal *journal = find(id);
	for (size_t i = 0; journal != NULL && i < journal->count; i++)
		add_timeless(&text, value_as_text(value_get(journal->entries[i], "data")));
	free(keeper.read);
	keeper.read = buffer_take(&text);
	return keeper.read;
}

static void on_over(void *context, struct turn *turn)
{
	struct ending *ending = context;
	ending->turn = turn;
	ending->calls++;
}

static struct turn *start(const struct turn_options *given, struct ending *ending)
{
	struct ss_error err = {0};
	struct turn_options options = *given;
	*ending = (struct ending){0};
	options.log = &stage.log;
	options.over = on_over;
	options.context = ending;
	struct turn *turn = turn_start(stage.engine, &options, &err);
	cr_assert_not_null(turn, "%s", err.text);
	return turn;
}

struct turn *keeper_start(const char *id, const char *input, struct ending *ending)
{
	struct ss_error err = {0};
	struct ss_value *given =
		input != NULL ? json_parse(input, strlen(input), &err) : value_map(NULL, NULL, 0);
	struct turn *turn = start(&(struct turn_options){.input = given, .id = id}, ending);
	value_unref(given);
	return turn;
}

struct turn *keeper_go_on(struct record *record, bool look, struct ending *ending)
{
	return start(&(struct turn_options){.record = record, .look = look}, ending);
}

struct turn *keeper_resume(const char *id, const char *answers)
{
	struct ending ending;
	struct ss_error err = {0};
	stage_close_engine();
	stage_begin();
	struct record *record = keeper_fetch(id, true);
	struct turn *turn = keeper_go_on(record, false, &ending);
	stage_until_over(&ending);
	if (answers != NULL) {
		struct ss_value *given = json_parse(answers, strlen(answers), &err);
		cr_assert_eq(turn_status(turn), TURN_INTERRUPTED);
		cr_assert_eq(turn_resume(turn, given, &err), 0, "%s", err.text);
		ending.calls = 0;
		stage_until_over(&ending);
		value_unref(given);
	}
	record_unref(record);
	return turn;
}
