/* Traces of users in a store: all that may be kept of one, each with a word of this user's. For tests of erasing. */
#ifndef TESTS_SUPPORT_STORAGE_TRACES_H
#define TESTS_SUPPORT_STORAGE_TRACES_H

#include <stddef.h>

enum { TRACES_WORD_SIZE = 32 };

/* The word of the user NUMBER, which is the id as well; no other's has it. */
void traces_word(size_t number, char word[TRACES_WORD_SIZE]);

/* Stores turns with journals, feedback, questions without an answer, events, replies of humans and descriptions of USERS
 * users, of one after the other, ROUNDS times; a conversation has three turns. */
void traces_store(void *store, size_t users, size_t rounds);

/* Erases the user NUMBER, of whom something of each kind must have been there. */
void traces_erase(void *store, size_t number);

#endif
