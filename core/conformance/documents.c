/* Documents: their versions, and what one sees of changes. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int64_t version_of(struct probe *probe, enum ss_document_kind kind, const char *id)
{
	const struct ss_value *found =
		probe_documents(probe, (struct ss_document_filter){.kind = kind, .id = id});
	return value_as_int(value_get(value_at(value_get(found, "items"), 0), "version"));
}

static void keeps_each_kind(struct probe *probe)
{
	const char *id = probe_name(probe, "doc");
	for (int kind = SS_ARTICLES; kind <= SS_API_KEYS; kind++) {
		const char *data =
			probe_format(probe, "{\"kind\": %d, \"b\":1, \"a\":\"é😀\"}", kind);
		probe_put(probe, (enum ss_document_kind)kind, id, data, 0);
		const struct ss_value *found = probe_documents(probe,
			(struct ss_document_filter){.kind = (enum ss_document_kind)kind, .id = id});
		const struct ss_value *item = value_at(value_get(found, "items"), 0);
		probe_expect(probe, "the id of a document", id, probe_string(item, "id"));
		probe_expect_text(
			probe, "the data of a document", text_of(data), value_get(item, "data"));
		probe_expect(probe, "when it was stored", probe_time(probe, probe->now_ns),
			probe_string(item, "created_at"));
	}
	for (int kind = SS_ARTICLES; kind <= SS_API_KEYS; kind++)
		probe_put(probe, (enum ss_document_kind)kind, id, NULL, -1);
}

static void counts_versions(struct probe *probe)
{
	const char *first = probe_name(probe, "a"), *second = probe_name(probe, "b");
	probe_put(probe, SS_HEADS, first, "{}", -1);
	int64_t before = version_of(probe, SS_HEADS, first);
	probe_put(probe, SS_HEADS, second, "{}", -1);
	probe_put(probe, SS_HEADS, first, "{\"n\":2}", -1);
	int64_t other = version_of(probe, SS_HEADS, second);
	int64_t after = version_of(probe, SS_HEADS, first);
	if (!probe->failed && (other <= before || after <= other))
		probe_fail(probe, "the versions of three changes",
			"each higher than the one before", "%lld, %lld, %lld", (long long)before,
			(long long)other, (long long)after);
	probe_expect_int(probe, "the version that the kind has reached", after,
		probe_version(probe, SS_HEADS));
	probe_put(probe, SS_HEADS, first, NULL, after);
	probe_put(probe, SS_HEADS, second, NULL, -1);
}

static void holds_to_expectations(struct probe *probe)
{
	const char *id = probe_name(probe, "doc");
	struct ss_document document = {.kind = SS_ARTICLES,
		.id = id,
		.data = text_of("{\"n\":2}"),
		.expected = 1,
		.at_ns = probe->now_ns};
	probe_refuse_putting(
		probe, "changing a document that is not there", &document, SS_CONFLICT);
	document.data = (struct ss_text){0};
	document.expected = -1;
	probe_refuse_putting(
		probe, "removing a document that is not there", &document, SS_NOT_FOUND);
	probe_put(probe, SS_ARTICLES, id, "{\"n\":1}", 0);
	int64_t version = version_of(probe, SS_ARTICLES, id);
	document.data = text_of("{\"n\":2}");
	document.expected = 0;
	probe_refuse_putting(probe, "making a document whose id there is", &document, SS_CONFLICT);
	document.expected = version + 1;
	probe_refuse_putting(
		probe, "changing a document that has another version", &document, SS_CONFLICT);
	document.expected = version;
	document.data = text_of("[1]");
	probe_refuse_putting(probe, "data that is no object", &document, SS_INVALID);
	document.data = text_of("{");
	probe_refuse_putting(probe, "data that is no JSON", &document, SS_INVALID);
	probe_expect_int(probe, "the version after all of these", version,
		version_of(probe, SS_ARTICLES, id));
	probe_put(probe, SS_ARTICLES, id, NULL, version);
	document.data = text_of("{\"n\":2}");
	document.expected = version;
	probe_refuse_putting(probe, "changing a document that was removed", &document, SS_CONFLICT);
	probe_put(probe, SS_ARTICLES, id, "{\"n\":3}", 0);
	probe_put(probe, SS_ARTICLES, id, NULL, -1);
}

static void leaves_others_alone(struct probe *probe)
{
	const char *ids[] = {
		probe_name(probe, "a"), probe_name(probe, "b"), probe_name(probe, "c")};
	struct ss_document documents[3];
	struct ss_error errors[3] = {{.status = SS_OK}};
	for (size_t i = 0; i < 3; i++)
		documents[i] = (struct ss_document){.struct_size = sizeof documents[i],
			.kind = i == 2 ? SS_ARTICLES : SS_WEBHOOKS,
			.id = ids[i],
			.data = text_of("{}"),
			.expected = i == 1 ? 1 : 0,
			.at_ns = probe->now_ns};
	if (probe->failed)
		return;
	int result = probe->storage->store_documents(probe->instance, documents, 3, errors);
	probe_expect_success(
		probe, "the document before the one that is refused", result, &errors[0]);
	probe_expect_refusal(probe, "a document that should have another version", SS_CONFLICT,
		errors[1].status == SS_OK ? 0 : -1, &errors[1]);
	probe_expect_success(probe, "the document behind it", result, &errors[2]);
	if (version_of(probe, SS_WEBHOOKS, ids[0]) == 0 ||
		version_of(probe, SS_ARTICLES, ids[2]) == 0)
		probe_fail(
			probe, "the documents beside the one that was refused", "both", "not both");
	probe_put(probe, SS_WEBHOOKS, ids[0], NULL, -1);
	probe_put(probe, SS_ARTICLES, ids[2], NULL, -1);
}

static void tells_changes(struct probe *probe)
{
	const char *prefix = probe_name(probe, "x");
	const char *ids[] = {probe_format(probe, "%s-a", prefix),
		probe_format(probe, "%s-b", prefix), probe_format(probe, "%s-c", prefix)};
	int64_t since = probe_version(probe, SS_API_KEYS);
	for (size_t i = 0; i < 3; i++)
		probe_put(probe, SS_API_KEYS, ids[i], "{}", 0);
	probe_put(probe, SS_API_KEYS, ids[0], "{\"n\":2}", -1);
	probe_put(probe, SS_API_KEYS, ids[1], NULL, -1);
	/* A kind that nobody has stored yet has the version 0, which asks for all. */
	const struct ss_value *all =
		probe_documents(probe, (struct ss_document_filter){.kind = SS_API_KEYS});
	probe_expect(probe, "all documents that there are, by id", "-a|-c",
		probe_column(probe, value_get(all, "items"), "id", prefix));
	if (since == 0)
		since = version_of(probe, SS_API_KEYS, ids[2]) - 1;
	const struct ss_value *changed = probe_documents(
		probe, (struct ss_document_filter){.kind = SS_API_KEYS, .since = since});
	probe_expect(probe, "documents that have changed, by version", "-c|-a|-b",
		probe_column(probe, value_get(changed, "items"), "id", prefix));
	const struct ss_value *items = value_get(changed, "items");
	if (!probe->failed && value_get(value_at(items, value_count(items) - 1), "data") != NULL)
		probe_fail(probe, "a document that was removed", "no data", "some");
	const struct ss_value *first = probe_documents(probe,
		(struct ss_document_filter){.kind = SS_API_KEYS, .since = since, .limit = 2});
	probe_expect(probe, "two of them", "-c|-a",
		probe_column(probe, value_get(first, "items"), "id", prefix));
	const struct ss_value *rest =
		probe_documents(probe, (struct ss_document_filter){.kind = SS_API_KEYS,
					       .since = value_as_int(value_get(first, "version"))});
	probe_expect(probe, "those behind the version that these have reached", "-b",
		probe_column(probe, value_get(rest, "items"), "id", prefix));
	probe_put(probe, SS_API_KEYS, ids[0], NULL, -1);
	probe_put(probe, SS_API_KEYS, ids[2], NULL, -1);
}

/* A second instance that stores, while the first reads on. */
struct writer {
	struct probe *probe;
	void *instance;
	const char *prefix;
	pthread_barrier_t *start;
	struct ss_error err;
};

enum { WRITERS = 2, WRITES = 60 };

static void *write_on(void *context)
{
	struct writer *writer = context;
	char id[120];
	(void)pthread_barrier_wait(writer->start);
	for (int i = 0; i < WRITES && writer->err.status == SS_OK; i++) {
		(void)snprintf(id, sizeof id, "%s-%d", writer->prefix, i);
		const struct ss_document document = {.struct_size = sizeof document,
			.kind = SS_HEADS,
			.id = id,
			.data = text_of("{}"),
			.expected = 0};
		(void)writer->probe->storage->store_documents(
			writer->instance, &document, 1, &writer->err);
	}
	return NULL;
}

/* How many documents of the probe were seen, by reading on from SINCE until all were or nothing came for long. */
static int64_t read_on(struct probe *probe, int64_t since)
{
	int64_t seen = 0;
	for (int rounds = 0; rounds < PROBE_PATIENCE && !probe->failed; rounds++) {
		const struct ss_value *found = probe_documents(
			probe, (struct ss_document_filter){.kind = SS_HEADS, .since = since});
		const struct ss_value *items = value_get(found, "items");
		for (size_t i = 0; i < value_count(items); i++)
			seen += strstr(probe_string(value_at(items, i), "id"), probe->run) != NULL;
		since = value_as_int(value_get(found, "version"));
		if (seen >= (int64_t)WRITERS * WRITES)
			break;
		/* Those who write are done long before. */
		if (value_count(items) == 0)
			probe_pause();
	}
	return seen;
}

static void misses_no_change(struct probe *probe)
{
	pthread_barrier_t start;
	pthread_t threads[WRITERS];
	struct writer writers[WRITERS];
	/* So that the kind has a version to go on from. */
	probe_put(probe, SS_HEADS, probe_name(probe, "head"), "{}", 0);
	probe_put(probe, SS_HEADS, probe_name(probe, "head"), NULL, -1);
	int64_t since = probe_version(probe, SS_HEADS);
	for (size_t i = 0; i < WRITERS; i++)
		writers[i] = (struct writer){.probe = probe,
			.instance = probe_open(probe),
			.prefix = probe_name(probe, i == 0 ? "one" : "two"),
			.start = &start,
			.err = {.status = SS_OK}};
	if (probe->failed)
		return;
	(void)pthread_barrier_init(&start, NULL, WRITERS + 1);
	for (size_t i = 0; i < WRITERS; i++) {
		if (pthread_create(&threads[i], NULL, write_on, &writers[i]) != 0)
			abort(); /* only for want of memory */
	}
	(void)pthread_barrier_wait(&start);
	int64_t seen = read_on(probe, since);
	for (size_t i = 0; i < WRITERS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_barrier_destroy(&start);
	for (size_t i = 0; i < WRITERS; i++) {
		probe_expect_success(
			probe, "storing while others store and read", 0, &writers[i].err);
		probe_close(probe, writers[i].instance);
	}
	probe_expect_int(probe, "documents seen by who reads on while two others store",
		(int64_t)WRITERS * WRITES, seen);
}

static const struct probe_case cases[] = {
	{"documents of each kind come back as they were stored", keeps_each_kind},
	{"each change of a kind has a higher version", counts_versions},
	{"a document that has not the expected version is left alone", holds_to_expectations},
	{"a document that is refused leaves the others of its batch alone", leaves_others_alone},
	{"who asks since a version is told what has changed and what was removed", tells_changes},
	{"who reads on while others store misses no change", misses_no_change},
};

const struct probe_area documents_area = {"documents", cases, array_length(cases)};
