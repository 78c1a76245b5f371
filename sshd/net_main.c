/*
 * sshd-net: speaks SSH with one client. Runs as the unprivileged user, in the
 * jail from before the client's first byte until it exits, and holds no key,
 * no password longer than a question takes, and no right to decide anything.
 *
 * Peers: NET_MONITOR_FD, its sshd-monitor; NET_CLIENT_FD, the client.
 */
#include "config.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/jail.h"
#include "common/log.h"
#include "common/own.h"
#include "common/readahead.h"
#include "sshd/ask.h"
#include "sshd/auth.h"
#include "sshd/grave.h"
#include "sshd/idle.h"
#include "sshd/listener.h"
#include "sshd/prove.h"
#include "sshd/residue.h"
#include "sshd/seam.h"
#include "sshd/session.h"
#include "sshd/terms.h"
#include "sshd/transport.h"

/*
 * Descriptors: one a forwarding, three a session and a listener, and a few.
 */
#define NET_NOFILE_MAX 4096
_Static_assert(
    FORWARD_CHANNELS_MAX + 3 * FORWARD_LISTENERS_MAX < NET_NOFILE_MAX / 2,
    "half of the descriptors are for sessions");

void
net_leave(struct net *n, enum bye_reason why, const char *text)
{
	if (n->leaving)
		return;
	n->leaving = true;
	n->why = why;
	strlcpy(n->why_text, text, sizeof(n->why_text));
}

/* Why libssh says that the session is over. */
static void
leave_by_error(struct net *n)
{
	static const struct {
		const char *begins;
		enum bye_reason why;
	} words[] = {
		{ "Socket error: disconnected", BYE_CLOSED },
		{ "Socket error: File exists", BYE_CLOSED },
		{ "Socket error: Success", BYE_CLOSED },
		{ "Socket error", BYE_RESET },
		{ "Received SSH_MSG_DISCONNECT", BYE_DISCONNECTED },
		{ "", BYE_PROTOCOL },
	};
	const char *text = ssh_get_error(n->ssh);
	size_t i = 0;

	while (strncmp(text, words[i].begins, strlen(words[i].begins)) != 0)
		i++;
	net_leave(n, words[i].why, text);
}

/* --- the jail */

/*
 * What libcrypto and libc look for in files or set up once, they must have
 * before the filter is on.
 */
static void
warm_up(void)
{
	uint8_t byte[1];
	time_t now = time(NULL);
	struct tm tm;

	(void)RAND_bytes(byte, sizeof(byte));
	localtime_r(&now, &tm);
}

/*
 * Which root directory, sshd has decided: without root and without user
 * namespaces there is none, and the filter alone keeps us from files.
 */
static int
enter_root(bool no_root)
{
	if (no_root)
		return 0;
	return fcntl(NET_ROOT_FD, F_GETFD) >= 0 ? jail_chroot_fd(NET_ROOT_FD)
						: jail_chroot(PRIVSEP_PATH);
}

/* Each step must succeed, and none can be undone. */
static int
enter_jail(bool no_root)
{
	int rc;

	warm_up();
	residue_init();
	rc = enter_root(no_root);
	if (rc == 0)
		rc = jail_drop_caps();
	if (rc == 0)
		rc = jail_limits(NET_NOFILE_MAX);
	if (rc == 0)
		rc = jail_seccomp(JAIL_NET);
	return rc;
}

/* --- the loop */

static int
on_monitor(socket_t fd, int revents, void *arg)
{
	(void)fd;
	(void)revents;
	ask_events(arg);
	return 0;
}

static bool
handle_service(struct net *n, ssh_message m)
{
	const char *service = ssh_message_service_service(m);

	if (service != NULL && strcmp(service, "ssh-userauth") == 0)
		ssh_message_service_reply_success(m);
	else
		net_leave(n, BYE_PROTOCOL, "unknown service");
	return false;
}

static bool
handle_open(struct net *n, ssh_message m)
{
	int type = ssh_message_subtype(m);

	/* The monitor would refuse as well: this saves it the question. */
	if (n->authenticated && type == SSH_CHANNEL_SESSION) {
		session_open(n, m);
		return false;
	}
	if (n->authenticated && type == SSH_CHANNEL_DIRECT_TCPIP)
		return forward_request(n, m);
	if (n->authenticated)
		forward_tell(n, TOLD_UNKNOWN);
	ssh_message_reply_default(m);
	return false;
}

static bool
handle_request(struct net *n, ssh_message m)
{
	session_request(n, m);
	return false;
}

/* What to do with each kind of message; true: it was kept. */
static const struct {
	int type;
	bool (*handle)(struct net *n, ssh_message m);
} messages[] = {
	{ SSH_REQUEST_SERVICE, handle_service },
	{ SSH_REQUEST_AUTH, auth_message },
	{ SSH_REQUEST_CHANNEL_OPEN, handle_open },
	{ SSH_REQUEST_CHANNEL, handle_request },
	{ SSH_REQUEST_GLOBAL, listener_global },
};

static void
handle(struct net *n, ssh_message m)
{
	bool kept = false;

	for (size_t i = 0; i < nitems_of(messages); i++)
		if (messages[i].type == ssh_message_type(m))
			kept = messages[i].handle(n, m);
	if (!kept)
		ssh_message_free(m);
	/* Before the client can open a channel: it opens them with these. */
	if (n->authenticated && !n->terms_taken)
		terms_take(n);
}

/* Whether a packet has come that is no channel's data. */
static bool
has_news(const struct net *n)
{
	return n->raw.in_packets - n->data_packets != n->seen_packets;
}

/*
 * Take the messages that libssh has queued. To ask for one costs a poll(2), so
 * it is not done for packets that were only channel data.
 */
static void
handle_messages(struct net *n)
{
	bool closed = grave_any_closed(n);
	ssh_message m;

	while (!n->leaving && (closed || has_news(n))) {
		n->seen_packets = n->raw.in_packets - n->data_packets;
		while (!n->leaving && (m = ssh_message_get(n->ssh)) != NULL)
			handle(n, m);
		auth_answer_dropped(n);
		closed = false;
	}
	if (!n->leaving)
		grave_free_closed(n);
}

/* ClientAliveInterval: when to look next, in ms; -1: never. */
static int64_t
keep_alive(struct net *n, int64_t now, int64_t *due)
{
	if (n->alive_interval == 0 || !n->authenticated)
		return -1;
	if (n->raw.in_packets != n->alive_packets || *due == 0) {
		n->alive_packets = n->raw.in_packets;
		n->alive_unanswered = 0;
		*due = now + (int64_t)n->alive_interval * 1000;
	}
	if (now < *due)
		return *due;
	/* A ClientAliveCountMax of 0 asks, and never ends the connection. */
	if (++n->alive_unanswered > n->alive_max && n->alive_max != 0) {
		net_leave(n, BYE_TIMEOUT, "");
		return *due;
	}
	/* libssh hands out the last answer first, and asks only then. */
	if (n->alive_asked)
		ssh_send_keepalive(n->ssh);
	ssh_send_keepalive(n->ssh);
	n->alive_asked = true;
	*due = now + (int64_t)n->alive_interval * 1000;
	return *due;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int
wait_ms(int64_t now, int64_t due)
{
	if (due < 0)
		return -1;
	return due <= now
		   ? 0
		   : (int)(due - now < INT32_MAX ? due - now : INT32_MAX);
}

static bool
is_over(const struct net *n)
{
	return (ssh_get_status(n->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) !=
		   0 ||
	       !ssh_is_connected(n->ssh);
}

/* All channels' turn; when it wants to come again. */
static int64_t
run_all(struct net *n, int64_t now)
{
	uint64_t before = n->raw.in_packets;
	int64_t next = session_run_all(n, now);

	do
		listener_run_all(n);
	while (forward_run_all(n));
	/* libssh has read meanwhile: who had had a turn may have work now. */
	return n->raw.in_packets != before ? now : next;
}

/*
 * Wait, and let libssh read what has been read ahead, of which it takes a few
 * kilobytes at a time: nobody else has anything to do meanwhile.
 */
static void
turn(struct net *n, int wait)
{
	do {
		/* After a fatal error libssh is deaf, and does not say so. */
		if (is_over(n) || ssh_event_dopoll(n->event, wait) == SSH_ERROR)
			leave_by_error(n);
	} while (
	    !n->leaving && readahead_held(NET_CLIENT_FD) != 0 && !has_news(n));
}

static void
serve(struct net *n)
{
	int64_t alive_due = 0;

	while (!n->leaving) {
		int64_t now = clock_ms();
		int64_t idle = idle_run(n, now);
		int64_t sessions = run_all(n, now);
		int64_t alive = keep_alive(n, now, &alive_due);
		int64_t due = sooner(sooner(sessions, alive), idle);

		terms_run(n);

		turn(n, wait_ms(now, due));
		handle_messages(n);
	}
}

static void
handshake(struct net *n)
{
	const char *banner;
	int rc;

	while ((rc = transport_handshake(n, -1)) == -EAGAIN)
		continue;
	if (rc == 0)
		return;
	banner = ssh_get_clientbanner(n->ssh);
	if (banner != NULL && strncmp(banner, "SSH-", 4) != 0)
		net_leave(n, BYE_BANNER, banner);
	leave_by_error(n);
}

/* --- the program */

static void
net_start(struct net *n)
{
	struct msg_setup_reply conf = ask_setup(n);
	const struct span blobs[SEAM_NKEYS] = { conf.ed25519, conf.ecdsa,
		conf.rsa };
	bool prove = conf.prove;
	int rc;

	rc = seam_init(n, blobs);
	if (rc == 0)
		rc = transport_init(n, &conf);
	if (rc != 0) {
		net_leave(n, BYE_LOCAL,
		    n->ssh != NULL ? ssh_get_error(n->ssh) : err_str(rc));
		return;
	}
	auth_watch(n);
	handshake(n);
	if (prove && !n->leaving) {
		prove_calls();
		tell_proven(n);
	}
	if (ssh_event_add_fd(n->event, NET_MONITOR_FD, POLLIN, on_monitor, n) !=
	    SSH_OK)
		net_leave(n, BYE_LOCAL, "out of memory");
}

static void
net_end(struct net *n)
{
	listener_free_all(n);
	session_free_all(n);
	forward_free_all(n);
	if (n->ssh != NULL && n->why != BYE_CLOSED && n->why != BYE_RESET) {
		ssh_session_set_disconnect_message(
		    n->ssh, n->why_text[0] != '\0' ? n->why_text : "Goodbye");
		ssh_disconnect(n->ssh);
	}
	tell_bye(n);
}

/* For sshd -V, which may not link libssh. */
static int
print_version(void)
{
	fprintf(stderr, "libssh %s\n", ssh_version(0));
	return 0;
}

int
main(int argc, char **argv, char **envp)
{
	struct net n = { .max_forwards = FORWARD_CHANNELS_MAX };
	bool no_root = argc == 2 && strcmp(argv[1], NET_NO_ROOT) == 0;
	int rc;

	if (argc == 2 && strcmp(argv[1], "-V") == 0)
		return print_version();
	setproctitle_init(argc, argv, envp);
	signal(SIGPIPE, SIG_IGN);
	rc = chan_init(&n.monitor, NET_MONITOR_FD, NET, MONITOR);
	if (rc == 0)
		rc = enter_jail(no_root);
	if (rc != 0) {
		char why[256];

		snprintf(why, sizeof(why),
		    "sshd-net cannot enter its jail (%s): %s", PRIVSEP_PATH,
		    err_str(rc));
		tell_log(&n, LEVEL_ERROR, why);
		return NET_EXIT_JAIL;
	}
	setproctitle("[net]");
	net_start(&n);
	serve(&n);
	net_end(&n);
	/* The kernel frees it faster than libcrypto takes itself apart. */
	_exit(0);
}
