/* Names that the workers agree on without a lock, each with a row that stays its own. */
#include "service/metrics_parts.h"

#include "base/buffer.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

enum name_state { NAME_FREE, NAME_BEING_WRITTEN, NAME_THERE };

/* Whether ROW is, or becomes, that of NAME. */
static bool claim(struct metric_name *row, const char *name)
{
	enum { PATIENCE = 10000 };
	int state = NAME_FREE;
	if (atomic_compare_exchange_strong(&row->state, &state, NAME_BEING_WRITTEN)) {
		(void)snprintf(row->name, sizeof row->name, "%s", name);
		atomic_store(&row->state, NAME_THERE);
		return true;
	}
	/* Who writes it may have been killed; then the row is nobody's. */
	for (int i = 0; i < PATIENCE && atomic_load(&row->state) == NAME_BEING_WRITTEN; i++)
		(void)sched_yield();
	return metric_name_is_there(row) && strncmp(row->name, name, sizeof row->name - 1) == 0;
}

size_t metric_name_claim(struct metric_name *rows, size_t count, const char *name)
{
	size_t row = 0;
	while (row < count && !claim(&rows[row], name))
		row++;
	return row;
}

bool metric_name_is_there(const struct metric_name *row)
{
	return atomic_load(&row->state) == NAME_THERE;
}

void metric_label_add(struct buffer *text, const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (value[i] == '"' || value[i] == '\\')
			buffer_add_char(text, '\\');
		/* A line of metrics has no other line ends than its own. */
		if (value[i] == '\n')
			buffer_add_char(text, ' ');
		else
			buffer_add_char(text, value[i]);
	}
}
