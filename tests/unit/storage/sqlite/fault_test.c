/* Whichever call of the file system or allocation of memory fails, and whether only that one or all behind it as well: what
 * was said to be stored is there whole, what was said to have failed is there whole or not at all, answers are
 * right or there is none, the file is sound, and the same instance works again when the trouble is over. */
#include "fault.h"
#include "faulty_disk.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURNS = 4, TEXT_SIZE = 3000, NEVER = 100000 };

static void begin(void)
{
	store_begin();
	disk_begin();
}

static void end(void)
{
	disk_end();
	store_end();
}

TestSuite(sqlite_fault, .init = begin, .fini = end, .timeout = 3000);

/* Memory. */

static struct {
	sqlite3_mem_methods real;
	long countdown; /* of allocations until the one that fails; 0 for none */
	bool stays, happened;
} memory;

static bool is_short(void)
{
	if (memory.countdown == 0 || memory.countdown > 1) {
		memory.countdown -= memory.countdown > 1;
		return false;
	}
	if (!memory.stays)
		memory.countdown = 0;
	memory.happened = true;
	return true;
}

static void *allocate(int size)
{
	return is_short() ? NULL : memory.real.xMalloc(size);
}

static void *resize(void *old, int size)
{
	return is_short() ? NULL : memory.real.xRealloc(old, size);
}

static void intercept_memory(void)
{
	(void)sqlite3_shutdown();
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real), SQLITE_OK);
	sqlite3_mem_methods failing = memory.real;
	failing.xMalloc = allocate;
	failing.xRealloc = resize;
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
	disk_begin();
}

/* One way in which things fail. */
struct trouble {
	const char *name;
	bool is_memory;
	enum disk_fault fault;
	bool stays;
	long stride; /* one of so many is tried unless all are */
};

static const struct trouble disk_troubles[] = {
	{.name = "an I/O error", .fault = DISK_ERROR, .stride = 7},
	{.name = "I/O errors from then on", .fault = DISK_ERROR, .stays = true, .stride = 23},
	{.name = "a full disk, once", .fault = DISK_FULL, .stride = 29},
	{.name = "a full disk from then on", .fault = DISK_FULL, .stays = true, .stride = 31},
	{.name = "a short write", .fault = DISK_SHORT, .stride = 37},
	{.name = "short writes from then on", .fault = DISK_SHORT, .stays = true, .stride = 41},
};

static const struct trouble memory_troubles[] = {
	{.name = "an allocation that fails", .is_memory = true, .stride = 127},
	{.name = "no memory from then on", .is_memory = true, .stays = true, .stride = 251},
};

static void trouble_begin(const struct trouble *trouble, long n)
{
	if (!trouble->is_memory) {
		disk_fail(n, trouble->fault, trouble->stays);
		return;
	}
	memory.happened = false;
	memory.stays = trouble->stays;
	memory.countdown = n;
}

static bool trouble_end(const struct trouble *trouble)
{
	if (!trouble->is_memory)
		return disk_mend();
	memory.countdown = 0;
	return memory.happened;
}

/* What is done while something fails. */

static char text[TEXT_SIZE + 1];

struct ss_turn fault_turn(const struct run *run, int i, char ids[4][FAULT_ID_SIZE])
{
	static const char *const shown[] = {"article-1", "article-2"};
	memset(text, 'x', TEXT_SIZE);
	(void)snprintf(ids[0], FAULT_ID_SIZE, "t%d-%d", run->number, i);
	(void)snprintf(ids[1], FAULT_ID_SIZE, "conv_%d-%d", run->number, i);
	(void)snprintf(ids[2], FAULT_ID_SIZE, "thread_%d-%d", run->number, i);
	(void)snprintf(ids[3], FAULT_ID_SIZE, "question %d-%d", run->number, i);
	struct ss_turn turn = store_first_turn(ids[0], ids[1]);
	turn.message = (struct ss_text){text, TEXT_SIZE};
	turn.response = turn.message;
	turn.thread = ids[2];
	turn.unanswered = ids[3];
	turn.shown = shown;
	turn.shown_count = array_length(shown);
	turn.embedder = "e";
	turn.vector = (struct ss_bytes){(const unsigned char *)text, 1600};
	return turn;
}

/* Stores COUNT turns of the run; those that are stored must be the GOOD first ones. */
static int commit(void *store, struct run *run, struct ss_turn *turns, size_t count, size_t good)
{
	struct ss_error errors[TURNS] = {{.status = SS_OK}};
	if (smartsupport_plugin.storage->commit_turns(store, turns, count, errors) < 0) {
		run->err = errors[0];
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(errors[i].status == SS_OK, i < good, "%s, %s at %ld: turn %zu: %s",
			run->scenario->name, run->trouble->name, run->n, i, errors[i].text);
	return 0;
}

static int commit_one(void *store, struct run *run)
{
	char ids[4][FAULT_ID_SIZE];
	struct ss_turn turn = fault_turn(run, 0, ids);
	return commit(store, run, &turn, 1, 1);
}

static int commit_several(void *store, struct run *run)
{
	char ids[TURNS][4][FAULT_ID_SIZE];
	struct ss_turn turns[TURNS];
	for (int i = 0; i < TURNS; i++)
		turns[i] = fault_turn(run, i, ids[i]);
	/* The last one goes on with the conversation of the one before. */
	turns[3].new_conversation = false;
	turns[3].conversation_id = turns[2].conversation_id;
	return commit(store, run, turns, TURNS, TURNS);
}

static int commit_mixed(void *store, struct run *run)
{
	char ids[TURNS][4][FAULT_ID_SIZE];
	struct ss_turn turns[TURNS];
	for (int i = 0; i < TURNS; i++)
		turns[i] = fault_turn(run, i, ids[i]);
	turns[2].priority = 11;
	turns[3].conversation_id = turns[1].conversation_id;
	return commit(store, run, turns, TURNS, 2);
}

/* The commit behind which the log is copied into the file. */
static void copy_log_soon(void *store, struct run *run)
{
	(void)run;
	sqlite3 *handle = ((struct database *)store)->handle;
	cr_assert_eq(sqlite3_wal_autocheckpoint(handle, 1), SQLITE_OK);
}

int fault_count(const char *format, int number)
{
	char *sql = memory_format(format, number);
	int count = (int)store_number(sql);
	free(sql);
	return count;
}

/* A turn is two messages, a thread, a question without an answer, and two articles. */
static int found_turns(const struct run *run)
{
	static const char *const parts[] = {
		"SELECT 2 * count(*) FROM messages WHERE turn_id GLOB 't%d-*'",
		"SELECT count(*) FROM threads WHERE key GLOB 'thread_%d-*'",
		"SELECT count(*) FROM unanswered WHERE key GLOB 'question %d-*'",
		("SELECT count(*) FROM message_articles JOIN messages ON messages.id = message_id"
		 " WHERE turn_id GLOB 't%d-*'"),
	};
	int found = 0;
	for (size_t i = 0; i < array_length(parts); i++)
		found += fault_count(parts[i], run->number);
	return found;
}

/* Journals. */

static int write_journals(void *store, struct run *run, bool begins)
{
	static const struct ss_journal_entry entries[] = {
		{1, {"{\"a\":1}", 7}}, {2, {"{\"b\":2}", 7}}};
	char ids[2][FAULT_ID_SIZE];
	struct ss_journal_write writes[2];
	struct ss_error errors[2] = {{.status = SS_OK}};
	for (int i = 0; i < 2; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "j%d-%d", run->number, i);
		writes[i] = (struct ss_journal_write){
			.struct_size = sizeof writes[i],
			.turn_id = ids[i],
			.workflow = begins ? "hash" : NULL,
			.workflow_text = {text, TEXT_SIZE},
			.start = {"{}", 2},
			.fence = 1,
			.owner = begins ? "a" : NULL,
			.lease_ns = begins ? 1 : 0,
			.status = begins ? NULL : "done",
			.entries = entries,
			.entry_count = 2,
			.first = begins ? 1 : 3,
		};
	}
	if (smartsupport_plugin.storage->write_journals(store, writes, 2, errors) < 0) {
		run->err = errors[0];
		return -1;
	}
	for (int i = 0; i < 2; i++)
		cr_expect_eq(errors[i].status, SS_OK, "%s", errors[i].text);
	return 0;
}

static int begin_journals(void *store, struct run *run)
{
	return write_journals(store, run, true);
}

static int go_on_with_journals(void *store, struct run *run)
{
	return write_journals(store, run, false);
}

static void prepare_journals(void *store, struct run *run)
{
	cr_assert_eq(begin_journals(store, run), 0, "%s", run->err.text);
}

static int found_new_journals(const struct run *run)
{
	return fault_count("SELECT count(*) FROM turns WHERE id GLOB 'j%d-*'", run->number) +
	       fault_count("SELECT count(*) FROM turns JOIN turn_entries ON turn = number"
			   " WHERE id GLOB 'j%d-*'",
		       run->number);
}

static int found_done_journals(const struct run *run)
{
	return fault_count("SELECT count(*) FROM turns WHERE id GLOB 'j%d-*' AND status = 'done'"
			   " AND owner IS NULL",
		       run->number) +
	       fault_count("SELECT count(*) FROM turns JOIN turn_entries ON turn = number"
			   " WHERE id GLOB 'j%d-*' AND seq > 2",
		       run->number);
}

static int take_journal(void *store, struct run *run)
{
	char id[FAULT_ID_SIZE];
	struct ss_value *journal = NULL;
	const struct ss_journal_key key = {
		.struct_size = sizeof key, .turn_id = id, .owner = "b", .lease_ns = 1};
	(void)snprintf(id, sizeof id, "j%d-0", run->number);
	int result = smartsupport_plugin.storage->read_journal(store, &key, &journal, &run->err);
	if (result == 0)
		cr_expect_eq(value_count(value_get(journal, "entries")), 2);
	value_unref(journal);
	return result;
}

static int found_taken(const struct run *run)
{
	return fault_count("SELECT count(*) FROM turns WHERE id GLOB 'j%d-*' AND fence = 2"
			   " AND owner = 'b'",
		run->number);
}

static int delete_journal(void *store, struct run *run)
{
	char id[FAULT_ID_SIZE];
	(void)snprintf(id, sizeof id, "j%d-0", run->number);
	return smartsupport_plugin.storage->delete_journal(store, id, &run->err);
}

static int found_deleted(const struct run *run)
{
	return 3 - fault_count("SELECT count(*) FROM turns WHERE id = 'j%d-0'", run->number) -
	       fault_count("SELECT count(*) FROM turns JOIN turn_entries ON turn = number"
			   " WHERE id = 'j%d-0'",
		       run->number);
}

/* Feedback. */

static void prepare_turns(void *store, struct run *run)
{
	cr_assert_eq(commit_several(store, run), 0, "%s", run->err.text);
}

static int store_feedback(void *store, struct run *run)
{
	char ids[2][FAULT_ID_SIZE];
	struct ss_feedback feedback[2];
	struct ss_error errors[2] = {{.status = SS_OK}};
	for (int i = 0; i < 2; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "t%d-%d", run->number, i);
		feedback[i] = (struct ss_feedback){
			.struct_size = sizeof feedback[i],
			.turn_id = ids[i],
			.was_helpful = 1,
			.rating = 4,
			.comment = text,
			.issues = "[\"late\"]",
			.given_at_ns = 1767225600323456789,
		};
	}
	if (smartsupport_plugin.storage->store_feedback(store, feedback, 2, errors) < 0) {
		run->err = errors[0];
		return -1;
	}
	for (int i = 0; i < 2; i++)
		cr_expect_eq(errors[i].status, SS_OK, "%s", errors[i].text);
	return 0;
}

static int found_feedback(const struct run *run)
{
	return fault_count("SELECT count(*) FROM feedback JOIN messages ON messages.id = message_id"
			   " WHERE turn_id GLOB 't%d-*' AND rating = 4",
		run->number);
}

/* Reads, each of which adds what it was told to the answer. */

int fault_answer(struct run *run, int result, struct ss_value *answer)
{
	char *json = result == 0 ? json_text(answer) : NULL;
	value_unref(answer);
	if (json != NULL)
		buffer_add_format(&run->answer, "%s\n", json);
	free(json);
	return result;
}

static void on_vector(void *context, struct ss_text message, struct ss_bytes vector)
{
	struct run *run = context;
	buffer_add_format(&run->answer, "%zu %zu\n", message.length, vector.length);
}

static int read_context(void *store, struct run *run)
{
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = "ann",
		.conversation_id = "conv_1-0",
		.history_limit = 10,
		.recent_limit = 3,
		.embedder = "e",
		.vector_read = on_vector,
		.vector_context = run,
	};
	int result = smartsupport_plugin.storage->turn_context(store, &key, &context, &run->err);
	return fault_answer(run, result, context);
}

static int read_thread(void *store, struct run *run)
{
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = "ann",
		.history_limit = 10,
		.thread = "thread_1-1"};
	int result = smartsupport_plugin.storage->turn_context(store, &key, &context, &run->err);
	return fault_answer(run, result, context);
}

static int read_stats(void *store, struct run *run)
{
	struct ss_value *stats = NULL;
	int result = smartsupport_plugin.storage->stats(store, &stats, &run->err);
	return fault_answer(run, result, stats);
}

static int read_journals(void *store, struct run *run)
{
	struct ss_value *journals = NULL, *journal = NULL;
	const struct ss_journal_filter filter = {
		.struct_size = sizeof filter, .status = "running", .limit = 10};
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = "j1-0"};
	int result =
		smartsupport_plugin.storage->list_journals(store, &filter, &journals, &run->err);
	if (fault_answer(run, result, journals) < 0)
		return -1;
	result = smartsupport_plugin.storage->read_journal(store, &key, &journal, &run->err);
	return fault_answer(run, result, journal);
}

static int read_unanswered(void *store, struct run *run)
{
	struct ss_value *newest = NULL, *counts = NULL;
	const struct ss_unanswered_filter filter = {
		.struct_size = sizeof filter, .most_asked = true, .limit = 3};
	const struct ss_article_range range = {
		.struct_size = sizeof range, .first = "a", .last = "z"};
	int result =
		smartsupport_plugin.storage->list_unanswered(store, &filter, &newest, &run->err);
	if (fault_answer(run, result, newest) < 0)
		return -1;
	result = smartsupport_plugin.storage->article_counts(store, &range, &counts, &run->err);
	return fault_answer(run, result, counts);
}

static const struct scenario writes[] = {
	{"storing a turn", NULL, commit_one, found_turns, 6, false},
	{"storing several turns", NULL, commit_several, found_turns, 6 * TURNS, false},
	{"storing turns two of which are refused", NULL, commit_mixed, found_turns, 6 * 2, false},
	{"storing and copying the log", copy_log_soon, commit_several, found_turns, 6 * TURNS,
		false},
	{"beginning journals", NULL, begin_journals, found_new_journals, 6, false},
	{"going on with journals", prepare_journals, go_on_with_journals, found_done_journals, 6,
		false},
	{"taking a journal", prepare_journals, take_journal, found_taken, 1, false},
	{"deleting a journal", prepare_journals, delete_journal, found_deleted, 3, false},
	{"storing feedback", prepare_turns, store_feedback, found_feedback, 2, false},
};

static const struct scenario reads[] = {
	{.name = "reading a context", .act = read_context},
	{.name = "reading a thread", .act = read_thread},
	{.name = "reading the statistics", .act = read_stats},
	{.name = "reading journals", .act = read_journals},
	{.name = "reading questions without an answer", .act = read_unanswered},
};

/* Runs. */

static int number;

static void expect_words(const struct run *run)
{
	cr_expect(run->err.status == SS_UNAVAILABLE || run->err.status == SS_LIMIT,
		"%s, %s at %ld: %s", run->scenario->name, run->trouble->name, run->n,
		run->err.text);
	cr_expect_not_null(strstr(run->err.text, store_path()), "%s", run->err.text);
}

/* The instance that had trouble works again, and the file is sound. */
static void expect_service(void *store, const struct run *run)
{
	char id[FAULT_ID_SIZE], conversation[FAULT_ID_SIZE];
	struct ss_error err;
	(void)snprintf(id, sizeof id, "again%d", run->number);
	(void)snprintf(conversation, sizeof conversation, "conv_again%d", run->number);
	struct ss_turn turn = store_first_turn(id, conversation);
	cr_expect_eq(store_commit(store, &turn, &err), 0, "after %s, %s at %ld: %s",
		run->scenario->name, run->trouble->name, run->n, err.text);
	cr_expect_eq(smartsupport_plugin.storage->check(store, &err), 0, "%s", err.text);
	cr_expect_eq(
		fault_count("SELECT count(*) FROM messages WHERE turn_id = 'again%d'", run->number),
		1);
}

static void expect_found(const struct run *run, int result)
{
	int found = run->scenario->found(run);
	bool right = found == run->scenario->whole || (result < 0 && found == 0);
	cr_expect(right, "%s, %s at %ld: it said %s, and %d of %d are there", run->scenario->name,
		run->trouble->name, run->n, result == 0 ? "done" : run->err.text, found,
		run->scenario->whole);
}

/* All is sound, as far as that can be told without counting the messages again. */
static void expect_sound(void)
{
	struct ss_error err;
	struct ss_value *faults = NULL;
	void *store = store_open();
	cr_assert_eq(smartsupport_plugin.storage->verify(store, &faults, &err), 0, "%s", err.text);
	char *json = json_text(faults);
	cr_expect_str_eq(json, "[]");
	free(json);
	value_unref(faults);
	store_close(store);
}

static void check(const struct scenario *scenario)
{
	if (scenario->deletes)
		expect_sound();
	else
		store_check();
}

static bool tries_all(void)
{
	return getenv("SMARTSUPPORT_TEST_ALL_FAULTS") != NULL;
}

/* The file is sound. It grows with each try, and damage stays, so it is looked at now and then. */
static void check_sometimes(const struct scenario *scenario)
{
	enum { TRIES = 16 };
	if (tries_all() || number % TRIES == 0)
		check(scenario);
}

/* One try of SCENARIO with the Nth call failing: whether there was such a call. */
static bool try_write(const struct scenario *scenario, const struct trouble *trouble, long n)
{
	struct run run = {.scenario = scenario, .trouble = trouble, .n = n, .number = ++number};
	void *store = store_open();
	if (scenario->prepare != NULL)
		scenario->prepare(store, &run);
	trouble_begin(trouble, n);
	int result = scenario->act(store, &run);
	bool failed = trouble_end(trouble);
	if (result < 0)
		expect_words(&run);
	expect_found(&run, result);
	expect_service(store, &run);
	store_close(store);
	/* What the others have seen is what is in the file. */
	expect_found(&run, result);
	check_sometimes(scenario);
	return failed;
}

/* What SCENARIO is told without trouble; the caller frees it. */
static char *right_answer(const struct scenario *scenario)
{
	struct run run = {.scenario = scenario};
	void *store = store_open();
	cr_assert_eq(scenario->act(store, &run), 0, "%s", run.err.text);
	store_close(store);
	return buffer_take(&run.answer);
}

static void expect_answer(const struct run *run, const char *right)
{
	cr_expect_str_eq(buffer_text(&run->answer), right, "%s, %s at %ld", run->scenario->name,
		run->trouble->name, run->n);
}

static bool try_read(
	const struct scenario *scenario, const struct trouble *trouble, long n, const char *right)
{
	struct run run = {.scenario = scenario, .trouble = trouble, .n = n};
	void *store = store_open();
	trouble_begin(trouble, n);
	int result = scenario->act(store, &run);
	bool failed = trouble_end(trouble);
	if (result < 0)
		expect_words(&run);
	else
		expect_answer(&run, right);
	buffer_free(&run.answer);
	result = scenario->act(store, &run);
	cr_expect_eq(result, 0, "after %s at %ld: %s", trouble->name, n, run.err.text);
	if (result == 0)
		expect_answer(&run, right);
	buffer_free(&run.answer);
	store_close(store);
	return failed;
}

/* All of the places where something can fail are tried, or one of so many. */
static long stride(const struct trouble *trouble)
{
	return tries_all() ? 1 : trouble->stride;
}

static void try_scenario(
	const struct scenario *scenario, const struct trouble *troubles, size_t count, long least)
{
	for (size_t t = 0; t < count; t++) {
		long n = 1;
		while (n < NEVER && try_write(scenario, &troubles[t], n))
			n += stride(&troubles[t]);
		cr_expect_gt(n, least, "%s, %s: only %ld", scenario->name, troubles[t].name, n);
		cr_expect_lt(n, NEVER);
	}
	check(scenario);
	if (scenario->deletes)
		(void)unlink(store_path());
}

static void try_writes(const struct trouble *troubles, size_t count, long least)
{
	for (size_t s = 0; s < array_length(writes); s++)
		try_scenario(&writes[s], troubles, count, least);
}

static void try_other_writes(const struct trouble *troubles, size_t count, long least)
{
	for (size_t s = 0; s < fault_write_count; s++)
		try_scenario(&fault_writes[s], troubles, count, least);
}

static void fill(void)
{
	struct run run = {.scenario = &writes[0], .trouble = &disk_troubles[0], .number = ++number};
	void *store = store_open();
	prepare_turns(store, &run);
	prepare_journals(store, &run);
	cr_assert_eq(store_feedback(store, &run), 0);
	fault_fill(store, &run);
	store_close(store);
}

static void try_reading(
	const struct scenario *scenario, const struct trouble *troubles, size_t count)
{
	char *right = right_answer(scenario);
	for (size_t t = 0; t < count; t++) {
		long n = 1;
		while (n < NEVER && try_read(scenario, &troubles[t], n, right))
			n += stride(&troubles[t]);
		cr_expect_lt(n, NEVER);
	}
	free(right);
}

static void try_reads(const struct trouble *troubles, size_t count)
{
	fill();
	for (size_t s = 0; s < array_length(reads); s++)
		try_reading(&reads[s], troubles, count);
	for (size_t s = 0; s < fault_read_count; s++)
		try_reading(&fault_reads[s], troubles, count);
	store_check();
}

/* Opens a file, a new one if it IS_NEW, with the Nth call failing. */
static bool try_open(const struct trouble *trouble, long n, bool is_new)
{
	static const struct scenario opening = {.name = "opening"};
	struct run run = {.scenario = &opening, .trouble = trouble, .n = n, .number = ++number};
	if (is_new)
		(void)unlink(store_path());
	trouble_begin(trouble, n);
	void *store = store_try(&(struct store_options){.path = NULL}, &run.err);
	if (store == NULL) {
		expect_words(&run);
	} else {
		/* Also closing meets it. */
		store_close(store);
	}
	bool failed = trouble_end(trouble);
	store = store_open();
	expect_service(store, &run);
	store_close(store);
	store_check();
	return failed;
}

static void try_opens(const struct trouble *troubles, size_t count, bool is_new)
{
	for (size_t t = 0; t < count; t++) {
		long step = stride(&troubles[t]), n = 1;
		/* A new file takes many steps. */
		if (step > 1 && is_new)
			step *= 5;
		while (n < NEVER && try_open(&troubles[t], n, is_new))
			n += step;
		cr_expect_gt(n, 2, "%s: only %ld", troubles[t].name, n);
		cr_expect_lt(n, NEVER);
	}
}

Test(sqlite_fault, a_write_is_whole_or_nothing_whichever_call_of_the_disk_fails)
{
	try_writes(disk_troubles, array_length(disk_troubles), 3);
}

Test(sqlite_fault, a_write_is_whole_or_nothing_whichever_allocation_fails)
{
	intercept_memory();
	try_writes(memory_troubles, array_length(memory_troubles), 20);
}

Test(sqlite_fault, every_other_write_is_whole_or_nothing_whichever_call_of_the_disk_fails)
{
	try_other_writes(disk_troubles, array_length(disk_troubles), 3);
}

Test(sqlite_fault, every_other_write_is_whole_or_nothing_whichever_allocation_fails)
{
	intercept_memory();
	try_other_writes(memory_troubles, array_length(memory_troubles), 20);
}

Test(sqlite_fault, an_answer_is_right_or_an_error_whichever_call_of_the_disk_fails)
{
	try_reads(disk_troubles, array_length(disk_troubles));
}

Test(sqlite_fault, an_answer_is_right_or_an_error_whichever_allocation_fails)
{
	intercept_memory();
	try_reads(memory_troubles, array_length(memory_troubles));
}

Test(sqlite_fault, a_new_file_can_be_opened_whatever_failed_before)
{
	try_opens(disk_troubles, array_length(disk_troubles), true);
}

Test(sqlite_fault, a_file_can_be_opened_whatever_failed_before)
{
	store_close(store_open());
	try_opens(disk_troubles, array_length(disk_troubles), false);
}

Test(sqlite_fault, a_file_can_be_opened_whichever_allocation_failed_before)
{
	intercept_memory();
	store_close(store_open());
	try_opens(memory_troubles, array_length(memory_troubles), false);
}

Test(sqlite_fault, a_new_file_can_be_opened_whichever_allocation_failed_before)
{
	intercept_memory();
	try_opens(memory_troubles, array_length(memory_troubles), true);
}
