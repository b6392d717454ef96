/* What agents ask of the services, and how it comes back. */
#include "stage.h"

#include "service/articles.h"
#include "service/compute.h"
#include "service/knowledge.h"
#include "service/later.h"
#include "service/llm.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ALONE                                                                                      \
	"nodes: {a: {agent: puppet}}\n"                                                            \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define WITH_TIMEOUT                                                                               \
	"nodes: {a: {agent: puppet, timeout: 5ms, on_error: {set: {f0: -1}}}}\n"                   \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

/* What the agent was called back with. */
static struct {
	int calls;
	bool on_stack; /* run() has not returned yet */
	struct ss_error err;
	size_t count, dimension;
	float first;
	char answer[64];
	char sources[64];
	char model[64];
	size_t found;
	char missing[160]; /* JSON; "" for nothing */
} back;

static void call_back(const struct ss_error *err)
{
	back.calls++;
	cr_expect_not(back.on_stack, "called back before the request returned");
	back.err = err != NULL ? *err : (struct ss_error){0};
}

static void end(struct actor *actor, struct ss_run *run, const struct ss_error *err)
{
	(void)actor_write(actor, run, 0, 1, NULL);
	actor->host->finish(run, err != NULL ? SS_FAILED : SS_DONE, err);
}

static void on_embedded(void *instance, struct ss_run *run, const float *const *vectors,
	size_t count, size_t dimension, const struct ss_error *err)
{
	call_back(err);
	cr_expect_eq(vectors == NULL, err != NULL);
	back.count = count;
	back.dimension = dimension;
	back.first = vectors != NULL ? vectors[count - 1][0] : 0;
	end(instance, run, err);
}

static void on_found(void *instance, struct ss_run *run, const struct ss_value *articles,
	const struct ss_error *err)
{
	const struct actor *actor = instance;
	const struct ss_value *missing = actor->host->missing(run);
	char *text = missing != NULL ? json_text(missing) : NULL;
	call_back(err);
	cr_expect_eq(articles == NULL, err != NULL);
	back.found = value_count(articles);
	(void)snprintf(back.missing, sizeof back.missing, "%s", text != NULL ? text : "");
	free(text);
	end(instance, run, err);
}

static void on_generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err)
{
	call_back(err);
	(void)snprintf(back.answer, sizeof back.answer, "%.*s", (int)answer.length, answer.data);
	(void)snprintf(back.model, sizeof back.model, "%s", model);
	char *text = sources != NULL ? json_text(sources) : NULL;
	(void)snprintf(back.sources, sizeof back.sources, "%s", text != NULL ? text : "");
	free(text);
	end(instance, run, err);
}

static const struct ss_text texts[] = {{"one", 3}, {"two", 3}};

static enum ss_result embed(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	back.on_stack = true;
	int asked = actor->host->embed(run, texts, 2, on_embedded, err);
	back.on_stack = false;
	return asked < 0 ? SS_FAILED : SS_PENDING;
}

static enum ss_result embed_nothing(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor->host->embed(run, texts, 0, on_embedded, err) < 0 ? SS_FAILED : SS_PENDING;
}

static enum ss_result search(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_search query = {.struct_size = sizeof query, .text = texts[0], .top_k = 3};
	return actor->host->search(run, &query, on_found, err) < 0 ? SS_FAILED : SS_PENDING;
}

static enum ss_result generate(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_prompt prompt = {.struct_size = sizeof prompt, .question = texts[0]};
	back.on_stack = true;
	int asked = actor->host->generate(run, &prompt, on_generated, err);
	back.on_stack = false;
	return asked < 0 ? SS_FAILED : SS_PENDING;
}

/* Asks, and is done without waiting for the answer. */
static enum ss_result embed_and_be_done(
	struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return embed(actor, run, err) == SS_PENDING ? SS_DONE : SS_FAILED;
}

static void fails(stage_act *act, enum ss_status status, const char *why)
{
	stage_open(ALONE);
	stage_play("a", act);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, status);
	cr_expect_not_null(strstr(turn_error(turn)->text, why), "%s", turn_error(turn)->text);
	cr_expect_eq(back.calls, 0);
	turn_free(turn);
	stage_close();
}

Test(services, that_are_not_there_are_refused_with_a_sentence)
{
	fails(embed, SS_UNAVAILABLE, "the node a (agent puppet): no embedder is configured");
	fails(search, SS_UNAVAILABLE, "no embedder is configured");
	fails(generate, SS_UNAVAILABLE, "no model is configured");
	fails(embed_nothing, SS_INVALID, "there is no text to embed");
}

/* An embedder that waits for `gate` before each batch while it is closed. */
static struct {
	atomic_bool closed;
	bool broken;
	sem_t gate;
	sem_t reached;
} embedder;

static size_t dimension(const void *instance)
{
	(void)instance;
	return 2;
}

static int embed_texts(void *instance, const struct ss_text *given, size_t count, float *vectors,
	struct ss_error *err)
{
	(void)instance;
	if (embedder.closed) {
		(void)sem_post(&embedder.reached);
		(void)sem_wait(&embedder.gate);
	}
	if (embedder.broken)
		return ss_fail_as(err, SS_UNAVAILABLE, "the embedder is broken");
	for (size_t i = 0; i < count; i++) {
		float first = (float)given[i].data[0] / 128;
		vectors[2 * i] = first;
		vectors[2 * i + 1] = sqrtf(1 - first * first);
	}
	return 0;
}

/* Lets the batch that waits, and those that may follow it, pass. */
static void open_gate(void)
{
	(void)sem_wait(&embedder.reached);
	embedder.closed = false;
	(void)sem_post(&embedder.gate);
}

static const struct ss_embedder_operations embedder_operations = {
	.dimension = dimension, .embed = embed_texts};

static int build_index(
	void *instance, const float *vectors, size_t count, size_t size, struct ss_error *err)
{
	(void)instance;
	(void)vectors;
	(void)count;
	(void)size;
	(void)err;
	return 0;
}

/* An index for which all is as near, so the first come first. */
static int search_index(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	(void)instance;
	(void)queries;
	(void)err;
	for (size_t i = 0; i < count * k; i++) {
		ids[i] = (int64_t)(i % k);
		scores[i] = 1;
	}
	return 0;
}

static const struct ss_index_operations index_operations = {
	.build = build_index, .search = search_index};

/* The knowledge of the next open_compute(); NULL for none. */
static struct knowledge *knowledge;

static void know_one_article(void)
{
	struct ss_error err = {0};
	struct ss_value *article =
		value_map_make({"id", value_text("a")}, {"title", value_text("one way")},
			{"content", value_text("another way")}, {"category", value_text("")});
	const struct articles articles = {&article, 1};
	const struct knowledge_options options = knowledge_defaults();
	knowledge = knowledge_new(
		&articles, &embedder_operations, NULL, &index_operations, NULL, &options, &err);
	cr_assert_not_null(knowledge, "%s", err.text);
	value_unref(article);
}

static struct compute *open_compute(const char *yaml)
{
	struct ss_error err = {0};
	stage_prepare(yaml);
	(void)sem_init(&embedder.gate, 0, 0);
	(void)sem_init(&embedder.reached, 0, 0);
	const struct compute_options options = {.base = stage.base,
		.embedder = &embedder_operations,
		.knowledge = knowledge,
		.queue_limit = 100,
		.cache_limit = 10};
	struct compute *compute = compute_new(&options, &err);
	cr_assert_not_null(compute, "%s", err.text);
	stage.options.compute = compute;
	stage_begin();
	return compute;
}

Test(embed, calls_back_with_the_vectors)
{
	struct compute *compute = open_compute(ALONE);
	stage_play("a", embed);
	for (int i = 1; i <= 2; i++) {
		struct turn *turn = stage_turn(NULL);
		cr_expect_null(turn_error(turn));
		cr_expect_eq(back.calls, i);
		cr_expect_eq(back.count, 2);
		cr_expect_eq(back.dimension, 2);
		cr_expect_eq(lrintf(back.first * 128), 't');
		cr_expect_eq(stage_int(turn, "f0"), 1);
		turn_free(turn);
	}
	compute_free(compute);
	stage_close();
}

Test(embed, calls_back_with_an_error)
{
	embedder.broken = true;
	struct compute *compute = open_compute(ALONE);
	stage_play("a", embed);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(
		turn_error(turn)->text, "the node a (agent puppet): the embedder is broken");
	cr_expect_eq(back.err.status, SS_UNAVAILABLE);
	turn_free(turn);
	compute_free(compute);
	stage_close();
}

Test(search, without_a_knowledge_base_is_refused)
{
	struct compute *compute = open_compute(ALONE);
	stage_play("a", search);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_not_null(strstr(turn_error(turn)->text, "no knowledge base is configured"));
	turn_free(turn);
	compute_free(compute);
	stage_close();
}

static void expect_told(const struct turn *turn)
{
	static const char missing[] =
		"{\"error\":\"the embedder is broken\",\"stages\":[\"question\",\"answer\"]}";
	struct ss_value *trace = turn_trace(turn);
	char *in_trace = json_text(value_get(stage_entry(trace, "a"), "missing"));
	char *logged = stage_logged();
	cr_expect_str_eq(back.missing, missing);
	cr_expect_str_eq(in_trace, missing);
	cr_expect_not_null(strstr(logged, "the node a searched the knowledge base without "
					  "question, answer: the embedder is broken"));
	free(logged);
	free(in_trace);
	value_unref(trace);
}

/* What is found meanwhile is given, but not kept for later. */
Test(search, tells_which_of_its_stages_did_not_run)
{
	know_one_article();
	struct compute *compute =
		open_compute("nodes: {a: {agent: puppet, cache: {key: [given]}}}\n"
			     "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", search);
	embedder.broken = true;
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(back.found, 1);
	expect_told(turn);
	turn_free(turn);
	embedder.broken = false;
	for (int i = 0; i < 2; i++) {
		turn = stage_turn(NULL);
		cr_expect_eq(back.calls, 2, "once more, and then from the cache");
		cr_expect_eq(back.found, 1);
		cr_expect_str_eq(back.missing, "");
		turn_free(turn);
	}
	compute_free(compute);
	knowledge_free(knowledge);
	stage_close();
}

Test(embed, that_comes_after_the_nodes_timeout_ends_with_an_error)
{
	embedder.closed = true;
	struct compute *compute = open_compute(WITH_TIMEOUT);
	stage_play("a", embed);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), -1);
	cr_expect_eq(back.calls, 0);
	open_gate();
	while (back.calls == 0)
		stage_spin();
	cr_expect_neq(back.err.status, SS_OK);
	cr_expect_not_null(strstr(back.err.text, "the run is over"));
	cr_expect_eq(stage_int(turn, "f0"), -1);
	turn_free(turn);
	compute_free(compute);
	stage_close();
}

Test(embed, that_comes_after_the_turn_was_freed_ends_with_an_error)
{
	struct ending ending;
	embedder.closed = true;
	struct compute *compute = open_compute(ALONE);
	stage_play("a", embed);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	turn_free(turn);
	open_gate();
	while (back.calls == 0)
		stage_spin();
	cr_expect_not_null(strstr(back.err.text, "the run is over"));
	cr_expect_eq(back.count, 0);
	cr_expect_eq(ending.calls, 0);
	compute_free(compute);
	stage_close();
}

Test(embed, of_a_run_that_did_not_wait_for_it_ends_with_an_error)
{
	struct compute *compute = open_compute(ALONE);
	stage_play("a", embed_and_be_done);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	while (back.calls == 0)
		stage_spin();
	cr_expect_not_null(strstr(back.err.text, "the run is over"));
	cr_expect_eq(stage_int(turn, "f0"), 0);
	turn_free(turn);
	compute_free(compute);
	stage_close();
}

Test(embed, that_is_under_way_when_the_server_stops_ends_before_the_engine_does)
{
	struct ending ending;
	embedder.closed = true;
	struct compute *compute = open_compute(ALONE);
	stage_play("a", embed);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	engine_stop(stage.engine);
	open_gate();
	compute_free(compute);
	cr_expect_eq(back.calls, 1);
	cr_expect_not_null(strstr(back.err.text, "the run is over"));
	stage_until_over(&ending);
	turn_free(turn);
	stage_close();
}

/* A model that answers at once, later, or not at all. */
static struct {
	bool at_once;
	bool broken;
	bool talks; /* hands on a piece at once */
	bool fails; /* the first time */
	int calls;
	struct ss_generation *asked;
	char question[16];
} model;

static int start_generation(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	(void)instance;
	if (model.broken)
		return ss_fail_as(err, SS_UNAVAILABLE, "the model is away");
	(void)snprintf(model.question, sizeof model.question, "%.*s", (int)prompt->question.length,
		prompt->question.data);
	model.asked = generation;
	if (model.talks)
		llm_hand_on(generation, (struct ss_text){"I ", 2});
	if (model.fails && model.calls++ == 0) {
		const struct ss_error failure = {.status = SS_UNAVAILABLE, .text = "lost"};
		llm_answer(generation, (struct ss_text){"", 0}, NULL, &failure);
		return 0;
	}
	if (model.at_once)
		llm_answer(generation, (struct ss_text){"now", 3}, NULL, NULL);
	return 0;
}

static const struct ss_llm_operations model_operations = {.generate = start_generation};

static struct llm *open_llm(const char *yaml)
{
	stage_prepare(yaml);
	const struct llm_model row = {.operations = &model_operations,
		.name = "parrot",
		.policy = {.attempts = 1, .timeout_ns = INT64_C(60000000000), .in_flight = 8}};
	const struct llm_options options = {.base = stage.base,
		.later = stage.later,
		.models = &row,
		.count = 1,
		.log = &stage.log};
	struct llm *llm = llm_new(&options);
	stage.options.llm = llm;
	stage_begin();
	return llm;
}

Test(generate, calls_back_with_an_answer_that_was_given_at_once)
{
	model.at_once = true;
	struct llm *llm = open_llm(ALONE);
	stage_play("a", generate);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(model.question, "one");
	cr_expect_str_eq(back.answer, "now");
	cr_expect_str_eq(back.sources, "[]");
	cr_expect_str_eq(back.model, "parrot");
	turn_free(turn);
	stage_close();
	llm_free(llm);
}

Test(generate, calls_back_with_an_answer_that_comes_later)
{
	struct ending ending;
	struct llm *llm = open_llm(ALONE);
	stage_play("a", generate);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	struct ss_value *id = value_text("kb-1");
	struct ss_value *sources = value_list(&id, 1);
	llm_answer(model.asked, (struct ss_text){"later", 5}, sources, NULL);
	value_unref(sources);
	stage_until_over(&ending);
	cr_expect_str_eq(back.answer, "later");
	cr_expect_str_eq(back.sources, "[\"kb-1\"]");
	turn_free(turn);
	stage_close();
	llm_free(llm);
}

Test(generate, is_refused_by_a_model_that_is_away)
{
	model.broken = true;
	struct llm *llm = open_llm(ALONE);
	stage_play("a", generate);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(turn_error(turn)->text, "the node a (agent puppet): the model is away");
	cr_expect_eq(back.calls, 0);
	turn_free(turn);
	stage_close();
	llm_free(llm);
}

Test(generate, that_is_answered_too_late_ends_with_an_error)
{
	struct llm *llm = open_llm(WITH_TIMEOUT);
	stage_play("a", generate);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	turn_free(turn);
	llm_answer(model.asked, (struct ss_text){"late", 4}, NULL, NULL);
	stage_spin();
	cr_expect_eq(back.calls, 1);
	cr_expect_str_eq(back.answer, "");
	cr_expect_not_null(strstr(back.err.text, "the run is over"));
	stage_close();
	llm_free(llm);
}

/* What was told of the pieces of answers, as <node attempt text>, and of the ends of nodes, as (node status). */
struct told {
	struct ending ending;
	struct buffer text;
};

static void note_event(void *context, struct turn *turn, const struct ss_value *event)
{
	struct told *told = context;
	const char *node = value_as_string(value_get(event, "node"), NULL);
	const struct ss_value *text = value_get(event, "text");
	const struct ss_value *copy = value_get(event, "copy");
	(void)turn;
	if (text == NULL) {
		buffer_add_format(&told->text, "(%s %s)", node,
			value_as_string(value_get(event, "status"), NULL));
		return;
	}
	cr_expect_str_eq(value_as_string(value_get(event, "event"), NULL), "token");
	cr_expect_eq(strlen(value_as_string(value_get(event, "id"), NULL)), 16);
	buffer_add_format(&told->text, "<%s", node);
	if (copy != NULL)
		buffer_add_format(&told->text, "-%d", (int)value_as_int(copy));
	buffer_add_format(&told->text, " %d %s>", (int)value_as_int(value_get(event, "attempt")),
		value_as_string(text, NULL));
}

static void note_over(void *context, struct turn *turn)
{
	struct told *told = context;
	told->ending.turn = turn;
	told->ending.calls++;
}

static struct turn *start_told(struct told *told, unsigned events)
{
	struct ss_error err = {0};
	const struct turn_options options = {.log = &stage.log,
		.over = note_over,
		.event = note_event,
		.events = events,
		.context = told};
	struct turn *turn = turn_start(stage.engine, &options, &err);
	cr_assert_not_null(turn, "%s", err.text);
	return turn;
}

static void close_told(struct told *told, struct turn *turn, struct llm *llm)
{
	turn_free(turn);
	buffer_free(&told->text);
	stage_close();
	llm_free(llm);
}

Test(token, is_told_when_a_model_hands_on_a_piece_until_it_has_answered)
{
	struct told told = {0};
	model.talks = true;
	struct llm *llm = open_llm(ALONE);
	stage_play("a", generate);
	struct turn *turn = start_told(&told, TURN_TOKEN | TURN_NODE_FINISHED);
	stage_spin();
	cr_expect_str_eq(buffer_text(&told.text), "<a 1 I >");
	llm_hand_on(model.asked, (struct ss_text){"see", 3});
	llm_answer(model.asked, (struct ss_text){"I see", 5}, NULL, NULL);
	llm_hand_on(model.asked, (struct ss_text){" more", 5});
	stage_until_over(&told.ending);
	cr_expect_str_eq(buffer_text(&told.text), "<a 1 I ><a 1 see>(a done)");
	cr_expect_str_eq(back.answer, "I see");
	close_told(&told, turn, llm);
}

Test(token, is_not_told_to_those_who_did_not_choose_it)
{
	struct told told = {0};
	model.talks = model.at_once = true;
	struct llm *llm = open_llm(ALONE);
	stage_play("a", generate);
	struct turn *turn = start_told(&told, TURN_NODE_FINISHED);
	stage_until_over(&told.ending);
	cr_expect_str_eq(buffer_text(&told.text), "(a done)");
	close_told(&told, turn, llm);
}

Test(token, says_which_attempt_it_is_of)
{
	struct told told = {0};
	model.talks = model.at_once = model.fails = true;
	struct llm *llm = open_llm("nodes: {a: {agent: puppet, retry: {attempts: 2, on: "
				   "[unavailable], backoff: 0s}}}\n"
				   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", generate);
	struct turn *turn = start_told(&told, TURN_TOKEN | TURN_NODE_FINISHED);
	stage_until_over(&told.ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(buffer_text(&told.text), "<a 1 I ><a 2 I >(a done)");
	close_told(&told, turn, llm);
}

Test(token, says_which_copy_it_is_of)
{
	struct told told = {0};
	model.talks = model.at_once = true;
	struct llm *llm = open_llm("nodes:\n"
				   "  a: {agent: puppet_0, fields: {f0: sum},\n"
				   "      send: {over: '[7, 8]', as: given}}\n"
				   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", generate);
	struct turn *turn = start_told(&told, TURN_TOKEN);
	stage_until_over(&told.ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(buffer_text(&told.text), "<a-0 1 I ><a-1 1 I >");
	close_told(&told, turn, llm);
}

Test(token, is_dropped_when_it_comes_after_the_attempt)
{
	struct told told = {0};
	struct llm *llm = open_llm(WITH_TIMEOUT);
	stage_play("a", generate);
	struct turn *turn = start_told(&told, TURN_TOKEN | TURN_NODE_FINISHED);
	stage_until_over(&told.ending);
	llm_hand_on(model.asked, (struct ss_text){"late", 4});
	cr_expect_str_eq(buffer_text(&told.text), "(a degraded)");
	turn_free(turn);
	llm_hand_on(model.asked, (struct ss_text){"later", 5});
	llm_answer(model.asked, (struct ss_text){"latest", 6}, NULL, NULL);
	stage_spin();
	cr_expect_eq(back.calls, 1);
	buffer_free(&told.text);
	stage_close();
	llm_free(llm);
}
