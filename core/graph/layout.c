#include "graph/layout.h"

#include "base/memory.h"
#include "graph/layout_parts.h"

#include <stdlib.h>

void layout_make(struct layout *layout)
{
	struct layout_sketch sketch = {.layout = layout};
	layout_rank(&sketch);
	layout_subdivide(&sketch);
	layout_order(&sketch);
	layout_place(&sketch);
	layout_route(&sketch);
	free(sketch.vertices);
	free(sketch.segments);
	free(sketch.chains);
	free(sketch.above.begin);
	free(sketch.above.vertices);
	free(sketch.below.begin);
	free(sketch.below.vertices);
	free(sketch.order);
	free(sketch.layer);
}

void layout_clear(struct layout *layout)
{
	for (size_t i = 0; i < layout->edge_count; i++)
		free(layout->edges[i].points);
	free(layout->edges);
	free(layout->nodes);
	*layout = (struct layout){0};
}
