/* All that is stored of a user as one JSON document. */
#ifndef APP_USER_EXPORT_H
#define APP_USER_EXPORT_H

#include "app/stored.h"

#include <stdio.h>

/*
 * Writes {user_id, exported_at, user (as read_user() gives it, or null), conversations: list of what
 * list_conversations() gives with {messages}, journals, events} to OUT, read page by page, so that it may be longer
 * than there is memory. False when that fails, or there is nothing, which was printed.
 */
bool user_export(struct stored *stored, const char *user_id, FILE *out);

#endif
