#include "thinking.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *opening, *closing;
} tags[] = {{"<think>", "</think>"}, {"<thinking>", "</thinking>"}};

enum { TAGS = sizeof tags / sizeof tags[0] };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* C is in front of the answer, or its beginning. */
static void read_front(struct thinking *thinking, char c)
{
	bool blank = thinking->matched == 0 && is_blank(c);
	/* Those behind a thought belong to it. */
	if (blank && thinking->thought)
		return;
	text_add(&thinking->held, &c, 1);
	if (blank || thinking->held.failed)
		return;
	size_t length = ++thinking->matched;
	const char *seen = thinking->held.data + thinking->held.length - length;
	for (size_t i = 0; i < TAGS; i++) {
		if (strncasecmp(tags[i].opening, seen, length) != 0)
			continue;
		if (tags[i].opening[length] == '\0')
			*thinking = (struct thinking){.state = THINKING_INSIDE,
				.tag = i,
				.thought = true,
				.held = thinking->held};
		return;
	}
	thinking->state = THINKING_PAST;
}

static void read_inside(struct thinking *thinking, char c)
{
	const char *closing = tags[thinking->tag].closing;
	if (strncasecmp(&c, closing + thinking->matched, 1) == 0)
		thinking->matched++;
	else
		thinking->matched = c == closing[0];
	if (closing[thinking->matched] != '\0')
		return;
	thinking->state = THINKING_FRONT;
	thinking->matched = 0;
	thinking->held.length = 0;
}

struct ss_text thinking_read(struct thinking *thinking, struct ss_text part)
{
	size_t at = 0;
	if (thinking->state == THINKING_PAST)
		return part;
	while (at < part.length && thinking->state != THINKING_PAST) {
		char c = part.data[at++];
		if (thinking->state == THINKING_FRONT)
			read_front(thinking, c);
		else
			read_inside(thinking, c);
	}
	if (thinking->state != THINKING_PAST)
		return (struct ss_text){0};
	text_add(&thinking->held, part.data + at, part.length - at);
	return (struct ss_text){thinking->held.data, thinking->held.length};
}

struct ss_text thinking_finish(struct thinking *thinking)
{
	if (thinking->state != THINKING_FRONT)
		return (struct ss_text){0};
	thinking->state = THINKING_PAST;
	return (struct ss_text){thinking->held.data, thinking->held.length};
}

void thinking_end(struct thinking *thinking)
{
	text_end(&thinking->held);
}
