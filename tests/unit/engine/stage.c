#include "stage.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/later.h"
#include "support/kept.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLUGINS SS_BUILD_DIR "/tests/plugins"

struct stage stage;

enum { PARTS_LIMIT = 64 };

static struct {
	const char *name;
	stage_act *act;
} parts[PARTS_LIMIT];
static size_t part_count;

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	struct actor *actor = memory_make(struct actor);
	(void)err;
	actor->host = setup->host;
	actor->values = setup->host->values;
	(void)snprintf(actor->name, sizeof actor->name, "%s", setup->name);
	stage.actors++;
	*instance = actor;
	return 0;
}

static void destroy(void *instance)
{
	stage.actors--;
	free(instance);
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	struct actor *actor = instance;
	buffer_add_format(&stage.played, "%s%s", stage.played.length > 0 ? " " : "", actor->name);
	for (size_t i = 0; i < part_count; i++) {
		if (strcmp(parts[i].name, actor->name) == 0)
			return parts[i].act(actor, run, err);
	}
	return SS_DONE;
}

/* Of the agents that block: several threads may be here, so nothing is noted. */
static enum ss_result run_blocking(void *instance, struct ss_run *run, struct ss_error *err)
{
	struct actor *actor = instance;
	for (size_t i = 0; i < part_count; i++) {
		if (strcmp(parts[i].name, actor->name) == 0)
			return parts[i].act(actor, run, err);
	}
	return SS_DONE;
}

void stage_play(const char *name, stage_act *act)
{
	cr_assert_lt(part_count, (size_t)PARTS_LIMIT);
	parts[part_count].name = name;
	parts[part_count++].act = act;
}

static void take_the_strings_of(const char *name,
	enum ss_result (*run_it)(void *instance, struct ss_run *run, struct ss_error *err))
{
	char file[200];
	(void)snprintf(file, sizeof file, "%s/agents/%s.so", PLUGINS, name);
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	cr_assert_not_null(handle, "%s", dlerror());
	struct puppet_strings *strings = dlsym(handle, "puppet_strings");
	cr_assert_not_null(strings);
	strings->operations = (struct ss_agent_operations){create, destroy, run_it};
}

/* Puts the test behind the agents that are all nodes' agents. */
static void take_the_strings(void)
{
	static const char *const blocking[] = {"blocker", "blocker_0", "blocker_1", "blocker_many"};
	take_the_strings_of("puppet", run);
	for (int field = 0; field < STAGE_TEXT; field++) {
		char name[32];
		(void)snprintf(name, sizeof name, "puppet_%d", field);
		take_the_strings_of(name, run);
	}
	for (size_t i = 0; i < array_length(blocking); i++)
		take_the_strings_of(blocking[i], run_blocking);
}

static char *workflow(const char *yaml)
{
	struct buffer text = {0};
	buffer_add_string(&text, "version: 1\nname: stage\nstate:\n");
	for (int i = 0; i < STAGE_TEXT; i++)
		buffer_add_format(&text, "  f%d: {type: int}\n", i);
	buffer_add_string(&text, "  f20: {type: string}\n"
				 "  f21: {type: enum, values: [Low, High], default: Low}\n"
				 "  f22: {type: number, min: 0, max: 1}\n"
				 "  f23: {type: bool}\n"
				 "  f24: {type: list}\n"
				 "  f25: {type: map}\n"
				 "  sum: {type: int, reducer: add}\n"
				 "  list: {type: list, reducer: append}\n"
				 "  map: {type: map, reducer: merge}\n"
				 "  most: {type: int, reducer: max, default: 0}\n"
				 "  given: {type: int}\n");
	buffer_add_string(&text, yaml);
	return buffer_take(&text);
}

bool stage_load(const char *yaml)
{
	static const char *const inputs[] = {"given", "f20", "f24", NULL};
	const char *const folders[] = {PLUGINS, SS_BUILD_DIR "/plugins"};
	struct diagnostics diagnostics = {0};
	char *text = workflow(yaml);
	take_the_strings();
	stage.log_fd = memfd_create("log", MFD_CLOEXEC);
	stage.log = log_new(stage.log_fd, SS_LOG_DEBUG, false);
	stage.base = event_base_new();
	stage.later = later_new(stage.base);
	stage.plugins = plugins_new(folders, 2, NULL);
	stage.graph =
		graph_parse("stage.yaml", text, strlen(text), stage.plugins, inputs, &diagnostics);
	if (stage.graph != NULL)
		kept_workflow(text);
	FILE *said = fdopen(dup(stage.log_fd), "w");
	diagnostics_print(&diagnostics, said);
	(void)fclose(said);
	diagnostics_free(&diagnostics);
	free(text);
	stage.options = (struct engine_options){
		.base = stage.base, .later = stage.later, .log = &stage.log};
	return stage.graph != NULL;
}

void stage_prepare(const char *yaml)
{
	bool loaded = stage_load(yaml);
	char *said = loaded ? NULL : stage_logged();
	cr_assert(loaded, "%s\n%s", said, yaml);
}

void stage_begin(void)
{
	struct diagnostics diagnostics = {0};
	stage.engine = engine_new(&stage.options, stage.graph, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	cr_assert_not_null(stage.engine);
}

void stage_open(const char *yaml)
{
	stage_prepare(yaml);
	stage_begin();
}

void stage_close_engine(void)
{
	engine_free(stage.engine);
	stage.engine = NULL;
	cr_expect_eq(stage.actors, 0);
}

void stage_close(void)
{
	cr_expect_eq(stage.waiting_count, 0, "%zu runs still wait", stage.waiting_count);
	later_free(stage.later);
	if (stage.engine != NULL) {
		stage_close_engine();
		char *logged = stage_logged();
		cr_expect_null(strstr(logged, "never finished"), "%s", logged);
		free(logged);
	}
	graph_free(stage.graph);
	plugins_free(stage.plugins);
	/* Timers that were forgotten would still be in it. */
	cr_expect_eq(event_base_get_num_events(
			     stage.base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE),
		0);
	event_base_free(stage.base);
	(void)close(stage.log_fd);
	free(stage.waiting);
	buffer_free(&stage.played);
	stage = (struct stage){0};
	part_count = 0;
}

char *stage_logged(void)
{
	struct buffer text = {0};
	char bytes[4096];
	off_t at = 0;
	for (ssize_t n; (n = pread(stage.log_fd, bytes, sizeof bytes, at)) > 0; at += n)
		buffer_add(&text, bytes, (size_t)n);
	return buffer_take(&text);
}

static void on_over(void *context, struct turn *turn)
{
	struct ending *ending = context;
	ending->turn = turn;
	ending->calls++;
}

struct turn *stage_start(const char *input, struct ending *ending)
{
	struct ss_error err = {0};
	struct ss_value *given =
		input != NULL ? json_parse(input, strlen(input), &err) : value_map(NULL, NULL, 0);
	cr_assert_not_null(given, "%s", err.text);
	*ending = (struct ending){0};
	const struct turn_options options = {
		.input = given, .log = &stage.log, .over = on_over, .context = ending};
	struct turn *turn = turn_start(stage.engine, &options, &err);
	cr_assert_not_null(turn, "%s", err.text);
	cr_expect_eq(ending->calls, 0, "over came before turn_start() returned");
	value_unref(given);
	return turn;
}

void stage_spin(void)
{
	for (int i = 0; i < 20; i++)
		(void)event_base_loop(stage.base, EVLOOP_NONBLOCK);
}

void stage_until_over(struct ending *ending)
{
	/* The turn's own deadline wakes the loop at last. */
	int64_t until = clock_monotonic_ns() + 60 * INT64_C(1000000000);
	while (ending->calls == 0 && clock_monotonic_ns() < until)
		(void)event_base_loop(stage.base, EVLOOP_ONCE);
	cr_assert_eq(ending->calls, 1, "the turn does not end");
}

void stage_await(size_t count)
{
	int64_t until = clock_monotonic_ns() + 60 * INT64_C(1000000000);
	while (stage.waiting_count < count && clock_monotonic_ns() < until)
		(void)event_base_loop(stage.base, EVLOOP_NONBLOCK);
	cr_assert_geq(stage.waiting_count, count, "%zu runs wait", stage.waiting_count);
}

struct turn *stage_turn(const char *input)
{
	struct ending ending;
	struct turn *turn = stage_start(input, &ending);
	stage_until_over(&ending);
	cr_expect_eq(ending.turn, turn);
	stage_spin();
	cr_expect_eq(ending.calls, 1);
	return turn;
}

enum ss_result stage_wait(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	if (stage.waiting_count == stage.waiting_capacity) {
		stage.waiting_capacity = stage.waiting_capacity * 2 + 8;
		stage.waiting = memory_resize(
			stage.waiting, stage.waiting_capacity, sizeof(struct waiting));
	}
	struct waiting *waiting = &stage.waiting[stage.waiting_count++];
	(void)snprintf(waiting->name, sizeof waiting->name, "%s", actor->name);
	waiting->run = run;
	waiting->actor = actor;
	return SS_PENDING;
}

struct waiting stage_take(const char *name)
{
	size_t i = 0;
	while (i < stage.waiting_count && strcmp(stage.waiting[i].name, name) != 0)
		i++;
	cr_assert_lt(i, stage.waiting_count, "%s does not wait", name);
	struct waiting taken = stage.waiting[i];
	memmove(&stage.waiting[i], &stage.waiting[i + 1],
		(--stage.waiting_count - i) * sizeof(struct waiting));
	return taken;
}

void stage_finish(const char *name, const char *why)
{
	struct ss_error err = {0};
	struct waiting waiting = stage_take(name);
	if (why != NULL)
		(void)ss_fail_as(&err, SS_UNAVAILABLE, "%s", why);
	waiting.actor->host->finish(
		waiting.run, why == NULL ? SS_DONE : SS_FAILED, why == NULL ? NULL : &err);
}

int64_t stage_int(struct turn *turn, const char *field)
{
	const struct ss_value *value = turn_field(turn, field);
	cr_expect_eq(value_type(value), SS_INT, "%s", field);
	return value_as_int(value);
}

const char *stage_text(struct turn *turn, const char *field)
{
	return value_as_string(turn_field(turn, field), NULL);
}

const struct ss_value *stage_entry(const struct ss_value *trace, const char *node)
{
	for (size_t i = value_count(trace); i > 0; i--) {
		const struct ss_value *entry = value_at(trace, i - 1);
		if (strcmp(value_as_string(value_get(entry, "node"), NULL), node) == 0)
			return entry;
	}
	return NULL;
}

int64_t actor_read(const struct actor *actor, struct ss_run *run, size_t row)
{
	return actor->values->as_int(actor->host->read(run, row));
}

int actor_write(const struct actor *actor, struct ss_run *run, size_t row, int64_t value,
	struct ss_error *err)
{
	return actor->host->write(run, row, actor->values->integer(value), err);
}
