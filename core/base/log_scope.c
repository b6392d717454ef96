#include "base/log_scope.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>

struct log_scope {
	pthread_key_t key;
};

struct log_scope *log_scope_new(void)
{
	struct log_scope *scope = memory_make(struct log_scope);
	if (pthread_key_create(&scope->key, NULL) != 0)
		abort(); /* cannot happen: a process has a thousand of them, and needs one */
	return scope;
}

void log_scope_free(struct log_scope *scope)
{
	if (scope == NULL)
		return;
	(void)pthread_key_delete(scope->key);
	free(scope);
}

static void set(const struct log_scope *scope, const struct log *log)
{
	if (pthread_setspecific(scope->key, log) != 0)
		abort(); /* only for want of memory */
}

const struct log *log_enter(const struct log *log)
{
	const struct log *before = log_entered(log);
	log_leave(log, log);
	return before;
}

void log_leave(const struct log *log, const struct log *before)
{
	if (log->scope != NULL)
		set(log->scope, before);
}

const struct log *log_entered(const struct log *log)
{
	return log->scope != NULL ? pthread_getspecific(log->scope->key) : NULL;
}
