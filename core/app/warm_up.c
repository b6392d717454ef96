#include "app/warm_up.h"

#include "app/runtime.h"
#include "base/memory.h"
#include "service/compute.h"
#include "service/knowledge.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { ARTICLES = 5 };

/* Questions of different lengths. */
static const char *const questions[] = {
	"How do I reset my password?",
	"Where can I find the invoices for my account, and can they be sent to another address?",
	"My application crashes each time that I export more than 500 rows. It says error 42, I "
	"have "
	"installed it again and it makes no difference; what else can I try?",
	"Why was I charged twice?",
};

enum { QUESTIONS = sizeof questions / sizeof questions[0] };

struct warm_up {
	const struct ss_embedder_operations *embedder;
	void *instance;
	float *vector;
	size_t next; /* question */
	void (*done)(void *context);
	void *context;
};

/* On the compute thread, for one question after the other. */
static int ask(struct knowledge *knowledge, void *context, struct ss_error *err)
{
	struct warm_up *warm_up = context;
	const char *question = questions[warm_up->next++];
	const struct ss_text text = {question, strlen(question)};
	if (warm_up->embedder->embed(warm_up->instance, &text, 1, warm_up->vector, err) < 0)
		return -1;
	if (knowledge == NULL)
		return warm_up->next < QUESTIONS;
	const struct knowledge_query query = {
		.text = question,
		.vector = warm_up->vector,
		.top_k = ARTICLES,
	};
	struct knowledge_found found = knowledge_search(knowledge, &query);
	value_unref(found.articles);
	value_unref(found.missing);
	return warm_up->next < QUESTIONS;
}

static void on_asked(void *context, const struct ss_error *err)
{
	struct warm_up *warm_up = context;
	(void)err;
	warm_up->done(warm_up->context);
	free(warm_up->vector);
	free(warm_up);
}

void warm_up(struct runtime *runtime, void (*done)(void *context), void *context)
{
	struct ss_error err = {0};
	struct warm_up *warm_up = memory_make(struct warm_up);
	warm_up->embedder = runtime_embedder(runtime, &warm_up->instance);
	warm_up->vector = memory_array(
		warm_up->embedder->dimension(warm_up->instance), sizeof *warm_up->vector);
	warm_up->done = done;
	warm_up->context = context;
	if (compute_run(runtime_compute(runtime), ask, on_asked, warm_up, &err) < 0)
		on_asked(warm_up, &err);
}
