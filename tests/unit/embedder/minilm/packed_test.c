#include "embedder/minilm/packed.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 100000 };

/* A key that no other process uses. */
static uint64_t own_key(void)
{
	return 0x7e57000000000000u | (uint64_t)getpid();
}

static struct packed open_packed(uint64_t key)
{
	struct packed packed;
	struct ss_error err = {0};
	cr_assert_eq(packed_open(&packed, key, SIZE, &err), 0, "%s", err.text);
	cr_assert_eq((uintptr_t)packed.data % 64, 0);
	return packed;
}

static bool exists(const char *name)
{
	int file = shm_open(name, O_RDONLY, 0);
	if (file >= 0)
		(void)close(file);
	return file >= 0;
}

Test(packed, shows_the_second_what_the_first_has_filled_and_goes_with_the_last)
{
	char name[64];
	struct packed first = open_packed(own_key());
	cr_assert_not(first.is_complete);
	memset(first.data, 7, SIZE);
	packed_complete(&first);
	struct packed second = open_packed(own_key());
	cr_expect(second.is_complete);
	cr_expect_neq(second.data, first.data);
	cr_expect_eq(memcmp(second.data, first.data, SIZE), 0);
	memcpy(name, first.name, sizeof name);
	packed_close(&first);
	cr_expect(exists(name));
	cr_expect_eq(((const char *)second.data)[SIZE - 1], 7);
	packed_close(&second);
	cr_expect_not(exists(name));
}

Test(packed, keeps_keys_apart)
{
	struct packed one = open_packed(own_key());
	packed_complete(&one);
	struct packed other = open_packed(own_key() + 0x100000000u);
	cr_expect_not(other.is_complete);
	packed_close(&one);
	packed_close(&other);
}

Test(packed, is_filled_again_when_the_first_was_killed_while_it_filled_it)
{
	uint64_t key = own_key();
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		struct packed packed;
		struct ss_error err = {0};
		if (packed_open(&packed, key, SIZE, &err) == 0)
			memset(packed.data, 1, SIZE / 2);
		(void)raise(SIGKILL);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	struct packed packed = open_packed(key);
	cr_expect_not(packed.is_complete);
	cr_expect_geq(packed.file, 0);
	packed_close(&packed);
}

/* What another process that fills it does to the one that waits: nothing bad. */
Test(packed, waits_for_who_fills_it)
{
	int gate[2];
	uint64_t key = own_key();
	struct packed packed = open_packed(key);
	cr_assert_eq(pipe(gate), 0);
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		struct packed mine;
		struct ss_error err = {0};
		(void)!write(gate[1], "x", 1);
		bool seen = packed_open(&mine, key, SIZE, &err) == 0 && mine.is_complete &&
			    ((const char *)mine.data)[0] == 9;
		_exit(seen ? 0 : 1);
	}
	char byte;
	int status = 0;
	cr_assert_eq(read(gate[0], &byte, 1), 1);
	memset(packed.data, 9, SIZE);
	packed_complete(&packed);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	packed_close(&packed);
}

Test(packed, is_its_own_where_others_could_write_to_the_shared_one)
{
	char name[64];
	struct packed probe = open_packed(own_key());
	memcpy(name, probe.name, sizeof name);
	packed_close(&probe);
	int file = shm_open(name, O_RDWR | O_CREAT, 0600);
	cr_assert_geq(file, 0);
	cr_assert_eq(fchmod(file, 0666), 0);
	struct packed packed = open_packed(own_key());
	cr_expect_eq(packed.file, -1);
	cr_expect_not(packed.is_complete);
	memset(packed.data, 1, SIZE);
	packed_complete(&packed);
	packed_close(&packed);
	cr_expect(exists(name));
	(void)close(file);
	(void)shm_unlink(name);
}
