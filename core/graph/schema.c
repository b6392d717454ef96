#include "graph/schema.h"

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

static struct ss_value *map_of(struct ss_value *values, const char *what)
{
	return value_map_make({"type", value_text("object")}, {"additionalProperties", values},
		{"description", value_text(what)});
}

/* The same, of which the keys are names of fields. */
static struct ss_value *map_of_fields(struct ss_value *values, const char *what)
{
	return schema_with(map_of(values, what), "propertyNames", reference("name"));
}

static struct ss_value *constant(const char *text)
{
	return value_map_make({"const", value_text(text)});
}

static struct ss_value *other_than(struct ss_value *schema)
{
	return value_map_make({"not", schema});
}

static struct ss_value *requires_key(const char *key)
{
	struct ss_value *name = value_text(key);
	return value_map_make({"required", value_list(&name, 1)});
}

/* One of them or a list of them. */
static struct ss_value *one_or_more(const char *name, const char *what)
{
	struct ss_value *either[] = {reference(name),
		value_map_make({"type", value_text("array")}, {"items", reference(name)},
			{"minItems", value_int(1)}, {"uniqueItems", value_bool(true)})};
	return value_map_make({"anyOf", value_list(either, 2)}, {"description", value_text(what)});
}

/* The name of a field of the state. */
static struct ss_value *field_named(const char *what)
{
	return schema_with(reference("name"), "description", value_text(what));
}

static struct ss_value *bound(const char *what)
{
	return schema_with(schema_or_variable(value_map_make({"type", value_text("number")})),
		"description", value_text(what));
}

/* What stands under the keys that no table of options has. */
static struct ss_value *initial(void)
{
	return value_map_make({"description", value_text("the value that the field has at first")});
}

static struct ss_value *least(void)
{
	return bound("the least value that the field may have");
}

static struct ss_value *largest(void)
{
	return bound("the largest value that the field may have");
}

static struct ss_value *state(void)
{
	return value_map_make({"type", value_text("object")},
		{"additionalProperties", reference("field")}, {"propertyNames", reference("name")},
		{"minProperties", value_int(1)}, {"maxProperties", value_int(GRAPH_FIELDS_LIMIT)},
		{"description", value_text("the fields of a turn's state")});
}

static struct ss_value *nodes(void)
{
	static const char *const ends[] = {"START", "END", NULL};
	struct ss_value *names = value_map_make({"minLength", value_int(1)},
		{"maxLength", value_int(GRAPH_NAME_LIMIT)},
		{"not", value_map_make({"enum", schema_names(ends)})});
	return value_map_make({"type", value_text("object")},
		{"additionalProperties", reference("node")}, {"propertyNames", names},
		{"minProperties", value_int(1)}, {"maxProperties", value_int(GRAPH_NODES_LIMIT)},
		{"description", value_text("what can run, by name")});
}

static struct ss_value *edges(void)
{
	return value_map_make({"type", value_text("array")}, {"items", reference("edge")},
		{"minItems", value_int(1)}, {"description", value_text("what runs after what")});
}

static struct ss_value *options(void)
{
	static const char *const types[] = {"object", "null", NULL};
	return value_map_make({"type", schema_names(types)},
		{"description", value_text("the options of the agent")});
}

static struct ss_value *fields(void)
{
	static const char *const types[] = {"object", "null", NULL};
	return value_map_make({"type", schema_names(types)},
		{"description",
			value_text("which fields of the state the agent's fields are, where the "
				   "names differ; ~ leaves an optional one out")});
}

static struct ss_value *targets(void)
{
	return one_or_more("next", "the nodes between which the agent chooses");
}

static struct ss_value *inputs(void)
{
	return map_of_fields(reference("expression"),
		"the fields of the workflow, from expressions over the state here");
}

static struct ss_value *outputs(void)
{
	struct ss_value *map = map_of_fields(reference("expression"),
		"the fields here, from expressions over the workflow's state");
	return schema_with(map, "minProperties", value_int(1));
}

static struct ss_value *answer(void)
{
	return field_named("the field that the answer is written to");
}

static struct ss_value *over(void)
{
	return reference("expression");
}

static struct ss_value *as(void)
{
	return field_named("the field in which each copy sees its item");
}

static struct ss_value *set(void)
{
	return map_of_fields(
		value_bool(true), "the values that are written when the node has failed");
}

static struct ss_value *error(void)
{
	return field_named("the field that is told what went wrong");
}

static struct ss_value *from(void)
{
	return one_or_more("previous", "the nodes after which it leads on, or START");
}

static struct ss_value *to(void)
{
	return one_or_more("next", "the nodes that run next, or END");
}

static struct ss_value *choose(void)
{
	struct ss_value *either[] = {reference("when"), reference("else")};
	return value_map_make({"type", value_text("array")},
		{"items", value_map_make({"anyOf", value_list(either, 2)})},
		{"contains", requires_key("else")}, {"maxContains", value_int(1)},
		{"description", value_text("the first whose condition is true; else comes last")});
}

static struct ss_value *when(void)
{
	return reference("expression");
}

static struct ss_value *next(void)
{
	return reference("next");
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
	const struct graph_section *section; /* only in that one; NULL: in any */
} keys[] = {
	{"default", initial, NULL},
	{"min", least, NULL},
	{"max", largest, NULL},
	{"state", state, NULL},
	{"nodes", nodes, NULL},
	{"edges", edges, NULL},
	{"options", options, NULL},
	{"fields", fields, NULL},
	{"goto", targets, NULL},
	{"input", inputs, NULL},
	{"output", outputs, NULL},
	{"on_error", on_error, NULL},
	{"retry", retry, NULL},
	{"cache", cache, NULL},
	{"interrupt", interrupt, NULL},
	{"send", send, NULL},
	{"answer", answer, NULL},
	{"over", over, NULL},
	{"as", as, NULL},
	{"set", set, NULL},
	{"error", error, NULL},
	{"from", from, NULL},
	{"to", to, &graph_edge_section},
	{"to", next, NULL},
	{"choose", choose, NULL},
	{"when", when, NULL},
	{"else", next, NULL},
};

/* The schema of what stands under KEY of SECTION; a key that is added to the loader is missing here at once. */
static struct ss_value *value_of_key(const struct graph_section *section, const char *key)
{
	for (size_t i = 0; i < array_length(keys); i++) {
		bool here = keys[i].section == NULL || keys[i].section == section;
		if (here && strcmp(keys[i].key, key) == 0)
			return keys[i].make();
	}
	abort();
}

/* The properties of ROWS. */
static struct ss_value *properties_of(const struct ss_option *rows)
{
	size_t count = options_count(rows);
	struct value_entry *entries = memory_array(count, sizeof *entries);
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct value_entry){rows[i].name, schema_option(&rows[i])};
	struct ss_value *properties = value_map_of(entries, count);
	free(entries);
	return properties;
}

/* PROPERTIES (taken), and those that the tables of SECTION do not have. */
static struct ss_value *add_sections(
	struct ss_value *properties, const struct graph_section *section)
{
	for (const char *const *key = section->sections; key != NULL && *key != NULL; key++)
		properties = schema_with(properties, *key, value_of_key(section, *key));
	return properties;
}

/* A mapping with the keys of SECTION; of NEEDED (or NULL), which ends with NULL, and those without a default none
 * is left out. */
static struct ss_value *mapping(const struct graph_section *section, const char *const *needed)
{
	struct ss_value *required = schema_required(section->rows);
	struct ss_value *more = schema_names(needed);
	required = value_list_append(required, more);
	value_unref(more);
	return value_map_make({"type", value_text("object")},
		{"properties", add_sections(properties_of(section->rows), section)},
		{"additionalProperties", value_bool(false)}, {"required", required});
}

/* SCHEMA (taken), of a mapping whose list under KEY has items that are ITEMS, and at least LEAST. */
static struct ss_value *with_items(
	struct ss_value *schema, const char *key, struct ss_value *items, int least_count)
{
	struct ss_value *list = value_map_make(
		{"items", items}, {"minItems", least_count > 0 ? value_int(least_count) : NULL});
	struct ss_value *rule = value_map_make({"properties", value_map_make({key, list})});
	return schema_with(schema, "allOf", value_list(&rule, 1));
}

/* THEN where KEY is written and is VALUE. */
static struct ss_value *where(const char *key, const char *value, struct ss_value *then)
{
	struct ss_value *properties = value_map_make({key, constant(value)});
	return value_map_make(
		{"if", schema_with(requires_key(key), "properties", properties)}, {"then", then});
}

static struct ss_value *options_of(const struct ss_plugin *agent, bool needed)
{
	static const char *const types[] = {"object", "null", NULL};
	struct ss_value *properties = properties_of(agent->options);
	for (size_t i = 0; i < options_count(agent->options); i++) {
		const struct ss_option *row = &agent->options[i];
		if (row->type == SS_OPTION_ASSIGNMENTS)
			properties = schema_with(properties, row->name,
				schema_with(
					schema_option(row), "propertyNames", reference("name")));
	}
	return value_map_make({"type", needed ? value_text("object") : schema_names(types)},
		{"properties", properties}, {"additionalProperties", value_bool(false)},
		{"required", schema_required(agent->options)});
}

static struct ss_value *fields_of(const struct ss_plugin *agent)
{
	struct ss_value *properties = value_map(NULL, NULL, 0);
	for (const struct ss_field *field = agent->fields; field != NULL && field->name != NULL;
		field++) {
		struct ss_value *either[] = {
			reference("name"), value_map_make({"type", value_text("null")})};
		properties = schema_with(properties, field->name,
			value_map_make({"anyOf", value_list(either, 2)},
				{"description", value_text(field->help)}));
	}
	return value_map_make(
		{"properties", properties}, {"additionalProperties", value_bool(false)});
}

/* The options and fields of AGENT, where the node names it. */
static struct ss_value *agent_rule(const struct ss_plugin *agent)
{
	struct ss_value *required = schema_required(agent->options);
	bool needed = value_count(required) > 0;
	value_unref(required);
	struct ss_value *properties = value_map_make(
		{"options", options_of(agent, needed)}, {"fields", fields_of(agent)});
	struct ss_value *then = needed ? requires_key("options") : value_map(NULL, NULL, 0);
	return where("agent", agent->name, schema_with(then, "properties", properties));
}

static bool has(const struct graph_section *section, const char *name)
{
	for (const char *const *key = section->sections; *key != NULL; key++) {
		if (strcmp(*key, name) == 0)
			return true;
	}
	return false;
}

/* SCHEMA (taken), and none of the keys that only the other kind of node has. */
static struct ss_value *without(
	struct ss_value *schema, const struct graph_section *other, const struct graph_section *own)
{
	struct ss_value *refused = value_map(NULL, NULL, 0);
	for (const char *const *key = other->sections; *key != NULL; key++) {
		if (!has(own, *key))
			refused = schema_with(refused, *key, value_bool(false));
	}
	return schema_with(schema, "properties", refused);
}

/* The rules of all AGENTS; NULL and ERR when one of them does not load. */
static struct ss_value *agent_rules(
	struct plugins *plugins, const struct ss_value *agents, struct ss_error *err)
{
	size_t count = value_count(agents);
	struct ss_value *list = NULL;
	struct ss_value **rules = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		const struct ss_plugin *agent = plugins_get(
			plugins, SS_AGENT, value_as_string(value_at(agents, i), NULL), err);
		if (agent == NULL) {
			options_free(rules, i);
			goto done;
		}
		rules[i] = agent_rule(agent);
	}
	list = value_list(rules, count);
done:
	free(rules);
	return list;
}

/* The row NAME of ROWS as one that is given whenever its key is written. */
static struct ss_option given(const struct ss_option *rows, const char *name)
{
	while (strcmp(rows->name, name) != 0)
		rows++;
	struct ss_option row = *rows;
	row.fallback = NULL;
	return row;
}

/* A node runs an agent, whose options it has, or a workflow. */
static struct ss_value *node(const struct ss_value *agents, struct ss_value *rules)
{
	const struct ss_option agent = given(graph_agent_section.rows, "agent");
	const struct ss_option workflow = given(graph_workflow_section.rows, "workflow");
	struct ss_value *named = schema_or_variable(value_map_make({"enum", value_ref(agents)}));
	struct ss_value *properties = add_sections(
		add_sections(properties_of(graph_agent_section.rows), &graph_agent_section),
		&graph_workflow_section);
	properties = schema_with(
		properties, agent.name, schema_with(named, "description", value_text(agent.help)));
	properties = schema_with(properties, workflow.name, schema_option(&workflow));
	struct ss_value *either[] = {requires_key(agent.name), requires_key(workflow.name)};
	struct ss_value *outer =
		without(value_map(NULL, NULL, 0), &graph_workflow_section, &graph_agent_section);
	struct ss_value *inner =
		without(requires_key("output"), &graph_agent_section, &graph_workflow_section);
	return value_map_make({"type", value_text("object")}, {"properties", properties},
		{"additionalProperties", value_bool(false)}, {"oneOf", value_list(either, 2)},
		{"dependentSchemas", value_map_make({agent.name, outer}, {workflow.name, inner})},
		{"allOf", rules});
}

/* The default of a field of the type NAME. Any word will do for a text. */
static struct ss_value *default_of(const char *name)
{
	static const struct {
		enum ss_type type;
		const char *name; /* in a schema; NULL: any scalar */
	} types[] = {{SS_STRING, NULL}, {SS_INT, "integer"}, {SS_NUMBER, "number"},
		{SS_BOOL, "boolean"}, {SS_LIST, "array"}, {SS_MAP, "object"}};
	static const char *const scalars[] = {"string", "number", "boolean", "null", NULL};
	size_t row = 0;
	while (types[row].type != graph_type_of(name))
		row++;
	if (types[row].name == NULL)
		return value_map_make({"type", schema_names(scalars)});
	struct ss_value *schema = value_map_make({"type", value_text(types[row].name)});
	return types[row].type == SS_LIST || types[row].type == SS_MAP ? schema
								       : schema_or_variable(schema);
}

/* The key, where a field of TYPE has the REDUCERS, a list of names. */
static struct ss_value *key_rule(enum ss_type type, const struct ss_value *reducers)
{
	for (size_t i = 0; i < value_count(reducers); i++) {
		const char *name = value_as_string(value_at(reducers, i), NULL);
		if (graph_reducer_needs_key(graph_reducer_of(name), type))
			return schema_with(where("reducer", name, requires_key("key")), "else",
				value_map_make({"properties",
					value_map_make({"key", value_bool(false)})}));
	}
	return value_map_make({"properties", value_map_make({"key", value_bool(false)})});
}

/* What else is true of a field of the type NAME, of all the REDUCERS. */
static struct ss_value *type_rule(const char *name, const struct ss_value *reducers)
{
	enum ss_type type = graph_type_of(name);
	bool ranged = graph_type_has_range(type);
	bool is_enum = strcmp(name, "enum") == 0;
	struct ss_value *suitable = value_list(NULL, 0);
	for (size_t i = 0; i < value_count(reducers); i++) {
		struct ss_value *one = value_ref(value_at(reducers, i));
		struct ss_value *more = value_list(&one, 1);
		if (graph_reducer_suits(graph_reducer_of(value_as_string(one, NULL)), type))
			suitable = value_list_append(suitable, more);
		value_unref(more);
	}
	struct ss_value *key = key_rule(type, suitable);
	struct ss_value *reducer = schema_or_variable(value_map_make({"enum", suitable}));
	struct ss_value *properties = value_map_make({"reducer", schema_or_nothing(reducer)},
		{"default", default_of(name)}, {"min", ranged ? NULL : value_bool(false)},
		{"max", ranged ? NULL : value_bool(false)},
		{"values",
			is_enum ? value_map_make({"minItems", value_int(1)}) : value_bool(false)});
	struct ss_value *then = is_enum ? requires_key("values") : value_map(NULL, NULL, 0);
	then = schema_with(then, "properties", properties);
	return where("type", name, schema_with(then, "allOf", value_list(&key, 1)));
}

/* A field of the state, with the rules that its type and its reducer make. */
static struct ss_value *field(void)
{
	const struct ss_option *rows = graph_field_section.rows;
	const struct ss_option type = given(rows, "type"), reducer = given(rows, "reducer");
	struct ss_value *types = schema_words(type.choices);
	struct ss_value *reducers = schema_words(reducer.choices);
	size_t count = 0;
	struct ss_value **rules =
		memory_array(value_count(types) + value_count(reducers), sizeof(struct ss_value *));
	for (size_t i = 0; i < value_count(types); i++)
		rules[count++] = type_rule(value_as_string(value_at(types, i), NULL), reducers);
	for (size_t i = 0; i < value_count(reducers); i++) {
		const char *name = value_as_string(value_at(reducers, i), NULL);
		if (graph_reducer_needs_default(graph_reducer_of(name)))
			rules[count++] = where("reducer", name, requires_key("default"));
	}
	struct ss_value *schema =
		schema_with(mapping(&graph_field_section, NULL), "allOf", value_list(rules, count));
	free(rules);
	value_unref(types);
	value_unref(reducers);
	return schema;
}

/* An edge leads to nodes, or chooses. */
static struct ss_value *edge(void)
{
	static const char *const needed[] = {"from", NULL};
	struct ss_value *either[] = {requires_key("to"), requires_key("choose")};
	return schema_with(mapping(&graph_edge_section, needed), "oneOf", value_list(either, 2));
}

/* A retry with the names of the errors that there are. */
static struct ss_value *retry_rule(void)
{
	struct ss_value *names = value_map_make({"enum", schema_names(graph_error_names)});
	return with_items(mapping(&graph_retry_section, NULL), "on", schema_or_variable(names), 0);
}

/* KEY is there, and says yes (or will, if there is a variable in it). */
static struct ss_value *says_yes(const char *key)
{
	struct ss_value *no[] = {value_bool(false), value_null()};
	struct ss_value *yes = other_than(value_map_make({"enum", value_list(no, 2)}));
	return schema_with(requires_key(key), "properties", value_map_make({key, yes}));
}

static struct ss_value *interrupt_rule(void)
{
	struct ss_value *either[] = {says_yes("before"), says_yes("after")};
	struct ss_value *schema =
		with_items(mapping(&graph_interrupt_section, NULL), "show", reference("name"), 0);
	return schema_with(schema, "oneOf", value_list(either, 2));
}

static struct ss_value *fallback_rule(void)
{
	struct ss_value *either[] = {requires_key("set"), requires_key("to")};
	return schema_with(mapping(&graph_fallback_section, NULL), "anyOf", value_list(either, 2));
}

/* The name of a node that is not REFUSED. YAML's numbers and words are names as well. */
static struct ss_value *place(const char *refused, const char *what)
{
	static const char *const types[] = {"string", "number", "boolean", NULL};
	return value_map_make({"type", schema_names(types)}, {"not", constant(refused)},
		{"description", value_text(what)});
}

/* The name of a field. */
static struct ss_value *name(void)
{
	return schema_or_variable(value_map_make({"type", value_text("string")},
		{"pattern", value_text(graph_field_name_pattern)},
		{"not", value_map_make({"enum", schema_names(graph_reserved_names)})}));
}

static struct ss_value *expression(void)
{
	static const char *const types[] = {"string", "number", "boolean", NULL};
	return value_map_make({"type", schema_names(types)},
		{"description", value_text("an expression over the state, as in size(items) > 2")});
}

static struct ss_value *definitions(struct ss_value *node_schema)
{
	static const char *const sent[] = {"over", "as", NULL};
	static const char *const condition[] = {"when", "to", NULL};
	static const char *const otherwise[] = {"else", NULL};
	return value_map_make({"node", node_schema}, {"field", field()}, {"edge", edge()},
		{"when", mapping(&graph_when_section, condition)},
		{"else", mapping(&graph_else_section, otherwise)}, {"retry", retry_rule()},
		{"cache", with_items(mapping(&graph_cache_section, NULL), "key", reference("name"),
				  1)},
		{"interrupt", interrupt_rule()}, {"send", mapping(&graph_send_section, sent)},
		{"on_error", fallback_rule()}, {"expression", expression()}, {"name", name()},
		{"previous", place("END", "the name of a node, or START")},
		{"next", place("START", "the name of a node, or END")});
}

struct ss_value *graph_schema(struct plugins *plugins, struct ss_error *err)
{
	static const char *const needed[] = {"state", "nodes", "edges", NULL};
	struct ss_value *schema = NULL;
	struct ss_value *agents = plugins_list(plugins, SS_AGENT);
	struct ss_value *rules = agent_rules(plugins, agents, err);
	if (rules == NULL)
		goto done;
	schema = mapping(&graph_file_section, needed);
	schema = schema_with(schema, "$defs", definitions(node(agents, rules)));
	schema = schema_with(schema, "title", value_text("A SmartSupport workflow"));
	schema = schema_with(
		schema, "$schema", value_text("https://json-schema.org/draft/2020-12/schema"));
done:
	value_unref(agents);
	return schema;
}
