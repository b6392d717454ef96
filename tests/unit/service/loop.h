/* A libevent loop that a test turns until something has happened, and what threads wait for. */
#ifndef SERVICE_LOOP_H
#define SERVICE_LOOP_H

#include <smartsupport/error.h>

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

struct event_base;

/* Turns BASE until *COUNT is at least WANTED; the test fails when that takes longer than 20 seconds. */
void loop_until(struct event_base *base, const size_t *count, size_t wanted);

/* A door at which a service's thread waits, so that a test decides what else is waiting by then. */
struct gate {
	sem_t reached; /* posted by the thread when it comes to the door */
	sem_t open;    /* posted by the test to let it through once */
	bool closed; /* whether the thread waits at all; set before the thread is asked for anything */
};

void gate_init(struct gate *gate, bool closed);
void gate_destroy(struct gate *gate);

/* On the service's thread: waits if the gate is closed. */
void gate_pass(struct gate *gate);

/* Waits until the thread stands at the door. */
void gate_wait(struct gate *gate);

/* Lets the thread through COUNT times. */
void gate_open(struct gate *gate, size_t count);

#endif
