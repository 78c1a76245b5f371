/*
 * The terms of a connection. Runs in sshd-net; they are the monitor's.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/option.h"
#include "sshd/ask.h"
#include "sshd/idle.h"
#include "sshd/session.h"
#include "sshd/terms.h"

#define REKEY_SOON 1 /* seconds */

/*
 * libssh takes a new amount at the next key exchange, and a new time at once.
 * So that an amount of a Match block counts from the start, the time is short
 * until that exchange has begun.
 */
static void
set_rekey(struct net *n, const struct msg_terms_reply *terms)
{
	uint64_t bytes = terms->rekey_kib * 1024;
	uint32_t soon = REKEY_SOON;

	n->rekey_seconds = (uint32_t)terms->rekey_seconds;
	if (bytes == n->rekey_bytes) {
		(void)ssh_options_set(
		    n->ssh, SSH_OPTIONS_REKEY_TIME, &n->rekey_seconds);
		return;
	}
	n->rekey_bytes = bytes;
	n->signs_due = n->signs + 1;
	(void)ssh_options_set(n->ssh, SSH_OPTIONS_REKEY_DATA, &bytes);
	(void)ssh_options_set(n->ssh, SSH_OPTIONS_REKEY_TIME, &soon);
}

void
terms_take(struct net *n)
{
	struct msg_terms_reply terms = ask_terms(n);

	n->terms_taken = true;
	n->max_sessions = (unsigned)terms.max_sessions;
	n->alive_interval = (unsigned)terms.alive_interval;
	n->alive_max = (unsigned)terms.alive_count;
	n->qos_interactive = (unsigned)terms.qos_interactive;
	n->qos_bulk = (unsigned)terms.qos_bulk;
	n->qos_now = OPTION_QOS_NONE;
	if (idle_init(n, &terms) != 0)
		net_leave(n, BYE_LOCAL, "out of memory");
	set_rekey(n, &terms);
}

void
terms_run(struct net *n)
{
	if (n->signs_due == 0 || n->signs < n->signs_due)
		return;
	n->signs_due = 0;
	(void)ssh_options_set(
	    n->ssh, SSH_OPTIONS_REKEY_TIME, &n->rekey_seconds);
}

/* A person sits at a terminal, as long as there is one. */
static bool
is_interactive(const struct net *n)
{
	for (const struct session *s = n->sessions; s != NULL; s = s->next)
		if (s->started && s->pty)
			return true;
	return false;
}

void
terms_qos(struct net *n)
{
	unsigned want = is_interactive(n) ? n->qos_interactive : n->qos_bulk;
	int value = want == OPTION_QOS_NONE ? 0 : (int)want;

	if (want == n->qos_now)
		return;
	n->qos_now = want;
	/* One of the two is not this socket's, and fails or does no harm. */
	(void)setsockopt(
	    NET_CLIENT_FD, IPPROTO_IP, IP_TOS, &value, sizeof(value));
	(void)setsockopt(
	    NET_CLIENT_FD, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
}
