/* What is erased is gone from the tables' files when these are written anew. */
#include "schema.h"

#include "support/storage/traces.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(postgresql_erase, .init = store_begin, .fini = store_end);

/* In how many files of the tables WORD is. */
static int count_files(const char *word)
{
	char *command = memory_format(
		"grep -rls '%s' '%s/data/base' | wc -l", word, getenv("SS_POSTGRES_FOLDER"));
	int found = -1;
	FILE *lines = popen(command, "r");
	cr_assert_not_null(lines);
	cr_assert_eq(fscanf(lines, "%d", &found), 1);
	(void)pclose(lines);
	free(command);
	return found;
}

/* Writes the test's tables anew until WORD is in none. What a transaction of another test may still see is kept. */
static void expect_gone(const char *word)
{
	enum { TRIES = 200 };
	char *vacuum = store_text("SELECT 'VACUUM FULL ' || string_agg(relname, ', ') FROM pg_class"
				  " WHERE relkind = 'r'"
				  " AND relnamespace = current_schema()::regnamespace");
	int found = 1;
	for (int i = 0; i < TRIES && found > 0; i++) {
		store_execute(vacuum);
		store_execute("CHECKPOINT");
		found = count_files(word);
	}
	cr_expect_eq(found, 0);
	free(vacuum);
}

Test(postgresql_erase, nothing_of_a_user_is_in_the_tables_files_after_a_full_vacuum)
{
	char word[TRACES_WORD_SIZE];
	void *store = store_open();
	traces_store(store, 3, 6);
	store_execute("CHECKPOINT");
	traces_word(1, word);
	cr_expect_gt(count_files(word), 0);
	traces_erase(store, 1);
	expect_gone(word);
	traces_word(2, word);
	cr_expect_gt(count_files(word), 0);
	store_close(store);
}
