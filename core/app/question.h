/*
 * Questions of customers for commands: going on with a stored one as the server does, so that its answer is stored in its
 * conversation. Loop thread.
 */
#ifndef APP_QUESTION_H
#define APP_QUESTION_H

#include "app/stored.h"

struct question_answers {
	const char *const *texts; /* [ID=]JSON, to the first interrupt each where there is no id */
	size_t count;
	bool json; /* how the reply is printed */
};

/* Goes on with the question of RECORD, whose workflow STORED has loaded, and prints the reply. Returns the exit code: 0, 1 when it
 * failed, 3 when it waits for an answer. */
int question_resume(
	struct stored *stored, struct record *record, const struct question_answers *answers);

#endif
