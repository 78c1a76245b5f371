/*
 * The terms of omniedge-ssh-server. Runs in it, and in sshd-monitor; names come
 * from the network, all else is the administrator's.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/lab.h"

#define MAGIC "lab 1"

/* Every text and switch once, for the loops below. */
static const size_t texts[] = {
	offsetof(struct lab, default_user),
	offsetof(struct lab, only_user),
	offsetof(struct lab, hash),
	offsetof(struct lab, mark),
	offsetof(struct lab, device),
};
static const size_t flags[] = {
	offsetof(struct lab, one_time),
	offsetof(struct lab, auth_none),
	offsetof(struct lab, read_only),
	offsetof(struct lab, json),
};

static char **
text_at(const struct lab *lab, size_t i)
{
	return (char **)(void *)((char *)(uintptr_t)lab + texts[i]);
}

static bool *
flag_at(const struct lab *lab, size_t i)
{
	return (bool *)(void *)((char *)(uintptr_t)lab + flags[i]);
}

/* --- who is who */

static int
add_owned(struct lab *lab, char *from, char *to)
{
	struct lab_pair *grown;

	if (from == NULL || to == NULL)
		return -ENOMEM;
	if (lab->nmap >= LAB_PAIRS_MAX)
		return -EDQUOT;
	grown = reallocarray(lab->map, lab->nmap + 1, sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	lab->map = grown;
	grown[lab->nmap++] = (struct lab_pair){ from, to };
	return 0;
}

int
lab_add_pair(struct lab *lab, const char *from, const char *to)
{
	AUTOFREE char *from_copy = strdup(from);
	AUTOFREE char *to_copy = strdup(to);
	int rc = add_owned(lab, from_copy, to_copy);

	if (rc == 0) {
		(void)take_ptr(&from_copy);
		(void)take_ptr(&to_copy);
	}
	return rc;
}

static const struct lab_pair *
find_pair(const struct lab *lab, const char *from)
{
	for (size_t i = 0; i < lab->nmap; i++)
		if (strcmp(lab->map[i].from, from) == 0)
			return &lab->map[i];
	return NULL;
}

/* What the arguments say of a name; NULL: nothing. */
static const char *
mapped(const struct lab *lab, const char *name)
{
	const struct lab_pair *pair = find_pair(lab, name);

	/* A client that calls itself "*" has no right to that pair's word. */
	if (pair == NULL || strcmp(name, LAB_ANY) == 0)
		pair = find_pair(lab, LAB_ANY);
	if (pair == NULL)
		return lab->default_user;
	return strcmp(pair->to, LAB_SAME) == 0 ? name : pair->to;
}

const char *
lab_local_name(const struct lab *lab, const char *name)
{
	const char *local = mapped(lab, name);

	return local != NULL ? local : name;
}

/* "*:=" is no wish for root: root must be named by what leads to it. */
static bool
names_root(const struct lab *lab, const char *name, const struct account *a)
{
	const struct lab_pair *pair = find_pair(lab, name);
	const char *local = mapped(lab, name);

	if (pair != NULL && strcmp(name, LAB_ANY) != 0)
		return true;
	return local != NULL && local != name && strcmp(local, a->name) == 0;
}

int
may_use_lab(const struct lab *lab, const char *name, const struct account *a,
    const char **out_why)
{
	const char *why = NULL;

	if (lab->only_user != NULL && strcmp(lab->only_user, a->name) != 0)
		why = "this server does not run as root and serves its own "
		      "user only";
	else if (a->uid == 0 && lab->auth_none)
		why = "root does not log in without a credential";
	else if (a->uid == 0 && lab->read_only)
		why = "--read-only cannot hold root";
	else if (a->uid == 0 && lab->only_user == NULL &&
		 !names_root(lab, name, a))
		why = "root logs in only where --user-map or --default-user "
		      "says so";
	if (why == NULL)
		return 0;
	*out_why = why;
	return -EACCES;
}

/* --- as bytes */

static void
write_text(struct writer *w, const char *text)
{
	writer_u8(w, text != NULL);
	if (text != NULL)
		writer_cstring(w, text);
}

int
lab_encode(const struct lab *lab, struct writer *w)
{
	writer_cstring(w, MAGIC);
	for (size_t i = 0; i < nitems_of(texts); i++)
		write_text(w, *text_at(lab, i));
	for (size_t i = 0; i < nitems_of(flags); i++)
		writer_u8(w, *flag_at(lab, i));
	writer_u32(w, lab->handshake_seconds);
	writer_u32(w, (uint32_t)lab->nmap);
	for (size_t i = 0; i < lab->nmap; i++) {
		writer_cstring(w, lab->map[i].from);
		writer_cstring(w, lab->map[i].to);
	}
	return writer_end(w);
}

/* An owned text; NULL: the reader has failed, or there is no memory. */
static char *
read_text(struct reader *r)
{
	struct span s = reader_string(r, LAB_TEXT_MAX);

	if (r->failed || (s.len != 0 && memchr(s.p, '\0', s.len) != NULL)) {
		r->failed = true;
		return NULL;
	}
	return s.len != 0 ? strndup((const char *)s.p, s.len) : strdup("");
}

static bool
read_switch(struct reader *r)
{
	uint8_t v = reader_u8(r);

	r->failed |= v > 1;
	return v == 1;
}

static int
read_texts(struct reader *r, struct lab *lab)
{
	for (size_t i = 0; i < nitems_of(texts); i++) {
		if (!read_switch(r))
			continue;
		*text_at(lab, i) = read_text(r);
		if (*text_at(lab, i) == NULL)
			return r->failed ? -EBADMSG : -ENOMEM;
	}
	return 0;
}

static int
read_pairs(struct reader *r, struct lab *lab)
{
	uint32_t n = reader_u32(r);
	int rc = n <= LAB_PAIRS_MAX ? 0 : -EBADMSG;

	for (uint32_t i = 0; i < n && rc == 0; i++) {
		AUTOFREE char *from = read_text(r);
		AUTOFREE char *to = from != NULL ? read_text(r) : NULL;

		if (to == NULL)
			return r->failed ? -EBADMSG : -ENOMEM;
		rc = add_owned(lab, from, to);
		if (rc == 0) {
			(void)take_ptr(&from);
			(void)take_ptr(&to);
		}
	}
	return rc;
}

static int
read_lab(struct reader *r, struct lab *lab)
{
	int rc;

	if (!span_is(reader_string(r, sizeof(MAGIC)), MAGIC))
		return -EBADMSG;
	rc = read_texts(r, lab);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < nitems_of(flags); i++)
		*flag_at(lab, i) = read_switch(r);
	lab->handshake_seconds = reader_u32(r);
	rc = read_pairs(r, lab);
	return rc != 0 ? rc : reader_end(r);
}

int
lab_decode(struct span bytes, struct lab **out_lab)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct reader r;
	int rc;

	if (lab == NULL)
		return -ENOMEM;
	reader_init(&r, bytes.p, bytes.len);
	rc = read_lab(&r, lab);
	if (rc != 0) {
		lab_free(lab);
		return rc;
	}
	*out_lab = lab;
	return 0;
}

/* --- the end */

void
lab_done(struct lab *lab)
{
	for (size_t i = 0; i < lab->nmap; i++) {
		free(lab->map[i].from);
		free(lab->map[i].to);
	}
	free(take_ptr(&lab->map));
	lab->nmap = 0;
	if (lab->hash != NULL)
		explicit_bzero(lab->hash, strlen(lab->hash));
	for (size_t i = 0; i < nitems_of(texts); i++)
		free(take_ptr(text_at(lab, i)));
}

void
lab_free(struct lab *lab)
{
	if (lab == NULL)
		return;
	lab_done(lab);
	free(lab);
}
