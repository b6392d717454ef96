#include "app/play.h"

#include "base/file.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_LIMIT = 64 * 1024 * 1024 };

struct playing {
	const struct play *play;
	size_t answered;
	bool over;
	struct ss_error err; /* of an answer that does not fit */
};

struct ss_value *play_read_answer(const char *text, char id[PLAY_ID_ROOM], struct ss_error *err)
{
	size_t length = strspn(text, "0123456789abcdef");
	bool named = length == PLAY_ID_ROOM - 1 && text[length] == '=';
	id[0] = '\0';
	if (named) {
		memcpy(id, text, length);
		id[length] = '\0';
		text += length + 1;
	}
	return json_parse(text, strlen(text), err);
}

/* The next of the answers that were given, to the interrupt that it names or to the first. */
static struct ss_value *next_answer(struct playing *playing, const struct ss_value *interrupts)
{
	const struct play *play = playing->play;
	if (playing->answered == play->answer_count)
		return NULL;
	char id[PLAY_ID_ROOM];
	const char *first = value_as_string(value_get(value_at(interrupts, 0), "id"), NULL);
	struct ss_value *value =
		play_read_answer(play->answers[playing->answered++], id, &playing->err);
	return value != NULL ? value_map_make({id[0] != '\0' ? id : first, value}) : NULL;
}

/* Answers what TURN asks. Returns whether it goes on. */
static bool answer(struct playing *playing, struct turn *turn)
{
	const struct play *play = playing->play;
	struct ss_value *interrupts = turn_interrupts(turn);
	struct ss_value *answers = NULL;
	if (value_count(interrupts) > 0)
		answers = play->answer != NULL ? play->answer(play->context, interrupts)
					       : next_answer(playing, interrupts);
	bool goes_on = answers != NULL && turn_resume(turn, answers, &playing->err) == 0;
	value_unref(answers);
	value_unref(interrupts);
	return goes_on;
}

static void on_over(void *context, struct turn *turn)
{
	struct playing *playing = context;
	if (turn_status(turn) == TURN_INTERRUPTED && answer(playing, turn))
		return;
	playing->over = true;
	(void)event_base_loopbreak(playing->play->base);
}

static void on_event(void *context, struct turn *turn, const struct ss_value *event)
{
	const struct playing *playing = context;
	if (playing->play->event != NULL) {
		playing->play->event(playing->play->context, turn, event);
		return;
	}
	play_print_json(event);
	(void)fflush(stdout);
}

void play_print_json(const struct ss_value *value)
{
	char *text = json_text(value);
	(void)puts(text);
	free(text);
}

unsigned play_events(const char *names)
{
	unsigned events = 0;
	if (names == NULL)
		return ~0u;
	char *copy = memory_string(names);
	char *rest = copy;
	for (char *name; (name = strsep(&rest, ",")) != NULL;) {
		unsigned event = turn_event_named(name);
		if (event == 0) {
			(void)fprintf(
				stderr, "smartsupport: --stream: there is no event \"%s\"\n", name);
			events = 0;
			break;
		}
		events |= event;
	}
	free(copy);
	return events;
}

const char *play_status(const struct turn *turn)
{
	static const char *const names[] = {[TURN_RUNNING] = "running",
		[TURN_DONE] = "done",
		[TURN_FAILED] = "failed",
		[TURN_INTERRUPTED] = "interrupted"};
	return names[turn_status(turn)];
}

static void print_json(struct turn *turn)
{
	const struct ss_error *err = turn_error(turn);
	const char *id = turn_id(turn);
	bool asks = turn_status(turn) == TURN_INTERRUPTED;
	struct ss_value *all = value_map_make({"turn", id != NULL ? value_text(id) : NULL},
		{"state", turn_state(turn)}, {"trace", turn_trace(turn)},
		{"status", value_text(play_status(turn))},
		{"error", err != NULL ? value_text(err->text) : value_null()},
		{"interrupts", asks ? turn_interrupts(turn) : NULL});
	play_print_json(all);
	value_unref(all);
}

static void print_entry(const struct ss_value *entry, int depth)
{
	const struct ss_value *error = value_get(entry, "error");
	const struct ss_value *inner = value_get(entry, "inner");
	const struct ss_value *taken = value_get(entry, "taken");
	const struct ss_value *took = value_get(entry, "duration_ms");
	(void)printf("  %*s%-16s %-11s", depth * 2, "",
		value_as_string(value_get(entry, "node"), NULL),
		value_as_string(value_get(entry, "status"), NULL));
	if (took != NULL)
		(void)printf(" %8.3f ms", value_as_number(took));
	if (value_as_bool(value_get(entry, "restored")))
		(void)printf(" earlier");
	for (size_t i = 0; i < value_count(taken); i++) {
		const struct ss_value *way = value_at(taken, i);
		const struct ss_value *when = value_get(way, "when");
		(void)printf("%s %s", i == 0 ? "  ->" : ",",
			value_as_string(value_get(way, "to"), NULL));
		if (when != NULL)
			(void)printf(" (%s)", value_as_string(when, NULL));
	}
	(void)putchar('\n');
	if (error != NULL)
		(void)printf("  %*s  %s\n", depth * 2, "", value_as_string(error, NULL));
	for (size_t i = 0; i < value_count(inner); i++) {
		const struct ss_value *one = value_at(inner, i);
		if (value_type(one) == SS_MAP)
			print_entry(one, depth + 1);
		for (size_t j = 0; value_type(one) == SS_LIST && j < value_count(one); j++)
			print_entry(value_at(one, j), depth + 1);
	}
}

void play_print_trace(const struct ss_value *trace)
{
	for (size_t i = 0; i < value_count(trace); i++)
		print_entry(value_at(trace, i), 0);
}

void play_print_map(const char *title, const struct ss_value *map)
{
	(void)printf("%s\n", title);
	for (size_t i = 0; i < value_count(map); i++) {
		char *text = json_text(value_at(map, i));
		(void)printf("  %-16s %s\n", value_key_at(map, i), text);
		free(text);
	}
}

void play_print_interrupts(const struct ss_value *interrupts)
{
	bool several = value_count(interrupts) > 1;
	for (size_t i = 0; i < value_count(interrupts); i++) {
		const struct ss_value *one = value_at(interrupts, i);
		char *payload = json_text(value_get(one, "payload"));
		(void)printf("  %s waits %s: %s%s%s\n",
			value_as_string(value_get(one, "node"), NULL),
			value_as_string(value_get(one, "when"), NULL), payload, several ? "  " : "",
			several ? value_as_string(value_get(one, "id"), NULL) : "");
		free(payload);
	}
}

static void print_text(struct turn *turn)
{
	struct ss_value *state = turn_state(turn);
	struct ss_value *trace = turn_trace(turn);
	struct ss_value *interrupts = turn_interrupts(turn);
	play_print_map("State", state);
	(void)puts("\nTrace");
	play_print_trace(trace);
	(void)printf("\nStatus  %s\n", play_status(turn));
	if (turn_id(turn) != NULL)
		(void)printf("Turn    %s\n", turn_id(turn));
	play_print_interrupts(interrupts);
	value_unref(interrupts);
	value_unref(trace);
	value_unref(state);
}

static int print_outcome(const struct play *play, struct turn *turn)
{
	if (play->json)
		print_json(turn);
	else if (!play->stream)
		print_text(turn);
	if (turn_error(turn) != NULL)
		(void)fprintf(stderr, "smartsupport: %s\n", turn_error(turn)->text);
	if (turn_status(turn) == TURN_INTERRUPTED)
		return 3;
	return turn_error(turn) != NULL ? 1 : 0;
}

static struct turn *run(struct playing *playing, struct engine *engine,
	const struct turn_options *given, struct ss_error *err)
{
	struct turn_options options = *given;
	options.over = on_over;
	options.context = playing;
	options.event = on_event;
	options.events = playing->play->stream != 0 ? playing->play->stream : playing->play->events;
	struct turn *turn = turn_start(engine, &options, err);
	while (turn != NULL && !playing->over)
		(void)event_base_loop(playing->play->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
	return turn;
}

int play_turn(const struct play *play, struct engine *engine, const struct turn_options *options)
{
	struct ss_error err = {0};
	struct playing playing = {.play = play};
	struct turn *turn = run(&playing, engine, options, &err);
	if (turn == NULL) {
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
		return 1;
	}
	int code = print_outcome(play, turn);
	if (playing.err.status != SS_OK && playing.answered > 0) {
		(void)fprintf(stderr, "smartsupport: the answer %s: %s\n",
			play->answers[playing.answered - 1], playing.err.text);
		code = 1;
	}
	turn_free(turn);
	return code;
}

struct turn *play_silently(const struct play *play, struct engine *engine,
	const struct turn_options *options, struct ss_error *err)
{
	struct playing playing = {.play = play};
	return run(&playing, engine, options, err);
}

const char **play_inputs(const struct ss_value *input)
{
	const char **names = memory_array(value_count(input) + 1, sizeof *names);
	for (size_t i = 0; i < value_count(input); i++)
		names[i] = value_key_at(input, i);
	return names;
}

struct ss_value *play_read_map(const char *what, const char *given)
{
	struct ss_error err = {0};
	struct ss_value *map = NULL;
	char *text = NULL;
	size_t length = given != NULL ? strlen(given) : 0;
	if (given == NULL)
		return value_map(NULL, NULL, 0);
	if (given[0] == '@' && file_read(given + 1, INPUT_LIMIT, &text, &length, &err) < 0)
		goto done;
	map = json_parse(text != NULL ? text : given, length, &err);
	if (map != NULL && value_type(map) != SS_MAP) {
		value_unref(map);
		map = NULL;
		(void)ss_fail(&err, "it must be an object, as in {\"message\": \"hi\"}");
	}
done:
	if (map == NULL)
		(void)fprintf(stderr, "smartsupport: %s: %s\n", what, err.text);
	free(text);
	return map;
}
