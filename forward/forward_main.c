/*
 * sshd-forward: the user's hands in the network. Runs as the user, with the
 * user's groups and limits, one for each connection that forwards something;
 * makes connected and listening sockets for its sshd-monitor, and sees none of
 * the bytes that go through them.
 *
 * Peer: HELPER_MONITOR_FD, its sshd-monitor. Requests have been judged there;
 * what the user may, the kernel judges here.
 *
 * With an argument it is part of sshd's proof before it serves: see prove.h.
 */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "common/err.h"
#include "common/nofile.h"
#include "common/own.h"
#include "forward/jail.h"
#include "forward/loop.h"
#include "forward/prove.h"

#define EXIT_LOST 1 /* started by hand, or this build is not the monitor's */

/* Two addresses of each name at a time, and a few: as far as the user may. */
#define FILES_MAX 4096
_Static_assert(FORWARD_CHANNELS_MAX * 2 < FILES_MAX, "one a connection");

int
main(int argc, char **argv, char **envp)
{
	struct helper h = { .dials = NULL };

	setproctitle_init(argc, argv, envp);
	signal(SIGPIPE, SIG_IGN);
	/* A hang-up of the user's processes is not the connection's end. */
	signal(SIGHUP, SIG_IGN);
	(void)nofile_raise(FILES_MAX);
	if (argc == 2 && (strcmp(argv[1], FORWARD_TRY) == 0 ||
			     strcmp(argv[1], FORWARD_PROVE) == 0))
		_exit(prove(strcmp(argv[1], FORWARD_PROVE) == 0));
	if (forward_jail() != 0)
		return FORWARD_EXIT_JAIL;
	if (loop_init(&h, HELPER_MONITOR_FD) != 0)
		return EXIT_LOST;
	setproctitle("[forward]");
	loop_serve(&h);
	_exit(0);
}
