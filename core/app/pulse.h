/*
 * What a worker's loop does once a second as long as it serves: it tells the master that it comes round, and looks whether a
 * plugin has taken away what it needs. Loop thread.
 */
#ifndef APP_PULSE_H
#define APP_PULSE_H

struct event_base;
struct pulse;

/* Begins. LISTENER and CONTROL are descriptors that must stay what they are, and the process must be allowed to have as many as
 * now; once that is no longer so, BROKEN is called with a sentence that says why. */
struct pulse *pulse_new(struct event_base *base, int listener, int control,
	void (*broken)(void *context, const char *why), void *context);

/* From now on what the worker needs is taken away by itself. */
void pulse_weaken(struct pulse *pulse);

/* NULL is allowed. */
void pulse_free(struct pulse *pulse);

#endif
