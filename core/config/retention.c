#include "config/retention.h"

#include "config/options.h"
#include "value/value.h"

/* A time that is shorter is a slip, and what it deletes is gone. */
static const double least_s = 3600, most_s = 36500 * 86400.0;

/* After which an erasure that nobody has gone on with was left by who began it. */
static const int64_t erasure_left_ns = 60 * (int64_t)1000000000;

enum { RETENTION_EVERY = SS_PURGE_DOCUMENTS, RETENTION_ROWS };

/* Those of enum ss_purged that can be chosen, which begins with 1, in its order. */
static const struct ss_option rows[] = {
	{"conversations", SS_OPTION_DURATION, "0s", 0, 0, NULL,
		"how long after its last change a conversation is kept"},
	{"events", SS_OPTION_DURATION, "0s", 0, 0, NULL, "how long events are kept"},
	{"deliveries", SS_OPTION_DURATION, "0s", 0, 0, NULL,
		"how long deliveries are kept that are over"},
	{"journals", SS_OPTION_DURATION, "0s", 0, 0, NULL,
		"how long after its last entry the journal of a turn is kept"},
	{"requests", SS_OPTION_DURATION, "1h", 0, 0, NULL,
		"how long requests are kept when the time is over in which they are not done "
		"twice"},
	{"documents", SS_OPTION_DURATION, "30d", 0, 0, NULL,
		"how long it is known that a document was removed"},
	[RETENTION_EVERY] = {"every", SS_OPTION_DURATION, "1h", 1, 86400, NULL,
		"how often a worker looks for what is older"},
	[RETENTION_ROWS] = {0},
};

const char *config_retention_name(enum ss_purged what)
{
	return what == SS_PURGE_ERASURES ? "erasures" : rows[what - 1].name;
}

static int64_t read_time(const struct yaml_document *document, const struct yaml_node *node,
	const struct ss_option *row, const struct ss_value *seconds,
	struct diagnostics *diagnostics)
{
	const struct yaml_node *given = yaml_get(node, row->name);
	double kept_s = value_as_number(seconds);
	bool is_given = given != NULL && !yaml_is_null(given);
	if (!is_given || seconds == NULL || (kept_s >= least_s && kept_s <= most_s))
		return (int64_t)(kept_s * 1e9);
	yaml_mistake(document, given, diagnostics,
		"%s must be from 1h to 36500d, not %s; leave it out for the default", row->name,
		given->text);
	return 0;
}

/* Deliveries go with their events. */
static void check_deliveries(const struct config_retention *retention,
	const struct yaml_document *document, const struct yaml_node *node,
	struct diagnostics *diagnostics)
{
	int64_t events_ns = retention->keep_ns[SS_PURGE_EVENTS];
	if (events_ns > 0 && retention->keep_ns[SS_PURGE_DELIVERIES] > events_ns)
		yaml_mistake(document, yaml_get(node, rows[SS_PURGE_DELIVERIES - 1].name),
			diagnostics,
			"deliveries are kept longer than events, with which they go; keep events "
			"as long");
}

void config_retention_read(struct config_retention *retention, const struct yaml_document *document,
	const struct yaml_node *root, struct diagnostics *diagnostics)
{
	const struct yaml_node *node = yaml_get(root, "retention");
	struct ss_value *values[RETENTION_ROWS] = {0};
	(void)options_read(document, node, node != NULL ? node : root, rows, NULL, "retention",
		values, diagnostics);
	for (size_t i = 0; i < RETENTION_EVERY; i++)
		retention->keep_ns[i + 1] =
			read_time(document, node, &rows[i], values[i], diagnostics);
	retention->keep_ns[SS_PURGE_ERASURES] = erasure_left_ns;
	retention->every_ns = (int64_t)(value_as_number(values[RETENTION_EVERY]) * 1e9);
	check_deliveries(retention, document, node, diagnostics);
	options_free(values, RETENTION_ROWS);
}
