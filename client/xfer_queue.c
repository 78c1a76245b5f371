/* Queues of jobs. Runs in the client. */
#include "config.h"

#include "client/xfer_impl.h"

void
queue_init(struct queue *q)
{
	*q = (struct queue){ .last = &q->first };
}

void
queue_push(struct queue *q, struct job *j)
{
	j->next = NULL;
	*q->last = j;
	q->last = &j->next;
	q->n++;
}

void
queue_push_front(struct queue *q, struct job *j)
{
	j->next = q->first;
	if (q->first == NULL)
		q->last = &j->next;
	q->first = j;
	q->n++;
}

struct job *
queue_pop(struct queue *q)
{
	struct job *j = q->first;

	q->first = j->next;
	if (q->first == NULL)
		q->last = &q->first;
	q->n--;
	return j;
}

void
queue_remove(struct queue *q, const struct job *j)
{
	struct job **at = &q->first;

	while (*at != NULL && *at != j)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = j->next;
	if (*at == NULL)
		q->last = at;
	q->n--;
}
