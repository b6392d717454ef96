#include "app/question.h"

#include "base/memory.h"
#include "support/support.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITS = 3 }; /* the exit code */

/* What is waited for. */
struct reply {
	bool over;
	struct ss_error err;
	struct ss_value *value;
};

static void on_replied(void *context, const struct ss_value *value, const struct ss_value *trace,
	const struct ss_error *err)
{
	struct reply *reply = context;
	(void)trace;
	reply->over = true;
	if (err != NULL)
		reply->err = *err;
	else
		reply->value = value_ref(value);
}

static int print_waiting(const struct record *record, const struct ss_value *interrupts, bool json)
{
	struct ss_value *all = value_map_make({"turn", value_text(record_id(record))},
		{"status", value_text("interrupted")}, {"interrupts", value_ref(interrupts)});
	if (json)
		play_print_json(all);
	else
		play_print_interrupts(interrupts);
	value_unref(all);
	return WAITS;
}

static int print_reply(const struct record *record, const struct ss_value *reply, bool json)
{
	const struct ss_value *interrupts = value_get(reply, "interrupts");
	if (interrupts != NULL)
		return print_waiting(record, interrupts, json);
	if (json)
		play_print_json(reply);
	else
		(void)puts(value_as_string(value_get(reply, "response"), NULL));
	return 0;
}

/* The id of the first of INTERRUPTS that is not in ANSWERED; there is one. */
static const char *first_open(const struct ss_value *interrupts, const struct ss_value *answered)
{
	size_t i = 0;
	while (value_get(answered,
		       value_as_string(value_get(value_at(interrupts, i), "id"), NULL)) != NULL)
		i++;
	return value_as_string(value_get(value_at(interrupts, i), "id"), NULL);
}

/* What INTERRUPTS are answered with, by their ids, new; NULL and ERR when that is not JSON, or too much. */
static struct ss_value *read_answers(const struct question_answers *answers,
	const struct ss_value *interrupts, struct ss_error *err)
{
	struct ss_value *map = value_map(NULL, NULL, 0);
	if (answers->count > value_count(interrupts)) {
		(void)ss_fail(err, "there are %zu answers, and the turn waits for %zu",
			answers->count, value_count(interrupts));
		goto fail;
	}
	for (size_t i = 0; i < answers->count; i++) {
		char id[PLAY_ID_ROOM];
		struct ss_error cause = {0};
		const char *text = answers->texts[i];
		struct ss_value *value = play_read_answer(text, id, &cause);
		if (value == NULL) {
			(void)ss_fail(err,
				"the answer %s is not JSON: %s; a text needs quotes, as in "
				"'\"yes\"'",
				text, cause.text);
			goto fail;
		}
		const char *to = id[0] != '\0' ? id : first_open(interrupts, map);
		if (value_get(map, to) != NULL) {
			(void)ss_fail(err, "there are two answers to %s", to);
			value_unref(value);
			goto fail;
		}
		struct ss_value *more = value_map_with(map, to, value);
		value_unref(map);
		map = more;
	}
	return map;
fail:
	value_unref(map);
	return NULL;
}

/* Goes on with CLAIMED, whose lease this process has; ANSWERS (taken) may be NULL. */
static int go_on(struct stored *stored, struct record *claimed, struct ss_value *answers, bool json)
{
	struct reply reply = {0};
	const struct support_options options = {
		.engine = runtime_engine(stored->runtime),
		.graph = runtime_graph(stored->runtime),
		.store = runtime_store(stored->runtime),
		.history_limit = (size_t)stored->config->history_limit,
		.candid = true,
	};
	struct support *support = support_new(&options);
	const struct support_turn *turn =
		answers != NULL ? support_resume(support, claimed, answers, &stored->log,
					  on_replied, &reply, &reply.err)
				: support_continue(support, claimed, &stored->log, on_replied,
					  &reply, &reply.err);
	while (turn != NULL && !reply.over)
		(void)event_base_loop(stored->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
	int code = reply.value != NULL ? print_reply(claimed, reply.value, json)
				       : stored_fail(&reply.err);
	value_unref(reply.value);
	support_free(support);
	return code;
}

/* The interrupts of RECORD, a new list; NULL when that fails, which was printed. */
static struct ss_value *interrupts_of(struct stored *stored, struct record *record)
{
	struct turn *turn = stored_look(stored, record, NULL, 0, NULL);
	struct ss_value *interrupts = turn != NULL ? turn_interrupts(turn) : NULL;
	turn_free(turn);
	return interrupts;
}

int question_resume(
	struct stored *stored, struct record *record, const struct question_answers *answers)
{
	struct ss_error err = {0};
	struct ss_value *given = NULL;
	int code = 1;
	bool waits = strcmp(record_status(record), "interrupted") == 0;
	if (strcmp(record_status(record), "done") == 0) {
		(void)ss_fail(&err,
			"the question is answered; smartsupport turns show %s tells how",
			record_id(record));
		return stored_fail(&err);
	}
	struct ss_value *interrupts = interrupts_of(stored, record);
	if (interrupts == NULL)
		return 1;
	if (waits && answers->count == 0) {
		code = print_waiting(record, interrupts, answers->json);
	} else if (waits && (given = read_answers(answers, interrupts, &err)) == NULL) {
		code = stored_fail(&err);
	} else {
		struct record *claimed = stored_fetch(stored, record_id(record), true);
		if (claimed != NULL)
			code = go_on(stored, claimed, given, answers->json);
		else
			value_unref(given);
		record_unref(claimed);
	}
	value_unref(interrupts);
	return code;
}
