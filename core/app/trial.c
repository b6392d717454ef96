#include "app/trial.h"

#include "app/runtime.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "service/compute.h"
#include "value/value.h"

#include <event2/event.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 16 }; /* questions: enough for a full batch, few enough for every queue */

/* Where the state has what a question's label is compared with. */
static const char *const confidence_fields[] = {
	[QUESTION_CATEGORY] = "category_confidence",
	[QUESTION_SENTIMENT] = "sentiment_confidence",
};
static const char articles_field[] = "kb_results";

/* The member of the first article found that tells how sure the search is of it. */
static const char sureness_member[] = "confidence";

/* A question on its way. */
struct asking {
	struct trial *trial;
	size_t row; /* of the questions */
	struct turn *turn;
	bool *seen; /* [node]: it has run */
	bool over;  /* the turn is, or may be given up */
};

struct trial {
	const struct trial_options *options;
	const struct graph *graph;
	bool *watched; /* [node]: it decides on what is looked at */
	struct outcome *outcomes;
	struct asking asking[AT_ONCE];
	size_t started, done;
	bool failed;
	struct ss_error err;
};

static const struct question *question_of(const struct asking *asking)
{
	return &asking->trial->options->questions->items[asking->row];
}

static struct outcome *outcome_of(const struct asking *asking)
{
	return &asking->trial->outcomes[asking->row];
}

static void fail(struct asking *asking, const struct ss_error *err)
{
	struct trial *trial = asking->trial;
	const struct lines_place place = question_of(asking)->place;
	if (!trial->failed)
		(void)ss_fail_as(
			&trial->err, err->status, "%s:%zu: %s", place.path, place.line, err->text);
	trial->failed = true;
}

static void watch_field(struct trial *trial, const char *name)
{
	size_t slot = graph_slot(trial->graph, name);
	for (size_t i = 0; slot != GRAPH_NO_SLOT && i < trial->graph->node_count; i++)
		trial->watched[i] |= graph_runs_write(&trial->graph->nodes[i], slot);
}

static void watch(struct trial *trial)
{
	trial->watched = memory_array(trial->graph->node_count, sizeof *trial->watched);
	for (size_t i = 0; i < QUESTION_TASKS; i++) {
		watch_field(trial, question_tasks[i]);
		watch_field(trial, confidence_fields[i]);
	}
	watch_field(trial, articles_field);
}

/* Whether all watched nodes have run. */
static bool knows_enough(const struct asking *asking)
{
	const struct trial *trial = asking->trial;
	for (size_t i = 0; i < trial->graph->node_count; i++) {
		if (trial->watched[i] && !asking->seen[i])
			return false;
	}
	return true;
}

static void on_event(void *context, struct turn *turn, const struct ss_value *event)
{
	struct asking *asking = context;
	const struct trial *trial = asking->trial;
	(void)turn;
	size_t node =
		graph_find_node(trial->graph, value_as_string(value_get(event, "node"), NULL));
	if (node >= trial->graph->node_count || !trial->watched[node])
		return;
	asking->seen[node] = true;
	if (strcmp(value_as_string(value_get(event, "status"), NULL), "degraded") == 0)
		outcome_of(asking)->degraded = true;
	asking->over |= knows_enough(asking);
}

static void on_over(void *context, struct turn *turn)
{
	struct asking *asking = context;
	(void)turn;
	asking->over = true;
}

/* TEXT if the workflow has a field NAME, else NULL. */
static struct ss_value *given(const struct trial *trial, const char *name, const char *text)
{
	return graph_slot(trial->graph, name) != GRAPH_NO_SLOT ? value_text(text) : NULL;
}

static bool start(struct asking *asking)
{
	struct ss_error err = {0};
	struct trial *trial = asking->trial;
	const struct ss_text text = question_of(asking)->text;
	struct ss_value *input = value_map_make({"message", value_string(text.data, text.length)},
		{"user_id", given(trial, "user_id", "eval_user")},
		{"conversation_id", given(trial, "conversation_id", "eval_conversation")});
	const struct turn_options options = {
		.input = input,
		.log = trial->options->log,
		.over = on_over,
		.event = on_event,
		.events = TURN_NODE_FINISHED,
		.context = asking,
	};
	asking->over = false;
	asking->seen = memory_array(trial->graph->node_count, sizeof *asking->seen);
	asking->turn = turn_start(runtime_engine(trial->options->runtime), &options, &err);
	value_unref(input);
	if (asking->turn == NULL)
		fail(asking, &err);
	return asking->turn != NULL;
}

static void read_state(struct asking *asking)
{
	struct outcome *outcome = outcome_of(asking);
	for (size_t i = 0; i < QUESTION_TASKS; i++) {
		const struct ss_value *label = turn_field(asking->turn, question_tasks[i]);
		const struct ss_value *sure = turn_field(asking->turn, confidence_fields[i]);
		if (value_type(label) == SS_STRING)
			outcome->labels[i] = memory_string(value_as_string(label, NULL));
		outcome->confidence[i] =
			value_type(sure) == SS_NUMBER ? value_as_number(sure) : NAN;
	}
	const struct ss_value *articles = turn_field(asking->turn, articles_field);
	outcome->known_answer = value_type(articles) == SS_LIST;
	outcome->abstained = outcome->known_answer && value_count(articles) == 0;
}

static void finish(struct asking *asking)
{
	struct trial *trial = asking->trial;
	asking->row = SIZE_MAX;
	trial->done++;
	trial->options->progress(
		trial->options->context, trial->done, trial->options->questions->count);
}

static void on_found(void *context, const struct ss_value *articles, const struct ss_value *missing,
	const struct ss_error *err)
{
	struct asking *asking = context;
	struct outcome *outcome = outcome_of(asking);
	const char *wanted = question_of(asking)->article;
	struct ss_error incomplete = {0};
	if (missing != NULL) {
		/* Figures of half a search say nothing of a whole one. */
		(void)ss_fail_as(&incomplete, SS_UNAVAILABLE, "%s",
			value_as_string(value_get(missing, "error"), NULL));
		err = &incomplete;
	}
	if (err != NULL) {
		fail(asking, err);
		finish(asking);
		return;
	}
	outcome->searched = true;
	const struct ss_value *first = value_at(articles, 0);
	if (first != NULL) {
		outcome->first = memory_string(value_as_string(value_get(first, "id"), NULL));
		outcome->sureness = value_as_number(value_get(first, sureness_member));
	}
	for (size_t i = 0; wanted != NULL && outcome->rank == 0 && i < value_count(articles); i++) {
		const struct ss_value *id = value_get(value_at(articles, i), "id");
		if (strcmp(value_as_string(id, NULL), wanted) == 0)
			outcome->rank = i + 1;
	}
	finish(asking);
}

static void search(struct asking *asking)
{
	struct ss_error err = {0};
	const struct question *question = question_of(asking);
	struct compute *compute = runtime_compute(asking->trial->options->runtime);
	if (question->article == NULL && question->answer != ANSWER_NONE) {
		finish(asking);
		return;
	}
	const struct ss_search wanted = {
		.struct_size = sizeof wanted,
		.text = question->text,
		.prefer_category = outcome_of(asking)->labels[QUESTION_CATEGORY],
		.top_k = RETRIEVAL_RANKS,
	};
	if (compute_search(compute, &wanted, on_found, asking, &err) == 0)
		return;
	fail(asking, &err);
	finish(asking);
}

/* The turn is over: reads what came of it and goes on with the search. */
static void harvest(struct asking *asking)
{
	const struct ss_error *err = turn_error(asking->turn);
	if (err != NULL)
		fail(asking, err);
	else
		read_state(asking);
	turn_free(asking->turn);
	free(asking->seen);
	asking->turn = NULL;
	asking->seen = NULL;
	if (err != NULL)
		finish(asking);
	else
		search(asking);
}

/* Starts what there is room for, and goes on with what is over. */
static void advance(struct trial *trial)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct asking *asking = &trial->asking[i];
		if (asking->turn != NULL && asking->over)
			harvest(asking);
		if (asking->row == SIZE_MAX && !trial->failed &&
			trial->started < trial->options->questions->count) {
			asking->row = trial->started++;
			if (!start(asking))
				finish(asking);
		}
	}
}

struct outcome *trial_run(const struct trial_options *options, struct ss_error *err)
{
	size_t count = options->questions->count;
	struct trial trial = {
		.options = options,
		.graph = runtime_graph(options->runtime),
		.outcomes = memory_array(count, sizeof *trial.outcomes),
	};
	watch(&trial);
	for (size_t i = 0; i < AT_ONCE; i++)
		trial.asking[i] = (struct asking){.trial = &trial, .row = SIZE_MAX};
	advance(&trial);
	/* After a failure nothing starts any more, and what is under way ends. */
	while (trial.done < trial.started) {
		(void)event_base_loop(options->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
		advance(&trial);
	}
	free(trial.watched);
	if (!trial.failed)
		return trial.outcomes;
	*err = trial.err;
	trial_free(trial.outcomes, count);
	return NULL;
}

void trial_free(struct outcome *outcomes, size_t count)
{
	for (size_t row = 0; outcomes != NULL && row < count; row++) {
		for (size_t i = 0; i < QUESTION_TASKS; i++)
			free(outcomes[row].labels[i]);
		free(outcomes[row].first);
	}
	free(outcomes);
}
