/* What is erased is gone from a database's files when these are written anew. */
#include "schema.h"

#include "support/storage/traces.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(postgresql_erase, .init = store_begin, .fini = store_end);

/* In how many files of the test's database WORD is. */
static int count_files(const char *word)
{
	char *number = store_text("SELECT oid FROM pg_database WHERE datname = current_database()");
	char *command = memory_format("grep -rls '%s' '%s/data/base/%s' | wc -l", word,
		getenv("SS_POSTGRES_FOLDER"), number);
	int found = -1;
	FILE *lines = popen(command, "r");
	cr_assert_not_null(lines);
	cr_assert_eq(fscanf(lines, "%d", &found), 1);
	(void)pclose(lines);
	free(command);
	free(number);
	return found;
}

/* Writes the database's files anew until WORD is in none. What a connection that is being made may still see is kept. */
static void expect_gone(const char *word)
{
	enum { TRIES = 100 };
	int found = 1;
	for (int i = 0; i < TRIES && found > 0; i++) {
		store_execute("VACUUM (FULL, ANALYZE)");
		store_execute("VACUUM FULL pg_statistic");
		store_execute("CHECKPOINT");
		found = count_files(word);
	}
	cr_expect_eq(found, 0);
}

Test(postgresql_erase, nothing_of_a_user_is_in_the_files_after_a_full_vacuum)
{
	char word[TRACES_WORD_SIZE];
	schema_alone();
	void *store = store_open();
	traces_store(store, 3, 6);
	store_execute("ANALYZE");
	store_execute("CHECKPOINT");
	traces_word(1, word);
	cr_expect_gt(count_files(word), 0);
	traces_erase(store, 1);
	expect_gone(word);
	traces_word(2, word);
	cr_expect_gt(count_files(word), 0);
	store_close(store);
}
