#include "service/generations.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "value/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is mapped. The state is the one of `turn`, modulo 2; the master writes the next one beside it, so that nobody waits for it or sees
 * half of what it writes, also when it ends there. */
struct shared {
	char magic[8];
	size_t size;
	atomic_uint turn;
	struct generation_state states[2];
};

static const char magic[8] = "ssgener2";

struct generations {
	struct shared *shared;
	int file; /* locked as long as the server runs; -1: none */
};

/* Opens FILE for the server that runs from now on. -1 when it cannot be; then nobody else can look. Its space is taken now: a disk that is full
 * would end who writes to the memory. */
static int open_file(const char *path)
{
	file_make_folders(path);
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 &&
		posix_fallocate(file, 0, sizeof(struct shared)) == 0)
		return file;
	if (file >= 0)
		(void)close(file);
	return -1;
}

/* Maps what is at PATH through a descriptor of its own: the lock lasts as long as what was opened with it, and workers, which keep the
 * memory, may outlive the master. */
static struct shared *map_anew(const char *path)
{
	int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return MAP_FAILED;
	struct shared *shared =
		mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	(void)close(file);
	return shared;
}

struct generations *generations_new(const char *path, const char *address)
{
	int file = path != NULL ? open_file(path) : -1;
	struct shared *shared = file >= 0 ? map_anew(path)
					  : mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
						    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		if (file >= 0)
			(void)close(file);
		return NULL;
	}
	memset(shared, 0, sizeof *shared);
	shared->states[0].master = getpid();
	(void)snprintf(shared->states[0].address, sizeof shared->states[0].address, "%s", address);
	shared->size = sizeof *shared;
	memcpy(shared->magic, magic, sizeof magic);
	struct generations *generations = memory_make(struct generations);
	*generations = (struct generations){.shared = shared, .file = file};
	return generations;
}

void generations_adopt(struct generations *generations)
{
	if (generations->file >= 0)
		(void)close(generations->file); /* the lock is the master's */
	generations->file = -1;
}

void generations_free(struct generations *generations)
{
	if (generations == NULL)
		return;
	(void)munmap(generations->shared, sizeof *generations->shared);
	if (generations->file >= 0)
		(void)close(generations->file);
	free(generations);
}

/* The next state, which is as this one until it is changed. Nobody else writes. */
static struct generation_state *begin(struct generations *generations)
{
	struct shared *shared = generations->shared;
	unsigned turn = atomic_load(&shared->turn);
	struct generation_state *next = &shared->states[(turn + 1) % 2];
	/* Everybody sees that this one is the one before they see what is written to the next. */
	atomic_thread_fence(memory_order_release);
	*next = shared->states[turn % 2];
	return next;
}

static void end(struct generations *generations)
{
	(void)atomic_fetch_add(&generations->shared->turn, 1);
}

void generations_serve(struct generations *generations)
{
	struct generation_state *state = begin(generations);
	state->number++;
	state->since_ns = clock_utc_ns();
	end(generations);
}

void generations_begin_reload(struct generations *generations)
{
	struct generation_state *state = begin(generations);
	state->reload = RELOAD_UNDER_WAY;
	end(generations);
}

static void end_reload(struct generation_state *state, enum reload_state reload, const char *why)
{
	state->reload = reload;
	state->finished++;
	state->ended_ns = clock_utc_ns();
	(void)snprintf(state->error, sizeof state->error, "%s", why);
}

void generations_take_over(struct generations *generations)
{
	struct generation_state *state = begin(generations);
	end_reload(state, RELOAD_TAKEN_OVER, "");
	state->number++;
	state->since_ns = state->ended_ns;
	end(generations);
}

void generations_refuse(struct generations *generations, const char *why)
{
	struct generation_state *state = begin(generations);
	end_reload(state, RELOAD_REFUSED, why);
	state->refused++;
	end(generations);
}

void generations_read(const struct generations *generations, struct generation_state *state)
{
	const struct shared *shared = generations->shared;
	unsigned before, after;
	do {
		before = atomic_load(&shared->turn);
		*state = shared->states[before % 2];
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load(&shared->turn);
	} while (before != after); /* this one is written to only after the next one was there */
	state->error[sizeof state->error - 1] = '\0';
}

struct ss_value *generation_errors(const struct generation_state *state)
{
	struct ss_value *errors = value_list(NULL, 0);
	for (const char *line = state->error; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		struct ss_value *error = value_map_make({"detail", value_string(line, length)});
		struct ss_value *one = value_list(&error, 1);
		errors = value_list_append(errors, one);
		value_unref(one);
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	return errors;
}

struct ss_value *generation_value(const struct generation_state *state)
{
	static const char *const names[] = {[RELOAD_NONE] = "none",
		[RELOAD_UNDER_WAY] = "under_way",
		[RELOAD_TAKEN_OVER] = "taken_over",
		[RELOAD_REFUSED] = "refused"};
	char since[CLOCK_TEXT_SIZE], ended[CLOCK_TEXT_SIZE];
	return value_map_make({"generation", value_int(state->number)},
		{"since", state->since_ns > 0 ? value_text(clock_format(state->since_ns, since))
					      : NULL},
		{"reload", value_text(names[state->reload])},
		{"ended", state->ended_ns > 0 ? value_text(clock_format(state->ended_ns, ended))
					      : NULL},
		{"reloads", value_int(state->finished)}, {"refused", value_int(state->refused)},
		{"errors", generation_errors(state)});
}

int64_t generations_next(const struct generations *generations)
{
	struct generation_state state;
	generations_read(generations, &state);
	/* One that is under way may have read the files before they were changed. */
	return state.finished + (state.reload == RELOAD_UNDER_WAY ? 2 : 1);
}

/* Whether a server runs that has FILE. */
static bool is_held(int file)
{
	if (flock(file, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	(void)flock(file, LOCK_UN);
	return false;
}

/* What the server that has FILE shares; NULL when it is of another version. */
static struct shared *map_file(int file)
{
	struct shared *shared = MAP_FAILED;
	if (lseek(file, 0, SEEK_END) >= (off_t)sizeof *shared)
		shared = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
	if (shared == MAP_FAILED)
		return NULL;
	if (memcmp(shared->magic, magic, sizeof magic) == 0 && shared->size == sizeof *shared)
		return shared;
	(void)munmap(shared, sizeof *shared);
	return NULL;
}

struct generations *generations_open(const char *path, struct ss_error *err)
{
	struct generations *generations = NULL;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0 || !is_held(file)) {
		(void)ss_fail_as(err, SS_NOT_FOUND, "no server has the file %s", path);
		goto done;
	}
	struct shared *shared = map_file(file);
	if (shared == NULL) {
		(void)ss_fail(err, "%s: is of a server of another version", path);
		goto done;
	}
	generations = memory_make(struct generations);
	*generations = (struct generations){.shared = shared, .file = -1};
done:
	if (file >= 0)
		(void)close(file);
	return generations;
}
