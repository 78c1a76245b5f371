/*
 * The monitor's side of msg.def: one answer for each message it can get.
 * Everything in a message was chosen by a process that we assume is hostile.
 */
#ifndef MONITOR_ANSWER_H
#define MONITOR_ANSWER_H

#include "monitor/conn.h"

/*
 * Handle one message that msg_permitted() has let through. 0, or -errno when
 * it must not have been sent: the connection then ends.
 */
int answer(struct conn *c, const struct msg *m);

/* --- answer_transport.c */
int answer_setup(struct conn *c, const struct msg *m);
int answer_sign(struct conn *c, const struct msg *m);
int answer_prove(struct conn *c, const struct msg *m);
int answer_log(struct conn *c, const struct msg *m);
int answer_bye(struct conn *c, const struct msg *m);

/* --- answer_user.c */
int answer_auth_user(struct conn *c, const struct msg *m);

/* --- answer_auth.c */
int answer_auth_none(struct conn *c, const struct msg *m);
int answer_auth_password(struct conn *c, const struct msg *m);
int answer_auth_key(struct conn *c, const struct msg *m);
int answer_auth_signature(struct conn *c, const struct msg *m);
int answer_auth_kbdint(struct conn *c, const struct msg *m);
int answer_auth_answers(struct conn *c, const struct msg *m);
int answer_auth_dropped(struct conn *c, const struct msg *m);

/* --- answer_session.c */
int answer_terms(struct conn *c, const struct msg *m);
int answer_pty_open(struct conn *c, const struct msg *m);
int answer_env(struct conn *c, const struct msg *m);
int answer_command_part(struct conn *c, const struct msg *m);
int answer_session_start(struct conn *c, const struct msg *m);
int answer_signal(struct conn *c, const struct msg *m);
int answer_hangup(struct conn *c, const struct msg *m);
int answer_session_bytes(struct conn *c, const struct msg *m);

/* --- answer_forward.c */
int answer_forward_terms(struct conn *c, const struct msg *m);
int answer_connect(struct conn *c, const struct msg *m);
int answer_listen(struct conn *c, const struct msg *m);
int answer_agent_open(struct conn *c, const struct msg *m);
int answer_x11_open(struct conn *c, const struct msg *m);

#endif
