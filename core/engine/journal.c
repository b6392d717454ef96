/* Journals: what happens in a turn on its way to the store. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/turn.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* How often a lease is renewed. */
#define RENEWAL_NS (RECORD_LEASE_NS / 3)

/* Entries in the order in which they were noted. */
struct entries {
	struct ss_journal_entry *items;
	bool *results; /* whether each says what a node came to, not just that somebody asked or answered */
	size_t count, capacity;
};

struct journal {
	struct turn *turn; /* the outermost */
	struct store *store;
	char *id;
	char *user_id, *conversation_id; /* NULL: nobody's, or the store knows */
	bool each;                       /* each node is stored before what comes after it starts */
	bool begun;                      /* it is in the store */
	bool closing;                    /* the turn is over or waits */
	bool closed;                     /* and that is stored */
	bool confirms;                   /* its owner tells when it may be closed */
	bool confirmed;
	bool broken; /* nothing can be stored any more */
	int64_t fence;
	int64_t written; /* entries that are in the store, or on their way */
	/* Counts: what was noted, and how much of it is stored. That the journal begins is the first of them. */
	size_t noted, saved;
	struct entries waiting;
	struct save *saving; /* NULL: nothing is on its way */
	int64_t renewed_ns;  /* when the lease was taken or renewed last */
	struct event *renewal;
	struct ss_value *input, *about;
	struct ss_value *answers; /* that are being stored, to go on with */
	struct turn *gated;       /* turns that wait until something is stored */
};

/* What is on its way to the store. */
struct save {
	struct journal *journal;
	struct ss_journal_write write;
	struct entries entries;
	size_t noted; /* what is stored when it is */
	char *start, *error;
};

static void entries_free(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free((char *)(uintptr_t)entries->items[i].data.data);
	free(entries->items);
	free(entries->results);
}

static void save_free(struct save *save)
{
	entries_free(&save->entries);
	free(save->start);
	free(save->error);
	free(save);
}

static bool is_due(const struct journal *journal)
{
	return clock_monotonic_ns() - journal->renewed_ns >= RENEWAL_NS;
}

static void on_renewal(evutil_socket_t fd, short what, void *context)
{
	struct journal *journal = context;
	const struct timeval again = {.tv_sec = RENEWAL_NS / 1000000000};
	(void)fd;
	(void)what;
	if (evtimer_add(journal->renewal, &again) < 0)
		abort(); /* only for want of memory */
	if (journal->begun && journal->saving == NULL && journal->answers == NULL &&
		is_due(journal))
		journal_save(journal->turn);
}

void journal_open(struct turn *turn, const struct turn_options *options)
{
	const struct graph *graph = turn->program->graph;
	const struct record *record = options->record;
	const char *id = record != NULL ? record_id(record) : options->id;
	if (id == NULL || options->look || turn->engine->options.store == NULL ||
		graph->durability == GRAPH_DURABLE_NONE)
		return;
	struct journal *journal = memory_make(struct journal);
	journal->turn = turn;
	journal->store = turn->engine->options.store;
	journal->id = memory_string(id);
	if (options->user_id != NULL)
		journal->user_id = memory_string(options->user_id);
	if (options->conversation_id != NULL)
		journal->conversation_id = memory_string(options->conversation_id);
	journal->each = graph->durability == GRAPH_DURABLE_NODE;
	journal->begun = record != NULL;
	journal->fence = record != NULL ? record_fence(record) : 1;
	journal->written = record != NULL ? (int64_t)record_count(record) : 0;
	journal->noted = 1;
	journal->saved = journal->begun;
	journal->renewed_ns = clock_monotonic_ns();
	journal->confirms = options->confirms && journal->each;
	journal->input = value_ref(options->input);
	journal->about = options->about != NULL ? value_ref(options->about) : NULL;
	if (journal->begun)
		journal->renewal = turn_timer(turn, RENEWAL_NS, on_renewal, journal);
	turn->journal = journal;
}

void journal_free(struct journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->renewal != NULL)
		(void)event_del(journal->renewal);
	entries_free(&journal->waiting);
	value_unref(journal->answers);
	value_unref(journal->input);
	value_unref(journal->about);
	free(journal->id);
	free(journal->user_id);
	free(journal->conversation_id);
	free(journal);
}

const char *journal_id(const struct journal *journal)
{
	return journal != NULL ? journal->id : NULL;
}

bool journal_notes(const struct turn *turn)
{
	const struct journal *journal = turn->outermost->journal;
	return journal != NULL && !journal->closing && !journal->broken;
}

static void add(struct journal *journal, uint64_t task, const struct ss_value *data)
{
	struct entries *waiting = &journal->waiting;
	struct buffer text = {0};
	if (waiting->count == waiting->capacity) {
		waiting->capacity = waiting->capacity * 2 + 4;
		waiting->items =
			memory_resize(waiting->items, waiting->capacity, sizeof *waiting->items);
		waiting->results = memory_resize(
			waiting->results, waiting->capacity, sizeof *waiting->results);
	}
	json_print(&text, data);
	struct ss_text taken = {.length = text.length};
	taken.data = buffer_take(&text);
	waiting->results[waiting->count] = record_is_result(data);
	waiting->items[waiting->count++] = (struct ss_journal_entry){(int64_t)task, taken};
	journal->noted++;
}

/* DATA (taken) with another member. */
static struct ss_value *with(struct ss_value *data, const char *key, int64_t number)
{
	struct ss_value *whole = value_map_with(data, key, value_int(number));
	value_unref(data);
	return whole;
}

void journal_note(const struct task *task, const struct copy *copy, struct ss_value *data)
{
	struct turn *outermost = task->turn->outermost;
	if (record_is_result(data) && outermost->engine->options.shuffle == 0)
		data = with(data, RECORD_TIME, task_time_ns(task) / 1000);
	if (copy != NULL && copy->item != NULL)
		data = with(data, "copy", (int64_t)copy->index);
	add(outermost->journal, task->id, data);
	value_unref(data);
	engine_advance(outermost);
}

size_t journal_needs(const struct turn *turn)
{
	const struct journal *journal = turn->outermost->journal;
	/* That the journal begins goes with what the first nodes come to at once. */
	return journal != NULL && journal->each && journal->noted > 1 ? journal->noted : 0;
}

bool journal_allows(const struct turn *turn, size_t needs)
{
	return needs == 0 || turn->outermost->journal->saved >= needs;
}

void journal_gate(struct turn *turn)
{
	struct journal *journal = turn->outermost->journal;
	if (turn->gated)
		return;
	turn->gated = true;
	turn->next_gated = journal->gated;
	journal->gated = turn_ref(turn);
}

static void open_gates(struct journal *journal)
{
	/* Those that come to a gate again meanwhile wait for the next time. */
	struct turn *next = journal->gated;
	journal->gated = NULL;
	while (next != NULL) {
		struct turn *turn = next;
		next = turn->next_gated;
		turn->gated = false;
		engine_advance(turn);
		turn_unref(turn);
	}
}

static void wake(struct journal *journal)
{
	struct turn *turn = journal->turn;
	struct engine *engine = turn->engine;
	bool polled = engine->polls;
	engine->polls = true; /* only the loop calls this */
	struct ss_value *answers = journal->answers;
	journal->answers = NULL;
	if (journal->closing)
		turn_tell_over(turn);
	else if (answers != NULL)
		interrupt_apply(turn, answers);
	value_unref(answers);
	open_gates(journal);
	engine_advance(turn);
	engine->polls = polled;
}

static void fail(struct journal *journal, const struct ss_error *why)
{
	struct ss_error err;
	struct turn *turn = journal->turn;
	(void)ss_fail_as(&err, why->status, "the turn %s could not be kept: %.*s", journal->id,
		text_fit(why->text, 400), why->text);
	journal->broken = true;
	open_gates(journal);
	if (turn->status != TURN_FAILED && turn->status != TURN_DONE) {
		turn_end(turn, &err);
		return;
	}
	turn->status = TURN_FAILED;
	turn->err = err;
	turn_tell_over(turn);
}

static void on_saved(void *context, const struct ss_error *err)
{
	struct save *save = context;
	struct journal *journal = save->journal;
	struct turn *turn = journal->turn;
	journal->saving = NULL;
	turn->engine->saving--;
	if (err != NULL) {
		fail(journal, err);
	} else {
		journal->begun = true;
		journal->saved = save->noted;
		journal->closed = save->write.owner == NULL;
		event_checkpoint(
			turn, save->entries.items, save->entries.results, save->entries.count);
		wake(journal);
	}
	save_free(save);
	turn_unref(turn);
}

/* What the journal begins with. */
static void begin(struct journal *journal, struct save *save)
{
	const struct graph *graph = journal->turn->program->graph;
	bool given = value_count(journal->input) > 0;
	struct ss_value *start = value_map_make({"input", given ? value_ref(journal->input) : NULL},
		{"about", journal->about != NULL ? value_ref(journal->about) : NULL});
	save->start = json_text(start);
	save->write.workflow = graph->hash;
	save->write.workflow_text = text_of(graph->source_text);
	save->write.start = (struct ss_text){save->start, strlen(save->start)};
	save->write.lease_ns = RECORD_LEASE_NS;
	save->write.user_id = journal->user_id;
	save->write.conversation_id = journal->conversation_id;
	value_unref(start);
}

/* Writes what waits, and STATUS (NULL: as it is). Who LEAVES gives back the lease. */
static void write_now(struct journal *journal, const char *status, bool leaves)
{
	struct ss_error err;
	struct turn *turn = turn_ref(journal->turn);
	struct save *save = memory_make(struct save);
	save->journal = journal;
	save->noted = journal->noted;
	save->entries = journal->waiting;
	journal->waiting = (struct entries){0};
	if (turn->status == TURN_FAILED && status != NULL)
		save->error = memory_string(turn->err.text);
	save->write = (struct ss_journal_write){
		.struct_size = sizeof save->write,
		.turn_id = journal->id,
		.fence = journal->fence,
		.owner = leaves ? NULL : turn->engine->process,
		.lease_ns = status != NULL || is_due(journal) ? RECORD_LEASE_NS : 0,
		.status = status,
		.error = save->error,
		.entries = save->entries.items,
		.entry_count = save->entries.count,
		.first = journal->written + 1,
	};
	if (!journal->begun)
		begin(journal, save);
	if (save->write.lease_ns != 0)
		journal->renewed_ns = clock_monotonic_ns();
	journal->written += (int64_t)save->entries.count;
	journal->saving = save;
	turn->engine->saving++;
	if (journal->renewal == NULL && !leaves)
		journal->renewal = turn_timer(turn, RENEWAL_NS, on_renewal, journal);
	if (store_write_journal(journal->store, &save->write, on_saved, save, &err) < 0)
		on_saved(save, &err);
}

bool journal_has_work(const struct turn *turn)
{
	const struct journal *journal = turn->journal;
	if (journal == NULL || !journal->each || journal->saving != NULL || journal->broken)
		return false;
	return !journal->begun || journal->waiting.count > 0;
}

void journal_save(struct turn *turn)
{
	write_now(turn->journal, NULL, false);
}

/* What the journal says of the turn from now on; NULL when somebody else may go on with it. */
static const char *final_status(const struct turn *turn)
{
	if (turn->status == TURN_INTERRUPTED)
		return "interrupted";
	if (turn->status == TURN_DONE)
		return "done";
	bool confirmed = turn->journal->confirmed;
	return confirmed || (turn->over != NULL && !turn->engine->stopped) ? "failed" : NULL;
}

bool journal_is_open(const struct turn *turn)
{
	const struct journal *journal = turn->journal;
	return journal != NULL && journal->confirms && !journal->confirmed && !journal->broken &&
	       turn->status == TURN_DONE;
}

bool journal_confirm(struct turn *turn)
{
	turn->journal->confirmed = true;
	return journal_close(turn);
}

bool journal_close(struct turn *turn)
{
	struct journal *journal = turn->journal;
	if (journal == NULL || journal->closed)
		return true;
	if (journal->renewal != NULL)
		(void)event_del(journal->renewal);
	if (journal->broken)
		return true;
	journal->closing = true;
	if (journal->saving != NULL)
		return false;
	const char *status = final_status(turn);
	/* Nobody knows of it yet, and nobody will. */
	if (status == NULL && !journal->begun)
		return true;
	write_now(journal, status, true);
	return false;
}

int journal_reopen(struct turn *turn, const struct ss_value *answers, struct ss_error *err)
{
	struct journal *journal = turn->journal;
	if (journal->answers != NULL)
		return ss_fail_as(err, SS_CONFLICT, "the turn is being gone on with");
	journal->closing = journal->closed = false;
	journal->answers = value_ref(answers);
	return 0;
}

void journal_resume(struct turn *turn)
{
	struct journal *journal = turn->journal;
	if (journal->renewal != NULL)
		on_renewal(-1, 0, journal);
	write_now(journal, "running", false);
}
