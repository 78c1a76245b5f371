/*
 * Copies by SFTP: which file goes where, as OpenSSH's scp decides it. Runs in
 * the client. Connections are kept for the next source of the same host.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/interrupt.h"
#include "client/scp.h"
#include "client/sftp_call.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

/* One end of what is being copied: a host by its words, and its session. */
struct end {
	const char *host; /* NULL: this machine */
	struct remote remote;
};

/* All sources of one host go in one run. */
struct copy {
	struct scp *s;
	struct end from, to;
	struct xfer *x;
	const struct scp_name *target;
	char *to_path; /* as the sink understands it */
	bool to_is_dir;
};

static int
add(struct copy *c, const char *from, const char *name, bool chosen)
{
	AUTOFREE char *to =
	    c->to_is_dir ? list_join(c->to_path, name) : strdup(c->to_path);

	if (to == NULL)
		return -ENOMEM;
	return xfer_add(c->x, from, to, chosen);
}

static const char *
path_of(const struct scp_name *name, const struct end *e)
{
	if (name->is_uri)
		return e->remote.path != NULL ? e->remote.path : "";
	return name->path;
}

/* Before what is not to be said of a path if there is no session at all. */
static int
greet(const struct copy *c, struct end *e)
{
	return remote_greet(&c->s->remote, e->host, &e->remote);
}

/* A path of the server as scp writes it: from the home directory, with ~. */
static int
server_path(const struct copy *c, struct end *e, const struct scp_name *name,
    char **out_path)
{
	struct peer *p = e->remote.peer;
	const char *path = path_of(name, e);

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0')) {
		path++;
		path += strspn(path, "/");
	}
	if (path[0] == '~') {
		int rc = greet(c, e);

		if (rc != 0)
			return rc;
		rc = call_expand(p, path, out_path);
		if (rc == SSH_FX_OP_UNSUPPORTED)
			show_error("%s: this server cannot say whose home that "
				   "is; give the whole path",
			    path);
		else if (rc != 0)
			show_error("%s: %s", path, peer_text(p, rc));
		return rc;
	}
	*out_path = strdup(path[0] != '\0' ? path : ".");
	return *out_path != NULL ? 0 : -ENOMEM;
}

/* --- the ends ------------------------------------------------------------ */

static void
add_result(struct xfer_result *sum, const struct xfer_result *r)
{
	sum->files += r->files;
	sum->directories += r->directories;
	sum->bytes += r->bytes;
	sum->failed += r->failed;
	sum->stopped |= r->stopped;
	sum->seconds += r->seconds;
}

/* Do what was added. */
static void
run(struct copy *c)
{
	const struct end *ends[] = { &c->from, &c->to };
	int rc;

	if (c->x == NULL)
		return;
	rc = xfer_run(c->x);
	for (size_t i = 0; rc != 0 && i < nitems_of(ends); i++)
		if (ends[i]->remote.peer != NULL &&
		    peer_dead(ends[i]->remote.peer) != 0)
			remote_say_end(
			    &c->s->remote, ends[i]->host, &ends[i]->remote, rc);
	if (rc != 0)
		c->s->failed++;
	add_result(&c->s->result, xfer_result(c->x));
	xfer_free(c->x);
	c->x = NULL;
}

static bool
same_host(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int
reach(struct copy *c, struct end *e, const char *host)
{
	if (same_host(e->host, host) && (host == NULL || e->remote.peer))
		return 0;
	run(c);
	remote_close(&e->remote);
	e->host = host;
	return host != NULL ? remote_sftp(&c->s->remote, host, &e->remote) : 0;
}

/* --- the target ---------------------------------------------------------- */

static int
open_local_target(struct copy *c)
{
	struct stat st;
	int error = stat(c->target->path, &st) == 0 ? 0 : -errno;

	c->to_path = strdup(c->target->path[0] ? c->target->path : ".");
	c->to_is_dir = error == 0 && S_ISDIR(st.st_mode);
	if (c->to_path == NULL)
		return -ENOMEM;
	if (c->s->many && !c->to_is_dir) {
		show_error("%s: %s", c->to_path,
		    strerror(error != 0 ? -error : ENOTDIR));
		return -ENOTDIR;
	}
	return 0;
}

/* Several sources make the directory, as OpenSSH's scp does it. */
static int
open_server_target(struct copy *c)
{
	struct peer *p;
	int rc = reach(c, &c->to, c->target->host);

	if (rc != 0)
		return rc;
	p = c->to.remote.peer;
	rc = server_path(c, &c->to, c->target, &c->to_path);
	if (rc != 0)
		return rc;
	c->to_is_dir = call_is_dir(p, c->to_path);
	rc = greet(c, &c->to);
	if (rc != 0 || !c->s->many || c->to_is_dir)
		return rc;
	rc = call_mkdir(p, c->to_path, 0777);
	if (rc != 0)
		show_error(
		    "remote mkdir \"%s\": %s", c->to_path, peer_text(p, rc));
	c->to_is_dir = rc == 0;
	return rc;
}

/* --- the sources --------------------------------------------------------- */

static int
add_local(struct copy *c, const struct scp_name *source)
{
	AUTOFREE char *name = scp_last_name(source->path);
	struct stat st;

	if (name == NULL)
		return -ENOMEM;
	if (stat(source->path, &st) != 0) {
		show_error(
		    "stat local \"%s\": %s", source->path, strerror(errno));
		return -errno;
	}
	return add(c, source->path, name, false);
}

/* Several files cannot go into one: make the directory, if nothing is there. */
static int
need_dir(struct copy *c, const char *pattern)
{
	struct stat st;

	if (c->to_is_dir)
		return 0;
	if (c->to.host == NULL && stat(c->to_path, &st) != 0 &&
	    mkdir(c->to_path, 0777) == 0)
		c->to_is_dir = true;
	if (c->to.host != NULL &&
	    call_mkdir(c->to.remote.peer, c->to_path, 0777) == 0)
		c->to_is_dir = true;
	if (c->to_is_dir)
		return 0;
	show_error("Multiple files match \"%s\", but destination \"%s\" is not "
		   "a directory",
	    pattern, c->to_path);
	return -ENOTDIR;
}

static int
add_matches(struct copy *c, const char *pattern, const struct list *paths)
{
	/* A target that the user wrote is no name of the server's. */
	bool chosen = list_has_magic(pattern);
	int rc = 0;

	if (paths->n == 0) {
		show_error("%s: %s", pattern, strerror(ENOENT));
		return -ENOENT;
	}
	if (paths->n > 1)
		rc = need_dir(c, pattern);
	for (size_t i = 0; rc == 0 && i < paths->n; i++) {
		AUTOFREE char *name = scp_last_name(paths->entries[i].name);

		rc = name == NULL ? -ENOMEM
				  : add(c, paths->entries[i].name, name,
					chosen && c->to_is_dir);
	}
	return rc;
}

static int
add_server(struct copy *c, const struct scp_name *source)
{
	AUTO(list_done) struct list paths = LIST_INIT;
	AUTOFREE char *pattern = NULL;
	struct peer *p = c->from.remote.peer;
	int rc = server_path(c, &c->from, source, &pattern);

	if (rc == 0 && list_has_magic(pattern))
		rc = greet(c, &c->from);
	if (rc != 0)
		return rc;
	rc = list_glob(p, pattern, &paths);
	if (rc != 0) {
		show_error("%s: %s", pattern, peer_text(p, rc));
		return rc;
	}
	return add_matches(c, pattern, &paths);
}

static int
add_source(struct copy *c, const struct scp_name *source)
{
	int rc;

	if (!same_host(c->from.host, source->host))
		run(c);
	rc = reach(c, &c->from, source->host);
	if (rc != 0)
		return rc;
	if (c->x == NULL)
		c->x = xfer_new(c->from.remote.peer, c->to.remote.peer,
		    &c->s->options, c->s->progress);
	if (c->x == NULL)
		return -ENOMEM;
	return source->host != NULL ? add_server(c, source)
				    : add_local(c, source);
}

void
scp_sftp(struct scp *s, const struct scp_name *sources, size_t n,
    const struct scp_name *target)
{
	struct copy c = { .s = s, .target = target };
	int rc = target->host != NULL ? open_server_target(&c)
				      : open_local_target(&c);

	if (rc != 0)
		s->failed++;
	for (size_t i = 0; rc == 0 && i < n && !interrupt_seen(); i++)
		if (add_source(&c, &sources[i]) != 0)
			s->failed++;
	run(&c);
	s->result.stopped |= interrupt_seen();
	remote_close(&c.from.remote);
	remote_close(&c.to.remote);
	free(c.to_path);
}
