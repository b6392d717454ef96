#include "answer.h"

#include <string.h>
#include <strings.h>

/* Bytes that may be ANSWER_NONE with what is around it. All of them are looked at with each part that comes. */
enum { HEAD_LIMIT = 512 };

int answer_begin(struct answer *answer, const struct ss_value_functions *values,
	const struct ss_value *articles, bool task)
{
	*answer = (struct answer){.task = task};
	return citations_begin(&answer->citations, values, articles);
}

/* What a model puts around the word. */
static bool is_around(char c)
{
	return strchr(" \t\r\n\"'`*.", c) != NULL && c != '\0';
}

static struct ss_text without_front(struct ss_text text)
{
	while (text.length > 0 && is_around(text.data[0])) {
		text.data++;
		text.length--;
	}
	return text;
}

static struct ss_text without_back(struct ss_text text)
{
	while (text.length > 0 && is_around(text.data[text.length - 1]))
		text.length--;
	return text;
}

/* Whether TEXT begins like ANSWER_NONE, and goes on like nothing else. */
static bool may_be_none(struct ss_text text)
{
	struct ss_text word = without_back(without_front(text));
	return word.length == 0 || (word.length <= sizeof ANSWER_NONE - 1 &&
					   strncasecmp(word.data, ANSWER_NONE, word.length) == 0);
}

static bool is_none(struct ss_text text)
{
	return may_be_none(text) &&
	       without_back(without_front(text)).length == sizeof ANSWER_NONE - 1;
}

static void begin(struct answer *answer)
{
	answer->begun = true;
	citations_read(&answer->citations, (struct ss_text){answer->head.data, answer->head.length},
		&answer->text);
	text_end(&answer->head);
}

static void read_words(struct answer *answer, struct ss_text part)
{
	answer->text.failed |= answer->thinking.held.failed;
	if (part.length == 0)
		return;
	if (answer->task) {
		text_add(&answer->text, part.data, part.length);
	} else if (answer->begun) {
		citations_read(&answer->citations, part, &answer->text);
	} else {
		text_add(&answer->head, part.data, part.length);
		if (answer->head.failed)
			answer->text.failed = true;
		else if (answer->head.length > HEAD_LIMIT ||
			 !may_be_none((struct ss_text){answer->head.data, answer->head.length}))
			begin(answer);
	}
}

void answer_read(struct answer *answer, struct ss_text part)
{
	read_words(answer, thinking_read(&answer->thinking, part));
}

static bool ends_a_sentence(const struct text *text)
{
	return text->length > 0 && strchr(".!?:)]\n", text->data[text->length - 1]) != NULL;
}

bool answer_finish(struct answer *answer, bool cut)
{
	read_words(answer, thinking_finish(&answer->thinking));
	if (answer->task)
		return true;
	if (!answer->begun && is_none((struct ss_text){answer->head.data, answer->head.length}))
		return false;
	if (!answer->begun && answer->head.length > 0)
		begin(answer);
	citations_finish(&answer->citations, &answer->text);
	if (cut && answer->text.length > 0 && !ends_a_sentence(&answer->text))
		text_add_string(&answer->text, " …");
	return true;
}

void answer_end(struct answer *answer)
{
	thinking_end(&answer->thinking);
	citations_end(&answer->citations);
	text_end(&answer->head);
	text_end(&answer->text);
}
