/*
 * systemd's two interfaces. Runs in sshd as root; the environment is that of
 * who started it.
 */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/systemd.h"

#define NOTE_MAX 512

/* --- sd_notify(3) */

/* Whoever does not listen misses it: nothing depends on it here. */
static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	AUTOCLOSE int fd = -1;

	if (len < 2 || len >= sizeof(addr.sun_path) ||
	    (*path != '/' && *path != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0'; /* unix(7), abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		(struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_debug("NOTIFY_SOCKET %s: %s", path, err_str(-errno));
}

void
systemd_ready(const char *status)
{
	char text[NOTE_MAX];

	snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld\nSTATUS=%s",
	    (long)getpid(), status);
	notify(text);
}

void
systemd_reloading(void)
{
	struct timespec now;
	char text[NOTE_MAX];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify(text);
}

void
systemd_stopping(void)
{
	notify("STOPPING=1");
}

/* --- sd_listen_fds(3) */

static unsigned
number(const char *name)
{
	const char *text = getenv(name), *why = NULL;
	long long n = text != NULL ? strtonum(text, 1, INT32_MAX, &why) : 0;

	return why == NULL ? (unsigned)n : 0;
}

unsigned
systemd_fds(void)
{
	unsigned n = number("LISTEN_FDS");

	if (number("LISTEN_PID") != (unsigned)getpid())
		n = 0;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return n;
}

static bool
is_listener(int fd)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return false;
	len = sizeof(listens);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       type == SOCK_STREAM && listens != 0;
}

int
systemd_listeners(struct listeners *l, unsigned n, char why[LISTENER_WHY_MAX])
{
	*l = (struct listeners){ .given = true };
	if (n > LISTENER_MAX) {
		snprintf(why, LISTENER_WHY_MAX,
		    "the socket unit has %u sockets; %d are possible", n,
		    LISTENER_MAX);
		return -E2BIG;
	}
	for (unsigned i = 0; i < n; i++) {
		int fd = SYSTEMD_FIRST_FD + (int)i;
		struct listener *at = &l->v[l->n];

		if (!is_listener(fd)) {
			snprintf(why, LISTENER_WHY_MAX,
			    "descriptor %d is no listening socket; the socket "
			    "unit needs ListenStream= and Accept=no, or for "
			    "Accept=yes a service that runs sshd -i",
			    fd);
			return -ENOTSOCK;
		}
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		at->fd = fd;
		at->addr_len = sizeof(at->addr);
		(void)getsockname(
		    fd, (struct sockaddr *)&at->addr, &at->addr_len);
		l->n++;
	}
	return 0;
}

/* --- what the configuration wants and does not get */

/* An IPv6 socket for every address takes IPv4 too, as systemd opens it. */
static bool
covers(const struct listener *l, const struct listen *want)
{
	struct listener_name at;

	listener_name(&l->addr, l->addr_len, &at);
	return at.port == want->port &&
	       (want->host == NULL || strcmp(at.addr, want->host) == 0 ||
		   strcmp(at.addr, "::") == 0 ||
		   strcmp(at.addr, "0.0.0.0") == 0);
}

static void
warn_of(const struct listeners *l, const struct listen *want)
{
	for (size_t i = 0; i < l->n; i++)
		if (covers(&l->v[i], want))
			return;
	log_info("%s has no effect: systemd's socket unit does not listen on "
		 "%s%sport %u; write ListenStream= there, or disable the unit",
	    want->host != NULL ? "ListenAddress" : "Port",
	    want->host != NULL ? want->host : "", want->host != NULL ? " " : "",
	    want->port);
}

void
systemd_warn(const struct listeners *l, const struct options *o)
{
	struct listens wanted;

	if (o->set[OPT_listen_address] && options_listen(o, &wanted) == 0) {
		for (size_t i = 0; i < wanted.n; i++)
			warn_of(l, &wanted.v[i]);
		listens_done(&wanted);
	} else if (o->set[OPT_port]) {
		for (size_t i = 0; i < o->port.n; i++) {
			struct listen want = { NULL, o->port.v[i], NULL };

			warn_of(l, &want);
		}
	}
}
