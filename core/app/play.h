/* Turns that commands run in the terminal: their answers, and what is printed of them. Loop thread. */
#ifndef APP_PLAY_H
#define APP_PLAY_H

#include "engine/engine.h"

/* What INTERRUPTS, of which there is one at least, are answered with, as for turn_resume(), new; NULL: they are
 * left open. */
typedef struct ss_value *play_answer(void *context, const struct ss_value *interrupts);

struct play {
	struct event_base *base;
	/* [ID=]JSON, to the first interrupt each where there is no id */
	const char *const *answers;
	size_t answer_count;
	play_answer *answer; /* in place of them; or NULL */
	turn_event *event;   /* or NULL */
	unsigned events;
	void *context; /* of these two */
	bool json;
	unsigned stream; /* the events that are printed, of enum turn_events; 0: none */
};

/* Runs a turn with what OPTIONS have of its beginning, until it is over or waits for what nobody answers, and
 * prints what came of it. Returns the exit code: 0, 1 when it failed, 3 when it waits. */
int play_turn(const struct play *play, struct engine *engine, const struct turn_options *options);

/* Runs a turn and prints nothing; NULL and ERR when it cannot start. Free it. */
struct turn *play_silently(const struct play *play, struct engine *engine,
	const struct turn_options *options, struct ss_error *err);

/* VALUE as a line of JSON, a map as lines of members under a TITLE, and a trace. */
void play_print_json(const struct ss_value *value);
void play_print_map(const char *title, const struct ss_value *map);
void play_print_trace(const struct ss_value *trace);
enum { PLAY_ID_ROOM = 17 }; /* bytes for the id of an interrupt */
/* The value of an answer that was given as [ID=]VALUE, as JSON, in TEXT. ID becomes the interrupt's; empty: it is not
 * named. NULL and ERR when it is no JSON. */
struct ss_value *play_read_answer(const char *text, char id[PLAY_ID_ROOM], struct ss_error *err);

/* What turn_interrupts() gives, a line each; of several with the ids by which they are answered. */
void play_print_interrupts(const struct ss_value *interrupts);

/* The events in NAMES, with commas between them; NULL: all. 0 and a message when one does not exist. */
unsigned play_events(const char *names);

const char *play_status(const struct turn *turn);

/* The names of the fields that INPUT gives; ends with NULL. A new array. */
const char **play_inputs(const struct ss_value *input);

/* Parses a JSON object from the command line or, as @FILE, from a file. NULL and a message that begins with WHAT
 * when it is none. NULL is {}. */
struct ss_value *play_read_map(const char *what, const char *given);

#endif
