/* Workflows that are nodes of others: a turn of their own, with their own state and limits. */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

/* What the inner turn starts with. */
static struct ss_value *make_input(struct ss_run *run, struct ss_error *err)
{
	const struct graph_node *node = task_node(run->task);
	const char **keys = memory_array(node->input_count, sizeof *keys);
	struct ss_value **values = memory_array(node->input_count, sizeof(struct ss_value *));
	struct ss_value *input = NULL;
	size_t count = 0;
	for (; count < node->input_count; count++) {
		const struct graph_assignment *given = &node->inputs[count];
		keys[count] = node->workflow->fields[given->slot].name;
		values[count] = expr_evaluate(given->expr.expr, run->view->values, err);
		if (values[count] == NULL)
			break;
	}
	if (count == node->input_count)
		input = value_map(keys, values, count);
	for (size_t i = 0; input == NULL && i < count; i++)
		value_unref(values[i]);
	free(keys);
	free(values);
	return input;
}

/* Writes the results to the fields that they are for. */
static int write_outputs(struct ss_run *run, struct turn *inner, struct ss_error *err)
{
	const struct graph_node *node = task_node(run->task);
	const struct view *view = turn_look(inner);
	for (size_t i = 0; i < node->output_count; i++) {
		struct ss_value *value =
			expr_evaluate(node->outputs[i].expr.expr, view->values, err);
		if (value == NULL)
			return -1;
		run->writes[run->write_count++] =
			(struct write){.slot = node->outputs[i].slot, .value = value};
	}
	return 0;
}

static void on_over(void *context, struct turn *inner)
{
	struct ss_run *run = context;
	struct ss_error err = {0};
	if (turn_status(inner) == TURN_INTERRUPTED)
		run_end(run, SS_INTERRUPTED, NULL);
	else if (turn_error(inner) != NULL)
		run_end(run, SS_FAILED, turn_error(inner));
	else if (write_outputs(run, inner, &err) < 0)
		run_end(run, SS_FAILED, &err);
	else
		run_end(run, SS_DONE, NULL);
}

enum ss_result inner_start(struct ss_run *run, struct ss_error *err)
{
	struct task *task = run->task;
	struct turn *turn = task->turn;
	struct copy *copy = run->copy;
	struct ss_value *input = make_input(run, err);
	if (input == NULL)
		return SS_FAILED;
	const struct turn_options options = {
		.input = input,
		.log = &turn->log,
		.over = on_over,
		.event = turn->event,
		.events = turn->events & ~(unsigned)TURN_FINISHED,
		.context = run,
	};
	run->writes =
		arena_array(&turn->arena, task_node(task)->output_count, sizeof(struct write));
	turn_free(copy->inner);
	copy->inner = turn_begin(turn->engine, task_engine_node(task)->inner, &options, run,
		flow_inner_id(copy), err);
	value_unref(input);
	if (copy->inner == NULL)
		return SS_FAILED;
	run->agents = false; /* nobody will call finish() */
	run->references--;
	return SS_PENDING;
}

void inner_stop(struct copy *copy)
{
	struct ss_error err;
	if (copy->inner == NULL)
		return;
	copy->inner->over = NULL;
	(void)ss_fail_as(&err, SS_UNAVAILABLE, "the turn was given up");
	turn_end(copy->inner, &err);
}
