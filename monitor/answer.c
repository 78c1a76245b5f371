/*
 * Which answer belongs to which message, and nothing else. Runs in
 * sshd-monitor. That each row sent to the monitor has its answer here is
 * tested (regress/unit/test_answer.c).
 */
#include "config.h"

#include "common/err.h"
#include "monitor/answer.h"

static int (*const answers[MSG_COUNT])(struct conn *c, const struct msg *m) = {
	[MSG_SETUP] = answer_setup,
	[MSG_SIGN] = answer_sign,
	[MSG_PROVE] = answer_prove,
	[MSG_LOG] = answer_log,
	[MSG_BYE] = answer_bye,
	[MSG_AUTH_USER] = answer_auth_user,
	[MSG_AUTH_NONE] = answer_auth_none,
	[MSG_AUTH_PASSWORD] = answer_auth_password,
	[MSG_AUTH_KEY] = answer_auth_key,
	[MSG_AUTH_SIGNATURE] = answer_auth_signature,
	[MSG_AUTH_KBDINT] = answer_auth_kbdint,
	[MSG_AUTH_ANSWERS] = answer_auth_answers,
	[MSG_AUTH_DROPPED] = answer_auth_dropped,
	[MSG_TERMS] = answer_terms,
	[MSG_PTY_OPEN] = answer_pty_open,
	[MSG_ENV] = answer_env,
	[MSG_COMMAND_PART] = answer_command_part,
	[MSG_SESSION_START] = answer_session_start,
	[MSG_SIGNAL] = answer_signal,
	[MSG_HANGUP] = answer_hangup,
	[MSG_FORWARD_TERMS] = answer_forward_terms,
	[MSG_CONNECT] = answer_connect,
	[MSG_LISTEN] = answer_listen,
	[MSG_AGENT_OPEN] = answer_agent_open,
	[MSG_X11_OPEN] = answer_x11_open,
	[MSG_SESSION_BYTES] = answer_session_bytes,
};

int
answer(struct conn *c, const struct msg *m)
{
	return answers[m->id] != NULL ? answers[m->id](c, m) : -EPROTO;
}
