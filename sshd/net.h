/*
 * What one sshd-net knows: one client, one monitor, one libssh session. Runs
 * as the unprivileged user in the jail; nothing here decides anything.
 */
#ifndef SSHD_NET_H
#define SSHD_NET_H

/*
 * The message interface is called old, but it alone lets an answer wait, and
 * has what a callback lacks; every version so far has it.
 */
#define SSH_SUPPRESS_DEPRECATED
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "common/chan.h"

/* The descriptors it is started with; no other is open. */
#define NET_MONITOR_FD 3
#define NET_CLIENT_FD 4

struct session;
struct forward;
struct listener;
struct global;
struct idle;
struct grave;
struct idle_limit;

struct net {
	struct chan monitor;
	ssh_session ssh;
	ssh_event event;
	struct ssh_counter_struct raw; /* libssh counts packets here */
	uint64_t data_packets;         /* of these, channel data */
	uint64_t seen_packets;         /* other ones that were looked at */

	/* authentication */
	bool authenticated;   /* as the monitor said; it keeps its own record */
	char *user;           /* owned; NULL until the first request */
	unsigned methods;     /* what can continue */
	bool asked;           /* questions of PAM's are with the client */
	ssh_message refusal;  /* owned: a request kept to answer others with */
	uint64_t auth_parsed; /* requests that libssh began to read */
	uint64_t auth_seen;   /* of these, the ones that it handed over */

	/* connection */
	struct session *sessions; /* owned list */
	struct grave *graves;     /* owned list: closed on our side */
	unsigned nsessions;
	unsigned next_session;
	unsigned max_sessions;
	unsigned alive_interval; /* seconds; 0: never ask */
	unsigned alive_max;
	unsigned alive_unanswered;
	bool alive_asked;       /* libssh may hold an answer */
	uint64_t alive_packets; /* raw.in_packets at the last look */

	/* forwarding */
	struct forward *forwards; /* owned list */
	unsigned nforwards;
	unsigned max_forwards;
	struct listener *listeners; /* owned list */
	unsigned nlisteners;
	struct global *globals; /* owned queue: requests not answered yet */
	unsigned nglobals;
	uint32_t next_request; /* number of the next one */
	unsigned told;         /* enum forward_limit: said in the log */
	bool has_terms;        /* FORWARD_TERMS was asked: */
	bool may_agent;        /* its answer */

	/* the monitor's terms, once the user is known */
	bool terms_taken;
	struct idle *idles;             /* list of open channels */
	struct idle_limit *idle_limits; /* owned list: ChannelTimeout */
	int64_t global_limit;           /* its "global", ms; 0: none */
	int64_t unused_limit; /* UnusedConnectionTimeout, ms; 0: none */
	bool idle_active;     /* some channel moved bytes, or was closed */
	int64_t idle_since;   /* the last time that this was so */
	unsigned qos_interactive, qos_bulk; /* IPQoS; 256: the system's */
	unsigned qos_now;                   /* what is set; 256: nothing */
	unsigned logs;        /* lines that the monitor was told */
	unsigned signs;       /* exchange hashes that the monitor has signed */
	unsigned signs_due;   /* at this one, rekey_seconds is in force again */
	uint64_t rekey_bytes; /* RekeyLimit's amount; 0: libssh's own */
	uint32_t rekey_seconds; /* its time; 0: none */

	bool told_to_end; /* by the monitor, which says no more */
	bool leaving;
	enum bye_reason why;
	/* raw words of the peer or of libssh */
	char why_text[MSG_BYE_TEXT_MAX + 1];
};

/* End the connection after this turn of the loop; the first reason counts. */
void net_leave(struct net *n, enum bye_reason why, const char *text);

#endif
