#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

/* An agent that does what its script says, a character at a time. */

enum { FIELD_TEXT, FIELD_COUNT };
enum { OPTION_SET, OPTION_WHEN, OPTION_SCRIPT };

static const struct ss_host *table;
static const char *script;

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	(void)err;
	table = setup->host;
	script = table->values->as_string(setup->options[OPTION_SCRIPT], NULL);
	*instance = &table;
	return 0;
}

static void destroy(void *instance)
{
	cr_assert_eq(instance, &table);
}

static void waited(void *instance, struct ss_run *run, const struct ss_error *err)
{
	(void)instance;
	table->finish(run, err == NULL ? SS_DONE : SS_FAILED, err);
}

static void embedded(void *instance, struct ss_run *run, const float *const *vectors, size_t count,
	size_t dimension, const struct ss_error *err)
{
	(void)vectors;
	(void)count;
	(void)dimension;
	waited(instance, run, err);
}

static enum ss_result write_when(struct ss_run *run, struct ss_error *err)
{
	struct ss_value *value = table->evaluate(run, OPTION_WHEN, err);
	if (value == NULL)
		return SS_FAILED;
	int64_t count = table->values->as_bool(value) ? 1 : 0;
	table->values->unref(value);
	return table->write(run, FIELD_COUNT, table->values->integer(count), err) < 0 ? SS_FAILED
										      : SS_DONE;
}

static enum ss_result ask(struct ss_run *run, struct ss_error *err)
{
	const struct ss_value *answer = table->answered(run);
	if (answer != NULL)
		return table->write(run, FIELD_COUNT, table->values->ref(answer), err) < 0
			       ? SS_FAILED
			       : SS_DONE;
	if (table->interrupt(run, table->values->string("how many?", 9), err) < 0)
		return SS_FAILED;
	return SS_INTERRUPTED;
}

static enum ss_result run_script(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct ss_text text = {"a", 1};
	(void)instance;
	switch (script[0]) {
	case 'a':
		return table->assign(run, OPTION_SET, err) < 0 ? SS_FAILED : SS_DONE;
	case 'w':
		return write_when(run, err);
	case 'g':
		return table->go_to(run, script + 1, err) < 0 ? SS_FAILED : SS_DONE;
	case 'i':
		return ask(run, err);
	case 't':
		return table->write(run, FIELD_COUNT, table->values->integer(table->attempt(run)),
			       err) < 0
			       ? SS_FAILED
			       : SS_DONE;
	case 'e':
		return table->embed(run, &text, 1, embedded, err) < 0 ? SS_FAILED : SS_PENDING;
	case 'f':
		return SS_FAILED;
	case 'r':
		return table->read(run, FIELD_COUNT) != NULL ? SS_DONE : SS_FAILED;
	case 'p':
		return SS_PENDING;
	default:
		return table->wait(run, 1, waited, err) < 0 ? SS_FAILED : SS_PENDING;
	}
}

static const struct ss_option options[] = {
	[OPTION_SET] = {.name = "set",
		.type = SS_OPTION_ASSIGNMENTS,
		.fallback = "{}",
		.help = "Fields."},
	[OPTION_WHEN] = {.name = "when",
		.type = SS_OPTION_EXPRESSION,
		.fallback = "",
		.help = "A condition."},
	[OPTION_SCRIPT] = {.name = "script",
		.type = SS_OPTION_STRING,
		.fallback = "",
		.help = "What to do."},
	{.name = NULL},
};
static const struct ss_field fields[] = {
	[FIELD_TEXT] = {"text", SS_STRING, SS_READS | SS_OPTIONAL, "A text."},
	[FIELD_COUNT] = {"count", SS_INT, SS_WRITES, "A count."},
	{.name = NULL},
};
static const struct ss_agent_operations operations = {
	.create = create, .destroy = destroy, .run = run_script};
static const struct ss_plugin agent = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "scripted",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Does what its script says.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};

static struct ss_test_host *host;

static void begin(const char *given)
{
	struct ss_error err = {0};
	host = ss_test_host_new(&agent);
	ss_test_goto(host, "refund close");
	cr_assert_eq(ss_test_create(host, given, &err), 0, "%s", err.text);
}

static void end(void)
{
	ss_test_host_free(host);
	host = NULL;
}

TestSuite(agent, .fini = end);

/* Runs the agent, which must fail for the reason WHY. */
static void fails(const char *why)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect(strstr(err.text, why) != NULL, "%s", err.text);
}

Test(agent, assigns_what_expressions_give_also_to_fields_that_are_not_its_own)
{
	begin("{script: a, set: {count: size(text), other: price * 2}}");
	ss_test_set_text(host, "text", "four");
	ss_test_set(host, "price", "21");
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "count"), "4");
	cr_expect_str_eq(ss_test_written_json(host, "other"), "42");
}

Test(agent, evaluates_a_condition_and_tells_what_is_wrong_in_it)
{
	begin("{script: w, when: text == 'yes'}");
	ss_test_set_text(host, "text", "yes");
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "count"), "1");
	ss_test_set_text(host, "text", "no");
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "count"), "0");
	end();
	begin("{script: w, when: nothing == 1}");
	fails("nothing");
	end();
	begin("{script: w}");
	fails("the option when is not given");
}

Test(agent, goes_only_where_the_node_may)
{
	begin("{script: gclose}");
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_str_eq(ss_test_went_to(host), "close");
	end();
	begin("{script: gclos}");
	fails("\"clos\" is not in the goto");
	cr_expect_str_eq(ss_test_went_to(host), "");
}

Test(agent, is_interrupted_until_somebody_answers)
{
	begin("{script: i}");
	cr_assert_eq(ss_test_run(host, NULL), SS_INTERRUPTED);
	cr_expect_str_eq(table->values->as_string(ss_test_interrupted(host), NULL), "how many?");
	ss_test_answer_interrupt(host, "3");
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_null(ss_test_interrupted(host));
	cr_expect_str_eq(ss_test_written_json(host, "count"), "3");
}

Test(agent, knows_its_attempt)
{
	begin("{script: t}");
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "count"), "1");
	ss_test_attempt(host, 3);
	cr_assert_eq(ss_test_run(host, NULL), SS_DONE);
	cr_expect_str_eq(ss_test_written_json(host, "count"), "3");
}

Test(agent, may_not_use_a_service_that_its_descriptor_does_not_name)
{
	begin("{script: e}");
	fails("does not declare");
}

Test(agent, is_refused_options_that_do_not_fit_its_table)
{
	struct ss_error err = {0};
	host = ss_test_host_new(&agent);
	cr_expect_eq(ss_test_create(host, "{scrip: a}", &err), -1);
	cr_expect(strstr(err.text, "scrip") != NULL, "%s", err.text);
}

Test(agent, ends_the_program_when_it_fails_without_a_reason, .signal = SIGABRT)
{
	begin("{script: f}");
	(void)ss_test_run(host, NULL);
}

Test(agent, ends_the_program_when_it_reads_a_field_that_it_only_writes, .signal = SIGABRT)
{
	begin("{script: r}");
	(void)ss_test_run(host, NULL);
}

Test(agent, ends_the_program_when_it_is_pending_and_waits_for_nothing, .signal = SIGABRT)
{
	begin("{script: p}");
	(void)ss_test_run(host, NULL);
}
