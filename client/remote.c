/* Reaching the server of a copy. Runs in the client. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/link_mux.h"
#include "client/master.h"
#include "client/mux.h"
#include "client/remote.h"
#include "client/sharer.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

#define ARGS_MAX 64
#define SUBSYSTEM "sftp"

/* What is to be started for SFTP. */
static const char *
server_of(const struct remote_options *o)
{
	return o->subsystem != NULL ? o->subsystem : SUBSYSTEM;
}

/* --- -D ------------------------------------------------------------------ */

/* Words at white space, as OpenSSH's -D has them. */
static int
spawn_direct(const char *command, struct link **out_link)
{
	AUTOFREE char *text = strdup(command);
	char *argv[ARGS_MAX + 1] = { NULL };
	char *at = text, *word;
	size_t n = 0;

	if (text == NULL)
		return -ENOMEM;
	while ((word = strsep(&at, " \t")) != NULL && n < ARGS_MAX)
		if (*word != '\0')
			argv[n++] = word;
	return n > 0 ? link_spawn(argv, out_link) : -EINVAL;
}

/* --- -S ------------------------------------------------------------------ */

struct args {
	char *argv[ARGS_MAX + 1];
	size_t n;
};

static void
add_arg(struct args *a, const char *text)
{
	if (a->n < ARGS_MAX)
		a->argv[a->n++] = (char *)(uintptr_t)text;
}

static int
spawn_ssh(const struct remote_options *o, const char *target,
    const char *command, struct link **out_link)
{
	struct target t = { 0 };
	struct args a = { .n = 0 };
	const char *why = "";
	char port[16];
	int rc = target_parse(target, o->scheme, &t, &why);

	if (rc != 0) {
		show_error("%s: %s", target, why);
		return rc;
	}
	add_arg(&a, o->program);
	add_arg(&a, "-x");
	add_arg(&a, "-oClearAllForwardings=yes");
	for (size_t i = 0; o->program_args[i] != NULL; i++)
		add_arg(&a, o->program_args[i]);
	if (t.user != NULL) {
		add_arg(&a, "-l");
		add_arg(&a, t.user);
	}
	snprintf(port, sizeof(port), "%d", t.port);
	if (t.port != 0) {
		add_arg(&a, "-p");
		add_arg(&a, port);
	}
	if (command == NULL && (o->subsystem == NULL || o->subsystem[0] != '/'))
		add_arg(&a, "-s");
	add_arg(&a, "--");
	add_arg(&a, t.host);
	add_arg(&a, command != NULL ? command : server_of(o));
	rc = link_spawn(a.argv, out_link);
	target_done(&t);
	return rc;
}

/* --- our own ------------------------------------------------------------- */

/*
 * A master in the background has the connection from now on, for us and for
 * those who come after us.
 */
static int
share(struct client *c, const char *path, int *out_master)
{
	uint32_t pid;
	int rc = master_start(c, path);

	if (rc != 0) {
		show_error("ControlSocket %s: %s; the connection is not shared",
		    path,
		    rc == -EADDRINUSE ? "it exists already" : err_str(rc));
		return 0;
	}
	*out_master = mux_connect(path, &pid);
	if (*out_master >= 0)
		return 0;
	show_error("ControlPath %s: %s", path, err_str(*out_master));
	return *out_master;
}

/* By a connection that is shared already, or one of our own. */
static int
log_in(struct client *c, int *out_master)
{
	int rc;
	AUTOFREE char *path = sharer_path(c, &rc);

	if (rc != 0)
		return rc;
	*out_master = sharer_reach(c, path);
	if (*out_master >= 0)
		return 0;
	rc = client_connect(c);
	if (rc == 0 && path != NULL && sharer_is_master(c))
		rc = share(c, path, out_master);
	return rc;
}

static int
connect_to(const struct remote_options *o, const char *target, struct remote *r,
    int *out_master)
{
	int rc = client_copy(o->flags, &r->client);

	if (rc == 0)
		rc = client_target(r->client, target, o->scheme, &r->path);
	if (rc == 0)
		rc = sshconf_put(
		    client_conf(r->client), KW_CLEAR_FORWARDINGS, "yes");
	if (rc == 0)
		rc = client_prepare(r->client);
	return rc == 0 ? log_in(r->client, out_master) : rc;
}

static void
say_refused(const char *host, const char *what, const char *why, bool is_sftp)
{
	show_error("%s: the server does not start \"%s\"%s%s%s", host, what,
	    why != NULL && *why != '\0' ? ": " : "", why != NULL ? why : "",
	    is_sftp ? "; scp -O can do without SFTP" : "");
}

static int
open_channel(const struct remote_options *o, const char *command, int master,
    struct remote *r)
{
	struct sshconf *conf = client_conf(r->client);
	const char *what = server_of(o);
	struct link_spec spec = {
		.alive_seconds = sshconf_number(conf, KW_ALIVE_INTERVAL),
		.alive_most = sshconf_number(conf, KW_ALIVE_COUNT),
		.ahead = command == NULL,
	};
	AUTOFREE char *why = NULL;
	int rc;

	spec.what = command != NULL ? command : what;
	spec.kind =
	    command != NULL || what[0] == '/' ? LINK_COMMAND : LINK_SUBSYSTEM;
	rc = master >= 0 ? link_mux(master, &spec, &r->link, &why)
			 : link_ssh(client_session(r->client), &spec, &r->link);
	if (rc == -ECONNREFUSED)
		say_refused(
		    client_host(r->client), spec.what, why, command == NULL);
	else if (rc != 0 && master >= 0)
		show_error("%s: the shared connection: %s",
		    client_host(r->client), err_str(rc));
	return rc;
}

static int
open_link(const struct remote_options *o, const char *target,
    const char *command, struct remote *r)
{
	int master = -1, rc;

	if (o->direct != NULL)
		return spawn_direct(
		    command != NULL ? command : o->direct, &r->link);
	if (o->program != NULL)
		return spawn_ssh(o, target, command, &r->link);
	rc = connect_to(o, target, r, &master);
	return rc == 0 ? open_channel(o, command, master, r) : rc;
}

int
remote_sftp(const struct remote_options *o, const char *target,
    struct remote *out_remote)
{
	struct remote r = { 0 };
	int rc = open_link(o, target, NULL, &r);

	if (rc == 0)
		rc = peer_new(take_ptr(&r.link), &r.peer);
	if (rc != 0)
		remote_close(&r);
	else
		*out_remote = r;
	return rc;
}

int
remote_greet(
    const struct remote_options *o, const char *target, struct remote *r)
{
	int rc = peer_greet(r->peer);

	if (rc != 0)
		remote_say_end(o, target, r, rc);
	return rc;
}

void
remote_say_end(const struct remote_options *o, const char *target,
    const struct remote *r, int rc)
{
	/* The answer to what link_ssh() asked for. */
	if (rc == -ECONNREFUSED && r->client != NULL)
		say_refused(client_host(r->client), server_of(o), NULL, true);
	else
		show_error("%s: %s", target, peer_text(r->peer, rc));
}

int
remote_command(const struct remote_options *o, const char *target,
    const char *command, struct remote *out_remote)
{
	struct remote r = { 0 };
	int rc = open_link(o, target, command, &r);

	if (rc != 0)
		remote_close(&r);
	else
		*out_remote = r;
	return rc;
}

int
remote_close(struct remote *r)
{
	int status = r->peer != NULL ? peer_free(r->peer) : link_close(r->link);

	client_free(r->client);
	free(r->path);
	*r = (struct remote){ 0 };
	return status;
}
