/*
 * What the server tells of itself, its users and their homes. Runs in
 * sftp-server, jailed; names come from names.c, never from a name service.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sftp-server/op.h"
#include "sftp-server/reply.h"
#include "sftp-server/resolve.h"

int
op_limits(struct server *s, const struct request *q)
{
	struct sftp_limits limits = {
		.packet_max = SFTP_PACKET_MAX,
		.read_max = SFTP_DATA_MAX,
		.write_max = SFTP_DATA_MAX,
		.handles_max = s->handles.max,
	};
	size_t mark = reply_start(s, SSH_FXP_EXTENDED_REPLY, q->id);

	sftp_limits_write(&s->out, &limits);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

/* Where ~ or ~user is, or NULL. ~ alone respects -d, as with OpenSSH's. */
static const char *
tilde_base(struct server *s, const char *user, const char *cwd)
{
	return user[0] == '\0' ? cwd : names_home(&s->names, user);
}

/*
 * A path, maybe with a tilde, without one: full[SFTP_PATH_MAX + 1]. -ENXIO: no
 * such user.
 */
static int
expand(struct server *s, const char *path, char *full)
{
	char user[SFTP_PATH_MAX + 1], cwd[SFTP_PATH_MAX + 1];
	const char *base = cwd;
	size_t len;

	if (path[0] == '/' || path[0] == '\0') {
		strlcpy(full, path[0] == '/' ? path : ".", SFTP_PATH_MAX + 1);
		return 0;
	}
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return -errno;
	if (path[0] == '~') {
		len = strcspn(path, "/");
		memcpy(user, path + 1, len - 1);
		user[len - 1] = '\0';
		base = tilde_base(s, user, cwd);
		path += len + strspn(path + len, "/");
	}
	if (base == NULL)
		return -ENXIO;
	len = (size_t)snprintf(full, SFTP_PATH_MAX + 1, "%s/%s", base, path);
	return len <= SFTP_PATH_MAX ? 0 : -ENAMETOOLONG;
}

int
op_expand_path(struct server *s, const struct request *q)
{
	char full[SFTP_PATH_MAX + 1], resolved[SFTP_PATH_MAX + 1];
	int error = expand(s, q->path[0], full);

	if (error == -ENXIO)
		return reply_error(
		    s, q->id, SSH_FX_NO_SUCH_FILE, "no such user");
	if (error != 0)
		return error;
	slog(SLOG_VERBOSE, "expand \"%s\"", slog_name(full));
	error = resolve_path(full, resolved);
	return error != 0 ? error : reply_path(s, q->id, resolved);
}

int
op_home_directory(struct server *s, const struct request *q)
{
	const char *home = s->names.home;

	if (q->path[0][0] != '\0')
		home = names_home(&s->names, q->path[0]);
	if (home == NULL)
		return reply_error(s, q->id, SSH_FX_FAILURE, "no such user");
	slog(SLOG_VERBOSE, "home-directory \"%s\"", slog_name(home));
	return reply_path(s, q->id, home);
}

/* Append a string that holds a name for each id; "" for one without. */
static int
names_write(struct server *s, struct span ids, int of_groups, size_t max)
{
	size_t at = s->out.len;
	struct reader r;

	reader_init(&r, ids.p, ids.len);
	writer_u32(&s->out, 0);
	while (r.left > 0) {
		uint32_t id = reader_u32(&r);
		const char *name = of_groups ? names_group(&s->names, id)
					     : names_user(&s->names, id);

		if (r.failed)
			return -EBADMSG;
		if (name == NULL)
			name = "";
		if (s->out.len + sizeof(uint32_t) + strlen(name) > max)
			return -EMSGSIZE;
		writer_cstring(&s->out, name);
	}
	reply_poke(
	    s->out.p + at, (uint32_t)(s->out.len - at - sizeof(uint32_t)));
	return 0;
}

int
op_users_groups(struct server *s, const struct request *q)
{
	size_t mark = reply_start(s, SSH_FXP_EXTENDED_REPLY, q->id);
	size_t max = mark + REPLY_MAX - sizeof(uint32_t);
	int error = names_write(s, q->data[0], 0, max);

	if (error == 0)
		error = names_write(s, q->data[1], 1, max);
	if (error != 0)
		return error;
	slog(SLOG_VERBOSE, "users-groups-by-id: %zu users, %zu groups",
	    q->data[0].len / sizeof(uint32_t),
	    q->data[1].len / sizeof(uint32_t));
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}
