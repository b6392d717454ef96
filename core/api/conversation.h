/* Conversations and their messages as the API gives them. Loop thread. */
#ifndef API_CONVERSATION_H
#define API_CONVERSATION_H

#include <smartsupport/value.h>

/* MESSAGE as a storage gives it: its metadata as JSON has it, and its duration in seconds; new. Without HANDOVER it has not
 * what is only for the human who takes over. */
struct ss_value *conversation_message(const struct ss_value *message, bool handover);

/* The same of all items of PAGE, a new list. */
struct ss_value *conversation_messages(const struct ss_value *page, bool handover);

#endif
