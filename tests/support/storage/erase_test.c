/* Erasing takes all rows of one user, and no other. */
#include "support/storage/store.h"
#include "support/storage/traces.h"

#include "base/text.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(storage_erase, .init = store_begin, .fini = store_end);

#define STORAGE (smartsupport_plugin.storage)

Test(storage_erase, all_rows_of_a_user_go_and_those_of_others_stay_as_they_are)
{
	enum { USERS = 3, ROUNDS = 8 };
	char word[TRACES_WORD_SIZE];
	void *store = store_open();
	traces_store(store, USERS, ROUNDS);
	traces_word(1, word);
	char *theirs = store_rows(word, true), *others = store_rows(word, false);
	static const char *const tables[] = {"users", "conversations", "messages", "feedback",
		"threads", "turns", "turn_entries", "unanswered", "events", "requests"};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		cr_expect_not_null(strstr(theirs, tables[i]), "nothing in %s", tables[i]);
	traces_erase(store, 1);
	char *left = store_rows(word, true), *after = store_rows(word, false);
	cr_expect_str_eq(left, "");
	cr_expect_str_eq(after, others);
	free(theirs);
	free(others);
	free(left);
	free(after);
	store_close(store);
}

Test(storage_erase, a_conversation_takes_its_rows_and_no_others)
{
	struct ss_error err = {.status = SS_OK};
	char word[TRACES_WORD_SIZE], id[TRACES_WORD_SIZE + 16];
	void *store = store_open();
	/* Three turns are one conversation. */
	traces_store(store, 2, 3);
	traces_word(1, word);
	char *others = store_rows(word, false);
	(void)snprintf(id, sizeof id, "conv-0-%s", word);
	cr_assert_eq(STORAGE->delete_conversation(store, id, &err), 0, "%s", err.text);
	char *left = store_rows(word, true), *after = store_rows(word, false);
	cr_expect_str_eq(after, others);
	static const char *const gone[] = {"conversations:", "messages:", "feedback:", "threads:",
		"turns:", "turn_entries:", "events:", "requests:"};
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		cr_expect_null(strstr(left, gone[i]), "%s", left);
	cr_expect_not_null(strstr(left, "users:"), "%s", left);
	cr_expect_not_null(strstr(left, "unanswered:"), "%s", left);
	free(others);
	free(left);
	free(after);
	store_close(store);
}
