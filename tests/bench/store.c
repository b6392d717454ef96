/*
 * The storage benchmark: turns a second that the SQLite plugin stores durably, with 1, 16 and 64 turns a
 * transaction, and as the peer in the same run one transaction for each turn. The sizes take turns, so
 * that a slow moment of the disk hits all of them.
 *
 * Links the core (ss_core) and loads the built plugin, build/plugins/storage/sqlite.so; SS_BUILD_DIR is
 * defined as the build folder.
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "lib/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] = "Usage: bench_store [FOLDER [SECONDS]]\n\n"
			   "Stores turns in FOLDER/bench.db, a new file that is removed at the "
			   "end, for SECONDS (2) a size.\n"
			   "The disk of FOLDER (.) is what is measured: a memory disk says nothing "
			   "about durable writes.\n";

enum { SIZES = 3, LARGEST = 64, ROUNDS = 10 };

struct size {
	size_t turns; /* in a transaction */
	size_t stored;
	int64_t time_ns;
};

/* An instance on PATH with the defaults of all other options. */
static int open_store(struct bench_plugin *plugin, const char *path, struct ss_error *err)
{
	char *options = memory_format("path: '%s'\n", path);
	int result =
		bench_plugin_load(plugin, SS_BUILD_DIR "/plugins/storage/sqlite.so", options, err);
	free(options);
	return result;
}

/* Stores one transaction of SIZE's turns, each the first one of a conversation. */
static int store_once(const struct bench_plugin *plugin, struct size *size, struct ss_error *err)
{
	static char ids[LARGEST][2][ID_SIZE];
	static struct ss_turn turns[LARGEST];
	struct ss_error errors[LARGEST] = {{.status = SS_OK}};
	for (size_t i = 0; i < size->turns; i++) {
		turns[i] = (struct ss_turn){
			.struct_size = sizeof turns[i],
			.turn_id = id_new("turn_", ids[i][0]),
			.conversation_id = id_new("conv_", ids[i][1]),
			.user_id = "web_user",
			.new_conversation = true,
			.message = {"My application keeps crashing when I try to export data", 55},
			.response = {"Update the desktop app to the newest version, then try the "
				     "export "
				     "again with fewer rows.",
				87},
			.category = "Technical",
			.sentiment = "Negative",
			.priority = 7,
			.attempts = 1,
			.answered_by = "technical",
			.asked_at_ns = clock_utc_ns(),
			.answered_at_ns = clock_utc_ns(),
			.duration_ns = 5000000,
			.metadata = "{\"kb_results\":[{\"id\":\"app-crashes-on-export\",\"score\":"
				    "0.71}]}",
		};
	}
	int64_t begin_ns = clock_monotonic_ns();
	int result =
		plugin->plugin->storage->commit_turns(plugin->instance, turns, size->turns, errors);
	size->time_ns += clock_monotonic_ns() - begin_ns;
	size->stored += size->turns;
	for (size_t i = 0; i < size->turns; i++) {
		if (errors[i].status != SS_OK) {
			*err = errors[i];
			return -1;
		}
	}
	return result;
}

static int measure(const struct bench_plugin *plugin, struct size sizes[SIZES], double seconds,
	struct ss_error *err)
{
	for (int64_t round = 1; round <= ROUNDS; round++) {
		for (size_t i = 0; i < SIZES; i++) {
			int64_t until_ns = (int64_t)(seconds * 1e9) * round / ROUNDS;
			while (sizes[i].time_ns < until_ns) {
				if (store_once(plugin, &sizes[i], err) < 0)
					return -1;
			}
		}
	}
	return 0;
}

static void report(const struct size sizes[SIZES])
{
	double single = (double)sizes[0].stored / (double)sizes[0].time_ns * 1e9;
	(void)printf("turns a transaction  turns/s  ms a transaction  ratio to one each\n");
	for (size_t i = 0; i < SIZES; i++) {
		double rate = (double)sizes[i].stored / (double)sizes[i].time_ns * 1e9;
		(void)printf("%19zu  %7.0f  %16.2f  %16.1fx\n", sizes[i].turns, rate,
			(double)sizes[i].turns / rate * 1e3, rate / single);
	}
}

static void remove_files(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < array_length(endings); i++) {
		char *file = memory_format("%s%s", path, endings[i]);
		(void)unlink(file);
		free(file);
	}
}

int main(int count, char **arguments)
{
	struct size sizes[SIZES] = {{.turns = 1}, {.turns = 16}, {.turns = LARGEST}};
	struct ss_error err = {.status = SS_OK};
	double seconds = count > 2 ? strtod(arguments[2], NULL) : 2;
	if (count > 3 || !(seconds > 0) || (count > 1 && arguments[1][0] == '-')) {
		(void)fputs(help, stderr);
		return 2;
	}
	char *path = memory_format("%s/bench.db", count > 1 ? arguments[1] : ".");
	struct bench_plugin plugin;
	if (access(path, F_OK) == 0)
		(void)ss_fail(
			&err, "%s: is there already; remove it, or name another folder", path);
	else if (open_store(&plugin, path, &err) == 0) {
		if (measure(&plugin, sizes, seconds, &err) == 0)
			report(sizes);
		bench_plugin_free(&plugin);
		remove_files(path);
	}
	if (err.status != SS_OK)
		(void)fprintf(stderr, "bench_store: %s\n", err.text);
	free(path);
	return err.status != SS_OK;
}
