/*
 * What a request to POST /v1/chat/completions says: who asks what, and what was said before. Any thread.
 */
#ifndef API_CHAT_MESSAGES_H
#define API_CHAT_MESSAGES_H

#include "api/openai.h"
#include "base/hash.h"

struct chat_question {
	const char *user_id;         /* borrowed from the body; NULL: anybody */
	const char *conversation_id; /* the same; NULL: that of the messages */
	bool stream;
	bool usage; /* a stream ends with it */
	/* What customer and assistant said before, a list of {role, content}, oldest first. */
	struct ss_value *earlier;
	struct ss_value *message; /* a string */
};

/* Reads BODY. -1 and ERROR when it is not as it should be; then nothing is to be freed. */
int chat_question_read(
	struct chat_question *question, const struct ss_value *body, struct openai_error *error);

void chat_question_free(struct chat_question *question);

/*
 * Writes the key of a thread: of what WHO and the assistant have said, the messages EARLIER and, unless they are NULL,
 * then MESSAGE (a string) and RESPONSE. White space counts as one blank, since clients trim what they keep. Returns KEY.
 */
char *chat_thread(const char *who, const struct ss_value *earlier, const struct ss_value *message,
	const struct ss_text *response, char key[HASH_SIZE]);

#endif
