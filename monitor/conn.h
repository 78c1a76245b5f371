/*
 * One connection as its sshd-monitor sees it: who is there, what has been
 * proved, what runs for it. Everything the network process is told or given
 * is decided from this.
 */
#ifndef MONITOR_CONN_H
#define MONITOR_CONN_H

#include <poll.h>
#include <time.h>

#include "common/authkeys.h"
#include "common/chan.h"
#include "common/conf.h"
#include "common/log.h"
#include "monitor/account.h"
#include "monitor/hostkey.h"
#include "monitor/lab.h"

#define MONITOR_NET_FD 3  /* the descriptors it is started with: */
#define MONITOR_SSHD_FD 4 /* and /dev/null or a log at 0, 1 and 2 */

/*
 * How long the network process may leave unread what fills its queue, which
 * has room for 200 messages: an honest one reads at once.
 */
#define CONN_PATIENCE_MS 10000

/*
 * The exit status that tells sshd what a connection without a login has done:
 * this and an enum penalty_time. 0: nothing that is punished.
 */
#define CONN_EXIT_OFFENCE 64

/* "NAME=ADDR PORT ADDR PORT": a connection's two ends, for programs. */
#define CONN_ENDS_MAX 320

#define CONN_LEVEL_NONE 8 /* CONN's log_level, msg.def */

struct usession;
struct pam;
struct forward;

struct conn {
	struct chan net;
	struct chan sshd;
	struct conf *conf;
	struct options options; /* for this connection, and user once known */
	struct hostkeys hostkeys;
	int forward_fd;  /* the program sshd-forward, open; owned */
	struct lab *lab; /* omniedge-ssh-server's terms; NULL under sshd */
	int once_fd;     /* lab.one_time: an eventfd(2) that is 1 until somebody
			    reads it, who then has used the password */
	const char *sftp_path; /* our sftp-server: beside our own program */
	char *addr;            /* numeric; "UNKNOWN" if there is no socket */
	unsigned port;
	char *host; /* its name, by UseDNS; NULL: none, or not looked up */
	char *laddr;
	unsigned lport;
	char *rdomain;      /* routing domain; "" for the default one */
	bool probe;         /* sshd's own proof: may never log in */
	bool proven;        /* its network process passed its part */
	bool no_match;      /* client and server had no algorithm in common */
	unsigned log_level; /* in place of LogLevel, unless CONN_LEVEL_NONE */
	enum log_sink sink;

	/* the transport */
	uint8_t session_id[64]; /* the first exchange hash that was signed */
	size_t session_id_len;
	unsigned signs;
	unsigned signed_with; /* which host key the client knows us by */
	unsigned verifies;

	/* authentication */
	enum claim {
		CLAIM_UNASKED,
		CLAIM_FRESH, /* no earlier login was made in this session */
		CLAIM_USED,
	} claim;
	char *user; /* as the client wrote it; NULL until it did */
	struct account account;
	bool valid; /* exists, and may log in if it proves who it is */
	unsigned failures;
	bool any_method;     /* AuthenticationMethods any */
	struct words chains; /* else what is left of each chain */
	bool told_lines;     /* what is wrong in key files is in the log */
	struct key **used;   /* keys that have succeeded; owned */
	size_t nused;
	char *auth_info_path; /* of the file behind SSH_USER_AUTH; owned */
	char *auth_info; /* what has succeeded, a line each; owned, or NULL */
	struct timespec answered; /* when the last of PAM's questions was */
	struct msg waiting; /* came while PAM asked; id MSG_NONE: none did */
	bool must_change;   /* sessions run passwd(1), and nothing else */
	bool granted;       /* THE record: set in one place, auth_grant() */
	/*
	 * What the login may do. grants is the set that every may_x() asks; it
	 * is empty until auth_grant(). key_opts is what keys and certificates
	 * of all steps permit together; its own grants are not to be asked.
	 */
	uint32_t grants; /* enum authkeys_grant */
	struct authkeys_opts key_opts;
	struct pam *pam; /* owned; NULL without PAM */

	struct usession *sessions; /* owned list */
	unsigned nsessions;
	struct forward *forward; /* owned; NULL until something is forwarded */
	bool refused;            /* by RefuseConnection */
	bool broke_rule; /* its network process did, which is a crash's kin */
	bool recorded;   /* in record.h's directory */
	int64_t handshake_due; /* monotonic ms; 0: none */
	bool said_bye;
	bool ended;
};

/* The name of the client's host as far as it is known, else its address. */
const char *conn_host(const struct conn *c);

/* LogLevel, and -d on top of it. */
enum log_level conn_log_level(const struct conn *c);

/* The network process broke the rules, or is gone: say which, and end. */
void conn_fault(struct conn *c, int rc);

/*
 * Tell it what it has not asked for. One that is gone cannot be told, and its
 * last words are yet to be read; one that does not read is a fault.
 */
void conn_tell(
    struct conn *c, const struct msg *m, const int *fds, unsigned nfds);

/*
 * For an answer that waits for another one: wait until one of these, with no
 * event noted yet, is ready or a signal has come. False: SIGTERM wants the
 * connection to end, which conn_serve() does.
 */
bool conn_wait(struct pollfd *fds, size_t n);

/* Serve until the network process is gone. Returns the exit status. */
int conn_serve(struct conn *c);

#endif
