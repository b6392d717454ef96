#include "support/outcome.h"

#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "support/told.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>

const struct ss_value *outcome_field(const struct outcome *outcome, const char *name)
{
	return turn_field(outcome->turn, name);
}

const char *outcome_text(const struct outcome *outcome, const char *name)
{
	return value_as_string(outcome_field(outcome, name), NULL);
}

/* What a question that is handed over is answered with. */
static const char handed_over[] = "Something went wrong here while your question was being "
				  "answered. A person of our team has "
				  "it now and will answer you in this conversation.";

struct ss_text outcome_response(const struct outcome *outcome)
{
	return outcome->handover != NULL ? text_of(handed_over)
					 : value_as_text(outcome_field(outcome, "response"));
}

bool outcome_is_escalated(const struct outcome *outcome)
{
	return outcome->handover != NULL || value_as_bool(outcome_field(outcome, "escalated"));
}

const char *outcome_escalation_reason(const struct outcome *outcome)
{
	return outcome->handover != NULL ? outcome->handover
					 : outcome_text(outcome, "escalation_reason");
}

const char *outcome_answered_by(const struct outcome *outcome)
{
	return outcome->handover != NULL ? "escalation" : outcome_text(outcome, "answered_by");
}

bool outcome_is_answered(const struct outcome *outcome)
{
	const struct ss_value *answered = outcome_field(outcome, "answered");
	return outcome->handover == NULL && (answered == NULL || value_as_bool(answered));
}

bool outcome_is_unanswered(const struct outcome *outcome)
{
	return outcome->handover == NULL && value_as_bool(outcome_field(outcome, "unanswered"));
}

const struct ss_value *outcome_sources(const struct outcome *outcome)
{
	return outcome->handover == NULL ? outcome_field(outcome, "sources") : NULL;
}

/* A reference to the field NAME; NULL: the workflow has none. */
static struct ss_value *field(const struct outcome *outcome, const char *name)
{
	return value_ref(outcome_field(outcome, name));
}

/* The nodes that ran, in order: the route that the question took. */
static struct ss_value *route(const struct outcome *outcome)
{
	size_t count = value_count(outcome->trace);
	struct ss_value **nodes = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		nodes[i] = value_ref(value_get(value_at(outcome->trace, i), "node"));
	struct ss_value *list = value_list(nodes, count);
	free(nodes);
	return list;
}

/* What became of the models that were asked, with the nodes that asked: LIST (taken) and what TRACE tells of it. */
static struct ss_value *add_models(struct ss_value *list, const struct ss_value *trace, bool candid)
{
	for (size_t i = 0; i < value_count(trace); i++) {
		const struct ss_value *entry = value_at(trace, i);
		const struct ss_value *node = value_get(entry, "node");
		const struct ss_value *models = value_get(entry, "models");
		const struct ss_value *inner = value_get(entry, "inner");
		for (size_t k = 0; k < value_count(models); k++) {
			struct ss_value *told = candid ? value_ref(value_at(models, k))
						       : told_model(value_at(models, k));
			struct ss_value *model = value_map_with(told, "node", value_ref(node));
			struct ss_value *one = value_list(&model, 1);
			list = value_list_append(list, one);
			value_unref(one);
			value_unref(told);
		}
		/* Of a node that is sent over a list there are several. */
		bool several = value_type(value_at(inner, 0)) == SS_LIST;
		for (size_t k = 0; several && k < value_count(inner); k++)
			list = add_models(list, value_at(inner, k), candid);
		if (!several)
			list = add_models(list, inner, candid);
	}
	return list;
}

static struct ss_value *models(const struct outcome *outcome)
{
	struct ss_value *list = add_models(value_list(NULL, 0), outcome->trace, outcome->candid);
	if (value_count(list) > 0)
		return list;
	value_unref(list);
	return NULL;
}

static struct ss_value *retrieval(const struct outcome *outcome)
{
	return outcome->candid ? field(outcome, "retrieval")
			       : told_retrieval(outcome_field(outcome, "retrieval"));
}

struct ss_value *outcome_metadata(const struct outcome *outcome, int64_t duration_ns)
{
	struct ss_value *kb_results = field(outcome, "kb_results");
	const struct ss_value *sources = outcome_sources(outcome);
	return value_map_make({"processing_time", value_number((double)(duration_ns / 1000) / 1e6)},
		{"escalated", value_bool(outcome_is_escalated(outcome))},
		{"escalation_reason", value_text(outcome_escalation_reason(outcome))},
		{"kb_results", kb_results != NULL ? kb_results : value_list(NULL, 0)},
		{"retrieval", retrieval(outcome)},
		{"category_confidence", field(outcome, "category_confidence")},
		{"sentiment_confidence", field(outcome, "sentiment_confidence")},
		{"priority_factors", field(outcome, "priority_factors")},
		{"attempts", field(outcome, "attempts")},
		{"answered",
			outcome->handover != NULL ? value_bool(false) : field(outcome, "answered")},
		{"answered_by", outcome->handover != NULL ? value_text("escalation")
							  : field(outcome, "answered_by")},
		{"sources", sources != NULL ? value_ref(sources) : NULL},
		{"models", models(outcome)}, {"route", route(outcome)},
		{"turn_id", value_text(outcome->turn_id)});
}

char *outcome_stored_metadata(const struct outcome *outcome, const struct ss_value *metadata)
{
	const struct ss_value *summary = outcome_field(outcome, "handover_summary");
	if (value_as_text(summary).length == 0)
		return json_text(metadata);
	struct ss_value *stored = value_map_with(metadata, "handover_summary", value_ref(summary));
	char *text = json_text(stored);
	value_unref(stored);
	return text;
}
