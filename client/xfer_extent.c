/*
 * Which parts of a file are at the sink: up to where without a gap, and what
 * lies beyond. Runs in the client.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "client/xfer_impl.h"

static void
join(struct job *j)
{
	while (j->islands != NULL && j->islands->at <= j->contiguous) {
		struct extent *e = j->islands;

		if (e->end > j->contiguous)
			j->contiguous = e->end;
		j->islands = e->next;
		free(e);
	}
}

int
extent_note(struct job *j, uint64_t at, uint64_t end)
{
	struct extent **to = &j->islands, *e;

	if (at <= j->contiguous) {
		if (end > j->contiguous)
			j->contiguous = end;
		join(j);
		return 0;
	}
	while (*to != NULL && (*to)->at < at)
		to = &(*to)->next;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	*e = (struct extent){ .next = *to, .at = at, .end = end };
	*to = e;
	return 0;
}

void
extent_drop(struct job *j)
{
	while (j->islands != NULL) {
		struct extent *e = j->islands;

		j->islands = e->next;
		free(e);
	}
}
