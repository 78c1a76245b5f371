/*
 * One typed call for each request to the monitor. A monitor that is gone, or
 * that answers what was not asked, leaves nothing to do for this process: these
 * calls then end it, so the code around them need not think of it.
 */
#ifndef SSHD_ASK_H
#define SSHD_ASK_H

#include "sshd/net.h"

/* Spans of an answer live until the next call of this file. */
struct msg_terms_reply ask_terms(struct net *n);
struct msg_setup_reply ask_setup(struct net *n);

/* The monitor's signature over an exchange hash; key as in msg.def SIGN. */
struct span ask_sign(
    struct net *n, unsigned key, unsigned digest, struct span hash);

/* Each is one row of msg.def, "authentication"; strings within its bounds. */
struct msg_auth_methods ask_auth_user(struct net *n, const char *user);
struct msg_auth_result ask_auth_none(struct net *n);
struct msg_auth_result ask_auth_password(struct net *n, const char *password);
struct msg_auth_result ask_auth_key(struct net *n, struct span key);
struct msg_auth_result ask_auth_signature(
    struct net *n, struct span key, struct span data, struct span signature);
struct msg_auth_result ask_auth_kbdint(struct net *n);
struct msg_auth_result ask_auth_answers(struct net *n, struct span answers);
struct msg_auth_result ask_auth_dropped(struct net *n);

/* The terminal's master side, to read and to write, now the caller's. */
bool ask_pty_open(
    struct net *n, const struct msg_pty_open *what, int out_fds[2]);

/* Whether the variable will be set. */
bool ask_env(
    struct net *n, unsigned session, const char *name, const char *value);

/*
 * Start the session's process. With a terminal the three descriptors stay -1,
 * else they are its stdin (to write), stdout and stderr, the caller's to close.
 */
bool ask_session_start(
    struct net *n, const struct msg_session_start *what, int out_fds[3]);

/* Whether the agent may be forwarded. */
bool ask_forward_terms(struct net *n);
/* The agent's listening socket, the caller's; or -1. */
int ask_agent_open(struct net *n);
/* Listening sockets of a display, the caller's; how many, 0: none. */
unsigned ask_x11_open(
    struct net *n, const struct msg_x11_open *what, int out_fds[MSG_MAX_FDS]);

/* The beginning of a command, in front of ask_session_start(). */
void tell_command_part(struct net *n, unsigned session, struct span text);

/* Answered by CONNECTED and LISTENING, some time: forward.h, listener.h. */
void tell_connect(struct net *n, const struct msg_connect *what);
void tell_listen(struct net *n, const struct msg_listen *what);

/* Sent without an answer. */
void tell_signal(struct net *n, unsigned session, const char *name);
void tell_hangup(struct net *n, unsigned session);
void tell_session_bytes(
    struct net *n, unsigned session, uint64_t in, uint64_t out);
void tell_proven(struct net *n);
void tell_log(struct net *n, unsigned level, const char *text);
void tell_bye(struct net *n);

/*
 * Take what the monitor sent unasked: the ends of sessions' processes, and what
 * became of forwarding. It is only noted: this may run inside libssh.
 */
void ask_events(struct net *n);

#endif
