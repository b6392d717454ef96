/* Interrupted turns: what they wait for, and going on with answers. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/turn.h"
#include "value/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One thing that a turn waits for. */
struct interrupt {
	struct task *task;
	struct copy *copy; /* NULL: the task as a whole asks, before or after its node */
};

/* All of them, also those of inner turns. */
struct interrupts {
	struct interrupt *items;
	size_t count, capacity;
};

char *interrupt_id(const struct task *task, const struct copy *copy, char text[32])
{
	(void)snprintf(text, 32, "%016" PRIx64 "%s%.*zu", task->id,
		copy != NULL && copy->item != NULL ? "-" : "",
		copy != NULL && copy->item != NULL ? 1 : 0,
		copy != NULL && copy->item != NULL ? copy->index : 0);
	return text;
}

struct ss_value *interrupt_payload(const struct task *task)
{
	const struct graph *graph = task->turn->program->graph;
	const struct graph_interrupt *interrupt = &task_node(task)->interrupt;
	const char **keys = memory_array(interrupt->show_count, sizeof *keys);
	struct ss_value **values = memory_array(interrupt->show_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < interrupt->show_count; i++) {
		keys[i] = graph->fields[interrupt->show[i]].name;
		values[i] = value_ref(task->view->values[interrupt->show[i]]);
	}
	struct ss_value *payload = value_map(keys, values, interrupt->show_count);
	free(keys);
	free(values);
	return payload;
}

static void add(struct interrupts *found, struct task *task, struct copy *copy)
{
	if (found->count == found->capacity) {
		found->capacity = found->capacity * 2 + 8;
		found->items = memory_resize(found->items, found->capacity, sizeof *found->items);
	}
	found->items[found->count++] = (struct interrupt){task, copy};
}

static void find(struct turn *turn, struct interrupts *found)
{
	const struct task **tasks = trace_sort(&turn->asking);
	for (size_t i = 0; i < turn->asking.count; i++) {
		struct task *task = (struct task *)(uintptr_t)tasks[i];
		if (task->state != TASK_ASKING)
			add(found, task, NULL);
		for (size_t j = 0; task->state == TASK_ASKING && j < task->copy_count; j++) {
			struct copy *copy = &task->copies[j];
			if (copy->state == COPY_ASKING && copy->inner != NULL)
				find(copy->inner, found);
			else if (copy->state == COPY_ASKING && copy->payload != NULL)
				add(found, task, copy);
		}
	}
	free(tasks);
}

static const char *when(const struct interrupt *interrupt)
{
	if (interrupt->copy != NULL)
		return "during";
	return interrupt->task->state == TASK_ASKING_BEFORE ? "before" : "after";
}

struct ss_value *turn_interrupts(struct turn *turn)
{
	struct interrupts found = {0};
	find(turn, &found);
	struct ss_value **items = memory_array(found.count, sizeof(struct ss_value *));
	for (size_t i = 0; i < found.count; i++) {
		char id[32];
		const struct interrupt *one = &found.items[i];
		char *name = event_node_name(one->task);
		items[i] =
			value_map_make({"id", value_text(interrupt_id(one->task, one->copy, id))},
				{"node", value_text(name)}, {"when", value_text(when(one))},
				{"payload", one->copy != NULL ? value_ref(one->copy->payload)
							      : interrupt_payload(one->task)});
		free(name);
	}
	struct ss_value *list = value_list(items, found.count);
	free(items);
	free(found.items);
	return list;
}

static const struct ss_value *answer_to(
	const struct interrupt *interrupt, const struct ss_value *answers)
{
	char id[32];
	return value_get(answers, interrupt_id(interrupt->task, interrupt->copy, id));
}

/* The field that the answer is written to; NULL: none. */
static const struct graph_field *answer_field(const struct interrupt *interrupt)
{
	size_t slot = task_node(interrupt->task)->interrupt.answer;
	if (interrupt->copy != NULL || slot == GRAPH_NO_SLOT)
		return NULL;
	return &interrupt->task->turn->program->graph->fields[slot];
}

/* Whether ANSWER fits FIELD, and the state has room for it. */
static int check_answer(const struct task *task, const struct graph_field *field,
	const struct ss_value *answer, struct ss_error *err)
{
	struct turn *turn = task->turn;
	struct ss_value *fitting = graph_fit_value(field, value_ref(answer), err);
	if (fitting == NULL)
		return -1;
	size_t slot = (size_t)(field - turn->program->graph->fields);
	struct view *with = view_with(turn, task->view, slot, fitting);
	int result = view_check(turn, with, err);
	view_unref(turn, with);
	value_unref(fitting);
	return result;
}

static int check_answers(
	const struct interrupts *found, const struct ss_value *answers, struct ss_error *err)
{
	size_t used = 0;
	for (size_t i = 0; i < found->count; i++) {
		const struct ss_value *answer = answer_to(&found->items[i], answers);
		const struct graph_field *field = answer_field(&found->items[i]);
		used += answer != NULL;
		if (answer != NULL && field != NULL &&
			check_answer(found->items[i].task, field, answer, err) < 0)
			return -1;
	}
	if (used == 0)
		return ss_fail_as(err, SS_INVALID,
			"none of the answers is to one of the %zu interrupts that the turn waits "
			"for",
			found->count);
	if (used < value_count(answers))
		return ss_fail_as(err, SS_INVALID,
			"there is an answer to an interrupt that the turn does not wait for");
	return 0;
}

/* Makes TURN, and those that it is the work of, run again. */
static void wake(struct turn *turn)
{
	if (turn->status != TURN_INTERRUPTED)
		return;
	turn->status = TURN_RUNNING;
	turn_start_deadline(turn);
	if (turn->outer == NULL)
		return;
	struct task *task = turn->outer->task;
	turn->outer->copy->state = COPY_RUNNING;
	run_start_timeout(turn->outer);
	task->asking--;
	if (task->state == TASK_ASKING) {
		list_remove(&task->turn->asking, task);
		list_add(&task->turn->running, task);
		task->state = TASK_RUNNING;
		task_start_deadline(task);
	}
	wake(task->turn);
}

int interrupt_write(struct task *task, const struct ss_value *answer, struct ss_error *err)
{
	size_t slot = task_node(task)->interrupt.answer;
	if (slot == GRAPH_NO_SLOT)
		return 0;
	struct ss_value *value =
		graph_fit_value(&task->turn->program->graph->fields[slot], value_ref(answer), err);
	if (value == NULL)
		return -1;
	if (task_write(task, slot, value, 0, false, err) < 0)
		return -1;
	return view_check(task->turn, task->view, err);
}

static void go_on(const struct interrupt *interrupt, const struct ss_value *answer)
{
	struct ss_error err = {0};
	struct task *task = interrupt->task;
	struct turn *turn = task->turn;
	wake(turn);
	if (interrupt->copy == NULL && interrupt_write(task, answer, &err) < 0)
		turn_end(turn, &err);
	if (turn->status != TURN_RUNNING)
		return;
	if (interrupt->copy == NULL) {
		task_answered(task);
	} else {
		struct copy *copy = interrupt->copy;
		value_unref(copy->payload);
		value_unref(copy->answer);
		copy->payload = NULL;
		copy->answer = value_ref(answer);
		copy->attempts--; /* the attempt that asked goes on */
		copy_answered(copy);
	}
	engine_advance(turn);
}

void interrupt_apply(struct turn *turn, const struct ss_value *answers)
{
	struct interrupts found = {0};
	view_unref(turn, turn->seen);
	turn->seen = NULL;
	find(turn, &found);
	(void)turn_ref(turn);
	/* With one answer alone the turn would wait for the next one. */
	bool held = engine_hold(turn->engine);
	for (size_t i = 0; i < found.count; i++) {
		const struct ss_value *answer = answer_to(&found.items[i], answers);
		if (answer != NULL)
			go_on(&found.items[i], answer);
	}
	engine_release(turn->engine, held);
	turn_unref(turn);
	free(found.items);
}

/* Notes the answers to what was FOUND. */
static void note(const struct interrupts *found, const struct ss_value *answers)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct interrupt *one = &found->items[i];
		const struct ss_value *answer = answer_to(one, answers);
		const char *key = one->copy != NULL ? "answer" : when(one);
		if (answer != NULL)
			journal_note(
				one->task, one->copy, value_map_make({key, value_ref(answer)}));
	}
}

int turn_resume(struct turn *turn, const struct ss_value *answers, struct ss_error *err)
{
	struct interrupts found = {0};
	if (turn->status != TURN_INTERRUPTED || turn->look)
		return ss_fail_as(err, SS_CONFLICT, "the turn is not interrupted");
	find(turn, &found);
	int result = check_answers(&found, answers, err);
	if (result == 0 && turn->journal == NULL)
		interrupt_apply(turn, answers);
	else if (result == 0 && (result = journal_reopen(turn, answers, err)) == 0) {
		note(&found, answers);
		journal_resume(turn);
	}
	free(found.items);
	return result;
}
