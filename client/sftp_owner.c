/*
 * Who owns files, by name. Runs in the client; the names are the server's, and
 * are only ever shown.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/sftp_owner.h"
#include "common/err.h"
#include "common/own.h"

/* Names in one question, and of one directory. */
#define ASK_MOST 256
#define OWNERS_MAX 4096
#define NAME_MOST 256 /* bytes */

struct question {
	struct owners *owners;
	uint32_t ids[OWNER_KINDS][ASK_MOST];
	size_t n[OWNER_KINDS];
	bool done;
};

static const struct owner *
find(const struct owners *o, enum owner_kind kind, uint32_t id)
{
	for (size_t i = 0; i < o->n[kind]; i++)
		if (o->of[kind][i].id == id)
			return &o->of[kind][i];
	return NULL;
}

const char *
owners_name(const struct owners *o, enum owner_kind kind, uint32_t id,
    char buf[OWNER_NUMBER_MAX])
{
	const struct owner *known = find(o, kind, id);

	if (known != NULL && known->name[0] != '\0')
		return known->name;
	snprintf(buf, OWNER_NUMBER_MAX, "%u", id);
	return buf;
}

void
owners_done(struct owners *o)
{
	for (int kind = 0; kind < OWNER_KINDS; kind++) {
		for (size_t i = 0; i < o->n[kind]; i++)
			free(o->of[kind][i].name);
		free(o->of[kind]);
	}
	*o = (struct owners){ .n = { 0 } };
}

/* --- the answer ---------------------------------------------------------- */

static void
add(struct owners *o, enum owner_kind kind, uint32_t id, struct span name)
{
	size_t n = o->n[kind];
	struct owner *v = n < OWNERS_MAX
			      ? reallocarray(o->of[kind], n + 1, sizeof(*v))
			      : NULL;

	if (v == NULL)
		return;
	o->of[kind] = v;
	/* Up to a NUL, if there is one. */
	v[n].id = id;
	v[n].name = strndup(name.len > 0 ? (const char *)name.p : "", name.len);
	if (v[n].name != NULL)
		o->n[kind]++;
}

/* A list of names for each kind, in the order that they were asked for. */
static void
answered(void *arg, const struct answer *a)
{
	struct question *q = arg;
	struct reader lists = a->body;

	q->done = true;
	if (a->rc != 0 || a->type != SSH_FXP_EXTENDED_REPLY)
		return;
	for (int kind = 0; kind < OWNER_KINDS; kind++) {
		struct span list = reader_string(&lists, SIZE_MAX);
		struct reader r;

		reader_init(&r, list.p, list.len);
		for (size_t i = 0; i < q->n[kind] && !lists.failed; i++) {
			struct span name = reader_string(&r, NAME_MOST);

			if (r.failed)
				return;
			add(q->owners, (enum owner_kind)kind, q->ids[kind][i],
			    name);
		}
	}
}

/* --- the question -------------------------------------------------------- */

static void
want(struct question *q, enum owner_kind kind, uint32_t id)
{
	if (q->n[kind] == ASK_MOST || find(q->owners, kind, id) != NULL)
		return;
	for (size_t i = 0; i < q->n[kind]; i++)
		if (q->ids[kind][i] == id)
			return;
	q->ids[kind][q->n[kind]++] = id;
}

static void
ask(struct question *q, struct peer *p)
{
	struct writer *w =
	    peer_extended(p, "users-groups-by-id@openssh.com", answered, q);

	for (int kind = 0; kind < OWNER_KINDS; kind++) {
		writer_u32(w, (uint32_t)(q->n[kind] * sizeof(uint32_t)));
		for (size_t i = 0; i < q->n[kind]; i++)
			writer_u32(w, q->ids[kind][i]);
	}
	peer_end(p);
	while (!q->done)
		if (peer_pump(&p, 1, -1) != 0)
			break;
}

/* Some of those that are not known. */
static void
want_some(struct question *q, const struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct sftp_attrs *a = &l->entries[i].attrs;

		if ((a->flags & SSH_FILEXFER_ATTR_UIDGID) == 0)
			continue;
		want(q, OWNER_USER, a->uid);
		want(q, OWNER_GROUP, a->gid);
	}
}

void
owners_learn(struct owners *o, struct peer *p, const struct list *l)
{
	size_t before;

	if (!peer_has(p, PEER_OWNERS))
		return;
	/* A server that answers with nothing is not asked again. */
	do {
		struct question q = { .owners = o };

		before = o->n[OWNER_USER] + o->n[OWNER_GROUP];
		want_some(&q, l);
		if (q.n[OWNER_USER] > 0 || q.n[OWNER_GROUP] > 0)
			ask(&q, p);
	} while (o->n[OWNER_USER] + o->n[OWNER_GROUP] > before);
}
