/*
 * The storage benchmark: turns a second that the plugins for SQLite and PostgreSQL store durably when 1, 4, 16 or 64 of
 * them wait, which go into one transaction, and as the peer in the same run one transaction for each turn. The sizes take
 * turns, round by round, so that a slow moment of the disk hits all of them; the figures are medians over the rounds.
 *
 * Links the core (ss_core) and loads the built plugins, build/plugins/storage/NAME.so; SS_BUILD_DIR is
 * defined as the build folder.
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "lib/plugin.h"
#include "lib/postgres.h"
#include "lib/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: bench_store [FOLDER [SECONDS [STORAGE]]]\n\n"
	"Stores turns for SECONDS (4) a size, in SQLite, as FOLDER/bench.db, a new file that is "
	"removed\nat the end, and in a PostgreSQL that is started for it, or in one of them only "
	"(STORAGE: sqlite\nor postgresql). The disks of FOLDER (.) and /tmp are what is measured: "
	"a memory disk says\nnothing about durable writes.\n";

enum { SIZES = 4, LARGEST = 64, ROUNDS = 9, USERS = 1000, SAMPLES = 1 << 16 };

/* One of the numbers of turns that wait. */
struct size {
	size_t turns;
	double rates[ROUNDS], ratios[ROUNDS]; /* turns a second; to the peer's of the same round */
	int64_t times_ns[SAMPLES];            /* of transactions */
	size_t samples;
};

struct run {
	struct bench_plugin plugin;
	int64_t asked; /* turns so far */
	char ids[LARGEST][2][ID_SIZE], users[LARGEST][ID_SIZE];
	struct ss_turn turns[LARGEST];
	struct size sizes[SIZES];
};

/* Each conversation has two turns, by one of a thousand customers, of some kinds; each answer shows two of forty
 * articles, and one question of ten has no answer. */
static void fill_turn(struct run *run, size_t i, bool begins)
{
	static const char *const categories[] = {"Technical", "Billing", "Account", "General"};
	static const char *const sentiments[] = {"Negative", "Neutral", "Positive"};
	static char articles[LARGEST][2][16], questions[LARGEST][32];
	static const char *shown[LARGEST][2];
	int64_t number = run->asked++;
	if (begins) {
		(void)id_new("conv_", run->ids[i][1]);
		(void)snprintf(run->users[i], ID_SIZE, "customer_%lld",
			(long long)(number * 7919 % USERS));
	} else {
		memcpy(run->ids[i][1], run->ids[i - 1][1], ID_SIZE);
		memcpy(run->users[i], run->users[i - 1], ID_SIZE);
	}
	for (int j = 0; j < 2; j++) {
		(void)snprintf(articles[i][j], sizeof articles[i][j], "article-%lld",
			(long long)((number * 31 + INT64_C(17) * j) % 40));
		shown[i][j] = articles[i][j];
	}
	(void)snprintf(questions[i], sizeof questions[i], "question %lld",
		(long long)(number * 104729 % 5000));
	run->turns[i] = (struct ss_turn){
		.struct_size = sizeof run->turns[i],
		.turn_id = id_new("turn_", run->ids[i][0]),
		.conversation_id = run->ids[i][1],
		.user_id = run->users[i],
		.new_conversation = begins,
		.message = {"My application keeps crashing when I try to export data", 55},
		.response = {"Update the desktop app to the newest version, then try the "
			     "export again with fewer rows.",
			87},
		.category = categories[number % 4],
		.sentiment = sentiments[number % 3],
		.priority = 7,
		.attempts = 1,
		.answered_by = "technical",
		.asked_at_ns = clock_utc_ns(),
		.answered_at_ns = clock_utc_ns(),
		.duration_ns = 5000000,
		.metadata = "{\"kb_results\":[{\"id\":\"app-crashes-on-export\",\"score\":0.71}]}",
		.metadata_is_json = true, /* as the server, which has printed it, says */
		.shown = shown[i],
		.shown_count = 2,
		.unanswered = number % 10 == 0 ? questions[i] : NULL,
	};
}

/* Stores the COUNT turns from FIRST on in one transaction, and adds its time to SIZE's. */
static int store_once(
	struct run *run, size_t first, size_t count, struct size *size, struct ss_error *err)
{
	struct ss_error errors[LARGEST] = {{.status = SS_OK}};
	int64_t begin_ns = clock_monotonic_ns();
	int result = run->plugin.plugin->storage->commit_turns(
		run->plugin.instance, run->turns + first, count, errors);
	if (size->samples < SAMPLES)
		size->times_ns[size->samples++] = clock_monotonic_ns() - begin_ns;
	for (size_t i = 0; i < count; i++) {
		if (errors[i].status != SS_OK) {
			*err = errors[i];
			return -1;
		}
	}
	return result;
}

/* Turns a second that SIZE stores in one ROUND. All sizes store the same turns, of which 64 are made at a time. */
static int measure_size(
	struct run *run, struct size *size, int round, double seconds, struct ss_error *err)
{
	int64_t time_ns = 0;
	size_t stored = 0;
	while ((double)time_ns < seconds * 1e9) {
		for (size_t i = 0; i < LARGEST; i++)
			fill_turn(run, i, i % 2 == 0);
		int64_t begin_ns = clock_monotonic_ns();
		for (size_t i = 0; i < LARGEST; i += size->turns) {
			if (store_once(run, i, size->turns, size, err) < 0)
				return -1;
		}
		time_ns += clock_monotonic_ns() - begin_ns;
		stored += LARGEST;
	}
	size->rates[round] = (double)stored / (double)time_ns * 1e9;
	size->ratios[round] = size->rates[round] / run->sizes[0].rates[round];
	return 0;
}

static int compare_rates(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return (first > second) - (first < second);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof *values, compare_rates);
	return values[ROUNDS / 2];
}

static double time_ms(const struct size *size, double share)
{
	return times_ms(size->times_ns, size->samples, share);
}

static void report(const char *name, struct size sizes[SIZES])
{
	(void)printf("%s\n  waiting  turns/s  ratio to one each (least, most)"
		     "  ms a transaction: p50     p99   p99.9     max\n",
		name);
	for (size_t i = 0; i < SIZES; i++) {
		struct size *size = &sizes[i];
		times_sort(size->times_ns, size->samples);
		double ratio = median(size->ratios);
		(void)printf("%9zu  %7.0f  %8.1fx   (%.1f, %.1f) %21.2f  %8.2f  %6.2f  %6.2f\n",
			size->turns, median(size->rates), ratio, size->ratios[0],
			size->ratios[ROUNDS - 1], time_ms(size, 0.5), time_ms(size, 0.99),
			time_ms(size, 0.999), time_ms(size, 1));
	}
}

/* Measures the plugin NAME with OPTIONS in YAML. */
static int measure(const char *name, const char *options, double seconds, struct ss_error *err)
{
	struct run *run = memory_make(struct run);
	char *path = memory_format(SS_BUILD_DIR "/plugins/storage/%s.so", name);
	int result = bench_plugin_load(&run->plugin, path, options, err);
	for (size_t i = 0; i < SIZES; i++)
		run->sizes[i].turns = (size_t)1 << (2 * i);
	for (int round = 0; result == 0 && round < ROUNDS; round++) {
		for (size_t i = 0; result == 0 && i < SIZES; i++)
			result = measure_size(run, &run->sizes[i], round, seconds / ROUNDS, err);
	}
	if (result == 0)
		report(name, run->sizes);
	if (run->plugin.instance != NULL)
		bench_plugin_free(&run->plugin);
	free(path);
	free(run);
	return result;
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

static int measure_sqlite(const char *folder, double seconds, struct ss_error *err)
{
	char *path = memory_format("%s/bench.db", folder);
	char *options = memory_format("path: '%s'\n", path);
	int result = -1;
	if (access(path, F_OK) == 0) {
		(void)ss_fail(err, "%s: is there already; remove it, or name another folder", path);
	} else {
		result = measure("sqlite", options, seconds, err);
		remove_files(path);
	}
	free(options);
	free(path);
	return result;
}

static int measure_postgresql(double seconds, struct ss_error *err)
{
	struct bench_postgres postgres;
	if (bench_postgres_start(&postgres, err) < 0)
		return -1;
	char *options = memory_format("url: '%s'\n", postgres.url);
	int result = measure("postgresql", options, seconds, err);
	free(options);
	bench_postgres_stop(&postgres);
	return result;
}

int main(int count, char **arguments)
{
	struct ss_error err = {.status = SS_OK};
	const char *folder = count > 1 ? arguments[1] : ".";
	double seconds = count > 2 ? strtod(arguments[2], NULL) : 4;
	const char *only = count > 3 ? arguments[3] : NULL;
	if (count > 4 || !(seconds > 0) || folder[0] == '-') {
		(void)fputs(help, stderr);
		return 2;
	}
	int result = 0;
	if (only == NULL || strcmp(only, "sqlite") == 0)
		result = measure_sqlite(folder, seconds, &err);
	if (result == 0 && (only == NULL || strcmp(only, "postgresql") == 0))
		result = measure_postgresql(seconds, &err);
	if (result < 0)
		(void)fprintf(stderr, "bench_store: %s\n", err.text);
	return result < 0;
}
