/* What cases do with a store: turns, feedback and journals. */
#include "base/buffer.h"
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Turns. */

static void number(struct probe *probe, struct ss_turn *turn)
{
	int64_t n = ++probe->turns;
	turn->turn_id = probe_id(probe, "");
	turn->message = text_of(probe_format(probe, "question %lld", (long long)n));
	turn->response = text_of(probe_format(probe, "answer %lld", (long long)n));
	turn->asked_at_ns = probe->now_ns + n * PROBE_SECOND_NS;
	turn->answered_at_ns = turn->asked_at_ns + PROBE_SECOND_NS / 4;
}

struct ss_turn probe_first(struct probe *probe, const char *user)
{
	struct ss_turn turn = {
		.struct_size = sizeof turn,
		.conversation_id = probe_id(probe, "conv_"),
		.user_id = probe_name(probe, user),
		.new_conversation = true,
		.category = probe_name(probe, "category"),
		.sentiment = probe_name(probe, "sentiment"),
		.priority = 5,
		.attempts = 1,
		.answered_by = "billing",
		.duration_ns = PROBE_SECOND_NS / 4,
		.metadata = "{\"kb_results\":[]}",
	};
	number(probe, &turn);
	return turn;
}

struct ss_turn probe_next(struct probe *probe, const struct ss_turn *turn)
{
	struct ss_turn next = *turn;
	next.new_conversation = false;
	number(probe, &next);
	return next;
}

int probe_commit(
	struct probe *probe, const struct ss_turn *turns, size_t count, struct ss_error *errors)
{
	for (size_t i = 0; i < count; i++)
		errors[i] = (struct ss_error){.status = SS_OK};
	if (probe->failed)
		return 0;
	return probe->storage->commit_turns(probe->instance, turns, count, errors);
}

void probe_store_all(struct probe *probe, const struct ss_turn *turns, size_t count)
{
	struct ss_error *errors = memory_array(count, sizeof *errors);
	int result = probe_commit(probe, turns, count, errors);
	for (size_t i = 0; i < count; i++)
		probe_expect_success(
			probe, "storing turns with commit_turns()", result, &errors[i]);
	free(errors);
}

void probe_store(struct probe *probe, const struct ss_turn *turn)
{
	probe_store_all(probe, turn, 1);
}

void probe_refuse(
	struct probe *probe, const char *what, const struct ss_turn *turn, enum ss_status status)
{
	struct ss_error err;
	int result = probe_commit(probe, turn, 1, &err);
	if (probe->failed)
		return;
	if (result != 0)
		probe_fail(probe, what, "0 of commit_turns(), as one turn is wrong, not the store",
			"%d: %s", result, err.text);
	probe_expect_refusal(probe, what, status, err.status == SS_OK ? 0 : -1, &err);
}

const struct ss_value *probe_context(struct probe *probe, const struct ss_turn_key *key)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL;
	struct ss_turn_key whole = *key;
	if (probe->failed)
		return NULL;
	whole.struct_size = sizeof whole;
	int result = probe->storage->turn_context(probe->instance, &whole, &context, &err);
	probe_expect_success(probe, "reading with turn_context()", result, &err);
	return probe_keep(probe, result == 0 ? context : NULL);
}

const char *probe_texts(struct probe *probe, const struct ss_value *messages)
{
	struct buffer texts = {0};
	for (size_t i = 0; i < value_count(messages); i++) {
		struct ss_text text = value_as_text(value_get(value_at(messages, i), "content"));
		if (i > 0)
			buffer_add_char(&texts, '|');
		buffer_add(&texts, text.data, text.length);
	}
	const char *kept = arena_string(&probe->memory, buffer_text(&texts));
	buffer_free(&texts);
	return kept;
}

const char *probe_history(struct probe *probe, const struct ss_turn *turn, size_t limit)
{
	const struct ss_turn_key key = {
		.user_id = turn->user_id,
		.conversation_id = turn->conversation_id,
		.history_limit = limit,
	};
	return probe_texts(probe, value_get(probe_context(probe, &key), "history"));
}

const struct ss_value *probe_stats(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *stats = NULL;
	if (probe->failed)
		return NULL;
	int result = probe->storage->stats(probe->instance, &stats, &err);
	probe_expect_success(probe, "reading with stats()", result, &err);
	return probe_keep(probe, result == 0 ? stats : NULL);
}

int64_t probe_counted(struct probe *probe, const char *group, const char *name)
{
	return value_as_int(value_get(value_get(probe_stats(probe), group), name));
}

/* Feedback. */

static const struct ss_value *article_counts(
	struct probe *probe, const char *first, const char *last)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *counts = NULL;
	const struct ss_article_range range = {
		.struct_size = sizeof range, .first = first, .last = last};
	if (probe->failed)
		return NULL;
	int result = probe->storage->article_counts(probe->instance, &range, &counts, &err);
	probe_expect_success(probe, "reading with article_counts()", result, &err);
	return probe_keep(probe, result == 0 ? counts : NULL);
}

static long long count_of(const struct ss_value *article, const char *key)
{
	return (long long)value_as_int(value_get(article, key));
}

const char *probe_article(struct probe *probe, const char *id)
{
	const struct ss_value *counts = article_counts(probe, id, id);
	const struct ss_value *article = value_at(counts, 0);
	if (probe->failed || value_count(counts) == 0)
		return "nothing";
	return probe_format(probe, "views %lld, helpful %lld, not helpful %lld",
		count_of(article, "views"), count_of(article, "helpful"),
		count_of(article, "not_helpful"));
}

const char *probe_articles(struct probe *probe, const char *first, const char *last)
{
	struct buffer ids = {0};
	const struct ss_value *counts = article_counts(probe, first, last);
	for (size_t i = 0; i < value_count(counts); i++)
		buffer_add_format(
			&ids, "%s%s", i > 0 ? "|" : "", probe_string(value_at(counts, i), "id"));
	const char *kept = arena_string(&probe->memory, buffer_text(&ids));
	buffer_free(&ids);
	return kept;
}

void probe_vote(struct probe *probe, const struct ss_turn *turn, int64_t was_helpful)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_feedback feedback = {
		.struct_size = sizeof feedback,
		.turn_id = turn->turn_id,
		.was_helpful = was_helpful,
		.given_at_ns = probe->now_ns,
	};
	if (probe->failed)
		return;
	int result = probe->storage->store_feedback(probe->instance, &feedback, 1, &err);
	probe_expect_success(probe, "voting with store_feedback()", result, &err);
}

/* Journals. */

struct ss_journal_write probe_beginning(struct probe *probe, const char *id, const char *owner)
{
	probe->journals =
		memory_resize(probe->journals, probe->journal_count + 1, sizeof(const char *));
	probe->journals[probe->journal_count++] = id;
	return (struct ss_journal_write){
		.turn_id = id,
		.workflow = probe_name(probe, "workflow"),
		.workflow_text = text_of("{\"file\":\"support.yaml\"}"),
		.start = text_of("{\"input\":{}}"),
		.fence = 1,
		.owner = owner,
		.lease_ns = PROBE_HOUR_NS,
		.first = 1,
	};
}

int probe_try_write(struct probe *probe, const struct ss_journal_write *write, struct ss_error *err)
{
	struct ss_journal_write whole = *write;
	*err = (struct ss_error){.status = SS_OK};
	if (probe->failed)
		return 0;
	whole.struct_size = sizeof whole;
	return probe->storage->write_journals(probe->instance, &whole, 1, err);
}

void probe_write(struct probe *probe, struct ss_journal_write write)
{
	struct ss_error err;
	int result = probe_try_write(probe, &write, &err);
	probe_expect_success(probe, "writing with write_journals()", result, &err);
}

void probe_refuse_write(
	struct probe *probe, const char *what, struct ss_journal_write write, enum ss_status status)
{
	struct ss_error err;
	int result = probe_try_write(probe, &write, &err);
	if (probe->failed)
		return;
	if (result != 0)
		probe_fail(probe, what,
			"0 of write_journals(), as one write is wrong, not the store", "%d: %s",
			result, err.text);
	probe_expect_refusal(probe, what, status, err.status == SS_OK ? 0 : -1, &err);
}

const struct ss_value *probe_journal(struct probe *probe, const char *id)
{
	return probe_take(probe, id, NULL, NULL);
}

static int read_journal(struct probe *probe, const char *id, const char *owner, const char *gone,
	struct ss_value **journal, struct ss_error *err)
{
	const struct ss_journal_key key = {
		.struct_size = sizeof key,
		.turn_id = id,
		.owner = owner,
		.lease_ns = PROBE_HOUR_NS,
		.gone = gone,
	};
	*journal = NULL;
	*err = (struct ss_error){.status = SS_OK};
	return probe->storage->read_journal(probe->instance, &key, journal, err);
}

const struct ss_value *probe_take(
	struct probe *probe, const char *id, const char *owner, const char *gone)
{
	struct ss_error err;
	struct ss_value *journal;
	if (probe->failed)
		return NULL;
	int result = read_journal(probe, id, owner, gone, &journal, &err);
	probe_expect_success(probe,
		owner != NULL ? "taking a lease with read_journal()"
			      : "reading with read_journal()",
		result, &err);
	return probe_keep(probe, result == 0 ? journal : NULL);
}

void probe_refuse_taking(struct probe *probe, const char *what, const char *id, const char *owner,
	const char *gone, enum ss_status status)
{
	struct ss_error err;
	struct ss_value *journal;
	if (probe->failed)
		return;
	int result = read_journal(probe, id, owner, gone, &journal, &err);
	probe_expect_refusal(probe, what, status, result, &err);
	if (result == 0)
		value_unref(journal);
}
