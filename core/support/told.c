#include "support/told.h"

#include "base/memory.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* MAP without the entry LEFT_OUT, and with VALUE (taken) at KEY where it has that; new. */
static struct ss_value *with(
	const struct ss_value *map, const char *left_out, const char *key, struct ss_value *value)
{
	size_t count = value_count(map), kept = 0;
	struct value_entry *entries = memory_array(count, sizeof *entries);
	for (size_t i = 0; i < count; i++) {
		const char *name = value_key_at(map, i);
		bool other = strcmp(name, key) == 0;
		if (strcmp(name, left_out) == 0)
			continue;
		entries[kept++] =
			(struct value_entry){name, value_ref(other ? value : value_at(map, i))};
	}
	struct ss_value *told = value_map_of(entries, kept);
	free(entries);
	value_unref(value);
	return told;
}

struct ss_value *told_model(const struct ss_value *model)
{
	const struct ss_value *reason = value_get(model, "reason");
	return with(model, "reason", "error",
		value_ref(reason != NULL ? reason : value_get(model, "error")));
}

struct ss_value *told_retrieval(const struct ss_value *retrieval)
{
	const struct ss_value *missing = value_get(retrieval, "missing");
	if (missing == NULL || value_type(missing) != SS_MAP)
		return value_ref(retrieval);
	return with(retrieval, "", "missing",
		with(missing, "", "error", value_text("the search by meaning failed")));
}
