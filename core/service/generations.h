/*
 * The generations of a server's workers, and how the last reload ended: in memory that the master writes, that its workers
 * share, and that other programs of the same user may look at, where it is a file. Any thread.
 */
#ifndef SERVICE_GENERATIONS_H
#define SERVICE_GENERATIONS_H

#include <smartsupport/error.h>

#include <stdbool.h>
#include <stdint.h>

struct generations;
struct ss_value;

enum reload_state {
	RELOAD_NONE, /* there was none */
	RELOAD_UNDER_WAY,
	RELOAD_TAKEN_OVER,
	RELOAD_REFUSED, /* the old generation serves on */
};

enum { GENERATION_ERROR_SIZE = 4000, GENERATION_ADDRESS_SIZE = 300 };

struct generation_state {
	int master;                            /* its process */
	char address[GENERATION_ADDRESS_SIZE]; /* "http://127.0.0.1:8000" */
	int64_t number;   /* of the generation that serves, from 1; 0: none does yet */
	int64_t since_ns; /* UTC */
	int64_t finished; /* reloads that have ended */
	int64_t refused;  /* and those of them that did not take over */
	int64_t ended_ns; /* when the last one ended; UTC */
	enum reload_state reload;
	char error[GENERATION_ERROR_SIZE]; /* why the last one was refused, a mistake a line; "" */
};

/* Maps the memory for the server at ADDRESS; in the file PATH (made anew, for this user alone) or, when that is NULL or cannot be, in none.
 * NULL when the system has no memory. */
struct generations *generations_new(const char *path, const char *address);

/* In a worker: keeps the memory, and nothing of the file. */
void generations_adopt(struct generations *generations);

/* Unmaps it. NULL is allowed. */
void generations_free(struct generations *generations);

/* For the master. */
void generations_serve(struct generations *generations);
void generations_begin_reload(struct generations *generations);
void generations_take_over(struct generations *generations);
void generations_refuse(struct generations *generations, const char *why);

/* The state as it was at one moment. */
void generations_read(const struct generations *generations, struct generation_state *state);

/* STATE as people see it: {generation, since (once one serves), reload, ended, reloads, refused, errors: list of {detail}}; new. */
struct ss_value *generation_value(const struct generation_state *state);

/* The mistakes for which the last reload was refused, a list of {detail}; new. */
struct ss_value *generation_errors(const struct generation_state *state);

/* The number that finished reaches when a reload that is asked for now has ended. */
int64_t generations_next(const struct generations *generations);

/* Those of the server that has the file PATH. NULL and ERR (SS_NOT_FOUND) when none has. */
struct generations *generations_open(const char *path, struct ss_error *err);

#endif
