/*
 * Claiming the session identifier for a login by key. Runs in sshd-monitor as
 * root; sshd answers at once, and is trusted.
 */
#include "config.h"

#include "common/err.h"
#include "common/log.h"
#include "monitor/claim.h"

static int
ask_claim(struct conn *c, struct msg *out_m)
{
	struct msg m = { .id = MSG_CLAIM };
	int rc;

	m.u.claim.session_id = span_of(c->session_id, c->session_id_len);
	rc = chan_send(&c->sshd, &m, NULL, 0);
	if (rc != 0)
		return rc;
	do
		rc = chan_recv(&c->sshd, out_m);
	while (rc == -EINTR);
	return rc == 0 && out_m->id != MSG_CLAIMED ? -EPROTO : rc;
}

int
may_claim(struct conn *c)
{
	struct msg m;
	int rc;

	if (c->claim == CLAIM_UNASKED) {
		c->claim = CLAIM_USED;
		rc = ask_claim(c, &m);
		if (rc != 0)
			log_error("sshd cannot be asked about the session of "
				  "%s port %u (%s); no login by key",
			    c->addr, c->port, err_str(rc));
		else if (m.u.claimed.fresh)
			c->claim = CLAIM_FRESH;
		else
			log_error("signature of %s from %s port %u is for a "
				  "session that was used before; refused",
			    c->user, c->addr, c->port);
	}
	return c->claim == CLAIM_FRESH ? 0 : -EACCES;
}
