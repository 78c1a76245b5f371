/*
 * The agent's socket, as ssh-agent(1) makes its own: in a directory that only
 * the user can enter. Runs in sshd-forward, as the user.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "forward/agent.h"

#define AGENT_DIR AGENT_PLACE "/ssh-XXXXXXXXXX"
#define AGENT_BACKLOG 128

static int
listen_at(const char *path, int *out_fd)
{
	AUTOCLOSE int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t before;
	int rc;

	if (fd < 0)
		return -errno;
	strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
	before = umask(0177);
	rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 ? 0 : -errno;
	umask(before);
	if (rc == 0 && listen(fd, AGENT_BACKLOG) != 0)
		rc = -errno;
	if (rc == 0)
		*out_fd = take_fd(&fd);
	return rc;
}

int
agent_listen(struct agent *a, int *out_fd)
{
	int rc;

	if (a->dir[0] != '\0')
		return -EEXIST;
	strlcpy(a->dir, AGENT_DIR, sizeof(a->dir));
	if (mkdtemp(a->dir) == NULL) {
		rc = -errno;
		a->dir[0] = '\0';
		return rc;
	}
	snprintf(
	    a->path, sizeof(a->path), "%s/agent.%ld", a->dir, (long)getpid());
	rc = listen_at(a->path, out_fd);
	if (rc != 0)
		agent_done(a);
	return rc;
}

void
agent_done(struct agent *a)
{
	if (a->dir[0] == '\0')
		return;
	(void)unlink(a->path);
	(void)rmdir(a->dir);
	a->dir[0] = '\0';
}
