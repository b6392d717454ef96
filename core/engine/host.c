/* What agents may call: the state of their run, and the services. */
#include "base/memory.h"
#include "engine/turn.h"
#include "service/compute.h"
#include "service/llm.h"
#include "value/value.h"

#include <stdlib.h>

static const struct ss_error run_is_over = {
	.status = SS_INTERNAL, .text = "the run is over; nothing waits for what it does now"};

/* A call to a service that is under way for a run. */
struct run_call {
	struct ss_run *run;
	ss_embedded *embedded;
	ss_found *found;
	ss_generated *generated;
};

static const struct graph_node *node_of(const struct ss_run *run)
{
	return &run->turn->engine->graph->nodes[run->node];
}

static const struct engine_options *options_of(const struct ss_run *run)
{
	return &run->turn->engine->options;
}

/* Says that the run is over. */
static int refuse(struct ss_error *err)
{
	if (err != NULL)
		*err = run_is_over;
	return -1;
}

static struct run_call *call_new(struct ss_run *run)
{
	struct run_call *call = memory_make(struct run_call);
	call->run = run_ref(run);
	return call;
}

static int call_end(struct run_call *call, int result)
{
	run_unref(call->run);
	free(call);
	return result;
}

static const struct ss_value *read_field(struct ss_run *run, size_t field)
{
	return run->read != NULL && field < node_of(run)->field_count ? run->read[field] : NULL;
}

static int write_field(
	struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err)
{
	const struct graph_node *node = node_of(run);
	const struct ss_field *rows = node->plugin->fields;
	if (!run_is_running(run)) {
		value_unref(value);
		return refuse(err);
	}
	if (field >= node->field_count || (rows[field].access & SS_WRITES) == 0) {
		value_unref(value);
		return ss_fail_as(err, SS_INVALID,
			"the agent %s does not declare that it writes the field %s",
			node->plugin->name,
			field < node->field_count ? rows[field].name : "with that number");
	}
	if (node->slots[field] == GRAPH_NO_SLOT) {
		value_unref(value);
		return 0;
	}
	value_unref(run->wrote[field]);
	run->wrote[field] = value;
	return 0;
}

static void *allocate(struct ss_run *run, size_t size)
{
	struct run_memory *memory = memory_new(sizeof *memory + size);
	memory->next = run->memory;
	run->memory = memory;
	return memory->bytes;
}

static void on_embedded(void *context, const float *const *vectors, size_t count, size_t dimension,
	const struct ss_error *err)
{
	struct run_call *call = context;
	struct ss_run *run = call->run;
	bool over = !run_is_running(run);
	call->embedded(run_instance(run), run, over ? NULL : vectors, over ? 0 : count, dimension,
		over ? &run_is_over : err);
	(void)call_end(call, 0);
}

static int embed(struct ss_run *run, const struct ss_text *texts, size_t count, ss_embedded *done,
	struct ss_error *err)
{
	if (!run_is_running(run))
		return refuse(err);
	if (count == 0)
		return ss_fail_as(err, SS_INVALID, "there is no text to embed");
	if (options_of(run)->compute == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no embedder is configured");
	struct run_call *call = call_new(run);
	call->embedded = done;
	if (compute_embed(options_of(run)->compute, texts, count, on_embedded, call, err) < 0)
		return call_end(call, -1);
	return 0;
}

static void on_found(void *context, const struct ss_value *articles, const struct ss_error *err)
{
	struct run_call *call = context;
	struct ss_run *run = call->run;
	bool over = !run_is_running(run);
	call->found(run_instance(run), run, over ? NULL : articles, over ? &run_is_over : err);
	(void)call_end(call, 0);
}

static int search(
	struct ss_run *run, const struct ss_search *query, ss_found *done, struct ss_error *err)
{
	if (!run_is_running(run))
		return refuse(err);
	if (options_of(run)->compute == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no embedder is configured");
	struct run_call *call = call_new(run);
	call->found = done;
	if (compute_search(options_of(run)->compute, query, on_found, call, err) < 0)
		return call_end(call, -1);
	return 0;
}

static void on_generated(void *context, struct ss_text answer, const struct ss_value *sources,
	const char *model, const struct ss_error *err)
{
	struct run_call *call = context;
	struct ss_run *run = call->run;
	bool over = !run_is_running(run);
	call->generated(run_instance(run), run, over ? (struct ss_text){"", 0} : answer,
		over ? NULL : sources, model, over ? &run_is_over : err);
	(void)call_end(call, 0);
}

static int generate(struct ss_run *run, const struct ss_prompt *prompt, ss_generated *done,
	struct ss_error *err)
{
	if (!run_is_running(run))
		return refuse(err);
	if (options_of(run)->llm == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no model is configured");
	struct run_call *call = call_new(run);
	call->generated = done;
	if (llm_generate(options_of(run)->llm, prompt, on_generated, call, err) < 0)
		return call_end(call, -1);
	return 0;
}

void engine_host_init(struct host *host)
{
	host->table.read = read_field;
	host->table.write = write_field;
	host->table.allocate = allocate;
	host->table.embed = embed;
	host->table.search = search;
	host->table.generate = generate;
	host->table.finish = run_finish;
}
