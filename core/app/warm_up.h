/*
 * What a new worker does before it says that it is ready, so that its first question is answered as fast as later ones: it
 * embeds and searches for some questions of its own. Loop thread.
 */
#ifndef APP_WARM_UP_H
#define APP_WARM_UP_H

struct runtime;

/* Begins. Calls DONE with CONTEXT once, later, whatever came of it: an embedder that fails is no reason not to serve. Nothing is counted,
 * and nothing is kept. */
void warm_up(struct runtime *runtime, void (*done)(void *context), void *context);

#endif
