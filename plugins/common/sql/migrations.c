#include "common/sql/migrations.h"

#include <string.h>

int migrations_apply(
	struct database *db, const struct migration *steps, size_t count, struct ss_error *err)
{
	struct migration_run run = {.steps = steps, .count = count};
	return migrations_run(db, &run, err);
}

int migration_find_end(struct migration_run *run, const char *place, struct ss_error *err)
{
	run->end = run->to > 0 ? run->to : (int64_t)run->count;
	if (run->to < 0 || (uint64_t)run->end > run->count || run->count > MIGRATIONS_LIMIT)
		return ss_fail_as(err, SS_INVALID,
			"%s: there is no step %lld; this server knows the steps 1 to %zu", place,
			(long long)run->to, run->count);
	if (run->end < run->from)
		return ss_fail_as(err, SS_INVALID,
			"%s: has schema version %lld, and there are no steps back: restore a "
			"backup that was made before",
			place, (long long)run->from);
	for (int64_t i = run->from; run->dry_run && i < run->end; i++)
		run->applied[i] = true;
	return 0;
}

static struct ss_value *step_value(
	const struct ss_value_functions *values, const struct migration *step)
{
	static const char *const keys[] = {"version", "name"};
	struct ss_value *entries[] = {
		values->integer(step->version), values->string(step->name, strlen(step->name))};
	return values->map(keys, entries, 2);
}

struct ss_value *migration_report(
	const struct ss_value_functions *values, const struct migration_run *run)
{
	static const char *const keys[] = {"from", "to", "steps"};
	struct ss_value *steps[MIGRATIONS_LIMIT];
	size_t count = 0;
	for (size_t i = 0; i < run->count; i++) {
		if (run->applied[i])
			steps[count++] = step_value(values, &run->steps[i]);
	}
	struct ss_value *entries[] = {
		values->integer(run->from), values->integer(run->end), values->list(steps, count)};
	return values->map(keys, entries, 3);
}
