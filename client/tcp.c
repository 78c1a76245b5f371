/*
 * Sockets of forwardings. Runs as the user.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "client/tcp.h"
#include "common/err.h"
#include "common/own.h"

#define BACKLOG 128

static int
port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		return 0;
	return ntohs(sa.ss_family == AF_INET6
			 ? ((struct sockaddr_in6 *)&sa)->sin6_port
			 : ((struct sockaddr_in *)&sa)->sin_port);
}

int
tcp_listen(const struct address *at, int *out_port)
{
	AUTOCLOSE int fd = socket(
	    at->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->sa.ss_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at->sa, at->len) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return -errno;
	*out_port = port_of(fd);
	return take_fd(&fd);
}

static int
unix_address(const char *path, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return strlcpy(out->sun_path, path, sizeof(out->sun_path)) <
		       sizeof(out->sun_path)
		   ? 0
		   : -ENAMETOOLONG;
}

int
unix_listen(const char *path, unsigned mask, bool unlink_first)
{
	AUTOCLOSE int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;
	struct stat st;
	mode_t before;
	int rc = unix_address(path, &sun);

	if (fd < 0)
		return -errno;
	if (rc != 0)
		return rc;
	if (unlink_first && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	before = umask((mode_t)mask);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 ? 0 : -errno;
	umask(before);
	if (rc == 0 && listen(fd, BACKLOG) != 0)
		rc = -errno;
	return rc == 0 ? take_fd(&fd) : rc;
}

int
unix_connect(const char *path)
{
	AUTOCLOSE int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;
	int rc = unix_address(path, &sun);

	if (fd < 0)
		return -errno;
	if (rc != 0)
		return rc;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0)
		return -errno;
	return take_fd(&fd);
}

/* --- connecting */

static int
try_one(const struct address *to)
{
	AUTOCLOSE int fd = socket(
	    to->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return take_fd(&fd);
}

void
connecting_stop(struct connecting *c)
{
	if (c->watch.fd < 0)
		return;
	loop_unwatch(c->loop, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
}

static void try_next(struct connecting *c, int error);

static void
on_connected(void *arg, uint32_t events)
{
	struct connecting *c = arg;
	int error = 0, fd = c->watch.fd;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		connecting_stop(c);
		try_next(c, -error);
		return;
	}
	loop_unwatch(c->loop, &c->watch);
	c->watch.fd = -1;
	c->done(c->arg, fd);
}

static void
try_next(struct connecting *c, int error)
{
	while (c->at < c->to.n) {
		int fd = try_one(&c->to.v[c->at++]);

		if (fd < 0) {
			error = fd;
			continue;
		}
		c->watch =
		    (struct watch){ .fd = fd, .fn = on_connected, .arg = c };
		error = loop_watch(c->loop, &c->watch, EPOLLOUT);
		if (error == 0)
			return;
		close(fd);
		c->watch.fd = -1;
	}
	c->done(c->arg, error);
}

void
connecting_start(struct connecting *c)
{
	c->at = 0;
	c->watch = (struct watch){ .fd = -1 };
	try_next(c, -ENOENT);
}
