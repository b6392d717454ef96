#include "graph/schema.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "config/options.h"
#include "config/schema.h"
#include "graph/load.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static struct ss_value *reference(const char *name)
{
	char *path = memory_format("#/$defs/%s", name);
	struct ss_value *schema = value_map_make({"$ref", value_text(path)});
	free(path);
	return schema;
}

static struct ss_value *described(const char *type, const char *what)
{
	return value_map_make({"type", value_text(type)}, {"description", value_text(what)});
}

static struct ss_value *map_of(struct ss_value *values, const char *what)
{
	return value_map_make({"type", value_text("object")}, {"additionalProperties", values},
		{"description", value_text(what)});
}

/* One of them or a list of them. */
static struct ss_value *one_or_more(const char *name, const char *what)
{
	struct ss_value *either[] = {reference(name),
		value_map_make({"type", value_text("array")}, {"items", reference(name)},
			{"minItems", value_int(1)}, {"uniqueItems", value_bool(true)})};
	return value_map_make({"anyOf", value_list(either, 2)}, {"description", value_text(what)});
}

/* What stands under a key that no table has. */
static struct ss_value *anything(void)
{
	return value_map_make({"description", value_text("the value that the field has at first")});
}

static struct ss_value *bound(void)
{
	return described("number", "the least or the largest value of an int or a number");
}

static struct ss_value *state(void)
{
	return map_of(reference("field"), "the fields of a turn's state");
}

static struct ss_value *nodes(void)
{
	return value_map_make({"type", value_text("object")},
		{"additionalProperties", reference("node")}, {"minProperties", value_int(1)},
		{"description", value_text("what can run, by name")});
}

static struct ss_value *edges(void)
{
	return value_map_make({"type", value_text("array")}, {"items", reference("edge")},
		{"minItems", value_int(1)}, {"description", value_text("what runs after what")});
}

static struct ss_value *options(void)
{
	return described("object", "the options of the agent");
}

static struct ss_value *fields(void)
{
	struct ss_value *types[] = {value_text("string"), value_text("null")};
	return map_of(value_map_make({"type", value_list(types, 2)}),
		"which fields of the state the agent's fields are, where the names differ; ~ "
		"leaves "
		"an optional one out");
}

static struct ss_value *targets(void)
{
	return one_or_more("place", "the nodes between which the agent chooses");
}

static struct ss_value *inputs(void)
{
	return map_of(reference("expression"),
		"the fields of the workflow, from expressions over the state here");
}

static struct ss_value *outputs(void)
{
	return map_of(reference("expression"),
		"the fields here, from expressions over the workflow's state");
}

static struct ss_value *answer(void)
{
	return described("string", "the field that the answer is written to");
}

static struct ss_value *over(void)
{
	return reference("expression");
}

static struct ss_value *as(void)
{
	return described("string", "the field in which each copy sees its item");
}

static struct ss_value *set(void)
{
	return described("object", "the values that are written when the node has failed");
}

static struct ss_value *error(void)
{
	return described("string", "the field that is told what went wrong");
}

static struct ss_value *from(void)
{
	return one_or_more("place", "the nodes after which it leads on, or START");
}

static struct ss_value *to(void)
{
	return one_or_more("place", "the nodes that run next, or END");
}

static struct ss_value *choose(void)
{
	struct ss_value *either[] = {reference("when"), reference("else")};
	return value_map_make({"type", value_text("array")},
		{"items", value_map_make({"anyOf", value_list(either, 2)})},
		{"minItems", value_int(1)},
		{"description", value_text("the first whose condition is true; else comes last")});
}

static struct ss_value *when(void)
{
	return reference("expression");
}

static struct ss_value *place(void)
{
	return reference("place");
}

static struct ss_value *retry(void)
{
	return reference("retry");
}

static struct ss_value *cache(void)
{
	return reference("cache");
}

static struct ss_value *interrupt(void)
{
	return reference("interrupt");
}

static struct ss_value *send(void)
{
	return reference("send");
}

static struct ss_value *on_error(void)
{
	return reference("on_error");
}

static const struct {
	const char *key;
	struct ss_value *(*make)(void);
} keys[] = {
	{"default", anything},
	{"min", bound},
	{"max", bound},
	{"state", state},
	{"nodes", nodes},
	{"edges", edges},
	{"options", options},
	{"fields", fields},
	{"goto", targets},
	{"input", inputs},
	{"output", outputs},
	{"on_error", on_error},
	{"retry", retry},
	{"cache", cache},
	{"interrupt", interrupt},
	{"send", send},
	{"answer", answer},
	{"over", over},
	{"as", as},
	{"set", set},
	{"error", error},
	{"from", from},
	{"to", to},
	{"choose", choose},
	{"when", when},
	{"else", place},
};

/* The schema of what stands under KEY; a key that is added to the loader is missing here at once. */
static struct ss_value *value_of_key(const char *key)
{
	for (size_t i = 0; i < array_length(keys); i++) {
		if (strcmp(keys[i].key, key) == 0)
			return keys[i].make();
	}
	abort();
}

/* Properties that are collected. */
struct properties {
	struct value_entry entries[64];
	size_t count;
};

static void add_section(struct properties *properties, const struct graph_section *section)
{
	for (size_t i = 0; i < options_count(section->rows); i++)
		properties->entries[properties->count++] = (struct value_entry){
			section->rows[i].name, schema_option(&section->rows[i])};
	for (size_t i = 0; section->sections != NULL && section->sections[i] != NULL; i++)
		properties->entries[properties->count++] = (struct value_entry){
			section->sections[i], value_of_key(section->sections[i])};
}

static struct ss_value *names(const char *const *list)
{
	struct ss_value *items[16];
	size_t count = 0;
	for (; count < array_length(items) && list[count] != NULL; count++)
		items[count] = value_text(list[count]);
	return value_list(items, count);
}

/* A mapping with the keys of SECTION; of NEEDED (or NULL), which ends with NULL, and those without a default none
 * is left out. */
static struct ss_value *mapping(const struct graph_section *section, const char *const *needed)
{
	struct properties properties = {.count = 0};
	add_section(&properties, section);
	struct ss_value *required = schema_required(section->rows);
	if (needed != NULL) {
		struct ss_value *more = names(needed);
		required = value_list_append(required, more);
		value_unref(more);
	}
	return value_map_make({"type", value_text("object")},
		{"properties", value_map_of(properties.entries, properties.count)},
		{"additionalProperties", value_bool(false)}, {"required", required});
}

/* The options and fields of AGENT, where the node names it. */
static struct ss_value *agent_rule(const struct ss_plugin *agent)
{
	struct properties declared = {.count = 0}, used = {.count = 0};
	size_t rows = options_count(agent->options);
	for (size_t i = 0; i < rows && i < array_length(declared.entries); i++)
		declared.entries[declared.count++] = (struct value_entry){
			agent->options[i].name, schema_option(&agent->options[i])};
	for (size_t i = 0; agent->fields != NULL && agent->fields[i].name != NULL &&
			   i < array_length(used.entries);
		i++) {
		struct ss_value *types[] = {value_text("string"), value_text("null")};
		used.entries[used.count++] = (struct value_entry){agent->fields[i].name,
			value_map_make({"type", value_list(types, 2)},
				{"description", value_text(agent->fields[i].help)})};
	}
	struct ss_value *required = schema_required(agent->options);
	struct ss_value *own = value_map_make({"type", value_text("object")},
		{"properties", value_map_of(declared.entries, declared.count)},
		{"additionalProperties", value_bool(false)}, {"required", value_ref(required)});
	struct ss_value *needed = value_text("options");
	struct ss_value *then = value_map_make(
		{"properties",
			value_map_make({"options", own},
				{"fields", value_map_make({"properties", value_map_of(used.entries,
										 used.count)},
						   {"additionalProperties", value_bool(false)})})},
		{"required", value_count(required) > 0 ? value_list(&needed, 1) : NULL});
	if (value_count(required) == 0)
		value_unref(needed);
	value_unref(required);
	struct ss_value *named = value_text("agent");
	return value_map_make(
		{"if", value_map_make({"properties", value_map_make({"agent",
							     value_map_make({"const",
								     value_text(agent->name)})})},
			       {"required", value_list(&named, 1)})},
		{"then", then});
}

static struct ss_value *requires_key(const char *key)
{
	struct ss_value *name = value_text(key);
	return value_map_make({"required", value_list(&name, 1)});
}

/* The keys that only the other kind of node has: none of them may stand here. */
static struct ss_value *without(const struct graph_section *other, const struct graph_section *own)
{
	struct properties refused = {.count = 0};
	for (size_t i = 0; other->sections[i] != NULL; i++) {
		bool shared = false;
		for (size_t j = 0; own->sections[j] != NULL; j++)
			shared |= strcmp(other->sections[i], own->sections[j]) == 0;
		if (!shared)
			refused.entries[refused.count++] =
				(struct value_entry){other->sections[i], value_bool(false)};
	}
	return value_map_make({"properties", value_map_of(refused.entries, refused.count)});
}

/* A node runs an agent, whose options it has, or a workflow. */
static struct ss_value *node(
	struct plugins *plugins, const struct ss_value *agents, struct ss_error *err)
{
	struct properties properties = {.count = 0};
	size_t count = value_count(agents);
	struct ss_value **rules = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		const struct ss_plugin *agent = plugins_get(
			plugins, SS_AGENT, value_as_string(value_at(agents, i), NULL), err);
		if (agent == NULL) {
			options_free(rules, i);
			free(rules);
			return NULL;
		}
		rules[i] = agent_rule(agent);
	}
	add_section(&properties, &graph_agent_section);
	add_section(&properties, &(struct graph_section){NULL, graph_workflow_section.sections});
	properties.entries[properties.count++] = (struct value_entry){
		"agent", value_map_make({"enum", value_ref(agents)},
				 {"description", value_text("the agent that the node runs")})};
	struct ss_value *either[] = {requires_key("agent"), requires_key("workflow")};
	struct ss_value *schema = value_map_make({"type", value_text("object")},
		{"properties", value_map_of(properties.entries, properties.count)},
		{"additionalProperties", value_bool(false)}, {"oneOf", value_list(either, 2)},
		{"dependentSchemas", value_map_make({"agent", without(&graph_workflow_section,
								      &graph_agent_section)},
					     {"workflow", without(&graph_agent_section,
								  &graph_workflow_section)})},
		{"allOf", value_list(rules, count)});
	free(rules);
	return schema;
}

/* PLAIN (taken), with the member KEY (its VALUE is taken) as well. */
static struct ss_value *with(struct ss_value *plain, const char *key, struct ss_value *value)
{
	struct value_entry entries[8] = {{key, value}};
	size_t count = 1;
	for (size_t i = 0; i < value_count(plain) && count < array_length(entries); i++)
		entries[count++] =
			(struct value_entry){value_key_at(plain, i), value_ref(value_at(plain, i))};
	struct ss_value *map = value_map_of(entries, count);
	value_unref(plain);
	return map;
}

/* An edge leads to nodes, or chooses. */
static struct ss_value *edge(void)
{
	static const char *const needed[] = {"from", NULL};
	struct ss_value *either[] = {requires_key("to"), requires_key("choose")};
	return with(mapping(&graph_edge_section, needed), "oneOf", value_list(either, 2));
}

static struct ss_value *scalar(const char *what)
{
	struct ss_value *types[] = {
		value_text("string"), value_text("number"), value_text("boolean")};
	return value_map_make({"type", value_list(types, 3)}, {"description", value_text(what)});
}

/* A retry with the names of the errors that there are. */
static struct ss_value *retries(void)
{
	struct ss_value *on =
		value_map_make({"items", value_map_make({"enum", names(graph_error_names)})});
	struct ss_value *rule = value_map_make({"properties", value_map_make({"on", on})});
	return with(mapping(&graph_retry_section, NULL), "allOf", value_list(&rule, 1));
}

static struct ss_value *definitions(struct ss_value *node_schema)
{
	static const char *const sent[] = {"over", "as", NULL};
	static const char *const condition[] = {"when", "to", NULL};
	static const char *const otherwise[] = {"else", NULL};
	return value_map_make({"node", node_schema}, {"field", mapping(&graph_field_section, NULL)},
		{"edge", edge()}, {"when", mapping(&graph_when_section, condition)},
		{"else", mapping(&graph_else_section, otherwise)}, {"retry", retries()},
		{"cache", mapping(&graph_cache_section, NULL)},
		{"interrupt", mapping(&graph_interrupt_section, NULL)},
		{"send", mapping(&graph_send_section, sent)},
		{"on_error", mapping(&graph_fallback_section, NULL)},
		{"expression", scalar("an expression over the state, as in size(items) > 2")},
		{"place", described("string", "the name of a node, START or END")});
}

struct ss_value *graph_schema(struct plugins *plugins, struct ss_error *err)
{
	static const char *const needed[] = {"state", "nodes", "edges", NULL};
	struct ss_value *agents = plugins_list(plugins, SS_AGENT);
	struct ss_value *node_schema = node(plugins, agents, err);
	value_unref(agents);
	if (node_schema == NULL)
		return NULL;
	struct ss_value *schema = mapping(&graph_file_section, needed);
	schema = with(schema, "$defs", definitions(node_schema));
	schema = with(schema, "title", value_text("A SmartSupport workflow"));
	return with(schema, "$schema", value_text("https://json-schema.org/draft/2020-12/schema"));
}
