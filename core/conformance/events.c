/* Events: that they come with what they tell of, and that no reader misses one. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *ids_of(struct probe *probe, const struct ss_value *page)
{
	return probe_column(probe, value_get(page, "items"), "id", "");
}

/* A page that must have COUNT items; of the oldest it may have them a little later. */
static const struct ss_value *page_of(
	struct probe *probe, struct ss_event_filter filter, size_t count)
{
	const struct ss_value *page = probe_events(probe, filter);
	for (int i = 0; i < PROBE_PATIENCE && !probe->failed && filter.oldest_first &&
			value_count(value_get(page, "items")) < count;
		i++) {
		probe_pause();
		page = probe_events(probe, filter);
	}
	return page;
}

static void come_with_the_turn(struct probe *probe)
{
	const struct ss_event events[] = {
		{.id = probe_id(probe, "evt_"),
			.type = "query.created",
			.data = text_of("{ \"b\":1,\"a\":\"é😀\"}")},
		{.id = probe_id(probe, "evt_"),
			.type = "conversation.escalated",
			.data = text_of("{}")},
	};
	struct ss_turn turn = probe_first(probe, "ann");
	turn.events = (struct ss_events){.items = events, .count = 2};
	probe_store(probe, &turn);
	const struct ss_value *page = probe_events(probe,
		(struct ss_event_filter){.conversation_id = turn.conversation_id, .limit = 10});
	const struct ss_value *event = value_at(value_get(page, "items"), 1);
	probe_expect_json(probe,
		"an event of a turn, in the list of the newest of its conversation",
		probe_format(probe,
			"{\"at\":\"%s\",\"conversation_id\":\"%s\",\"data\":\"{ "
			"\\\"b\\\":1,\\\"a\\\":"
			"\\\"é😀\\\"}\",\"id\":\"%s\",\"type\":\"query.created\",\"user_id\":\"%"
			"s\"}",
			probe_time(probe, turn.answered_at_ns), turn.conversation_id, events[0].id,
			turn.user_id),
		event);
	/* Once more it is the same turn. */
	probe_store(probe, &turn);
	page = probe_events(probe,
		(struct ss_event_filter){.conversation_id = turn.conversation_id, .limit = 10});
	probe_expect(probe, "the events of a turn that was stored again",
		probe_format(probe, "%s|%s", events[1].id, events[0].id), ids_of(probe, page));
	turn.turn_id = probe_id(probe, "");
	probe_refuse(probe, "a turn of a new conversation whose id there is", &turn, SS_CONFLICT);
	page = probe_events(probe,
		(struct ss_event_filter){.conversation_id = turn.conversation_id, .limit = 10});
	probe_expect_int(probe, "the number of events after a turn was refused", 2,
		(int64_t)value_count(value_get(page, "items")));
}

static void come_with_feedback(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_turn turn = probe_first(probe, "ann");
	const struct ss_event event = {
		.id = probe_id(probe, "evt_"), .type = "feedback.given", .data = text_of("{}")};
	const struct ss_feedback feedback = {.struct_size = sizeof feedback,
		.turn_id = turn.turn_id,
		.was_helpful = 1,
		.given_at_ns = probe->now_ns,
		.events = {.items = &event, .count = 1}};
	probe_store(probe, &turn);
	if (probe->failed)
		return;
	int result = probe->storage->store_feedback(probe->instance, &feedback, 1, &err);
	probe_expect_success(probe, "feedback with an event", result, &err);
	const struct ss_value *page =
		probe_events(probe, (struct ss_event_filter){.user_id = turn.user_id, .limit = 10});
	probe_expect(probe, "the events of its user", event.id, ids_of(probe, page));
	const struct ss_value *item = value_at(value_get(page, "items"), 0);
	probe_expect(probe, "the conversation of an event of feedback", turn.conversation_id,
		probe_string(item, "conversation_id"));
}

static void are_filtered(struct probe *probe)
{
	const int64_t day = 86400 * PROBE_SECOND_NS;
	/* A time as it is kept. */
	int64_t at = probe->now_ns - probe->now_ns % 1000 - day;
	const char *type = probe_name(probe, "type");
	const char *first = probe_event(probe, "ann", type, NULL, at);
	const char *second = probe_event(probe, "ann", "other", NULL, at + PROBE_SECOND_NS);
	const char *third = probe_event(probe, "bob", type, NULL, at + 2 * PROBE_SECOND_NS);
	const char *ann = probe_name(probe, "ann");
	for (int oldest = 0; oldest < 2; oldest++) {
		struct ss_event_filter filter = {
			.type = type, .oldest_first = oldest != 0, .limit = 10};
		probe_expect(probe, "the events of a type",
			oldest ? probe_format(probe, "%s|%s", first, third)
			       : probe_format(probe, "%s|%s", third, first),
			ids_of(probe, page_of(probe, filter, 2)));
		filter.user_id = ann;
		probe_expect(probe, "the events of a type and a user", first,
			ids_of(probe, page_of(probe, filter, 1)));
		filter.type = NULL;
		filter.from_ns = at + PROBE_SECOND_NS;
		filter.to_ns = at + 2 * PROBE_SECOND_NS;
		probe_expect(probe, "the events of a user in a second", second,
			ids_of(probe, page_of(probe, filter, 1)));
		filter.user_id = NULL;
		filter.type = type;
		filter.from_ns = at;
		probe_expect(probe, "the events of a type in two seconds, without the end", first,
			ids_of(probe, page_of(probe, filter, 1)));
	}
}

static void page_the_newest(struct probe *probe)
{
	const char *type = probe_name(probe, "type");
	const char *ids[5];
	for (size_t i = 0; i < 5; i++)
		ids[i] = probe_event(probe, "ann", type, NULL,
			probe->now_ns + (int64_t)(i / 2) * PROBE_SECOND_NS);
	struct ss_event_filter filter = {.type = type, .limit = 2};
	const struct ss_value *page = probe_events(probe, filter);
	probe_expect(probe, "the first page of two", probe_format(probe, "%s|%s", ids[4], ids[3]),
		ids_of(probe, page));
	(void)probe_event(probe, "ann", type, NULL, probe->now_ns + 5 * PROBE_SECOND_NS);
	filter.after = value_as_string(value_get(page, "next"), NULL);
	page = probe_events(probe, filter);
	probe_expect(probe, "the second one, when there is a newer one",
		probe_format(probe, "%s|%s", ids[2], ids[1]), ids_of(probe, page));
	filter.after = value_as_string(value_get(page, "next"), NULL);
	page = probe_events(probe, filter);
	probe_expect(probe, "the last one", ids[0], ids_of(probe, page));
	if (!probe->failed && value_get(page, "next") != NULL)
		probe_fail(probe, "the last page of the newest events", "no \"next\"", "one");
}

static void go_on_for_ever(struct probe *probe)
{
	const char *type = probe_name(probe, "type");
	struct ss_event_filter filter = {.type = type, .oldest_first = true, .limit = 2};
	const struct ss_value *page = probe_events(probe, filter);
	const char *expected[3] = {NULL};
	for (size_t i = 0; i < 3 && !probe->failed; i++) {
		filter.after = value_as_string(value_get(page, "next"), NULL);
		if (filter.after == NULL) {
			probe_fail(
				probe, "a page of the oldest events first", "a \"next\"", "none");
			return;
		}
		/* The time does not matter, only when it is stored. */
		expected[i] = probe_event(
			probe, "ann", type, NULL, probe->now_ns - (int64_t)i * PROBE_SECOND_NS);
		page = page_of(probe, filter, 1);
		probe_expect(probe, "what was stored since the page before", expected[i],
			ids_of(probe, page));
	}
}

static void refuse_other_places(struct probe *probe)
{
	const char *const wrong[] = {
		"", "x", "-1", "newest", "oldest.1", "newest.1.2.3", "oldest.1.-2", "newest.1.2x"};
	for (size_t i = 0; i < array_length(wrong) * 2 && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_event_filter filter = {.struct_size = sizeof filter,
			.oldest_first = i % 2 != 0,
			.after = wrong[i / 2],
			.limit = 1};
		int result = probe->storage->list_events(probe->instance, &filter, &page, &err);
		probe_expect_refusal(probe,
			probe_format(probe, "list_events() after \"%s\"", wrong[i / 2]), SS_INVALID,
			result, &err);
		if (result == 0)
			value_unref(page);
	}
}

/* Others that store events while one reads on. */
struct writer {
	struct probe *probe;
	void *instance;
	struct ss_turn turn;
	const char *type;
	pthread_barrier_t *start;
	struct ss_error err;
};

enum { WRITERS = 3, WRITES = 60, BATCH = 3 };

static void *write_on(void *context)
{
	struct writer *writer = context;
	struct ss_turn turns[BATCH];
	struct ss_event events[BATCH];
	struct ss_error errors[BATCH];
	char ids[BATCH][ID_SIZE], event_ids[BATCH][ID_SIZE];
	(void)pthread_barrier_wait(writer->start);
	for (int i = 0; i < WRITES && writer->err.status == SS_OK; i += BATCH) {
		for (size_t j = 0; j < BATCH; j++) {
			turns[j] = writer->turn;
			turns[j].new_conversation = i == 0 && j == 0;
			turns[j].turn_id = id_new("", ids[j]);
			events[j] = (struct ss_event){.id = id_new("evt_", event_ids[j]),
				.type = writer->type,
				.data = text_of("{}")};
			turns[j].events = (struct ss_events){.items = &events[j], .count = 1};
			errors[j] = (struct ss_error){.status = SS_OK};
		}
		if (writer->probe->storage->commit_turns(writer->instance, turns, BATCH, errors) <
			0)
			writer->err = errors[0];
	}
	return NULL;
}

static int64_t read_on(struct probe *probe, const char *type)
{
	int64_t seen = 0;
	struct ss_event_filter filter = {.type = type, .oldest_first = true, .limit = 7};
	for (int rounds = 0; rounds < PROBE_PATIENCE && !probe->failed; rounds++) {
		const struct ss_value *page = probe_events(probe, filter);
		size_t count = value_count(value_get(page, "items"));
		seen += (int64_t)count;
		if (seen >= (int64_t)WRITERS * WRITES)
			break;
		filter.after = value_as_string(value_get(page, "next"), NULL);
		if (count == 0)
			probe_pause();
	}
	return seen;
}

static void miss_no_reader(struct probe *probe)
{
	pthread_barrier_t start;
	pthread_t threads[WRITERS];
	struct writer writers[WRITERS];
	const char *type = probe_name(probe, "type");
	for (size_t i = 0; i < WRITERS; i++)
		writers[i] = (struct writer){.probe = probe,
			.instance = probe_open(probe),
			.turn = probe_first(probe, probe_format(probe, "user-%zu", i)),
			.type = type,
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
	int64_t seen = read_on(probe, type);
	for (size_t i = 0; i < WRITERS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_barrier_destroy(&start);
	for (size_t i = 0; i < WRITERS; i++) {
		probe_expect_success(
			probe, "storing turns while others store and read", 0, &writers[i].err);
		probe_close(probe, writers[i].instance);
	}
	probe_expect_int(probe, "events seen by who reads on while three others store",
		(int64_t)WRITERS * WRITES, seen);
}

/* Of another write: the first one tells what has happened. */
static void are_stored_once(struct probe *probe)
{
	const char *ids[] = {probe_id(probe, "evt_"), probe_id(probe, "evt_")};
	const struct ss_event first = {
		.id = ids[0], .type = "query.created", .data = text_of("{\"n\":1}")};
	const struct ss_event again[] = {
		{.id = ids[0], .type = "query.created", .data = text_of("{\"n\":2}")},
		{.id = ids[1], .type = "query.created", .data = text_of("{\"n\":3}")},
	};
	struct ss_turn turn = probe_first(probe, "ann");
	turn.events = (struct ss_events){.items = &first, .count = 1};
	probe_store(probe, &turn);
	struct ss_turn other = probe_first(probe, "ann");
	other.events = (struct ss_events){.items = again, .count = 2};
	probe_store(probe, &other);
	const struct ss_value *page =
		probe_events(probe, (struct ss_event_filter){.user_id = turn.user_id, .limit = 10});
	probe_expect(probe, "the events when one of them is stored again",
		probe_format(probe, "%s|%s", ids[1], ids[0]), ids_of(probe, page));
	probe_expect(probe, "their data", "{\"n\":3}|{\"n\":1}",
		probe_column(probe, value_get(page, "items"), "data", ""));
	probe_expect(probe, "what was asked then", other.message.data,
		probe_texts(probe, value_get(probe_messages(probe,
						     &(struct ss_message_filter){
							     .turn_id = other.turn_id, .limit = 1}),
					   "items")));
}

static const struct probe_case cases[] = {
	{"the events of a turn are stored with it, once, and not when it is refused",
		come_with_the_turn},
	{"an event whose id is stored already is passed over", are_stored_once},
	{"the events of feedback are those of its turn's user and conversation",
		come_with_feedback},
	{"events are listed by type, user and time", are_filtered},
	{"pages of the newest events miss none and repeat none while others come", page_the_newest},
	{"the oldest events first: what is stored later comes behind the last page",
		go_on_for_ever},
	{"a list of events does not go on from a place that no list of its order gave",
		refuse_other_places},
	{"who reads on while others store misses no event", miss_no_reader},
};

const struct probe_area events_area = {"events", cases, array_length(cases)};
