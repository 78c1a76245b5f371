/*
 * Listings of the server's directories. Runs in the client; each entry is
 * hostile.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/interrupt.h"
#include "client/sftp_list.h"
#include "common/err.h"
#include "common/own.h"

#define LIST_FIRST 64
#define PUMP_MS 1000

struct listing {
	struct peer *peer;
	struct list *list;
	struct writer handle;
	unsigned flying;
	bool ended;
	int rc;
};

void
list_done(struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->entries[i].name);
		free(l->entries[i].longname);
	}
	free(l->entries);
	*l = (struct list){ .dots = l->dots };
}

static int
grow(struct list *l)
{
	size_t size = l->size != 0 ? 2 * l->size : LIST_FIRST;
	struct list_entry *bigger;

	if (l->n < l->size)
		return 0;
	bigger = reallocarray(l->entries, size, sizeof(*bigger));
	if (bigger == NULL)
		return -ENOMEM;
	l->entries = bigger;
	l->size = size;
	return 0;
}

int
list_add(struct list *l, const char *name, const char *longname,
    const struct sftp_attrs *attrs)
{
	struct list_entry e = { 0 };
	int error = grow(l);

	if (error != 0)
		return error;
	l->bytes += strlen(name) + (longname != NULL ? strlen(longname) : 0);
	/* A listing that never ends must end somewhere. */
	if (l->n >= LIST_ENTRIES_MAX || l->bytes > LIST_BYTES_MAX)
		return -E2BIG;
	e.name = strdup(name);
	e.longname = longname != NULL ? strdup(longname) : NULL;
	if (attrs != NULL)
		e.attrs = *attrs;
	l->entries[l->n++] = e;
	return e.name != NULL ? 0 : -ENOMEM;
}

static int
by_name(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void
list_sort(struct list *l)
{
	if (l->n > 1)
		qsort(l->entries, l->n, sizeof(l->entries[0]), by_name);
}

bool
list_name_ok(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int
list_name_read(struct reader *r, char *out_name, struct span *out_longname,
    struct sftp_attrs *out_attrs)
{
	struct span name = reader_string(r, SIZE_MAX);

	*out_longname = reader_string(r, SIZE_MAX);
	sftp_attrs_read(r, out_attrs);
	if (r->failed || name.len > LIST_NAME_MAX ||
	    memchr(name.p, '\0', name.len) != NULL)
		return -EBADMSG;
	memcpy(out_name, name.p, name.len);
	out_name[name.len] = '\0';
	if (strcmp(out_name, ".") == 0 || strcmp(out_name, "..") == 0)
		return -EAGAIN;
	return list_name_ok(out_name) ? 0 : -EBADMSG;
}

static int
take_names(struct listing *ls, struct reader r)
{
	char name[LIST_NAME_MAX + 1];
	uint32_t n = reader_u32(&r);

	/* No names and no end: a server that would go on for ever. */
	if (n == 0)
		return -EBADMSG;
	for (; n > 0; n--) {
		AUTOFREE char *longname = NULL;
		struct sftp_attrs a = { 0 };
		struct span text;
		int rc = list_name_read(&r, name, &text, &a);

		if (rc == -EAGAIN && !ls->list->dots)
			continue;
		if (rc != 0 && rc != -EAGAIN)
			return rc;
		longname = strndup((const char *)text.p, text.len);
		rc = list_add(ls->list, name, longname, &a);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void
names_here(void *arg, const struct answer *a)
{
	struct listing *ls = arg;
	int rc = a->rc;

	ls->flying--;
	if (rc == 0 && a->type != SSH_FXP_NAME)
		rc = -EBADMSG;
	if (rc == 0 && !ls->ended)
		rc = take_names(ls, a->body);
	if (rc == 0)
		return;
	ls->ended = true;
	if (rc != SSH_FX_EOF && ls->rc == 0)
		ls->rc = rc;
}

static void
dir_opened(void *arg, const struct answer *a)
{
	struct listing *ls = arg;

	ls->flying--;
	ls->rc = answer_handle(a, &ls->handle);
}

static int
wait_until(struct listing *ls, unsigned most)
{
	while (ls->flying > most) {
		int rc = peer_pump(&ls->peer, 1, PUMP_MS);

		if (rc != 0 && ls->rc == 0)
			ls->rc = rc;
		if (interrupt_seen() && ls->rc == 0) {
			ls->ended = true;
			ls->rc = -EINTR;
		}
	}
	return ls->rc;
}

static void
read_all(struct listing *ls)
{
	while (!ls->ended && ls->rc == 0) {
		writer_string(
		    peer_begin(ls->peer, SSH_FXP_READDIR, names_here, ls),
		    ls->handle.p, ls->handle.len);
		peer_end(ls->peer);
		ls->flying++;
		wait_until(ls, LIST_AHEAD - 1);
	}
	wait_until(ls, 0);
	writer_string(peer_begin(ls->peer, SSH_FXP_CLOSE, NULL, NULL),
	    ls->handle.p, ls->handle.len);
	peer_end(ls->peer);
}

int
list_read(struct peer *p, const char *path, struct list *out_list)
{
	struct listing ls = { .peer = p, .list = out_list, .flying = 1 };

	writer_cstring(peer_begin(p, SSH_FXP_OPENDIR, dir_opened, &ls), path);
	peer_end(p);
	if (wait_until(&ls, 0) == 0)
		read_all(&ls);
	writer_done(&ls.handle);
	return ls.rc;
}
