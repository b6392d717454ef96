#include "service/vector_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIMENSION = 3, COUNT = 2 };

static char *folder;
static char *path;
static struct vector_file file;
static struct ss_error err;
static char embedder[HASH_SIZE], other[HASH_SIZE], settings[HASH_SIZE];
static const float vectors[COUNT * DIMENSION] = {1, 0, 0, 0, 0.5f, -2};
static char hashes[COUNT * (HASH_SIZE - 1) + 1];
static struct vector_file_key key;

static void begin(void)
{
	folder = scratch_new();
	path = memory_format("%s/a/b/base.vectors", folder);
	hash_sha256("embedder", 8, embedder);
	hash_sha256("other", 5, other);
	hash_sha256("settings", 8, settings);
	hash_sha256("one", 3, hashes);
	hash_sha256("two", 3, hashes + HASH_SIZE - 1);
	key = (struct vector_file_key){embedder, settings, DIMENSION};
	int lock = vector_file_lock(path, &err);
	cr_assert_geq(lock, 0, "%s", err.text);
	vector_file_unlock(lock);
}

static void end(void)
{
	vector_file_free(&file);
	scratch_remove(folder);
	free(path);
}

TestSuite(vector_file, .init = begin, .fini = end);

static void write_file(void)
{
	const struct vector_file made = {.count = COUNT,
		.hashes = hashes,
		.vectors = vectors,
		.index = "graph",
		.index_length = 5};
	cr_assert_eq(vector_file_write(path, &key, &made, &err), 0, "%s", err.text);
}

static enum ss_status read_file(const struct vector_file_key *with)
{
	vector_file_free(&file);
	err = (struct ss_error){0};
	return vector_file_read(path, with, &file, &err) == 0 ? SS_OK : err.status;
}

Test(vector_file, gives_back_what_was_written)
{
	write_file();
	cr_assert_eq(read_file(&key), SS_OK, "%s", err.text);
	cr_expect_eq(file.count, COUNT);
	cr_expect_eq(memcmp(file.vectors, vectors, sizeof vectors), 0);
	cr_expect_eq(memcmp(file.hashes, hashes, sizeof hashes - 1), 0);
	cr_expect_eq(file.index_length, 5);
	cr_expect_eq(memcmp(file.index, "graph", 5), 0);
}

Test(vector_file, is_not_there_at_first)
{
	cr_expect_eq(read_file(&key), SS_NOT_FOUND);
}

Test(vector_file, is_refused_when_it_is_of_another_embedder)
{
	struct vector_file_key changed = key;
	write_file();
	changed.embedder = other;
	cr_expect_eq(read_file(&changed), SS_CONFLICT);
	changed = key;
	changed.dimension = DIMENSION + 1;
	cr_expect_eq(read_file(&changed), SS_CONFLICT);
}

Test(vector_file, keeps_the_vectors_when_only_the_index_has_other_settings)
{
	struct vector_file_key changed = key;
	write_file();
	changed.index = other;
	cr_expect_eq(read_file(&changed), SS_OK);
	cr_expect_eq(file.count, COUNT);
	cr_expect_eq(file.index_length, 0);
	changed.index = NULL;
	cr_expect_eq(read_file(&changed), SS_OK);
	cr_expect_eq(file.index_length, 0);
}

Test(vector_file, is_refused_wherever_a_byte_is_wrong_or_missing)
{
	char *bytes;
	size_t length;
	write_file();
	cr_assert_eq(file_read(path, 1 << 20, &bytes, &length, &err), 0);
	for (size_t i = 0; i < length; i++) {
		bytes[i] = (char)(bytes[i] ^ 4);
		cr_assert_eq(file_write(path, bytes, length, &err), 0);
		cr_expect_eq(read_file(&key), SS_INVALID, "byte %zu", i);
		bytes[i] = (char)(bytes[i] ^ 4);
	}
	for (size_t cut = 0; cut < length; cut += 7) {
		cr_assert_eq(file_write(path, bytes, cut, &err), 0);
		cr_expect_eq(read_file(&key), SS_INVALID, "%zu bytes", cut);
		cr_expect_not_null(strstr(err.text, path));
	}
	free(bytes);
}

Test(vector_file, lets_one_make_it_at_a_time)
{
	int lock = vector_file_lock(path, &err);
	int pipe_ends[2];
	char byte = 0;
	cr_assert_eq(pipe(pipe_ends), 0);
	pid_t child = fork();
	if (child == 0) {
		(void)close(lock); /* the child has it as well, and would wait for itself */
		int own = vector_file_lock(path, &err);
		_exit(write(pipe_ends[1], "x", 1) == 1 && own >= 0 ? 0 : 1);
	}
	cr_assert_eq(fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK), 0);
	(void)usleep(100000);
	cr_expect_eq(read(pipe_ends[0], &byte, 1), -1, "the other one did not wait");
	vector_file_unlock(lock);
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	cr_expect_eq(read(pipe_ends[0], &byte, 1), 1);
	(void)close(pipe_ends[0]);
	(void)close(pipe_ends[1]);
}

Test(vector_file, tells_why_there_can_be_no_lock)
{
	cr_expect_eq(vector_file_lock("/proc/nothing/base.vectors", &err), -1);
	cr_expect_not_null(strstr(err.text, "/proc/nothing/base.vectors.lock: cannot be locked"));
}
