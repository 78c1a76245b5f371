/*
 * sftp-server(8): SFTP version 3 on stdin and stdout, as the user who logged
 * in. What needs a name service, a library or a privilege is done first; then
 * the jail, then the client's first byte. Believes its command line, its
 * environment's SSH_CONNECTION for the log only, and nothing that comes in.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "sftp-server/jail.h"
#include "sftp-server/op.h"
#include "sftp-server/option.h"
#include "sftp-server/place.h"
#include "sftp-server/reply.h"
#include "sftp-server/server.h"

#define EXIT_PROTOCOL 11 /* as OpenSSH's */

static const char *
program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void
usage(const char *name)
{
	fprintf(stderr,
	    "usage: %s [-ehR] [-C root_directory] [-d start_directory]\n"
	    "\t[-f log_facility] [-J hash] [-j audit_facility] [-l log_level]\n"
	    "\t[-P denied_requests] [-p allowed_requests] [-u umask]\n"
	    "       %s -Q requests | jail\n",
	    name, name);
}

/* Told to the log and, before there is a client to confuse, on stderr. */
static int
fatal(const struct server *s, const char *what, int error)
{
	slog(SLOG_FATAL, "%s: %s", what, err_str(error));
	if (!s->opt->log_stderr)
		fprintf(stderr, "sftp-server: %s: %s\n", what, err_str(error));
	return EXIT_FAILURE;
}

/* No file that is opened later may come to stand for a standard one. */
static void
fill_descriptors(void)
{
	int fd;

	closefrom(STDERR_FILENO + 1);
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void
requests_print(void)
{
	for (size_t i = 0; op_at(i) != NULL; i++)
		puts(op_at(i)->name);
}

/* The first word of "client port server port" (ssh(1), ENVIRONMENT). */
static const char *
peer_address(void)
{
	static char peer[128];
	const char *text = getenv("SSH_CONNECTION");

	if (text == NULL)
		return "UNKNOWN";
	strlcpy(peer, text, sizeof(peer));
	peer[strcspn(peer, " ")] = '\0';
	return peer;
}

/* A start directory that is not there is no reason to turn a user away. */
static void
enter_directory(const struct options *opt, const char *start, const char *home)
{
	if (start != NULL) {
		if (chdir(start) != 0)
			slog(SLOG_ERROR, "chdir to \"%s\" failed: %s",
			    slog_name(start), strerror(errno));
	} else if (opt->root_dir != NULL)
		(void)(chdir(home) == 0 || chdir("/") == 0);
}

static int
confine(struct server *s)
{
	struct jail_report report;
	int error =
	    jail_enter(s->opt->readonly ? JAIL_READ : JAIL_WRITE, &report);

	if (error != 0)
		return fatal(s, "cannot enter the jail", error);
	slog(report.seccomp ? SLOG_VERBOSE : SLOG_ERROR,
	    "jail: seccomp %s, Landlock %s (ABI %d)",
	    report.seccomp ? "yes" : "no", report.landlock ? "yes" : "no",
	    report.landlock);
	return 0;
}

/*
 * Who wakes us up with a request has more of them, mostly. A batch process does
 * not take the processor from the one that feeds it (sched(7)), so that fewer
 * turns do for all of them. Another policy than the usual is somebody's wish.
 */
static void
be_batch(void)
{
	struct sched_param param = { 0 };

	if (sched_getscheduler(0) == SCHED_OTHER)
		(void)sched_setscheduler(0, SCHED_BATCH, &param);
}

/* All that needs more than the jail has; 0 or an exit status. */
static int
prepare(struct server *s)
{
	const struct options *opt = s->opt;
	AUTOFREE char *start = NULL;
	int error;

	tzset();
	be_batch();
	if (opt->umask >= 0)
		(void)umask((mode_t)opt->umask);
	error = names_init(&s->names);
	if (error != 0)
		return fatal(s, "no user for this uid", error);
	if (opt->start_dir != NULL) {
		error = options_start_dir(opt, &s->names, &start);
		if (error != 0)
			return fatal(s, "start directory", error);
	}
	error = server_init(s, opt);
	if (error != 0)
		return fatal(s, "buffers", error);
	slog(SLOG_INFO, "session opened for local user %s from [%s]",
	    s->names.user, s->peer);
	if (opt->root_dir != NULL) {
		error = jail_root(opt->root_dir);
		if (error != 0)
			return fatal(
			    s, "cannot enter the root directory", error);
	}
	enter_directory(opt, start, s->names.home);
	if (opt->root_dir != NULL) {
		error = place_begin(s);
		if (error != 0)
			return fatal(
			    s, "cannot hold the root directory", error);
	}
	audit_begin(s);
	lend_begin(s);
	server_prepare_fds();
	server_prepare_signals(s);
	return confine(s);
}

/* What ended the session, as an exit status. */
static int
conclude(struct server *s, int result)
{
	for (uint32_t i = 0; i < s->handles.nslots; i++)
		if (s->handles.slot[i].kind != HANDLE_FREE)
			op_close_forced(s, &s->handles.slot[i]);
	audit_end(s, result);
	if (result == -EBADMSG || result == -EMSGSIZE || result == -EPROTO)
		slog(SLOG_ERROR, "bad message from %s local user %s: %s",
		    s->peer, s->names.user, err_str(result));
	slog(SLOG_INFO, "session closed for local user %s from [%s]",
	    s->names.user, s->peer);
	if (result == 0 || result == -EPIPE)
		return EXIT_SUCCESS;
	return result == -EINTR ? EXIT_FAILURE : EXIT_PROTOCOL;
}

int
main(int argc, char **argv)
{
	static struct server server;
	const char *name = program_name(argc > 0 ? argv[0] : "sftp-server");
	const char *complaint;
	struct options opt;
	int status;

	fill_descriptors();
	if (options_parse(argc, argv, &opt, &complaint) != 0) {
		if (complaint != NULL)
			fprintf(stderr, "%s: %s\n", name, complaint);
		usage(name);
		return EXIT_FAILURE;
	}
	if (opt.query_requests)
		requests_print();
	if (opt.query_jail)
		jail_print(stdout);
	if (opt.query_requests || opt.query_jail)
		return EXIT_SUCCESS;
	slog_open(name, opt.log_level, opt.log_facility, opt.log_stderr);
	slog_record_to(opt.audit_facility);
	server.opt = &opt;
	server.uid = getuid();
	server.peer = peer_address();
	status = prepare(&server);
	if (status == 0)
		status = conclude(&server, server_run(&server));
	server_done(&server);
	return status;
}
