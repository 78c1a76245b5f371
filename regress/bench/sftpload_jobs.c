/*
 * The jobs of sftpload: which requests are sent, and what has to come of them.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/own.h"
#include "regress/bench/sftpload.h"

static uint32_t
id_of(const struct load *l, const struct slot *slot)
{
	return slot == &l->shared ? SLOTS_MAX : (uint32_t)(slot - l->slot);
}

static size_t
begin(struct load *l, const struct slot *slot, uint8_t type)
{
	l->nrequests++;
	return sftp_start(&l->out, type, id_of(l, slot));
}

static void
send_open(struct load *l, struct slot *slot, const char *path, uint32_t flags)
{
	struct sftp_attrs attrs = { 0 };
	size_t mark = begin(l, slot, SSH_FXP_OPEN);

	writer_cstring(&l->out, path);
	writer_u32(&l->out, flags);
	sftp_attrs_write(&l->out, &attrs);
	sftp_finish(&l->out, mark);
}

/* CLOSE, READDIR, and the head of READ and WRITE. */
static size_t
send_handle(
    struct load *l, struct slot *slot, const struct slot *held, uint8_t type)
{
	size_t mark = begin(l, slot, type);

	writer_string(&l->out, held->handle, held->handle_len);
	return mark;
}

static void
send_bytes(struct load *l, struct slot *slot, const struct slot *held,
    uint8_t type, uint32_t n)
{
	size_t mark = send_handle(l, slot, held, type);

	writer_u64(&l->out, slot->at);
	if (type == SSH_FXP_READ)
		writer_u32(&l->out, n);
	else
		writer_string(&l->out, l->data, n);
	sftp_finish(&l->out, mark);
}

static void
keep_handle(struct slot *slot, uint8_t type, struct reader *r)
{
	struct span s = reader_string(r, sizeof(slot->handle));

	if (type != SSH_FXP_HANDLE || r->failed)
		die("no handle");
	memcpy(slot->handle, s.p, s.len);
	slot->handle_len = s.len;
}

static void
expect_ok(uint8_t type, struct reader *r)
{
	if (type != SSH_FXP_STATUS || reader_u32(r) != SSH_FX_OK)
		die("a request failed");
}

/* --- one large file */

static bool
large_next(struct load *l, struct slot *slot, uint8_t type)
{
	uint64_t left = l->total - l->next;

	if (!l->is_open || left == 0)
		return false;
	slot->at = l->next;
	slot->step = left < l->block ? (uint32_t)left : l->block;
	l->next += slot->step;
	send_bytes(l, slot, &l->shared, type, slot->step);
	return true;
}

static bool
get_next(struct load *l, struct slot *slot)
{
	return large_next(l, slot, SSH_FXP_READ);
}

static bool
put_next(struct load *l, struct slot *slot)
{
	return large_next(l, slot, SSH_FXP_WRITE);
}

static bool
get_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	struct span data = reader_string(r, SIZE_MAX);

	if (type != SSH_FXP_DATA || r->failed || data.len > slot->step)
		die("no data");
	l->done += data.len;
	slot->at += data.len;
	slot->step -= (uint32_t)data.len;
	/* A short read: the rest is asked for again. */
	if (slot->step != 0)
		send_bytes(l, slot, &l->shared, SSH_FXP_READ, slot->step);
	return slot->step == 0;
}

static bool
put_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	expect_ok(type, r);
	l->done += slot->step;
	return true;
}

/* --- many small files: each is opened, moved and closed by a slot */

static void
file_open(struct load *l, struct slot *slot, uint32_t flags)
{
	char path[SFTP_PATH_MAX + 1];

	snprintf(path, sizeof(path), "%s/%05llu", l->path,
	    (unsigned long long)l->next++);
	slot->step = 0;
	slot->at = 0;
	send_open(l, slot, path, flags);
}

static bool
gets_next(struct load *l, struct slot *slot)
{
	if (l->next == l->total)
		return false;
	file_open(l, slot, SSH_FXF_READ);
	return true;
}

static bool
puts_next(struct load *l, struct slot *slot)
{
	if (l->next == l->total)
		return false;
	file_open(l, slot, SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC);
	return true;
}

static bool
files_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r,
    uint8_t move)
{
	switch (slot->step++) {
	case 0:
		keep_handle(slot, type, r);
		send_bytes(l, slot, slot, move, l->block);
		return false;
	case 1:
		if (move == SSH_FXP_WRITE)
			expect_ok(type, r);
		else if (type != SSH_FXP_DATA)
			die("no data");
		sftp_finish(&l->out, send_handle(l, slot, slot, SSH_FXP_CLOSE));
		return false;
	default:
		expect_ok(type, r);
		l->done++;
		return true;
	}
}

static bool
gets_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	return files_took(l, slot, type, r, SSH_FXP_READ);
}

static bool
puts_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	return files_took(l, slot, type, r, SSH_FXP_WRITE);
}

/* --- looking at many names */

static bool
stats_next(struct load *l, struct slot *slot)
{
	char path[SFTP_PATH_MAX + 1];
	size_t mark;

	if (l->next == l->total)
		return false;
	snprintf(path, sizeof(path), "%s/%05llu", l->path,
	    (unsigned long long)l->next++);
	mark = begin(l, slot, SSH_FXP_LSTAT);
	writer_cstring(&l->out, path);
	sftp_finish(&l->out, mark);
	return true;
}

static bool
stats_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	(void)slot;
	(void)r;
	if (type != SSH_FXP_ATTRS)
		die("no attributes");
	l->done++;
	return true;
}

/* --- one directory */

static bool
list_next(struct load *l, struct slot *slot)
{
	if (!l->is_open || l->at_end)
		return false;
	sftp_finish(&l->out, send_handle(l, slot, &l->shared, SSH_FXP_READDIR));
	return true;
}

static bool
list_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	(void)slot;
	if (type == SSH_FXP_STATUS)
		l->at_end = true;
	else
		l->done += reader_u32(r);
	return true;
}

static const struct job jobs[] = {
	{ "get", "a file of COUNT bytes", get_next, get_took },
	{ "put", "a file of COUNT bytes", put_next, put_took },
	{ "gets", "COUNT files of a directory", gets_next, gets_took },
	{ "puts", "COUNT files of a directory", puts_next, puts_took },
	{ "stats", "COUNT files of a directory", stats_next, stats_took },
	{ "list", "a directory of COUNT entries", list_next, list_took },
};

const struct job *
job_find(const char *name)
{
	for (size_t i = 0; i < nitems_of(jobs); i++)
		if (strcmp(name, jobs[i].name) == 0)
			return &jobs[i];
	return NULL;
}

void
jobs_print(void)
{
	for (size_t i = 0; i < nitems_of(jobs); i++)
		fprintf(stderr, "\t%s: %s\n", jobs[i].name, jobs[i].usage);
}

void
job_begin(struct load *l)
{
	uint32_t flags = SSH_FXF_READ;
	size_t mark;

	if (l->job->next == list_next) {
		mark = begin(l, &l->shared, SSH_FXP_OPENDIR);
		writer_cstring(&l->out, l->path);
		sftp_finish(&l->out, mark);
		return;
	}
	if (l->job->next == put_next)
		flags = SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC;
	if (l->job->next == get_next || l->job->next == put_next)
		send_open(l, &l->shared, l->path, flags);
	else
		l->is_open = true;
}

void
job_begun(struct load *l, uint8_t type, struct reader *r)
{
	keep_handle(&l->shared, type, r);
	l->is_open = true;
}
