#include "support/watch.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

const unsigned watch_events = TURN_NODE_FINISHED | TURN_TOKEN;

enum { CATEGORY, SENTIMENT, PRIORITY, DECISIONS };

static const char *const decisions[DECISIONS] = {"category", "sentiment", "priority"};

/* Who says the pieces that come: one attempt of one copy of a node. */
struct speaker {
	char id[40]; /* of the node's activation; "": nobody has spoken */
	int64_t copy;
	int64_t attempt;
	int64_t try;  /* of its model */
	size_t start; /* of what it says, in the text */
	size_t try_start;
	bool finished;
};

struct watch {
	const struct support_listener *listener;
	void *context;
	struct ss_value *decided[DECISIONS]; /* NULL: it is not known yet */
	bool told_analysis, told_articles;
	struct speaker speaker;
	struct buffer text; /* the response as far as it is made */
	size_t told;        /* bytes of it that the listener has */
	bool mixed; /* two have spoken at the same time: nobody knows which of them is the response */
};

struct watch *watch_new(const struct support_listener *listener, void *context)
{
	struct watch *watch = memory_make(struct watch);
	watch->listener = listener;
	watch->context = context;
	return watch;
}

void watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < DECISIONS; i++)
		value_unref(watch->decided[i]);
	buffer_free(&watch->text);
	free(watch);
}

/* The bytes of TEXT without a character at its end that is not complete. */
static size_t complete_length(const char *text, size_t length)
{
	size_t lead = length;
	while (lead > 0 && length - lead < 4 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead == 0)
		return length;
	unsigned char first = (unsigned char)text[lead - 1];
	size_t needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
	return length - (lead - 1) < needed ? lead - 1 : length;
}

/* Tells the text up to LENGTH. */
static void tell_text(struct watch *watch, size_t length)
{
	if (length <= watch->told)
		return;
	const struct ss_text more = {watch->text.data + watch->told, length - watch->told};
	watch->told = length;
	watch->listener->token(watch->context, more);
}

static void take_back(struct watch *watch)
{
	watch->told = 0;
	watch->listener->replace(watch->context);
}

/* What stands in the text from START on does not count. */
static void drop(struct watch *watch, size_t start)
{
	if (start >= watch->text.length)
		return;
	watch->text.length = start;
	if (watch->told > start)
		take_back(watch);
}

static bool speaks(const struct watch *watch, const struct ss_value *event)
{
	return strcmp(watch->speaker.id, value_as_string(value_get(event, "id"), NULL)) == 0 &&
	       watch->speaker.copy == value_as_int(value_get(event, "copy"));
}

/* Another one begins to speak behind what was said. */
static void next_speaker(struct watch *watch, const struct ss_value *event)
{
	struct speaker *speaker = &watch->speaker;
	(void)snprintf(speaker->id, sizeof speaker->id, "%s",
		value_as_string(value_get(event, "id"), NULL));
	speaker->copy = value_as_int(value_get(event, "copy"));
	speaker->attempt = value_as_int(value_get(event, "attempt"));
	speaker->try = 0;
	speaker->start = watch->text.length;
	speaker->try_start = watch->text.length;
	speaker->finished = false;
}

/* Pieces of the agent itself have no try; those of its model take the place of an earlier try's. */
static void note_try(struct watch *watch, int64_t try)
{
	struct speaker *speaker = &watch->speaker;
	if (try == 0)
		return;
	if (speaker->try > 0 && try > speaker->try)
		drop(watch, speaker->try_start);
	else if (speaker->try == 0 || try < speaker->try)
		speaker->try_start = watch->text.length;
	speaker->try = try;
}

static void note_token(struct watch *watch, const struct ss_value *event)
{
	struct speaker *speaker = &watch->speaker;
	int64_t attempt = value_as_int(value_get(event, "attempt"));
	struct ss_text text = value_as_text(value_get(event, "text"));
	bool same = speaks(watch, event);
	watch->mixed |= !same && speaker->id[0] != '\0' && !speaker->finished;
	if (watch->mixed)
		return;
	if (!same) {
		next_speaker(watch, event);
	} else if (attempt > speaker->attempt) {
		drop(watch, speaker->start);
		next_speaker(watch, event);
	}
	note_try(watch, value_as_int(value_get(event, "try")));
	buffer_add(&watch->text, text.data, text.length);
	tell_text(watch, complete_length(watch->text.data, watch->text.length));
}

static void tell_analysis(struct watch *watch)
{
	struct value_entry entries[DECISIONS];
	if (watch->told_analysis)
		return;
	watch->told_analysis = true;
	for (size_t i = 0; i < DECISIONS; i++)
		entries[i] = (struct value_entry){decisions[i],
			watch->decided[i] != NULL ? value_ref(watch->decided[i]) : value_null()};
	struct ss_value *analysis = value_map_of(entries, DECISIONS);
	watch->listener->analysis(watch->context, analysis);
	value_unref(analysis);
}

/* Notes the decisions in VALUES, and tells them when they are complete. */
static void note_decisions(struct watch *watch, const struct ss_value *values)
{
	bool complete = true;
	for (size_t i = 0; i < DECISIONS; i++) {
		const struct ss_value *value = value_get(values, decisions[i]);
		if (value != NULL) {
			value_unref(watch->decided[i]);
			watch->decided[i] = value_ref(value);
		}
		complete &= watch->decided[i] != NULL;
	}
	if (complete)
		tell_analysis(watch);
}

/* Tells ARTICLES without their contents, which the reply has. */
static void tell_articles(struct watch *watch, const struct ss_value *articles)
{
	static const char *const members[] = {"id", "title", "category", "score"};
	size_t count = value_count(articles);
	watch->told_articles = true;
	if (watch->listener->articles == NULL)
		return;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		struct value_entry entries[array_length(members)];
		for (size_t j = 0; j < array_length(members); j++)
			entries[j] = (struct value_entry){members[j],
				value_ref(value_get(value_at(articles, i), members[j]))};
		items[i] = value_map_of(entries, array_length(members));
	}
	struct ss_value *list = value_list(items, count);
	watch->listener->articles(watch->context, list);
	value_unref(list);
	free(items);
}

static void note_finished(struct watch *watch, const struct ss_value *event)
{
	const struct ss_value *writes = value_get(event, "writes");
	const struct ss_value *articles = value_get(writes, "kb_results");
	if (strcmp(watch->speaker.id, value_as_string(value_get(event, "id"), NULL)) == 0) {
		watch->speaker.finished = true;
		if (strcmp(value_as_string(value_get(event, "status"), NULL), "done") != 0)
			drop(watch, watch->speaker.start);
	}
	/* The fields of an inner workflow are its own. */
	if (strchr(value_as_string(value_get(event, "node"), NULL), '/') != NULL)
		return;
	note_decisions(watch, writes);
	if (articles != NULL)
		tell_articles(watch, articles);
}

void watch_event(struct watch *watch, const struct ss_value *event)
{
	if (strcmp(value_as_string(value_get(event, "event"), NULL), "token") == 0)
		note_token(watch, event);
	else
		note_finished(watch, event);
}

void watch_end(struct watch *watch, const struct ss_value *reply)
{
	struct ss_text response = value_as_text(value_get(reply, "response"));
	const struct ss_value *articles = value_get(value_get(reply, "metadata"), "kb_results");
	note_decisions(watch, reply);
	tell_analysis(watch);
	if (!watch->told_articles)
		tell_articles(watch, articles);
	if (watch->told > response.length ||
		memcmp(buffer_text(&watch->text), response.data, watch->told) != 0)
		take_back(watch);
	watch->text.length = 0;
	buffer_add(&watch->text, response.data, response.length);
	tell_text(watch, watch->text.length);
}
