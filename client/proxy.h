/*
 * Connections that go through another program: ProxyCommand, and ProxyJump,
 * which is this program again with -W.
 */
#ifndef CLIENT_PROXY_H
#define CLIENT_PROXY_H

#include <sys/types.h>

#include "client/expand.h"

struct proxy_jump {
	const char *hosts; /* as ProxyJump has them; the last is the nearest */
	const char *file;  /* -F of ours, or NULL */
	const char *host;  /* where to go from there */
	int port;
	int verbosity;
};

/*
 * Start the command with a shell; its stdin and stdout are the other end of
 * the socket that is returned. *out_pid is for proxy_end(). -errno: said.
 */
int proxy_command(const struct expand *e, const char *command, pid_t *out_pid);

/* The same through the hosts: another omniedge ssh -W. */
int proxy_jump(const struct proxy_jump *j, pid_t *out_pid);

/* Tell the process to end. 0: there is none. */
void proxy_end(pid_t pid);

#endif
