/*
 * Requests one at a time. Runs in the client; answers are hostile, and what is
 * not of the expected type is refused.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/sftp_call.h"
#include "common/err.h"
#include "common/own.h"

struct call {
	bool done;
	int rc;
	uint8_t wanted; /* type of a good answer; STATUS for most */
	union {
		struct sftp_attrs *attrs;
		struct statvfs *vfs;
		char **name;
		struct writer *handle;
	} out;
};

/* The one name of a NAME answer, owned; -EBADMSG: not one, or it has a NUL. */
static int
one_name(const struct answer *a, char **out_name)
{
	struct reader r = a->body;
	struct span name;

	if (reader_u32(&r) != 1)
		return -EBADMSG;
	name = reader_string(&r, SFTP_PATH_MAX);
	if (r.failed || memchr(name.p, '\0', name.len) != NULL)
		return -EBADMSG;
	*out_name = strndup((const char *)name.p, name.len);
	return *out_name != NULL ? 0 : -ENOMEM;
}

static int
take_answer(struct call *c, const struct answer *a)
{
	struct reader r = a->body;

	if (a->rc != 0)
		return a->rc;
	if (a->type != c->wanted)
		return -EBADMSG;
	switch (a->type) {
	case SSH_FXP_ATTRS:
		sftp_attrs_read(&r, c->out.attrs);
		break;
	case SSH_FXP_EXTENDED_REPLY:
		sftp_statvfs_read(&r, c->out.vfs);
		break;
	case SSH_FXP_NAME:
		return one_name(a, c->out.name);
	case SSH_FXP_HANDLE:
		return answer_handle(a, c->out.handle);
	}
	return r.failed ? -EBADMSG : 0;
}

static void
answered(void *arg, const struct answer *a)
{
	struct call *c = arg;

	c->rc = take_answer(c, a);
	c->done = true;
}

static int
wait_for(struct peer *p, struct call *c)
{
	peer_end(p);
	while (!c->done) {
		int rc = peer_pump(&p, 1, -1);

		if (rc != 0 && !c->done)
			return rc;
	}
	return c->rc;
}

static struct writer *
begin(struct peer *p, struct call *c, uint8_t type, uint8_t wanted)
{
	c->wanted = wanted;
	return peer_begin(p, type, answered, c);
}

static struct writer *
begin_extended(struct peer *p, struct call *c, const char *name, uint8_t wanted)
{
	c->wanted = wanted;
	return peer_extended(p, name, answered, c);
}

int
call_stat(struct peer *p, const char *path, enum call_links links,
    struct sftp_attrs *out_attrs)
{
	struct call c = { .out.attrs = out_attrs };

	writer_cstring(
	    begin(p, &c, links == CALL_FOLLOW ? SSH_FXP_STAT : SSH_FXP_LSTAT,
		SSH_FXP_ATTRS),
	    path);
	return wait_for(p, &c);
}

bool
call_is_dir(struct peer *p, const char *path)
{
	struct sftp_attrs a = { 0 };

	return call_stat(p, path, CALL_FOLLOW, &a) == 0 &&
	       (a.flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0 &&
	       S_ISDIR(a.perm);
}

int
call_setstat(struct peer *p, const char *path, enum call_links links,
    const struct sftp_attrs *attrs)
{
	struct call c = { 0 };
	struct writer *w;

	if (links == CALL_NOFOLLOW && !peer_has(p, PEER_LSETSTAT))
		return SSH_FX_OP_UNSUPPORTED;
	w = links == CALL_NOFOLLOW
		? begin_extended(p, &c, "lsetstat@openssh.com", SSH_FXP_STATUS)
		: begin(p, &c, SSH_FXP_SETSTAT, SSH_FXP_STATUS);
	writer_cstring(w, path);
	sftp_attrs_write(w, attrs);
	return wait_for(p, &c);
}

int
call_realpath(struct peer *p, const char *path, char **out_path)
{
	struct call c = { .out.name = out_path };

	writer_cstring(begin(p, &c, SSH_FXP_REALPATH, SSH_FXP_NAME), path);
	return wait_for(p, &c);
}

int
call_expand(struct peer *p, const char *path, char **out_path)
{
	struct call c = { .out.name = out_path };

	if (!peer_has(p, PEER_EXPAND_PATH))
		return SSH_FX_OP_UNSUPPORTED;
	writer_cstring(
	    begin_extended(p, &c, "expand-path@openssh.com", SSH_FXP_NAME),
	    path);
	return wait_for(p, &c);
}

int
call_mkdir(struct peer *p, const char *path, uint32_t mode)
{
	struct sftp_attrs a = { .flags = SSH_FILEXFER_ATTR_PERMISSIONS,
		.perm = mode };
	struct call c = { 0 };
	struct writer *w = begin(p, &c, SSH_FXP_MKDIR, SSH_FXP_STATUS);

	writer_cstring(w, path);
	sftp_attrs_write(w, &a);
	return wait_for(p, &c);
}

static int
one_path(struct peer *p, uint8_t type, const char *path)
{
	struct call c = { 0 };

	writer_cstring(begin(p, &c, type, SSH_FXP_STATUS), path);
	return wait_for(p, &c);
}

int
call_rmdir(struct peer *p, const char *path)
{
	return one_path(p, SSH_FXP_RMDIR, path);
}

int
call_remove(struct peer *p, const char *path)
{
	return one_path(p, SSH_FXP_REMOVE, path);
}

static int
two_paths(struct peer *p, struct call *c, struct writer *w,
    const char *const paths[2])
{
	writer_cstring(w, paths[0]);
	writer_cstring(w, paths[1]);
	return wait_for(p, c);
}

int
call_rename(struct peer *p, const char *from, const char *to)
{
	const char *const paths[] = { from, to };
	struct call c = { 0 };
	struct writer *w;

	w = peer_has(p, PEER_POSIX_RENAME)
		? begin_extended(
		      p, &c, "posix-rename@openssh.com", SSH_FXP_STATUS)
		: begin(p, &c, SSH_FXP_RENAME, SSH_FXP_STATUS);
	return two_paths(p, &c, w, paths);
}

int
call_rename_old(struct peer *p, const char *from, const char *to)
{
	const char *const paths[] = { from, to };
	struct call c = { 0 };

	return two_paths(
	    p, &c, begin(p, &c, SSH_FXP_RENAME, SSH_FXP_STATUS), paths);
}

int
call_symlink(struct peer *p, const char *target, const char *path)
{
	/* OpenSSH's order, which all servers have: PROTOCOL, section 4.1. */
	const char *const paths[] = { target, path };
	struct call c = { 0 };

	return two_paths(
	    p, &c, begin(p, &c, SSH_FXP_SYMLINK, SSH_FXP_STATUS), paths);
}

int
call_hardlink(struct peer *p, const char *path, const char *link_path)
{
	const char *const paths[] = { path, link_path };
	struct call c = { 0 };

	if (!peer_has(p, PEER_HARDLINK))
		return SSH_FX_OP_UNSUPPORTED;
	return two_paths(p, &c,
	    begin_extended(p, &c, "hardlink@openssh.com", SSH_FXP_STATUS),
	    paths);
}

int
call_statvfs(struct peer *p, const char *path, struct statvfs *out_vfs)
{
	struct call c = { .out.vfs = out_vfs };

	if (!peer_has(p, PEER_STATVFS))
		return SSH_FX_OP_UNSUPPORTED;
	writer_cstring(begin_extended(p, &c, "statvfs@openssh.com",
			   SSH_FXP_EXTENDED_REPLY),
	    path);
	return wait_for(p, &c);
}

/* --- copy within the server ---------------------------------------------- */

static int
open_handle(struct peer *p, const char *path, uint32_t pflags,
    const struct sftp_attrs *attrs, struct writer *out_handle)
{
	struct call c = { .out.handle = out_handle };
	struct writer *w = begin(p, &c, SSH_FXP_OPEN, SSH_FXP_HANDLE);

	writer_cstring(w, path);
	writer_u32(w, pflags);
	sftp_attrs_write(w, attrs);
	return wait_for(p, &c);
}

static int
close_handle(struct peer *p, const struct writer *handle)
{
	struct call c = { 0 };

	writer_string(begin(p, &c, SSH_FXP_CLOSE, SSH_FXP_STATUS), handle->p,
	    handle->len);
	return wait_for(p, &c);
}

static int
copy_data(struct peer *p, const struct writer *from, const struct writer *to)
{
	struct call c = { 0 };
	struct writer *w = begin_extended(p, &c, "copy-data", SSH_FXP_STATUS);

	writer_string(w, from->p, from->len);
	writer_u64(w, 0); /* from here */
	writer_u64(w, 0); /* to the end */
	writer_string(w, to->p, to->len);
	writer_u64(w, 0);
	return wait_for(p, &c);
}

static int
copy_open(struct peer *p, const char *to, const struct sftp_attrs *attrs,
    const struct writer *from)
{
	AUTO(writer_done) struct writer handle = WRITER_INIT;
	int rc, rc_close;

	rc = open_handle(p, to, SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC,
	    attrs, &handle);
	if (rc != 0)
		return rc;
	rc = copy_data(p, from, &handle);
	rc_close = close_handle(p, &handle);
	return rc != 0 ? rc : rc_close;
}

int
call_copy(struct peer *p, const char *from, const char *to)
{
	AUTO(writer_done) struct writer handle = WRITER_INIT;
	struct sftp_attrs a = { 0 }, none = { 0 };
	int rc;

	if (!peer_has(p, PEER_COPY_DATA))
		return SSH_FX_OP_UNSUPPORTED;
	rc = call_stat(p, from, CALL_FOLLOW, &a);
	if (rc != 0)
		return rc;
	/* The copy's bits are not more than a user could give it. */
	a.flags &= SSH_FILEXFER_ATTR_PERMISSIONS;
	a.perm &= 0777;
	rc = open_handle(p, from, SSH_FXF_READ, &none, &handle);
	if (rc != 0)
		return rc;
	rc = copy_open(p, to, &a, &handle);
	(void)close_handle(p, &handle);
	return rc;
}
