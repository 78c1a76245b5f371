/*
 * The table of requests, and the way of each through it: may it, what does it
 * say, do it, answer. Runs in sftp-server, jailed, as the user; packets are
 * the client's.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "sftp-server/op.h"
#include "sftp-server/option.h"
#include "sftp-server/reply.h"
#include "sftp-server/request.h"
#include "sftp-server/server.h"

/* Unknown requests that a session may bring into the log, and how much of an
 * extension's name. */
#define UNKNOWN_LOG_MAX 16
#define UNKNOWN_NAME_MAX 100

/* clang-format off */
#define BASE(type, name, shape, does_write, run) \
	{ type, name, NULL, NULL, shape, does_write, run }
#define EXT(name, ext, version, shape, does_write, run) \
	{ SSH_FXP_EXTENDED, name, ext, version, shape, does_write, run }

/*
 * OPEN looks at its flags itself. SYMLINK has its arguments the other way round
 * than the draft, target first, as OpenSSH's has: clients count on it.
 */
static const struct op ops[] = {
	BASE(SSH_FXP_OPEN, "open", "pna", false, op_open),
	BASE(SSH_FXP_CLOSE, "close", "h", false, op_close),
	BASE(SSH_FXP_READ, "read", "hon", false, op_read),
	BASE(SSH_FXP_WRITE, "write", "hod", true, op_write),
	BASE(SSH_FXP_LSTAT, "lstat", "p", false, op_lstat),
	BASE(SSH_FXP_FSTAT, "fstat", "h", false, op_fstat),
	BASE(SSH_FXP_SETSTAT, "setstat", "pa", true, op_setstat),
	BASE(SSH_FXP_FSETSTAT, "fsetstat", "ha", true, op_fsetstat),
	BASE(SSH_FXP_OPENDIR, "opendir", "p", false, op_opendir),
	BASE(SSH_FXP_READDIR, "readdir", "h", false, op_readdir),
	BASE(SSH_FXP_REMOVE, "remove", "p", true, op_remove),
	BASE(SSH_FXP_MKDIR, "mkdir", "pa", true, op_mkdir),
	BASE(SSH_FXP_RMDIR, "rmdir", "p", true, op_rmdir),
	BASE(SSH_FXP_REALPATH, "realpath", "p", false, op_realpath),
	BASE(SSH_FXP_STAT, "stat", "p", false, op_stat),
	BASE(SSH_FXP_RENAME, "rename", "pp", true, op_rename),
	BASE(SSH_FXP_READLINK, "readlink", "p", false, op_readlink),
	BASE(SSH_FXP_SYMLINK, "symlink", "pp", true, op_symlink),

	EXT("posix-rename", "posix-rename@openssh.com", "1", "pp", true,
	    op_posix_rename),
	EXT("statvfs", "statvfs@openssh.com", "2", "p", false, op_statvfs),
	EXT("fstatvfs", "fstatvfs@openssh.com", "2", "h", false, op_fstatvfs),
	EXT("hardlink", "hardlink@openssh.com", "1", "pp", true, op_hardlink),
	EXT("fsync", "fsync@openssh.com", "1", "h", true, op_fsync),
	EXT("lsetstat", "lsetstat@openssh.com", "1", "pa", true, op_lsetstat),
	EXT("limits", "limits@openssh.com", "1", "", false, op_limits),
	EXT("expand-path", "expand-path@openssh.com", "1", "p", false,
	    op_expand_path),
	EXT("copy-data", "copy-data", "1", "hooho", true, op_copy_data),
	EXT("home-directory", "home-directory", "1", "p", false,
	    op_home_directory),
	EXT("users-groups-by-id", "users-groups-by-id@openssh.com", "1", "dd",
	    false, op_users_groups),
};
/* clang-format on */

_Static_assert(nitems_of(ops) <= OPS_MAX, "struct server has a verdict each");

/* How a refusal is logged, around the request's name. */
static const struct {
	const char *before, *behind;
} refusals[] = {
	[OP_READONLY] = { "", " in read-only mode" },
	[OP_DENIED] = { "denylisted ", "" },
	[OP_NOT_ALLOWED] = { "non-allowlisted ", "" },
};

const struct op *
op_at(size_t i)
{
	return i < nitems_of(ops) ? &ops[i] : NULL;
}

/* The next member of a comma-separated list; false at its end. */
static bool
list_next(const char **list, struct span *out_member)
{
	size_t len;

	*list += strspn(*list, ",");
	len = strcspn(*list, ",");
	*out_member = span_of(*list, len);
	*list += len;
	return len != 0;
}

static bool
list_has(const char *list, const char *name)
{
	struct span member;

	while (list_next(&list, &member))
		if (span_is(member, name))
			return true;
	return false;
}

bool
op_list_ok(const char *list, struct span *out_unknown)
{
	struct span member;
	size_t i;

	while (list_next(&list, &member)) {
		for (i = 0; i < nitems_of(ops); i++)
			if (span_is(member, ops[i].name))
				break;
		if (i == nitems_of(ops)) {
			*out_unknown = member;
			return false;
		}
	}
	return true;
}

enum op_verdict
may_op(const struct op *op, const struct options *opt)
{
	if (opt->readonly && op->does_write)
		return OP_READONLY;
	if (opt->denied != NULL && list_has(opt->denied, op->name))
		return OP_DENIED;
	if (opt->allowed != NULL && !list_has(opt->allowed, op->name))
		return OP_NOT_ALLOWED;
	return OP_ALLOWED;
}

static const struct op *
op_find(uint8_t type, struct span ext)
{
	for (size_t i = 0; i < nitems_of(ops); i++) {
		if (ops[i].type != type)
			continue;
		if (ops[i].ext == NULL || span_is(ext, ops[i].ext))
			return &ops[i];
	}
	return NULL;
}

static int
refuse(const struct op *op, enum op_verdict verdict)
{
	slog(SLOG_VERBOSE, "Refusing %s%s request%s", refusals[verdict].before,
	    op->name, refusals[verdict].behind);
	return -EACCES;
}

static void
init_run(struct server *s, uint32_t version)
{
	size_t mark = reply_start(s, SSH_FXP_VERSION, SFTP_VERSION);

	s->version = version;
	s->init_done = true;
	slog(SLOG_VERBOSE, "received client version %u", version);
	for (size_t i = 0; i < nitems_of(ops); i++) {
		if (ops[i].ext == NULL)
			continue;
		if (s->verdict[i] != OP_ALLOWED) {
			(void)refuse(&ops[i], s->verdict[i]);
			continue;
		}
		writer_cstring(&s->out, ops[i].ext);
		writer_cstring(&s->out, ops[i].version);
	}
	sftp_finish(&s->out, mark);
}

static int
op_run(struct server *s, const struct op *op, struct reader *r)
{
	struct request *q = &s->request;
	enum op_verdict verdict = s->verdict[op - ops];
	int error;

	q->op = op;
	error = request_decode(r, op->shape, q);
	q->is_decoded = error == 0;
	/* Refused as such, however broken; the record has what was asked. */
	if (verdict != OP_ALLOWED)
		return refuse(op, verdict);
	return error != 0 ? error : op->run(s, q);
}

/* Said of the first ones only: a client can ask as often as it likes. */
static int
unknown(struct server *s, uint8_t type, struct span ext)
{
	char name[UNKNOWN_NAME_MAX + 1];
	size_t len = ext.len < UNKNOWN_NAME_MAX ? ext.len : UNKNOWN_NAME_MAX;

	if (s->nunknown == UNKNOWN_LOG_MAX)
		return -ENOSYS;
	s->nunknown++;
	if (type != SSH_FXP_EXTENDED) {
		slog(SLOG_ERROR, "Unknown message %u", type);
		return -ENOSYS;
	}
	memcpy(name, len != 0 ? ext.p : (const void *)"", len);
	name[len] = '\0';
	slog(SLOG_ERROR, "Unknown extended request \"%s\"", slog_name(name));
	return -ENOSYS;
}

int
request_run(struct server *s, struct span packet)
{
	struct span ext = { 0 };
	const struct op *op;
	struct reader r;
	uint8_t type;
	uint32_t id;
	int result;

	reader_init(&r, packet.p, packet.len);
	type = reader_u8(&r);
	id = reader_u32(&r);
	if (r.failed)
		return -EBADMSG;
	/* READ alone may add to what is staged. */
	if (type != SSH_FXP_READ)
		lend_settle(s);
	s->mark = s->out.len;
	if (type == SSH_FXP_INIT) {
		init_run(s, id);
		return 0;
	}
	if (!s->init_done)
		return -EPROTO;
	s->request.id = id;
	if (type == SSH_FXP_EXTENDED)
		ext = reader_string(&r, SIZE_MAX);
	op = op_find(type, ext);
	slog(SLOG_DEBUG1, "request %u: %s", id, op ? op->name : "unknown");
	s->status = SSH_FX_OK;
	s->moved = 0;
	if (s->audit.is_on)
		audit_request_begin(s);
	result = op != NULL ? op_run(s, op, &r) : unknown(s, type, ext);
	if (result != REQUEST_REPLIED) {
		s->out.len = s->mark;
		lend_settle(s);
		reply_status(s, id, result);
	}
	if (s->audit.is_on && op != NULL)
		audit_request(s, op, result < 0 ? result : 0);
	return s->lend.error;
}
