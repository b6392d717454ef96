#include "common/pending.h"

void pending_add(struct pending **list, struct pending *pending, const struct ss_run *run)
{
	*pending = (struct pending){*list, run};
	*list = pending;
}

struct pending *pending_take(struct pending **list, const struct ss_run *run)
{
	while (*list != NULL && (*list)->run != run)
		list = &(*list)->next;
	struct pending *pending = *list;
	if (pending != NULL)
		*list = pending->next;
	return pending;
}
