/*
 * The agent kb_retriever: looks the question up in the knowledge base. It keeps only articles that fit,
 * so that an agent which finds none knows that it has no answer: none at all when it is not likely enough that
 * the best one answers, and of the others those that score enough.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum { FIELD_MESSAGE, FIELD_CATEGORY, FIELD_KB_RESULTS, FIELD_RETRIEVAL };
enum { OPTION_TOP_K, OPTION_MIN_CONFIDENCE, OPTION_MIN_SCORE, OPTION_PREFER_CATEGORY };

struct kb_retriever {
	const struct ss_host *host;
	size_t top_k;
	double min_confidence;
	double min_score;
	bool prefer_category;
};

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct kb_retriever *retriever = calloc(1, sizeof *retriever);
	if (retriever == NULL)
		return ss_fail(err, "out of memory");
	retriever->host = setup->host;
	retriever->top_k = (size_t)values->as_int(setup->options[OPTION_TOP_K]);
	retriever->min_confidence = values->as_number(setup->options[OPTION_MIN_CONFIDENCE]);
	retriever->min_score = values->as_number(setup->options[OPTION_MIN_SCORE]);
	retriever->prefer_category = values->as_bool(setup->options[OPTION_PREFER_CATEGORY]);
	*instance = retriever;
	return 0;
}

static void destroy(void *instance)
{
	free(instance);
}

/* How the search went: {confidence, abstained, reason, best, scores}, and {missing} where stages of it did not run. The
 * reason is why it abstained: "no_article" when none scores enough, "low_confidence", or the doubt that came with the
 * best article. */
static struct ss_value *explain(const struct kb_retriever *retriever, const struct ss_value *best,
	bool abstained, double confidence, const struct ss_value *missing)
{
	static const char *const keys[] = {
		"confidence", "abstained", "reason", "best", "scores", "missing"};
	const struct ss_value_functions *values = retriever->host->values;
	const struct ss_value *doubt = values->get(best, "doubt");
	const char *reason = best == NULL ? "no_article" : "low_confidence";
	if (!abstained)
		reason = "";
	else if (doubt != NULL)
		reason = values->as_string(doubt, NULL);
	struct ss_value *items[] = {
		values->number(confidence),
		values->boolean(abstained),
		values->string(reason, strlen(reason)),
		best != NULL ? values->ref(values->get(best, "id")) : values->string("", 0),
		best != NULL ? values->ref(values->get(best, "scores"))
			     : values->map(NULL, NULL, 0),
		missing != NULL ? values->ref(missing) : NULL,
	};
	return values->map(keys, items, missing != NULL ? 6 : 5);
}

static void found(void *instance, struct ss_run *run, const struct ss_value *articles,
	const struct ss_error *err)
{
	const struct kb_retriever *retriever = instance;
	const struct ss_host *host = retriever->host;
	const struct ss_value *best = host->values->at(articles, 0);
	double confidence = host->values->as_number(host->values->get(best, "confidence"));
	bool abstained = best == NULL || confidence < retriever->min_confidence;
	struct ss_error failure = {0};
	if (err != NULL) {
		host->finish(run, SS_FAILED, err);
		return;
	}
	struct ss_value *kept =
		abstained ? host->values->list(NULL, 0) : host->values->ref(articles);
	/* Both are handed over in any case, since write() takes them. */
	int result = host->write(run, FIELD_KB_RESULTS, kept, &failure);
	result |= host->write(run, FIELD_RETRIEVAL,
		explain(retriever, best, abstained, confidence, host->missing(run)), &failure);
	host->finish(run, result < 0 ? SS_FAILED : SS_DONE, &failure);
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct kb_retriever *retriever = instance;
	const struct ss_host *host = retriever->host;
	const struct ss_value *category = host->read(run, FIELD_CATEGORY);
	struct ss_search search = {
		.struct_size = sizeof search,
		.top_k = retriever->top_k,
		.min_score = retriever->min_score,
	};
	search.text.data =
		host->values->as_string(host->read(run, FIELD_MESSAGE), &search.text.length);
	if (retriever->prefer_category && host->values->type(category) == SS_STRING)
		search.prefer_category = host->values->as_string(category, NULL);
	if (host->search(run, &search, found, err) < 0)
		return SS_FAILED;
	return SS_PENDING;
}

static const struct ss_option options[] = {
	[OPTION_TOP_K] = {.name = "top_k",
		.type = SS_OPTION_INT,
		.fallback = "3",
		.min = 1,
		.max = 20,
		.help = "How many articles are kept at most."},
	[OPTION_MIN_CONFIDENCE] = {.name = "min_confidence",
		.type = SS_OPTION_NUMBER,
		.fallback = "0.2",
		.min = 0,
		.max = 1,
		.help = "How likely the best article must answer the question; else none is kept."},
	[OPTION_MIN_SCORE] = {.name = "min_score",
		.type = SS_OPTION_NUMBER,
		.fallback = "0.25",
		.min = 0,
		.max = 1,
		.help = "Articles that score less are left out."},
	[OPTION_PREFER_CATEGORY] = {.name = "prefer_category",
		.type = SS_OPTION_BOOL,
		.fallback = "true",
		.help = "Whether an article of the question's category comes first when it is "
			"nearly as good."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_CATEGORY] = {"category", SS_STRING, SS_READS | SS_OPTIONAL,
		"The question's category, a hint for the search."},
	[FIELD_KB_RESULTS] = {"kb_results", SS_LIST, SS_WRITES,
		"The articles that fit, best first: maps with id, title, content, category, score "
		"and scores (question, answer, lexical: those that ran); the first one also with "
		"confidence."},
	[FIELD_RETRIEVAL] = {"retrieval", SS_MAP, SS_WRITES | SS_OPTIONAL,
		"How the search went: confidence, abstained, reason (no_article, low_confidence, "
		"unknown_code or other_subject), best (an article's id) and its scores; where the "
		"embedder or the index failed, missing: the stages that did not run and the "
		"error."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = destroy,
	.run = run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "kb_retriever",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Finds the articles that fit the question.",
	.options = options,
	.fields = fields,
	.services = SS_USES_KNOWLEDGE,
	.agent = &operations,
};
