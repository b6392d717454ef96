#include "conformance/probe.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes of what was expected and what came that are shown. */
enum { SHOWN_LIMIT = 300 };

struct probe *probe_new(const struct ss_plugin *plugin, const struct ss_setup *setup)
{
	struct probe *probe = memory_make(struct probe);
	probe->storage = plugin->storage;
	probe->setup = setup;
	probe->memory = arena_new(&probe->pool);
	/* What its turns are asked at comes after this, and has passed. */
	probe->now_ns = clock_utc_ns() - 600 * PROBE_SECOND_NS;
	(void)id_new("", probe->run);
	probe->instance = probe_open(probe);
	probe->open = !probe->failed;
	return probe;
}

/* Gives the lease back, whoever holds it, and deletes the journal. What does not work is left. */
static void delete_journal(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *journal = NULL;
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = id};
	if (probe->storage->read_journal(probe->instance, &key, &journal, &err) < 0)
		return;
	const struct ss_journal_write write = {
		.struct_size = sizeof write,
		.turn_id = id,
		.fence = value_as_int(value_get(journal, "fence")),
		.status = "done",
	};
	(void)probe->storage->write_journals(probe->instance, &write, 1, &err);
	(void)probe->storage->delete_journal(probe->instance, id, &err);
	value_unref(journal);
}

void probe_free(struct probe *probe)
{
	for (size_t i = 0; probe->open && i < probe->journal_count; i++)
		delete_journal(probe, probe->journals[i]);
	if (probe->open)
		probe->storage->destroy(probe->instance);
	for (size_t i = 0; i < probe->value_count; i++)
		value_unref(probe->values[i]);
	arena_free(&probe->memory);
	arena_pool_free(&probe->pool);
	free(probe->values);
	free(probe->journals);
	free(probe->what);
	free(probe->expected);
	free(probe->came);
	free(probe);
}

void *probe_open(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	void *instance = NULL;
	if (probe->failed)
		return NULL;
	int result = probe->storage->create(probe->setup, &instance, &err);
	probe_expect_success(probe, "opening the store with create()", result, &err);
	return instance;
}

void probe_close(struct probe *probe, void *instance)
{
	if (instance != NULL)
		probe->storage->destroy(instance);
}

void probe_reopen(struct probe *probe)
{
	if (probe->failed)
		return;
	probe->storage->destroy(probe->instance);
	probe->open = false;
	probe->instance = probe_open(probe);
	probe->open = !probe->failed;
}

/* Expectations. */

/* TEXT, cut where it is long. */
static char *shown(const char *text)
{
	int fit = text_fit(text, SHOWN_LIMIT);
	return memory_format("%.*s%s", fit, text, text[fit] != '\0' ? "…" : "");
}

static void note(struct probe *probe, const char *what, const char *expected, const char *came)
{
	if (probe->failed)
		return;
	probe->failed = true;
	probe->what = memory_string(what);
	probe->expected = shown(expected);
	probe->came = shown(came);
}

void probe_fail(struct probe *probe, const char *what, const char *expected, const char *came, ...)
{
	va_list arguments;
	struct buffer text = {0};
	va_start(arguments, came);
	buffer_add_arguments(&text, came, arguments);
	va_end(arguments);
	note(probe, what, expected, buffer_text(&text));
	buffer_free(&text);
}

void probe_expect(struct probe *probe, const char *what, const char *expected, const char *came)
{
	if (!probe->failed && strcmp(expected, came) != 0)
		note(probe, what, expected, came);
}

void probe_expect_int(struct probe *probe, const char *what, int64_t expected, int64_t came)
{
	char number[32];
	(void)snprintf(number, sizeof number, "%lld", (long long)expected);
	if (expected != came)
		probe_fail(probe, what, number, "%lld", (long long)came);
}

void probe_expect_json(
	struct probe *probe, const char *what, const char *expected, const struct ss_value *value)
{
	if (probe->failed)
		return;
	char *json = value != NULL ? json_text(value) : memory_string("nothing");
	probe_expect(probe, what, expected, json);
	free(json);
}

/* TEXT as JSON, with its length where it is long. */
static char *described(struct ss_text text)
{
	struct ss_value *value = value_string(text.data, text.length);
	char *json = json_text(value);
	value_unref(value);
	if (text.length <= SHOWN_LIMIT)
		return json;
	char *longer = memory_format("%zu bytes, which begin with %.*s", text.length,
		text_fit(json, SHOWN_LIMIT / 4), json);
	free(json);
	return longer;
}

void probe_expect_text(struct probe *probe, const char *what, struct ss_text expected,
	const struct ss_value *value)
{
	struct ss_text text = value_as_text(value);
	if (probe->failed)
		return;
	if (value_type(value) != SS_STRING) {
		probe_fail(probe, what, "a string", "%s", value_type_name(value_type(value)));
		return;
	}
	if (text.length == expected.length &&
		(text.length == 0 || memcmp(text.data, expected.data, text.length) == 0))
		return;
	char *wanted = described(expected);
	char *came = described(text);
	note(probe, what, wanted, came);
	free(came);
	free(wanted);
}

static const char *status_name(enum ss_status status)
{
	static const char *const names[] = {"SS_OK", "SS_INVALID", "SS_NOT_FOUND", "SS_CONFLICT",
		"SS_UNAVAILABLE", "SS_TIMEOUT", "SS_LIMIT", "SS_INTERNAL", "SS_QUARANTINED"};
	return (size_t)status < array_length(names) ? names[status] : "an unknown status";
}

void probe_expect_success(
	struct probe *probe, const char *what, int result, const struct ss_error *err)
{
	if (result != 0 || err->status != SS_OK)
		probe_fail(probe, what, "success", "%d with %s: %s", result,
			status_name(err->status), err->text);
}

void probe_expect_refusal(struct probe *probe, const char *what, enum ss_status status, int result,
	const struct ss_error *err)
{
	char wanted[80];
	(void)snprintf(wanted, sizeof wanted, "%s and a sentence", status_name(status));
	if (result == 0)
		probe_fail(probe, what, wanted, "success");
	else if (err->status != status || err->text[0] == '\0')
		probe_fail(probe, what, wanted, "%s: \"%s\"", status_name(err->status), err->text);
}

/* Names. */

const char *probe_format(struct probe *probe, const char *format, ...)
{
	va_list arguments;
	struct buffer text = {0};
	va_start(arguments, format);
	buffer_add_arguments(&text, format, arguments);
	va_end(arguments);
	const char *kept = arena_string(&probe->memory, buffer_text(&text));
	buffer_free(&text);
	return kept;
}

const char *probe_name(struct probe *probe, const char *name)
{
	return probe_format(probe, "%s-%s", name, probe->run);
}

const char *probe_id(struct probe *probe, const char *prefix)
{
	char id[ID_SIZE];
	return arena_string(&probe->memory, id_new(prefix, id));
}

const char *probe_time(struct probe *probe, int64_t utc_ns)
{
	char text[CLOCK_TEXT_SIZE];
	return arena_string(&probe->memory, clock_format(utc_ns, text));
}

struct ss_text probe_long_text(struct probe *probe, const char *text, size_t count)
{
	size_t length = strlen(text);
	char *longer = arena_take(&probe->memory, length * count + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(longer + i * length, text, length);
	longer[length * count] = '\0';
	return (struct ss_text){longer, length * count};
}

const struct ss_value *probe_keep(struct probe *probe, struct ss_value *value)
{
	if (value == NULL)
		return NULL;
	probe->values =
		memory_resize(probe->values, probe->value_count + 1, sizeof(struct ss_value *));
	probe->values[probe->value_count++] = value;
	return value;
}

const char *probe_string(const struct ss_value *map, const char *key)
{
	const char *string = value_as_string(value_get(map, key), NULL);
	return string != NULL ? string : "";
}

void probe_pause(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	(void)nanosleep(&moment, NULL);
}
