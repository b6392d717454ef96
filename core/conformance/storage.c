#include "conformance/storage.h"

#include "conformance/case.h"

#include <string.h>

static void opens(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	if (probe->failed)
		return;
	int result = probe->storage->check(probe->instance, &err);
	probe_expect_success(probe, "check() of a store that was just opened", result, &err);
}

static void opens_again(struct probe *probe)
{
	probe_reopen(probe);
	opens(probe);
}

static const struct probe_case opening_cases[] = {
	{"a store opens, and says that turns can be stored", opens},
	{"a store that was closed opens again", opens_again},
};

static const struct probe_area opening_area = {
	"opening", opening_cases, array_length(opening_cases)};

static const struct probe_area *const areas[] = {
	&opening_area,
	&context_area,
	&turns_area,
	&figures_area,
	&feedback_area,
	&unanswered_area,
	&journals_area,
	&leases_area,
	&together_area,
	&conversations_area,
	&changes_area,
	&users_area,
	&analytics_area,
	&erasure_area,
	&documents_area,
	&events_area,
	&deliveries_area,
	&requests_area,
	&retention_area,
	&watch_area,
};

void conformance_storage(const struct conformance_run *run, conformance_told *told, void *context)
{
	for (size_t i = 0; i < array_length(areas); i++) {
		for (size_t j = 0; j < areas[i]->count; j++) {
			const struct probe_case *one = &areas[i]->cases[j];
			if (run->only != NULL && strstr(one->sentence, run->only) == NULL)
				continue;
			struct case_result result =
				case_run(one, run->plugin, run->setup, run->timeout_s);
			const struct conformance_outcome outcome = {
				.area = areas[i]->name,
				.sentence = one->sentence,
				.ok = result.ok,
				.what = result.what,
				.expected = result.expected,
				.came = result.came,
			};
			bool opened = result.opened;
			told(context, &outcome);
			case_result_free(&result);
			/* Nothing else could be said than what was said. */
			if (!opened && i == 0)
				return;
		}
	}
}
