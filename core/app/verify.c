/* `smartsupport verify`: whether what is stored is sound. */
#include "app/command.h"
#include "app/storage_tool.h"
#include "app/stored.h"
#include "value/value.h"

#include <stdio.h>

static const char help[] = "Usage: smartsupport verify [--json]\n\n"
			   "Checks all that is stored: the database's own structures, and that "
			   "messages, conversations "
			   "and\n"
			   "figures agree. Reads everything, while servers go on. Exits with 1 "
			   "when there is a fault.\n\n"
			   "  -j, --json         print {faults: list of texts, count} as JSON\n"
			   "  -c, --config FILE  the configuration that names the store\n"
			   "  -h, --help         this text\n";

/* What the store is asked, on its thread. */
static int call_verify(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct ss_value **faults = context;
	if (storage->verify == NULL)
		return ss_fail_as(err, SS_INVALID, "this storage cannot check what is stored");
	return storage->verify(instance, faults, err);
}

static int report(const struct ss_value *faults, bool json)
{
	size_t count = value_count(faults);
	if (json) {
		struct ss_value *all = value_map_make(
			{"faults", value_ref(faults)}, {"count", value_int((int64_t)count)});
		play_print_json(all);
		value_unref(all);
		return count == 0 ? 0 : 1;
	}
	for (size_t i = 0; i < count; i++)
		(void)printf("%s\n", value_as_string(value_at(faults, i), NULL));
	if (count == 0)
		(void)puts("All that is stored is sound.");
	else
		(void)fprintf(stderr, "%zu fault%s\n", count, count == 1 ? "" : "s");
	return count == 0 ? 0 : 1;
}

static int verify(const char *config, bool json)
{
	struct stored stored;
	struct ss_value *faults = NULL;
	int code = 1;
	if (!storage_is_current(config))
		return 1;
	if (stored_open(&stored, config) && stored_run(&stored, call_verify, &faults, NULL))
		code = report(faults, json);
	value_unref(faults);
	stored_close(&stored);
	return code;
}

int command_verify(int argc, char **argv)
{
	struct command_arguments arguments = {0};
	int code = command_arguments(argc, argv, help, true, &arguments);
	return code >= 0 ? code : verify(arguments.config, arguments.json);
}
