/* What became of the models that a question went to. */
#include "base/clock.h"
#include "base/memory.h"
#include "service/llm_parts.h"
#include "value/value.h"

#include <stdlib.h>

struct llm_entry *llm_entry(struct llm_call *call)
{
	if (!call->entered) {
		call->entries =
			memory_resize(call->entries, call->entry_count + 1, sizeof *call->entries);
		call->entries[call->entry_count++] = (struct llm_entry){
			.row = &call->llm->rows[call->at],
			.input_tokens = -1,
			.output_tokens = -1,
			.first_token_ns = -1,
			.began_ns = clock_monotonic_ns(),
		};
		call->entered = true;
	}
	return &call->entries[call->entry_count - 1];
}

/* What of a failure with STATUS is everybody's business. */
static const char *reason_of(enum ss_status status)
{
	switch (status) {
	case SS_NOT_FOUND:
		return "it finds no answer in the articles";
	case SS_UNAVAILABLE:
		return "it could not be reached, or does not work now";
	case SS_TIMEOUT:
		return "it took too long";
	case SS_LIMIT:
		return "too much was asked of it";
	case SS_INVALID:
		return "it refused what it was asked";
	default:
		return "it failed";
	}
}

void llm_close_entry(struct llm_call *call, enum llm_status status, const char *why)
{
	struct llm_entry *entry = llm_entry(call);
	entry->status = status;
	entry->error = memory_string(why);
	if (status == LLM_FAILED || status == LLM_NO_ANSWER)
		entry->reason = reason_of(call->err.status);
	entry->duration_ns = clock_monotonic_ns() - entry->began_ns;
	call->entered = false;
}

static void add_tokens(int64_t *total, int64_t tokens)
{
	if (tokens >= 0)
		*total = (*total > 0 ? *total : 0) + tokens;
}

void llm_note_attempt(struct llm_call *call, const struct ss_generation *generation)
{
	struct llm_entry *entry = llm_entry(call);
	entry->attempts++;
	add_tokens(&entry->input_tokens, generation->input_tokens);
	add_tokens(&entry->output_tokens, generation->output_tokens);
	if (generation->first_token_ns > 0)
		entry->first_token_ns = generation->first_token_ns - generation->began_ns;
}

static struct ss_value *tokens(int64_t count)
{
	return count >= 0 ? value_int(count) : NULL;
}

/* To the microsecond. */
static struct ss_value *milliseconds(int64_t ns)
{
	return ns >= 0 ? value_number((double)(ns / 1000) / 1e3) : NULL;
}

static struct ss_value *cost(const struct llm_entry *entry)
{
	const struct model_price *price = &entry->row->model.price;
	int64_t input = entry->input_tokens > 0 ? entry->input_tokens : 0;
	int64_t output = entry->output_tokens > 0 ? entry->output_tokens : 0;
	if (price->input <= 0 && price->output <= 0)
		return NULL;
	return value_number(((double)input * price->input + (double)output * price->output) / 1e6);
}

static struct ss_value *entry_value(const struct llm_entry *entry)
{
	static const char *const statuses[] = {
		[LLM_ANSWERED] = "answered",
		[LLM_NO_ANSWER] = "no_answer",
		[LLM_FAILED] = "failed",
		[LLM_SKIPPED] = "skipped",
		[LLM_STOPPED] = "stopped",
	};
	bool called = entry->attempts > 0;
	return value_map_make({"model", value_text(entry->row->model.name)},
		{"status", value_text(statuses[entry->status])},
		{"error", entry->error != NULL ? value_text(entry->error) : NULL},
		{"reason", entry->reason != NULL ? value_text(entry->reason) : NULL},
		{"attempts", called ? value_int(entry->attempts) : NULL},
		{"input_tokens", tokens(entry->input_tokens)},
		{"output_tokens", tokens(entry->output_tokens)},
		{"cost", called ? cost(entry) : NULL},
		{"first_token_ms", milliseconds(entry->first_token_ns)},
		{"duration_ms", called ? milliseconds(entry->duration_ns) : NULL},
		{"cut", entry->cut ? value_bool(true) : NULL});
}

/* A local model that is the first one and was asked once says nothing that its answer does not. */
static bool is_silent(const struct llm_call *call)
{
	const struct llm_entry *first = call->entries;
	return call->entry_count == 0 ||
	       (call->entry_count == 1 && first->row == call->llm->rows &&
		       llm_is_local(first->row) && first->status != LLM_SKIPPED &&
		       first->attempts <= 1);
}

struct ss_value *llm_report(const struct llm_call *call)
{
	if (is_silent(call))
		return NULL;
	struct ss_value **items = memory_array(call->entry_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < call->entry_count; i++)
		items[i] = entry_value(&call->entries[i]);
	struct ss_value *list = value_list(items, call->entry_count);
	free(items);
	return list;
}

void llm_entries_free(struct llm_call *call)
{
	for (size_t i = 0; i < call->entry_count; i++)
		free(call->entries[i].error);
	free(call->entries);
}

struct ss_value *llm_states(const struct llm *llm)
{
	int64_t now_ns = clock_monotonic_ns();
	struct ss_value **states = memory_array(llm->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < llm->count; i++) {
		int64_t rest_ns = llm_row_rest_ns(&llm->rows[i], now_ns);
		states[i] = value_map_make({"model", value_text(llm->rows[i].model.name)},
			{"state", value_text(rest_ns > 0 ? "resting" : "ok")},
			{"seconds", rest_ns > 0 ? value_number((double)rest_ns / 1e9) : NULL});
	}
	struct ss_value *list = value_list(states, llm->count);
	free(states);
	return list;
}
