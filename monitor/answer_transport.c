/*
 * Set-up, the host keys' signatures, and what the network process has to say
 * for itself. Runs in sshd-monitor as root; every message is hostile.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/option_algs.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/authlog.h"
#include "monitor/keyauth.h"

/*
 * SIGN stays open after the login, for rekeying. More often than this in one
 * connection is no client's rekeying (at the smallest RekeyLimit it is 2^24
 * packets), but somebody who wants signatures.
 */
#define SIGNS_MAX 65536

#define NLISTS 4

/* The algorithm lists of SETUP_REPLY, in its order; owned by the caller. */
static int
resolve_lists(const struct options *o, char *out_lists[NLISTS])
{
	const struct option_algs lists[NLISTS] = {
		{ o->kex_algorithms, OPTION_DEFAULT_KEX, OPTION_KNOWN_KEX,
		    OPTION_AVAILABLE_KEX },
		{ o->ciphers, OPTION_DEFAULT_CIPHERS, OPTION_KNOWN_CIPHERS,
		    NULL },
		{ o->macs, OPTION_DEFAULT_MACS, OPTION_KNOWN_MACS, NULL },
		{ o->host_key_algorithms, OPTION_DEFAULT_HOSTKEY_ALGS,
		    OPTION_KNOWN_KEYS, NULL },
	};
	char why[OPTION_WHY_MAX] = "";
	int rc = 0;

	for (size_t i = 0; i < NLISTS && rc == 0; i++)
		rc = option_algs_resolve(&lists[i], why, &out_lists[i]);
	if (rc != 0)
		log_error("%s", *why != '\0' ? why : err_str(rc));
	return rc;
}

int
answer_setup(struct conn *c, const struct msg *m)
{
	const struct options *o = &c->options;
	struct msg reply = { .id = MSG_SETUP_REPLY };
	struct msg_setup_reply *r = &reply.u.setup_reply;
	char *lists[NLISTS] = { NULL };
	AUTOFREE char *pubkey_algs = NULL;
	struct span *blobs[HOSTKEY_KINDS] = { &r->ed25519, &r->ecdsa, &r->rsa };
	int rc;

	(void)m;
	rc = resolve_lists(o, lists);
	c->no_match = rc != 0;
	if (rc == 0)
		rc = keyauth_signatures(o, &pubkey_algs);
	if (rc == 0) {
		for (size_t i = 0; i < HOSTKEY_KINDS; i++)
			*blobs[i] = span_of(c->hostkeys.slot[i].blob.p,
			    c->hostkeys.slot[i].blob.len);
		r->kex = span_text(lists[0]);
		r->ciphers = span_text(lists[1]);
		r->macs = span_text(lists[2]);
		r->hostkey_algs = span_text(lists[3]);
		r->pubkey_algs = span_text(pubkey_algs);
		r->rekey_kib = o->rekey_limit.bytes / 1024;
		r->rekey_seconds = (uint64_t)o->rekey_limit.seconds;
		if (o->version_addendum != NULL)
			r->addendum = span_text(o->version_addendum);
		r->prove = c->probe;
		c->net.phase = PH_KEX;
		rc = chan_send(&c->net, &reply, NULL, 0);
	}
	for (size_t i = 0; i < NLISTS; i++)
		free(lists[i]);
	return rc;
}

static bool
is_hash_len(size_t len)
{
	return len == 32 || len == 48 || len == 64;
}

/*
 * Sign an exchange hash. What is signed can be nothing else: the bytes that a
 * user's key signs to log in are longer than any hash (RFC 4252 section 7), a
 * certificate too. The first hash is this connection's session identifier
 * (RFC 4253 section 7.2), and is remembered here, not told by the asker.
 */
int
answer_sign(struct conn *c, const struct msg *m)
{
	const struct msg_sign *q = &m->u.sign;
	AUTO(writer_done) struct writer raw = WRITER_INIT;
	struct msg reply = { .id = MSG_SIGNATURE };
	const struct key *key;
	int rc;

	if (!is_hash_len(q->hash.len) || c->signs >= SIGNS_MAX)
		return -EPROTO;
	key = hostkeys_private(&c->hostkeys, q->key);
	if (key == NULL) /* it was told which ones there are */
		return -EPROTO;
	if (key_type(key) != KEY_RSA)
		rc = key_sign_raw(key, KEY_DIGEST_NONE, q->hash, &raw);
	else if (q->digest == 256 || q->digest == 512)
		rc = key_sign_raw(key,
		    q->digest == 256 ? KEY_DIGEST_SHA256 : KEY_DIGEST_SHA512,
		    q->hash, &raw);
	else
		rc = -EPROTO;
	if (rc != 0)
		return rc;
	if (c->signs++ == 0) {
		memcpy(c->session_id, q->hash.p, q->hash.len);
		c->session_id_len = q->hash.len;
		c->signed_with = (unsigned)q->key;
		c->net.phase = PH_AUTH;
	}
	reply.u.signature.raw = span_of(raw.p, raw.len);
	return chan_send(&c->net, &reply, NULL, 0);
}

int
answer_prove(struct conn *c, const struct msg *m)
{
	(void)m;
	if (!c->probe)
		return -EPROTO;
	c->proven = true;
	return 0;
}

int
answer_log(struct conn *c, const struct msg *m)
{
	const struct msg_log *q = &m->u.log;

	/* Not above INFO: the network process has no say in what is urgent. */
	log_at(q->level < LEVEL_INFO ? LEVEL_INFO : (enum log_level)q->level,
	    "sshd-net: %.*s [%s port %u]", (int)q->text.len,
	    (const char *)q->text.p, c->addr, c->port);
	return 0;
}

int
answer_bye(struct conn *c, const struct msg *m)
{
	char text[MSG_BYE_TEXT_MAX + 1];

	memcpy(text, m->u.bye.text.p, m->u.bye.text.len);
	text[m->u.bye.text.len] = '\0';
	/* Who ends it before a signature had nothing to make one with. */
	c->no_match = c->signs == 0 && (m->u.bye.reason == BYE_PROTOCOL ||
					   m->u.bye.reason == BYE_LOCAL);
	if (c->probe && m->u.bye.reason == BYE_LOCAL)
		log_error("sshd-net: %s", text);
	authlog_bye(c, (enum bye_reason)m->u.bye.reason, text);
	c->said_bye = true;
	c->ended = true;
	return 0;
}
