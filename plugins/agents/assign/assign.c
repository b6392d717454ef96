/*
 * Sets fields of the state to what expressions give. So a workflow can compute something, and be tried and
 * tested, without an agent of its own: an assign can also take its time, fail, choose what comes next, and ask
 * somebody outside.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_SET,
	OPTION_DELAY,
	OPTION_ASK,
	OPTION_GOTO,
	OPTION_FAIL,
	OPTION_FAIL_AS,
	OPTION_FAIL_TIMES,
};

enum { FIELD_ANSWER };

struct assign {
	const struct ss_host *host;
	double delay; /* seconds */
	bool asks, goes, fails;
	enum ss_status fail_as;
	int64_t fail_times; /* 0: always */
};

static enum ss_status status_of(const char *name)
{
	static const struct {
		const char *name;
		enum ss_status status;
	} statuses[] = {{"invalid", SS_INVALID}, {"not_found", SS_NOT_FOUND},
		{"conflict", SS_CONFLICT}, {"unavailable", SS_UNAVAILABLE}, {"timeout", SS_TIMEOUT},
		{"limit", SS_LIMIT}};
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		if (strcmp(statuses[i].name, name) == 0)
			return statuses[i].status;
	}
	return SS_INTERNAL;
}

static bool is_given(const struct ss_setup *setup, size_t option)
{
	return setup->host->values->as_string(setup->options[option], NULL)[0] != '\0';
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct assign *assign = calloc(1, sizeof *assign);
	if (assign == NULL)
		return ss_fail(err, "there is no memory left");
	assign->host = setup->host;
	assign->delay = values->as_number(setup->options[OPTION_DELAY]);
	assign->asks = is_given(setup, OPTION_ASK);
	assign->goes = is_given(setup, OPTION_GOTO);
	assign->fails = is_given(setup, OPTION_FAIL);
	assign->fail_as = status_of(values->as_string(setup->options[OPTION_FAIL_AS], NULL));
	assign->fail_times = values->as_int(setup->options[OPTION_FAIL_TIMES]);
	*instance = assign;
	return 0;
}

static void destroy(void *instance)
{
	free(instance);
}

/* Fails with the sentence that the option gives, unless that is empty or it has failed often enough. */
static int fail(const struct assign *assign, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = assign->host;
	if (!assign->fails ||
		(assign->fail_times > 0 && host->attempt(run) > (uint64_t)assign->fail_times))
		return 0;
	struct ss_value *why = host->evaluate(run, OPTION_FAIL, err);
	if (why == NULL)
		return -1;
	const char *text = host->values->as_string(why, NULL);
	int result = text[0] != '\0' ? ss_fail_as(err, assign->fail_as, "%s", text) : 0;
	host->values->unref(why);
	return result;
}

static int go(const struct assign *assign, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = assign->host;
	if (!assign->goes)
		return 0;
	struct ss_value *node = host->evaluate(run, OPTION_GOTO, err);
	if (node == NULL)
		return -1;
	const char *name = host->values->as_string(node, NULL);
	int result = name[0] != '\0' ? host->go_to(run, name, err) : 0;
	host->values->unref(node);
	return result;
}

/* Asks, or takes the answer. */
static enum ss_result ask(const struct assign *assign, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = assign->host;
	const struct ss_value *answer = host->answered(run);
	if (answer != NULL)
		return host->write(run, FIELD_ANSWER, host->values->ref(answer), err) < 0
			       ? SS_FAILED
			       : SS_DONE;
	struct ss_value *question = host->evaluate(run, OPTION_ASK, err);
	if (question == NULL || host->interrupt(run, question, err) < 0)
		return SS_FAILED;
	return SS_INTERRUPTED;
}

static enum ss_result work(const struct assign *assign, struct ss_run *run, struct ss_error *err)
{
	if (fail(assign, run, err) < 0)
		return SS_FAILED;
	if (assign->asks) {
		enum ss_result asked = ask(assign, run, err);
		if (asked != SS_DONE)
			return asked;
	}
	if (assign->host->assign(run, OPTION_SET, err) < 0 || go(assign, run, err) < 0)
		return SS_FAILED;
	return SS_DONE;
}

static void on_waited(void *instance, struct ss_run *run, const struct ss_error *err)
{
	const struct assign *assign = instance;
	struct ss_error failure = {.status = SS_OK};
	enum ss_result result = err == NULL ? work(assign, run, &failure) : SS_FAILED;
	assign->host->finish(run, result, err != NULL ? err : &failure);
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct assign *assign = instance;
	if (assign->delay <= 0)
		return work(assign, run, err);
	if (assign->host->wait(run, assign->delay, on_waited, err) < 0)
		return SS_FAILED;
	return SS_PENDING;
}

static const struct ss_option options[] = {
	[OPTION_SET] = {.name = "set",
		.type = SS_OPTION_ASSIGNMENTS,
		.fallback = "{}",
		.help = "Fields and the expressions that give their values, all in the state as it "
			"was when the node started."},
	[OPTION_DELAY] = {.name = "delay",
		.type = SS_OPTION_DURATION,
		.fallback = "0s",
		.min = 0,
		.max = 3600,
		.help = "How long the node takes."},
	[OPTION_ASK] = {.name = "ask",
		.type = SS_OPTION_EXPRESSION,
		.fallback = "",
		.help = "What somebody outside is asked; the turn is interrupted until they "
			"answer."},
	[OPTION_GOTO] = {.name = "goto",
		.type = SS_OPTION_EXPRESSION,
		.fallback = "",
		.help = "The name of the node that comes next, one of those in the node's goto; "
			"empty for its edges."},
	[OPTION_FAIL] = {.name = "fail",
		.type = SS_OPTION_EXPRESSION,
		.fallback = "",
		.help = "The sentence with which the node fails; empty when it does not."},
	[OPTION_FAIL_AS] = {.name = "fail_as",
		.type = SS_OPTION_CHOICE,
		.fallback = "unavailable",
		.choices = "invalid not_found conflict unavailable timeout limit internal",
		.help = "The kind of error that it fails with."},
	[OPTION_FAIL_TIMES] = {.name = "fail_times",
		.type = SS_OPTION_INT,
		.fallback = "0",
		.min = 0,
		.max = 1000,
		.help = "How many attempts fail; 0 for all."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_ANSWER] = {"answer", SS_NULL, SS_WRITES | SS_OPTIONAL,
		"The answer to what it asks."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = destroy,
	.run = run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "assign",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Sets fields to what expressions give.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
