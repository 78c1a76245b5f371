/*
 * keyboard-interactive. Runs in sshd-monitor as root, inside of a PAM module's
 * conversation: one state, "asked", in which the network process may answer,
 * begin another attempt, which ends this one, or do what it may at any time
 * of the login. LoginGraceTime, which sshd keeps, ends what lasts too long.
 */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/kbdint.h"

/* The body of SSH_MSG_USERAUTH_INFO_REQUEST, RFC 4256 section 3.2. */
static int
send_round(struct conn *c, const struct kbdint_round *round)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = { .id = MSG_AUTH_RESULT };

	writer_cstring(&w, ""); /* name */
	writer_cstring(&w, round->instruction);
	writer_cstring(&w, ""); /* language */
	writer_u32(&w, (uint32_t)round->n);
	for (size_t i = 0; i < round->n; i++) {
		writer_cstring(&w, round->prompts[i].text);
		writer_u8(&w, round->prompts[i].echo);
	}
	if (writer_end(&w) != 0)
		return -ENOMEM;
	if (w.len > KBDINT_TEXT_MAX)
		return -EMSGSIZE;
	m.u.auth_result.verdict = VERDICT_ASKED;
	m.u.auth_result.questions = span_of(w.p, w.len);
	return chan_send(&c->net, &m, NULL, 0);
}

/* RFC 4256 section 3.4: as many strings as were asked for, none with a NUL. */
static int
read_answers(struct span body, size_t n, char *out_answers[])
{
	struct reader r;
	uint32_t count;
	size_t done = 0;

	reader_init(&r, body.p, body.len);
	count = reader_u32(&r);
	while (!r.failed && count == n && done < n) {
		struct span s = reader_string(&r, KBDINT_TEXT_MAX);

		if (r.failed ||
		    (s.len != 0 && memchr(s.p, '\0', s.len) != NULL))
			break;
		out_answers[done] = strndup((const char *)s.p, s.len);
		if (out_answers[done] == NULL)
			break;
		done++;
	}
	if (done == n && count == n && reader_end(&r) == 0)
		return 0;
	while (done > 0) {
		char *answer = out_answers[--done];

		explicit_bzero(answer, strlen(answer));
		free(answer);
	}
	return -EBADMSG;
}

/* What does not touch the attempt, and is answered in its midst. */
static bool
is_aside(enum msg_id id)
{
	return id == MSG_SIGN || id == MSG_LOG || id == MSG_BYE;
}

/* One message of the network process; -EAGAIN: it was none of the answers. */
static int
take_message(struct conn *c, size_t n, char *out_answers[])
{
	struct msg m;
	int rc = chan_recv(&c->net, &m);

	if (rc == -EINTR)
		return -EAGAIN;
	clock_gettime(CLOCK_MONOTONIC, &c->answered);
	if (rc == 0 && m.id == MSG_AUTH_ANSWERS) {
		rc = read_answers(m.u.auth_answers.answers, n, out_answers);
		chan_wipe(&c->net);
		return rc;
	}
	if (rc == 0 && is_aside(m.id)) {
		rc = answer(c, &m);
		chan_wipe(&c->net);
		if (rc == 0 && !c->ended)
			return -EAGAIN;
	} else if (rc == 0) {
		/* Its spans live until the next message is taken. */
		c->waiting = m;
	}
	if (rc != 0)
		conn_fault(c, rc);
	return -ECANCELED;
}

int
kbdint_ask(struct conn *c, const struct kbdint_round *round,
    char *out_answers[KBDINT_PROMPTS_MAX])
{
	int rc;

	/* A stack of modules may go on asking when nobody answers any more. */
	if (c->ended || c->waiting.id != MSG_NONE)
		return -ECANCELED;
	rc = send_round(c, round);
	log_verbose("Postponed keyboard-interactive/pam for %s%s from %s "
		    "port %u ssh2 [preauth]",
	    c->valid ? "" : "invalid user ", c->user, c->addr, c->port);
	if (rc == 0)
		rc = -EAGAIN;
	while (rc == -EAGAIN) {
		struct pollfd fds[2] = {
			{ c->net.fd, POLLIN, 0 },
			{ c->sshd.fd, POLLIN, 0 },
		};

		if (!conn_wait(fds, nitems_of(fds)))
			return -ECANCELED;
		/* sshd says nothing unasked: it is gone, and so is this. */
		if (fds[1].revents != 0) {
			c->ended = true;
			return -ECANCELED;
		}
		if (fds[0].revents != 0)
			rc = take_message(c, round->n, out_answers);
	}
	return rc;
}
